"""Token pictures: values by hand and by transformers' own states, hostile texts shown whole, colours that can be read."""

import dataclasses
import html
import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import matplotlib
import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from emotion_concepts import load_model, project
from emotion_concepts.entry import run_script
from emotion_concepts.errors import DataError, NonFiniteError
from emotion_concepts.projection import TokenScores
from emotion_concepts.story_checks import read_vocabulary
from emotion_concepts.text_sets import read_texts
from emotion_concepts.token_pictures import (
    coloured,
    described_layer,
    narrowed,
    picture_html,
    picture_page,
    pictures_of,
    text_to_colour,
    visible,
)
from emotion_concepts.vectors import EmotionVectors, load_vectors, save_vectors
from tests.conftest import ROOT, TEXTS, make_model_folder

REPORT = ROOT / "resources/report"
PART, PAGE, STYLE = (REPORT / f"picture{name}" for name in (".html.jinja", "_page.html.jinja", ".css"))
HOSTILE = '<script>alert(1)</script> "quotes" & \u202eright to left\nnew line\x00\x1b[2J\u2028 {{ 7 * 7 }} </p> é🌙 <s>  two spaces\t.'


def scores_of(values, own=None) -> TokenScores:
    """One letter a token, one concept, one layer."""
    n = len(values)
    along = np.array(values, np.float32).reshape(1, n, 1)
    own_T = np.ones(n, bool) if own is None else np.array(own)
    places_T2 = np.stack([np.arange(n), np.arange(n) + 1], 1).astype(np.int32)
    text = "".join(chr(97 + i % 26) for i in range(n))
    return TokenScores(
        list(text), ["x"], [4], along, along, np.ones((1, n), np.float32), text, own_T, places_T2
    )


class Seen(HTMLParser):
    """What a browser would show of a part's text, and the elements that it found."""

    def __init__(self, page: str):
        super().__init__()
        self.tags, self.titles, self.shown, self.inside = [], [], "", False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.inside = self.inside or (tag == "p" and ("dir", "auto") in attrs)
        self.titles += [value for name, value in attrs if name == "title"]

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "p"

    def handle_data(self, data):
        self.shown += data if self.inside else ""


def test_values_by_hand():
    """Counted: 0, 1, 2, 3, 10 (mean 3.2; sizes 3.2, 2.2, 1.2, .2, 6.8). The 99th percentile of five lies at
    place .99 x 4 = 3.96 of the sorted sizes: 3.2 + .96 x (6.8 - 3.2) = 6.656."""
    picture = coloured(scores_of([900, 0, 1, 2, 3, 10]), "x", 4)
    assert picture.mean == pytest.approx(3.2) and picture.scale == pytest.approx(6.656)
    values = [piece.value for piece in picture.pieces]
    assert values[0] is None and values[1:5] == pytest.approx(
        [-3.2 / 6.656, -2.2 / 6.656, -1.2 / 6.656, -0.2 / 6.656]
    )
    assert values[5] == 1.0


def test_what_the_tokenizer_added_does_not_count():
    picture = coloured(scores_of([900, 1, 3, -700], own=[False, True, True, False]), "x", 4)
    assert picture.mean == 2 and picture.pieces[1].value < 0 < picture.pieces[2].value


def test_scale_of_the_vector_and_the_model_does_not_matter_but_its_sign_does():
    values = np.random.default_rng(0).standard_normal(50)
    plain, scaled, turned = (coloured(scores_of(k * values + 7), "x", 4) for k in (1, 30, -1))
    for a, b, c in zip(plain.pieces[1:], scaled.pieces[1:], turned.pieces[1:], strict=True):
        assert a.value == pytest.approx(b.value, abs=1e-4) and a.value == pytest.approx(-c.value, abs=1e-4)


def test_a_text_without_differences_has_no_colour():
    assert [piece.value for piece in coloured(scores_of([5, 2, 2, 2]), "x", 4).pieces[1:]] == [0, 0, 0]


