"""The logit lens against the whole model, closed forms, and a model that was made to read."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from safetensors.torch import load_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from emotion_concepts import lens_scores
from emotion_concepts.errors import DataError, UnsupportedModelError
from emotion_concepts.figures.lens import draw_shares
from emotion_concepts.files import read_json, write_json
from emotion_concepts.lens_words import concept_words, word_tokens
from emotion_concepts.logit_lens import LogitLens, ends_table, final_modules, flat_directions, token_texts
from emotion_concepts.models import Model
from emotion_concepts.story_checks import Vocabulary, read_vocabulary
from emotion_concepts.vectors import EmotionVectors, random_directions, save_vectors
from scripts import draw_lens, read_lens
from tests.architectures import FAMILIES, make_model
from tests.conftest import ROOT, make_tokenizer

LEAKAGE = ROOT / "resources/leakage"
# Concept to the words by which it is known here.
WORDS = {
    "afraid": ["afraid", "scared"], "angry": ["angry", "anger"], "calm": ["calm", "serene"], "happy": ["happy", "joy"],
    "proud": ["proud", "pride"], "sad": ["sad", "sorrow"], "shy": ["shy", "bashful"], "tired": ["tired", "weary"],
}  # fmt: skip
CONCEPTS = list(WORDS)
WIDTH = 32


def opened(hf, tokenizer) -> Model:
    return Model(hf, tokenizer, Path("nowhere"), "tiny", "r")


def with_uneven_norms(hf):
    """The same model with norm weights and biases unlike one another: as made, all are 1 and 0."""
    generator = torch.Generator().manual_seed(7)
    for parameter in hf.parameters():
        if parameter.dim() == 1:
            parameter.data += 0.5 * torch.randn(parameter.shape, generator=generator)
    return hf


@pytest.fixture(scope="module")
def tokenizer():
    return make_tokenizer()


def logits_of_residual(model: Model, residual_D: torch.Tensor) -> torch.Tensor:
    """The whole model's logits where the last block's output is this, at every token; soft cap undone."""

    def take_its_place(_block, _inputs, output):
        first = output[0] if isinstance(output, tuple) else output
        new = residual_D.expand_as(first)
        return (new, *output[1:]) if isinstance(output, tuple) else new

    handle = model.blocks[-1].register_forward_hook(take_its_place)
    try:
        with torch.no_grad():
            logits = model.hf(torch.tensor([[5, 6, 7]]), use_cache=False).logits[0, -1].double()
    finally:
        handle.remove()
    cap = getattr(model.hf.config.get_text_config(), "final_logit_softcapping", None)
    return cap * torch.atanh(logits / cap) if cap else logits


@pytest.mark.parametrize("family", FAMILIES)
def test_scores_are_the_whole_models_logits_of_the_bare_direction(family, tokenizer):
    model = opened(with_uneven_norms(make_model(family)), tokenizer)
    directions = np.random.default_rng(1).standard_normal((3, WIDTH)).astype(np.float32)
    scores = LogitLens(model).scores(directions)
    nothing = logits_of_residual(model, torch.zeros(WIDTH))
    for direction, found in zip(directions, scores, strict=True):
        unit = torch.from_numpy(direction / np.sqrt((direction**2).mean()))
        expected = (logits_of_residual(model, unit) - nothing)[: len(tokenizer)]
        # A scale of the logits (Granite) is monotone and left out.
        ratio = (found.double() @ expected) / (expected @ expected)
        assert ratio > 0
        torch.testing.assert_close(found.double(), ratio * expected, rtol=1e-3, atol=1e-3)


NORMS = {"llama": "norm", "gpt2": "ln_f", "gemma2": "norm", "gpt_neox": "final_layer_norm", "olmo2": "norm"}


@pytest.mark.parametrize(("family", "name"), NORMS.items())
def test_final_norm_is_found_whatever_its_name(family, name, tokenizer):
    model = opened(make_model(family), tokenizer)
    assert final_modules(model) == [getattr(model.trunk, name)]
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.hf.modules())


def test_an_unknown_way_to_the_unembedding_is_refused(tokenizer):
    model = opened(make_model("llama"), tokenizer)

    def adds_outside_any_module(_trunk, _inputs, output):
        output.last_hidden_state = output.last_hidden_state + 1
        return output

    model.trunk.register_forward_hook(adds_outside_any_module)
    with pytest.raises(
        UnsupportedModelError, match=r"LlamaForCausalLM: .* LlamaRMSNorm was found, which does not"
    ):
        LogitLens(model)


def test_rms_norm_rescales_elements_by_its_weight(tokenizer):
    hf = with_uneven_norms(make_model("llama"))
    weights = {name: value.double().numpy() for name, value in hf.state_dict().items()}
    v = random_directions(1, WIDTH, 3)
    expected = weights["lm_head.weight"] @ (weights["model.norm.weight"] * v[0] * WIDTH**0.5)
    found = LogitLens(opened(hf, tokenizer)).scores(v)[0].numpy()
    np.testing.assert_allclose(found, expected[: len(tokenizer)], rtol=1e-4, atol=1e-4)


def test_gemma_norm_rescales_by_one_plus_its_weight(tokenizer):
    hf = with_uneven_norms(make_model("gemma2"))
    weights = {name: value.double().numpy() for name, value in hf.state_dict().items()}
    v = random_directions(1, WIDTH, 3)
    expected = weights["lm_head.weight"] @ ((1 + weights["model.norm.weight"]) * v[0] * WIDTH**0.5)
    found = LogitLens(opened(hf, tokenizer)).scores(v)[0].numpy()
    np.testing.assert_allclose(found, expected[: len(tokenizer)], rtol=1e-4, atol=1e-4)


def test_layer_norm_takes_the_mean_off_and_its_bias_cancels(tokenizer):
    hf = with_uneven_norms(make_model("gpt2"))
    weights = {name: value.double().numpy() for name, value in hf.state_dict().items()}
    v = random_directions(1, WIDTH, 3)[0] + 0.4
    expected = weights["lm_head.weight"] @ (weights["transformer.ln_f.weight"] * (v - v.mean()) / v.std())
    found = LogitLens(opened(hf, tokenizer)).scores(v[None])[0].numpy()
    np.testing.assert_allclose(found, expected[: len(tokenizer)], rtol=1e-4, atol=1e-4)
    # So the opposite direction reads the opposite, and length says nothing.
    opposite = LogitLens(opened(hf, tokenizer)).scores(-50 * v[None])[0].numpy()
    np.testing.assert_allclose(opposite, -found, rtol=1e-4, atol=1e-4)


def test_half_precision_weights_are_read_in_float32(tokenizer):
    hf = with_uneven_norms(make_model("llama")).bfloat16()
    v = random_directions(2, WIDTH, 3)
    rounded = LogitLens(opened(hf.float(), tokenizer)).scores(v)
    torch.testing.assert_close(LogitLens(opened(hf.bfloat16(), tokenizer)).scores(v), rounded)


def test_readings_are_the_ends_of_a_sort_whatever_the_batches(tokenizer, monkeypatch):
    lens = LogitLens(opened(make_model("llama"), tokenizer))
    v = random_directions(7, WIDTH, 5)
    order = np.argsort(lens.scores(v).numpy(), axis=1)
    monkeypatch.setattr("emotion_concepts.logit_lens.SCORES_AT_ONCE", 2 * 600)
    monkeypatch.setattr("emotion_concepts.logit_lens.TOKENS_AT_ONCE", 97)
    read = lens.read(v, top=50, bottom=5)
    np.testing.assert_array_equal(read.top_NK, order[:, ::-1][:, :50])
    np.testing.assert_array_equal(read.bottom_NK, order[:, :5])


def test_rows_that_are_no_tokens_are_not_read(tokenizer):
    hf = make_model("llama")
    n = len(tokenizer)
    hf.resize_token_embeddings(n + 40)
    hf.lm_head.weight.data[n:] = 1e4
    read = LogitLens(opened(hf, tokenizer)).read(random_directions(3, WIDTH, 1), top=5, bottom=5)
    assert max(read.top_NK.max(), read.bottom_NK.max()) < n


# Words and tokens


def word_tokenizer() -> PreTrainedTokenizerFast:
    """Knows the words of `WORDS` whole, with a leading space and a capital too."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1500, special_tokens=["<s>", "</s>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    words = [word for listed in WORDS.values() for word in listed]
    lines = [line for w in words for line in (w, f" {w}", w.capitalize(), f" {w.capitalize()}")]
    tokenizer.train_from_iterator(lines * 5, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>")


def test_a_known_word_counts_in_its_four_spellings():
    tokenizer = word_tokenizer()
    (tokens,) = word_tokens(tokenizer, {"happy": ["happy"]}).values()
    assert {tokenizer.decode([t]) for t in tokens} == {"happy", " happy", "Happy", " Happy"}


@pytest.mark.parametrize(
    ("word", "pieces"),
    [
        ("calmest", {" calm", " Calm"}),  # four of seven letters
        ("sadistic", set()),  # three of eight
        ("shyly", {" shy", " Shy"}),
        ("xenial", set()),  # its first piece is one letter
    ],
)
def test_a_first_piece_counts_if_it_is_most_of_the_word_and_begins_one(word, pieces):
    tokenizer = word_tokenizer()
    (tokens,) = word_tokens(tokenizer, {"concept": [word]}).values()
    assert {tokenizer.decode([t]) for t in tokens} == pieces


def test_a_first_piece_of_many_concepts_counts_for_none_of_them():
    tokenizer = word_tokenizer()
    few = {f"c{i}": [f"calm{end}"] for i, end in enumerate(("er", "ly", "ed"))}
    assert all(word_tokens(tokenizer, few).values())
    assert not any(word_tokens(tokenizer, few | {"c3": ["calms"]}).values())
    # But a whole word stays one's own.
    found = word_tokens(tokenizer, few | {"calm": ["calm"]})
    assert found["calm"] and not found["c0"]


def test_words_are_those_of_the_table_without_phrases():
    table = Vocabulary({"at ease": ("at ease", "at my ease")}, {"at ease": ("easy", "relaxed")}, ())
    assert concept_words(["at ease", "zesty"], table) == {"at ease": ["easy", "relaxed"], "zesty": ["zesty"]}
    bundled = concept_words(
        (ROOT / "resources/emotions.txt").read_text(encoding="utf-8").split("\n")[:-1],
        read_vocabulary(LEAKAGE / "concept_words.csv", LEAKAGE / "idioms.txt"),
    )
    assert len(bundled) == 171 and all(bundled.values())


def test_token_texts_keep_their_space(tokenizer):
    ids = tokenizer(" the lamp")["input_ids"]
    assert "".join(token_texts(tokenizer, ids)[token] for token in ids) == " the lamp"


def test_the_table_of_tokens_keeps_every_text(tmp_path):
    texts = ["null", "NaN", "", " ", "\n", "\r", "\r\n", ",", '"', ' "a', "=1+1", "1.0", "�", "\t"]
    table = pd.DataFrame(
        {"layer": 1, "concept": "sad", "end": "top", "rank": range(len(texts)), "token": texts}
    )
    lens_scores.write_tokens(tmp_path / "t.csv", table)
    assert lens_scores.read_tokens(tmp_path / "t.csv")["token"].tolist() == texts
    with open(tmp_path / "t.csv", encoding="utf-8", newline="") as file:
        assert [row["token"] for row in csv.DictReader(file)] == texts


# Scores


def test_hits_match_a_loop():
    rng = np.random.default_rng(0)
    top_LCK = rng.integers(0, 60, (3, 4, 5))
    tokens = [set(rng.integers(0, 60, 6).tolist()) for _ in range(4)]
    hit = lens_scores.hits(top_LCK, tokens)
    for layer, i, j in np.ndindex(3, 4, 4):
        assert hit[layer, i, j] == bool(tokens[j] & set(top_LCK[layer, i].tolist()))


OPTIONS = {"permutations": 199, "bootstraps": 500, "seed": 1}


def test_shares_and_controls_have_their_closed_forms():
    rng = np.random.default_rng(2)
    top_LCK, random_NK = rng.integers(0, 300, (3, 12, 20)), rng.integers(0, 300, (12, 20))
    tokens = {f"c{i}": set(rng.integers(0, 300, 5).tolist()) for i in range(12)}
    top_LCK[1, :9, 0] = [next(iter(tokens[f"c{i}"])) for i in range(9)]
    table, found = lens_scores.scored(top_LCK, random_NK, tokens, [4, 5, 6], 6, **OPTIONS)
    for row, layer in table.iterrows():
        hit = lens_scores.hits(top_LCK[row], list(tokens.values()))
        assert layer["share"] == pytest.approx(np.diag(hit).mean())
        # The mean over all shuffles that leave no vector its own label.
        assert layer["shuffled"] == pytest.approx(hit[~np.eye(12, dtype=bool)].mean())
        assert layer["low"] <= layer["share"] <= layer["high"]
    assert table["random"].unique() == pytest.approx(
        lens_scores.hits(random_NK, list(tokens.values())).mean()
    )
    assert found["best_layer"] == 5 and found["share"] >= 9 / 12 and found["p"] == 1 / 200
    assert found["recommended"]["layer"] == 6 and found["recommended"]["p"] > 0.01
    # Nearly the normal interval of a share: 1.96 standard errors, t for z with twelve.
    error = np.sqrt(found["share"] * (1 - found["share"]) / 11)
    assert np.diff(found["interval"])[0] == pytest.approx(2 * 2.2 * error, rel=0.25)


def test_the_best_layer_of_noise_is_significant_in_one_of_twenty():
    rng = np.random.default_rng(3)
    tokens = {f"c{i}": {i} for i in range(20)}
    options = {"permutations": 99, "bootstraps": 100, "seed": 1}
    n_sets, below = 100, 0
    for _ in range(n_sets):
        top_LCK = np.stack([[rng.choice(40, 8, replace=False) for _ in range(20)] for _ in range(6)])
        _, found = lens_scores.scored(top_LCK, top_LCK[0], tokens, list(range(6)), 0, **options)
        below += found["p"] <= 0.05
    # Shares are discrete, so the test is conservative; above, four standard errors of 100 draws.
    assert below / n_sets <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / n_sets)