@pytest.mark.parametrize("bos", [False, True])
def test_values_are_those_of_transformers_own_states(tmp_path, tiny_vectors, bos):
    """One piece a token in plain ASCII; hooks of torch alone, the formula written out with sorting."""
    folder, text = make_model_folder(tmp_path / "tiny", bos=bos), TEXTS[0][:200]
    assert text.isascii()
    model = load_model(str(folder), dtype="float32")
    picture = coloured(project(model, tiny_vectors, text), "calm", 2)
    hf = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    states = []
    hook = hf.model.layers[2].register_forward_hook(
        lambda _m, _i, out: states.append(out[0] if isinstance(out, tuple) else out)
    )
    with torch.no_grad():
        hf(torch.tensor([model.tokenizer(text)["input_ids"]]))
    hook.remove()
    vector = tiny_vectors.denoised_LCD[2, 1].astype(float)
    along = states[0].reshape(-1, 32).double().numpy()[1:] @ (vector / np.sqrt((vector**2).sum()))
    off = along - sum(along) / len(along)
    place = 0.99 * (len(off) - 1)
    low, high = sorted(abs(off))[int(place)], sorted(abs(off))[int(place) + 1]
    expected = off / (low + (place - int(place)) * (high - low))
    found = [piece.value for piece in picture.pieces if piece.value is not None]
    # Float32 in the model; its states have a size of a few units.
    np.testing.assert_allclose(found, np.clip(expected, -1, 1), atol=1e-4)
    # With a BOS, which is not shown, every token of the text counts.
    assert (picture.pieces[0].value is None) is not bos


@pytest.mark.parametrize("text", [HOSTILE, "é", "plain words", "🌙" * 3, "  lead", "日本語\n\n", "a\r\nb"])
def test_pieces_are_the_text_whole(tiny_model, tiny_vectors, text):
    assert "".join(p.text for p in coloured(project(tiny_model, tiny_vectors, text), "sad", 1).pieces) == text


def test_a_character_of_several_tokens_is_coloured_once(tiny_model, tiny_vectors):
    scores = project(tiny_model, tiny_vectors, "a🌙b")
    assert len(scores.tokens) == 6
    picture = coloured(scores, "sad", 1)
    assert [piece.text for piece in picture.pieces] == ["a", "🌙", "b"]
    along = scores.projection_LTC[1, 1:, 2].astype(float)
    off = along - along.mean()
    expected = np.clip(off / np.percentile(abs(off), 99), -1, 1)[:4].mean()
    assert picture.pieces[1].value == pytest.approx(expected, abs=1e-6)


def test_characters_that_no_token_stands_for_are_shown():
    """Some tokenizers leave spaces out, or make a token of no character at all."""
    scores = scores_of([0, 1, 2, 3])
    places = np.array([[0, 3], [4, 7], [7, 7], [8, 9]], np.int32)
    picture = coloured(dataclasses.replace(scores, text="one two .\n", places_T2=places), "x", 4)
    assert [piece.text for piece in picture.pieces] == ["one", " two", " .", "\n"]
    assert picture.pieces[-1].value is None


def test_hostile_text_is_shown_and_does_nothing(tiny_model, tiny_vectors):
    page = picture_html(coloured(project(tiny_model, tiny_vectors, HOSTILE), "sad", 1), PART)
    seen = Seen(page)
    assert set(seen.tags) == {"figure", "figcaption", "strong", "p", "span", "div"}
    assert seen.shown == visible(HOSTILE)
    assert (
        all(f"⟨U+{code}⟩" in seen.shown for code in ("202E", "0000", "001B", "2028")) and "↵\n" in seen.shown
    )
    assert not set(page) & {"\u202e", "\x00", "\x1b", "\u2028"} and "{{ 7 * 7 }}" in seen.shown


def test_joiners_of_emoji_and_scripts_are_kept():
    assert visible("👩\u200d👧 می\u200cخواهم\t") == "👩\u200d👧 می\u200cخواهم\t"


def test_each_token_says_its_value():
    picture = coloured(scores_of([900, 0, 1, 2, 3, 10]), "x", 4)
    page = picture_html(picture, PART)
    assert Seen(page).titles == ["not counted", "-0.48", "-0.33", "-0.18", "-0.03", "+1.00"]
    assert '<span class="above" style="--v:1.00"' in page and '<span class="below" style="--v:0.48"' in page
    assert "in units of its 99th percentile (6.66)" in page and "Dotted" in page


def test_page_stands_alone_and_says_what_it_is_of(tiny_model, tiny_vectors):
    odd = EmotionVectors(**{**vars(tiny_vectors), "model": "<b>owner/name", "revision": "abc"})
    scores = project(tiny_model, odd, HOSTILE)
    page = picture_page([coloured(scores, concept, 2) for concept in ("sad", "calm")], odd, "my & set", PAGE)
    assert not re.search(r"https?:|<link|<script|<img|@import|url\(|src=", page)
    assert "default-src 'none'" in page
    seen = html.unescape(re.sub("<[^>]+>", "", page))
    for said in (
        "Model <b>owner/name",
        "“my & set”",
        "layer 2",
        "“sad”, “calm”",
        "does not say that the model has",
    ):
        assert said in seen
    assert page.count('<figure class="picture">') == 2 and page.count("--above: 192 100 10") == 1