def test_a_concept_without_tokens_is_left_out_and_named():
    top_LCK = np.array([[[1, 9], [9, 8], [3, 9]]])
    table, found = lens_scores.scored(
        top_LCK, top_LCK[0], {"a": {1}, "b": set(), "c": {4}}, [0], 0, **OPTIONS
    )
    assert table["share"].tolist() == [0.5] and found["n_concepts"] == 2 and found["without_tokens"] == ["b"]
    table, found = lens_scores.scored(
        top_LCK, top_LCK[0], {"a": {1}, "b": set(), "c": set()}, [0], 0, **OPTIONS
    )
    assert table.empty and found == {"n_concepts": 1, "without_tokens": ["b", "c"]}


def test_usual_concepts_are_shown_as_far_as_known():
    assert lens_scores.shown_concepts(["angry", "happy", "zesty"]) == ["happy", "angry"]
    assert lens_scores.shown_concepts([f"c{i:02}" for i in range(20)]) == [f"c{i:02}" for i in range(12)]


# A model that was made to read


@pytest.fixture(scope="module")
def reading_folder(tmp_path_factory):
    """A tiny Llama whose unembedding reads direction k of the residual as the words of concept k."""
    folder, tokenizer = tmp_path_factory.mktemp("reading"), word_tokenizer()
    torch.manual_seed(0)
    shape = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=32, num_hidden_layers=3,
        num_attention_heads=2, num_key_value_heads=2, tie_word_embeddings=False, initializer_range=0.3,
    )  # fmt: skip
    hf = LlamaForCausalLM(shape).requires_grad_(False)
    generator = torch.Generator().manual_seed(1)
    hf.model.norm.weight.copy_(torch.linspace(0.5, 2, WIDTH))
    hf.lm_head.weight.normal_(0, 0.1, generator=generator)
    for k, tokens in enumerate(word_tokens(tokenizer, WORDS).values()):
        for token in tokens:
            hf.lm_head.weight[token] = 5.0 * torch.eye(WIDTH)[k]
    hf.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def planted_vectors() -> EmotionVectors:
    """Layer 0 random, layer 1 each concept's own direction and some noise, layer 2 the next concept's."""
    rng = np.random.default_rng(5)
    own = np.eye(WIDTH)[: len(CONCEPTS)] + 0.05 * rng.standard_normal((len(CONCEPTS), WIDTH))
    layers = np.stack([rng.standard_normal(own.shape), 3 * own, np.roll(own, -1, axis=0)]).astype(np.float32)
    return EmotionVectors(
        np.zeros_like(layers), layers, CONCEPTS, [0, 1, 2], "m", "r", dict.fromkeys(range(3), 1.0)
    )


def run(folder: Path, tmp_path: Path, recommended: int = 1) -> dict[str, Path]:
    """The script on the planted vectors, its words from a table of its own: outputs by name."""
    save_vectors(tmp_path / "vectors.safetensors", planted_vectors())
    write_json(tmp_path / "model.json", {"path": str(folder), "source": "tiny", "revision": "r"})
    write_json(tmp_path / "geometry.json", {"layer": recommended})
    lines = [f"{concept},{words[0]},{words[1]}" for concept, words in WORDS.items()]
    (tmp_path / "words.csv").write_text(
        "\n".join(["emotion,forms,synonyms", *lines]) + "\n", encoding="utf-8"
    )
    (tmp_path / "idioms.txt").write_text("", encoding="utf-8")
    outputs = {name: tmp_path / f"out/{name}" for name in ("tokens", "scores", "summary")}
    read_lens.main(
        tmp_path / "model.json", tmp_path / "vectors.safetensors", tmp_path / "words.csv", tmp_path / "idioms.txt",
        tmp_path / "geometry.json", *outputs.values(), cfg={"precision": "float32", **OPTIONS}, threads=1,
    )  # fmt: skip
    return outputs


def test_planted_words_are_read_at_their_layer_alone(reading_folder, tmp_path, monkeypatch):
    # Of some 300 tokens 50 would be many.
    monkeypatch.setattr(read_lens, "TOP", 8)
    outputs = run(reading_folder, tmp_path, recommended=2)
    table, summary = pd.read_csv(outputs["scores"]), read_json(outputs["summary"])
    assert table["share"][1] == 1 and table["share"][0] < 0.6 and table["share"][2] < 0.6
    assert summary["best_layer"] == 1 and summary["share"] == 1 and summary["p"] <= 2 / 200
    assert summary["layer"] == summary["recommended"]["layer"] == 2
    assert summary["recommended"]["share"] == table["share"][2]
    # Handed to the next concept's words: layer 2 is all found by the shuffle that undoes it, and no other.
    assert table["shuffled"][2] > table["shuffled"][1]
    for shown in summary["best_tokens"]:
        assert {token.lower() for token in shown["top"]} <= set(WORDS[shown["concept"]])
    for shown in summary["tokens"]:
        following = CONCEPTS[(CONCEPTS.index(shown["concept"]) + 1) % len(CONCEPTS)]
        assert {token.lower() for token in shown["top"]} <= set(WORDS[following])