def colours(block: str) -> dict[str, tuple[int, ...]]:
    found = re.findall(r"--(\w+): (\d+) (\d+) (\d+)", block)
    return {name: tuple(map(int, numbers)) for name, *numbers in found}


def luminance(colour) -> float:
    """Relative luminance as WCAG 2 defines it."""
    linear = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["RdBu", "PuOr"])
def test_text_can_be_read_on_every_shade(theme, name):
    """Contrast of 4.5 (WCAG AA) at each strength; colours are matplotlib's, above and below alike in lightness."""
    light, dark = STYLE.read_text(encoding="utf-8").split("@media", 1)
    block = light if theme == "light" else dark
    usual, safe = (colours(line) for line in block.split("\n") if "--above:" in line)
    used = usual if name == "RdBu" else {**usual, **safe}
    table = {tuple(round(255 * c) for c in rgb[:3]) for rgb in matplotlib.colormaps[name](np.arange(256))}
    for side in ("above", "below"):
        assert used[side] in table
        for strength in np.linspace(0, 1, 21):
            shade = [
                strength * a + (1 - strength) * b for a, b in zip(used[side], used["ground"], strict=True)
            ]
            low, high = sorted((luminance(shade), luminance(used["ink"])))
            assert (high + 0.05) / (low + 0.05) >= 4.5
    assert used["above"][0] > used["below"][0]
    assert luminance(used["above"]) == pytest.approx(luminance(used["below"]), abs=0.02)


def test_bundled_texts_never_name_their_concepts_nor_a_synonym():
    vocabulary = read_vocabulary(
        ROOT / "resources/leakage/concept_words.csv", ROOT / "resources/leakage/idioms.txt"
    )
    texts = read_texts(ROOT / "resources/text_sets/pictures.jsonl")
    assert len(texts) == 8
    for text in texts:
        words = re.findall(r"[a-z']+", text.text.lower())
        assert 40 <= len(words) <= 75, text.id
        assert vocabulary.named(text.text, text.labels.values()) == {}
        assert not any(vocabulary.synonyms_of(concept, text.text) for concept in text.labels.values())


def test_concepts_without_vectors_are_left_out_and_named(tiny_model, tiny_vectors, caplog):
    caplog.set_level("INFO")
    texts = read_texts(ROOT / "resources/text_sets/pictures.jsonl")
    found = pictures_of(tiny_model, tiny_vectors, texts, 3)
    concepts = {name: [picture.concept for picture in pictures] for name, pictures in found.items()}
    assert concepts == {
        "clinic": ["sad"], "harbour": ["calm", "afraid"], "violin": ["sad"], "swing": ["sad"],
        "stairs": ["afraid", "calm"], "counter": ["calm"],
    }  # fmt: skip
    assert caplog.messages == ["no vectors of angry, desperate, happy, loving, proud: left out"]
    alone = coloured(project(tiny_model, tiny_vectors, texts[5].text), "calm", 3)
    assert [p.value for p in found["stairs"][1].pieces] == pytest.approx(
        [p.value for p in alone.pieces], nan_ok=True
    )


@pytest.mark.parametrize(
    ("concept", "layer", "said"),
    [
        ("glad", 2, "no vector for 'glad'; known: afraid, calm, sad"),
        ("sad", 9, "no vectors at layer 9; known: 0 to 3"),
    ],
)
def test_unknown_concepts_and_layers_are_named(tiny_vectors, concept, layer, said):
    with pytest.raises(DataError) as error:
        narrowed(tiny_vectors, [concept], layer)
    assert str(error.value) == said


def test_texts_that_cannot_be_coloured_are_one_line(tmp_path, tiny_model, tiny_vectors):
    binary = tmp_path / "binary.txt"
    binary.write_bytes(b"\xff\xfe")
    one_of_two = "give a text to colour, or a file that holds it: one of the two"
    for arguments, said in [
        ((None, None), one_of_two),
        (("a", binary), one_of_two),
        ((" \n", None), "the text: empty; give some words to colour"),
        (("\udc80", None), "the text: not UTF-8"),
        ((None, binary), f"{binary}: not UTF-8"),
        ((None, tmp_path / "none.txt"), f"{tmp_path}/none.txt: cannot be read: No such file or directory"),
    ]:
        with pytest.raises(DataError) as error:
            text_to_colour(*arguments)
        assert str(error.value) == said
    with pytest.raises(DataError, match="a single token or none"):
        coloured(scores_of([1]), "x", 4)
    with pytest.raises(DataError, match="does not tell which characters"):
        coloured(dataclasses.replace(scores_of([1, 2]), places_T2=np.zeros((0, 2), np.int32)), "x", 4)
    with pytest.raises(NonFiniteError, match="projection on 'x' at layer 4"):
        coloured(scores_of([1, 2, np.nan]), "x", 4)
    with pytest.raises(DataError, match="the text has 3000 tokens; this model reads 1 to 1024"):
        project(tiny_model, tiny_vectors, "1#" * 1500)


@pytest.fixture
def results(tmp_path, tiny_folder, tiny_vectors):
    """Results of a run as far as a picture needs them."""
    base = tmp_path / "my results" / "tiny"
    save_vectors(base / "vectors/mine/vectors.safetensors", tiny_vectors)
    (base / "geometry/mine").mkdir(parents=True)
    (base / "geometry/mine/geometry.json").write_text('{"layer": 2}')
    known = {"path": str(tiny_folder), "source": "tiny", "revision": "r1"}
    (base / "model.json").write_text(json.dumps(known))
    return base.parent


def make_color(results, *given: str) -> subprocess.CompletedProcess:
    """`make color` on these results, with the interpreter of the tests and nothing to install."""
    command = [
        "make",
        "--no-print-directory",
        "-o",
        "installed",
        "INSTALLED=installed",
        f"VENV='{sys.executable}'",
        "color",
    ]
    chosen = [f"RESULTS={results}", "MODEL=tiny", "STORY_SET=mine", *given]
    return subprocess.run([*command, *chosen], cwd=ROOT, capture_output=True, text=True)


def test_make_color_writes_a_page_of_the_users_own_text(results):
    text = "She paid $5, 'twice' & \"more\"; `echo x` $(PAGE)\nIt was late -- too late."
    done = make_color(results, f"TEXT={text}", "CONCEPT=afraid")
    page = results / "pictures/afraid.html"
    assert done.returncode == 0 and done.stdout == f"The picture: {page}\n", done.stderr
    assert Seen(page.read_text(encoding="utf-8")).shown == visible(text)
    assert "layer 2" in page.read_text(encoding="utf-8")


def test_make_color_reads_a_file_at_a_layer(results, tmp_path):
    (tmp_path / "my text.txt").write_text("-- One line.\nAnother — ünd more.\n", encoding="utf-8")
    done = make_color(results, f"FILE={tmp_path / 'my text.txt'}", "CONCEPT=sad", "LAYER=1")
    page = (results / "pictures/sad.html").read_text(encoding="utf-8")
    assert done.returncode == 0 and Seen(page).shown.endswith("Another — ünd more.↵\n") and "layer 1" in page


def test_make_color_says_what_is_wrong_in_one_line(results):
    done = make_color(results, "TEXT=Some words.", "CONCEPT=glad")
    assert done.returncode and done.stdout == ""
    assert done.stderr.split("\n")[0] == "ERROR no vector for 'glad'; known: afraid, calm, sad"
    assert "Traceback" not in done.stderr and not (results / "pictures").exists()


def test_without_geometry_a_layer_is_asked_for(tmp_path):
    with pytest.raises(
        DataError, match=r"geometry/mine/geometry\.json: no such file, so there is no usual layer"
    ):
        described_layer(tmp_path / "tiny/vectors/mine/vectors.safetensors")


def test_options_take_the_type_of_their_parameter(monkeypatch):
    taken = {}

    def main(words: str, count: int, note: str | None = None, layer: int | None = None) -> None:
        taken.update(words=words, count=count, note=note, layer=layer)

    monkeypatch.setattr(sys, "argv", ["script", "--words=-a b", "--count", "3", "--layer", "4"])
    run_script(main, {})
    assert taken == {"words": "-a b", "count": 3, "note": None, "layer": 4}


def test_vectors_of_one_layer_are_those_of_the_file(results, tiny_vectors):
    known = narrowed(load_vectors(results / "tiny/vectors/mine/vectors.safetensors"), ["sad", "afraid"], 3)
    np.testing.assert_array_equal(known.unit("sad", 3), tiny_vectors.unit("sad", 3))
    np.testing.assert_array_equal(known.raw_LCD[0], tiny_vectors.raw_LCD[3, [2, 0]])