def test_random_directions_read_at_chance(reading_folder):
    tokenizer = PreTrainedTokenizerFast.from_pretrained(reading_folder)
    hf = LlamaForCausalLM.from_pretrained(reading_folder).requires_grad_(False)
    hf.lm_head.weight.normal_(generator=torch.Generator().manual_seed(2))
    tokens = list(word_tokens(tokenizer, WORDS).values())
    n_directions, top = 400, 10
    read = LogitLens(opened(hf, tokenizer)).read(random_directions(n_directions, WIDTH, 4), top=top, bottom=1)
    share = lens_scores.hits(read.top_NK, tokens).mean()
    # Rows of the unembedding are alike in distribution: as if `top` tokens were drawn without replacement.
    n = len(tokenizer)
    chance = np.mean([1 - np.prod([(n - len(own) - i) / (n - i) for i in range(top)]) for own in tokens])
    # Rows differ in length by chance, and so do words: a quarter of chance, or four standard errors.
    assert share == pytest.approx(chance, rel=0.25, abs=4 * np.sqrt(chance / (n_directions * len(tokens))))


def test_lens_is_written_for_every_layer_concept_and_end(reading_folder, tmp_path):
    outputs = run(reading_folder, tmp_path)
    table = lens_scores.read_tokens(outputs["tokens"])
    assert list(table.columns) == ["layer", "concept", "end", "rank", "token", "id", "score"]
    assert len(table) == 3 * len(CONCEPTS) * 2 * 5
    assert (table.groupby(["layer", "concept", "end"]).size() == 5).all()
    # By hand, from the file's own tensors: the closed form of the Llama's lens.
    weights = load_file(reading_folder / "model.safetensors")
    vectors = planted_vectors()
    v = torch.from_numpy(vectors.unit("calm", 2)) * WIDTH**0.5
    scores = weights["lm_head.weight"] @ (weights["model.norm.weight"] * v)
    own = table.query("layer == 2 and concept == 'calm'")
    for end, ordered in (("top", scores.sort(descending=True)), ("bottom", scores.sort())):
        rows = own[own["end"] == end].sort_values("rank")
        # A planted concept's tokens have one score, so which of them come first is open.
        np.testing.assert_allclose(rows["score"], ordered.values[:5], rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(rows["score"], scores[rows["id"].tolist()], rtol=1e-3, atol=1e-3)
        tokenizer = PreTrainedTokenizerFast.from_pretrained(reading_folder)
        assert rows["token"].tolist() == [tokenizer.decode([token]) for token in rows["id"]]


def test_outputs_are_the_same_bytes_again(reading_folder, tmp_path):
    first = {name: path.read_bytes() for name, path in run(reading_folder, tmp_path).items()}
    assert {name: path.read_bytes() for name, path in run(reading_folder, tmp_path).items()} == first


def test_vectors_that_do_not_fit_are_named():
    vectors = planted_vectors()
    with pytest.raises(DataError, match="the vectors are 32 wide, but the model's residual stream 64"):
        flat_directions(vectors, 64)
    vectors.denoised_LCD[1, 2] = 0
    with pytest.raises(
        DataError, match=r"the vector of 'calm' at layer 1 has no direction: its length is 0\.0"
    ):
        flat_directions(vectors, WIDTH)


def test_ends_follow_the_order_of_layers_and_concepts(tokenizer):
    vectors = planted_vectors()
    lens = LogitLens(opened(make_model("llama"), tokenizer))
    table = ends_table(lens.read(flat_directions(vectors, WIDTH), top=9, bottom=3), vectors, tokenizer, 3)
    alone = lens.read(vectors.unit("sad", 2)[None], top=3, bottom=3)
    rows = table.query("layer == 2 and concept == 'sad'")
    assert rows["id"].tolist() == [*alone.top_NK[0], *alone.bottom_NK[0]]
    assert rows["rank"].tolist() == [1, 2, 3] * 2


def test_shown_tokens_are_stripped_but_never_empty():
    table = pd.DataFrame({
        "layer": 1, "concept": "sad", "end": ["top", "top", "bottom"], "rank": [2, 1, 1], "token": ["\n", " she", "joy "]
    })  # fmt: skip
    assert lens_scores.tokens_of(table, 1, ["sad"]) == [
        {"concept": "sad", "top": ["she", "'\\n'"], "bottom": ["joy"]}
    ]


# Figure


def test_figure_shows_the_table(tmp_path):
    table = pd.DataFrame({
        "layer": [0, 1], "share": [0.1, 0.4], "low": [0.0, 0.3], "high": [0.2, 0.5], "random": [0.02, 0.02],
        "shuffled": [0.03, 0.05], "n": [10, 10],
    })  # fmt: skip
    axes = Figure().subplots()
    draw_shares(axes, table, {"layer": 1, "top": 50})
    drawn = {line.get_label(): line.get_ydata().tolist() for line in axes.lines[:3]}
    assert drawn == {
        "concepts' vectors": [0.1, 0.4], "shuffled labels": [0.03, 0.05], "random directions": [0.02, 0.02]
    }  # fmt: skip
    assert axes.lines[3].get_xdata()[0] == 1
    table.to_csv(tmp_path / "scores.csv", index=False)
    write_json(tmp_path / "summary.json", {"layer": 1, "top": 50})
    draw_lens.main(tmp_path / "scores.csv", tmp_path / "summary.json", tmp_path / "l.svg", tmp_path / "l.png")
    assert "among the top 50" in (tmp_path / "l.svg").read_text(encoding="utf-8")


def test_figure_of_an_empty_table_says_why():
    axes = Figure().subplots()
    draw_shares(axes, pd.DataFrame(columns=lens_scores.COLUMNS), {"layer": 1, "top": 50})
    assert "not applicable" in axes.texts[0].get_text()
