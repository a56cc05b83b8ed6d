"""Sweeps: merges, snippets and quantiles against plain loops; shards that survive a kill."""

import json

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from emotion_concepts import corpus_reading, project
from emotion_concepts.corpora import Document, Passage, passages, write_documents
from emotion_concepts.corpus_reading import sweep_into
from emotion_concepts.errors import DataError, NonFiniteError
from emotion_concepts.figures.sweep import draw_own_words
from emotion_concepts.files import read_json, write_json
from emotion_concepts.story_checks import Vocabulary, read_vocabulary
from emotion_concepts.sweep import (
    BINS,
    PER_DOCUMENT,
    SNIPPET_TOKENS,
    ScoredPassage,
    VectorSweep,
    swept,
)
from emotion_concepts.sweep_scores import own_word_rates, own_words_summary, rates_table
from emotion_concepts.token_scores import token_cosines
from emotion_concepts.tokens import token_starts, tokenise
from emotion_concepts.vectors import random_directions, save_vectors
from scripts import draw_sweep, sweep_corpus
from tests.conftest import ROOT, TEXTS

N_VECTORS, KEPT = 3, 5
SHARES = (0.01, 0.1, 0.5, 0.9, 0.99)


def scored_corpus(seed, n_documents=6, steps=None):
    """Passages of words of four letters, with random cosines; `steps` makes ties."""
    rng = np.random.default_rng(seed)
    found = []
    for document in range(n_documents):
        start = 0
        for _ in range(rng.integers(1, 5)):
            n = int(rng.integers(1, 90))
            text = " ".join(["word"] * n)
            places = np.array([(5 * i, 5 * i + 4) for i in range(n)])
            cosines = np.clip(rng.normal(0, 0.2, (n, N_VECTORS)), -1, 1).astype(np.float32)
            if steps:
                cosines = np.repeat(np.round(cosines[:1] * steps) / steps, n, axis=0)
            counted = np.arange(n) >= min(1, n - 1)
            passage = Passage(f"doc {document}", start, text, n)
            found.append(ScoredPassage(passage, places, counted, cosines.astype(np.float32)))
            start += len(text)
    return found


def merged(parts):
    total = VectorSweep.empty(N_VECTORS, KEPT)
    for part in parts:
        total = total.merged(part)
    return total


@pytest.mark.parametrize("steps", [None, 4])
@pytest.mark.parametrize("seed", range(8))
def test_merges_do_not_depend_on_order_or_on_the_cut(seed, steps):
    corpus = scored_corpus(seed, steps=steps)
    whole = json.dumps(swept(corpus, KEPT).as_json())
    rng = np.random.default_rng(seed)
    for _ in range(4):
        parts = [swept([corpus[i]], KEPT) for i in rng.permutation(len(corpus))]
        while len(parts) > 1:
            i = int(rng.integers(len(parts) - 1))
            parts[i : i + 2] = [parts[i].merged(parts[i + 1])]
        assert json.dumps(parts[0].as_json()) == whole


def test_what_is_left_out_early_changes_nothing():
    corpus = scored_corpus(3, n_documents=30)
    total = VectorSweep.empty(N_VECTORS, KEPT)
    for batch in (corpus[i : i + 4] for i in range(0, len(corpus), 4)):
        total = total.merged(swept(batch, KEPT, total.least()))
    assert total.as_json() == swept(corpus, KEPT).as_json()


@pytest.mark.parametrize("seed", range(5))
def test_top_snippets_are_those_of_a_plain_loop(seed):
    corpus = scored_corpus(seed, n_documents=12)
    found = swept(corpus, KEPT)
    for v in range(N_VECTORS):
        candidates = []
        for one in corpus:
            own = [i for i in range(len(one.counted)) if one.counted[i]]
            length = min(SNIPPET_TOKENS, len(own))
            stretches = [own[i : i + length] for i in range(len(own) - length + 1)]
            means = [np.mean([float(one.cosine_TV[t, v]) for t in stretch]) for stretch in stretches]
            best = stretches[int(np.argmax(means))]
            place = one.passage.start + 5 * best[0]
            candidates.append((max(means), one.passage.document, place, one.cosine_TV[best, v]))
        expected = []
        for candidate in sorted(candidates, key=lambda c: -c[0]):
            if sum(e[1] == candidate[1] for e in expected) < 2 and len(expected) < KEPT:
                expected.append(candidate)
        assert [(s.document, s.start) for s in found.snippets[v]] == [e[1:3] for e in expected]
        for snippet, (score, _, _, scores) in zip(found.snippets[v], expected, strict=True):
            assert snippet.score == pytest.approx(score, abs=1e-6)
            np.testing.assert_allclose(snippet.scores, scores, atol=5e-5)
            assert "".join(snippet.tokens) == " ".join(["word"] * len(scores))


def test_at_most_two_snippets_are_of_one_document():
    corpus = scored_corpus(1, n_documents=2)
    many = [
        ScoredPassage(Passage("doc 0", 1000 * i, one.passage.text, 1), one.places, one.counted, one.cosine_TV)
        for i, one in enumerate(scored_corpus(2, n_documents=10))
    ]
    for own in swept([*corpus, *many], KEPT).snippets:
        counts = [sum(s.document == d for s in own) for d in ("doc 0", "doc 1")]
        assert counts[0] == PER_DOCUMENT == 2 and counts[1] <= 2


@pytest.mark.parametrize("seed", range(5))
def test_moments_and_quantiles_are_numpys(seed):
    corpus = scored_corpus(seed, n_documents=20)
    values = np.concatenate([one.cosine_TV[one.counted] for one in corpus]).astype(np.float64)
    found = merged([swept([one], KEPT) for one in corpus])
    assert found.n_tokens == len(values) and (found.counts_VH.sum(1) == len(values)).all()
    np.testing.assert_allclose(found.mean(), values.mean(0), atol=1e-8)
    np.testing.assert_allclose(found.deviation(), values.std(0), atol=1e-7)
    for share in SHARES:
        # numpy's `inverted_cdf` is a value that occurs, which lies in the bin that is found.
        expected = np.quantile(values, share, axis=0, method="inverted_cdf")
        np.testing.assert_allclose(found.quantile(share), expected, atol=2 / BINS)


def test_cosines_at_the_ends_of_the_range_are_counted():
    ends = np.array([[1.0], [-1.0], [1.0 + 1e-7]], np.float32)
    one = ScoredPassage(
        Passage("d", 0, "a b c", 3), np.array([(0, 1), (2, 3), (4, 5)]), np.ones(3, bool), ends
    )
    found = swept([one], 1)
    assert found.counts_VH[0, -1] == 2 and found.counts_VH[0, 0] == 1


def test_a_sweep_comes_back_from_json():
    found = swept(scored_corpus(5), KEPT)
    back = VectorSweep.from_json(json.loads(json.dumps(found.as_json())))
    assert back.as_json() == found.as_json() and back.snippets == found.snippets
    np.testing.assert_array_equal(back.counts_VH, found.counts_VH)


# Reading


@pytest.mark.parametrize("way", ["packed", "padded", "single"])
def test_token_cosines_are_those_of_one_text_at_a_time(tiny_model, tiny_vectors, way):
    texts = tokenise(tiny_model.tokenizer, TEXTS[:4])
    units = np.stack([tiny_vectors.unit(concept, 2) for concept in tiny_vectors.concepts])
    found = token_cosines(tiny_model, texts, [3, 1], units, layer=2, way=way)
    for row, cosines in zip([3, 1], found, strict=True):
        expected = project(tiny_model, tiny_vectors, TEXTS[row]).cosine_LTC[2]
        np.testing.assert_allclose(cosines, expected, atol=1e-5)


def test_nothing_is_read_after_the_layer_that_is_asked_for(tiny_model):
    reached = []
    handle = tiny_model.blocks[2].register_forward_hook(lambda *_: reached.append(1))
    token_cosines(
        tiny_model, tokenise(tiny_model.tokenizer, TEXTS[:2]), [0, 1], np.eye(32), layer=1, way="padded"
    )
    handle.remove()
    assert not reached


def test_infinite_activations_are_named(tiny_model):
    handle = tiny_model.blocks[1].register_forward_hook(lambda *a: torch.full_like(a[2], torch.inf))
    with pytest.raises(NonFiniteError, match="text 0: infinity or NaN in the residual stream after layer 1"):
        token_cosines(
            tiny_model, tokenise(tiny_model.tokenizer, TEXTS[:1]), [0], np.eye(32), layer=1, way="single"
        )
    handle.remove()


def read_into(folder, model, *, stop_after=None, shard_tokens=400):
    """A sweep of a few stories; `stop_after` so many passages it is killed."""
    documents = [Document(f"d{i}", text) for i, text in enumerate(TEXTS[:12])]
    read = passages(documents, token_starts(model.tokenizer), window=64, max_tokens=None, n_documents=12)

    def until_killed():
        for number, passage in enumerate(read):
            if number == stop_after:
                raise KeyboardInterrupt
            yield passage

    return sweep_into(
        folder,
        model,
        until_killed(),
        random_directions(3, 32, 1),
        layer=1,
        kept=4,
        shard_tokens=shard_tokens,
        n_tokens=1,
    )


def test_killed_and_continued_ends_in_the_same_bytes(tiny_model, tmp_path, monkeypatch):
    whole = read_into(tmp_path / "whole", tiny_model)
    with pytest.raises(KeyboardInterrupt):
        read_into(tmp_path / "killed", tiny_model, stop_after=25)
    left = sorted((tmp_path / "killed").iterdir())
    assert 0 < len(left) < len(list((tmp_path / "whole").iterdir()))
    times = [path.stat().st_mtime_ns for path in left]
    found = read_into(tmp_path / "killed", tiny_model)
    assert [path.stat().st_mtime_ns for path in left] == times
    assert found.as_json() == whole.as_json()
    for path in (tmp_path / "whole").iterdir():
        assert path.read_bytes() == (tmp_path / "killed" / path.name).read_bytes()

    def not_again(*_, **__):
        raise AssertionError("read again")

    monkeypatch.setattr(corpus_reading.token_scores, "token_cosines", not_again)
    assert read_into(tmp_path / "whole", tiny_model).as_json() == whole.as_json()
    monkeypatch.setattr(corpus_reading, "SKIPPED", 9)
    with pytest.raises(AssertionError, match="read again"):
        read_into(tmp_path / "whole", tiny_model)


def test_the_size_of_shards_changes_nothing_but_rounding(tiny_model, tmp_path):
    few, many = (read_into(tmp_path / str(size), tiny_model, shard_tokens=size) for size in (10_000, 100))
    assert few.n_tokens == many.n_tokens
    np.testing.assert_allclose(few.mean(), many.mean(), atol=1e-6)
    for own, other in zip(few.snippets, many.snippets, strict=True):
        assert [(s.document, s.start) for s in own] == [(s.document, s.start) for s in other]


def test_a_corpus_of_scraps_is_refused(tiny_model, tmp_path):
    with pytest.raises(DataError, match="no passage of the corpus has more than 8 tokens"):
        sweep_into(
            tmp_path, tiny_model, [Passage("d", 0, "a", 1)], np.eye(32)[:2], layer=1, kept=4, shard_tokens=400,
            n_tokens=1,
        )  # fmt: skip


# Own words

VOCABULARY = Vocabulary(
    {"calm": ("calm", "calmly"), "kind": ("kind",), "sad": ("sad",)}, {"sad": ("gloomy",)}, ("kind of",)
)
CONCEPTS = ["calm", "kind", "sad"]


def test_own_words_are_forms_and_synonyms_and_not_idioms():
    texts = [["calm and calmly, Calm", "a kind of sadness"], ["a gloomy, kind man", "sad"]]
    np.testing.assert_allclose(own_word_rates(texts, CONCEPTS, VOCABULARY), [[1.5, 0, 0], [0, 0.5, 1.0]])


def test_real_words_are_found_in_the_table():
    leakage = ROOT / "resources/leakage"
    words = read_vocabulary(leakage / "concept_words.csv", leakage / "idioms.txt")
    found = own_word_rates([["Fear not, I dread no scared man"]], ["afraid", "serene"], words)
    assert found.tolist() == [[3.0, 0.0]]


def test_own_words_are_compared_with_the_other_vectors():
    rng = np.random.default_rng(0)
    rates = rng.random((12, 12))
    found = own_words_summary(rates + 3 * np.eye(12), rates, permutations=199, bootstraps=200, seed=1)
    own = [rates[i, i] + 3 for i in range(12)]
    others = [np.mean([rates[j, i] for j in range(12) if j != i]) for i in range(12)]
    assert found["value"] == pytest.approx(np.mean(own) - np.mean(others))
    assert found["own"] == pytest.approx(np.mean(own)) and found["random"] == pytest.approx(rates.mean())
    assert found["p"] == 1 / 200 and found["p_below"] == 1 and found["interval"][0] > 2


def test_shuffled_labels_are_judged_by_the_same_value():
    """The null's statistic at the labels as they are is the value itself: p counts it as as large."""
    rates = np.zeros((4, 4))
    found = own_words_summary(rates, rates, permutations=19, bootstraps=100, seed=1)
    assert found["p"] == found["p_below"] == 1 and found["value"] == 0


def test_one_concept_has_nothing_to_be_compared_with():
    assert own_words_summary(np.ones((1, 1)), np.ones((5, 1)), permutations=19, bootstraps=100, seed=1) == {
        "n_concepts": 1
    }


def test_script_sweeps_a_corpus_and_draws_it(tiny_model, tiny_vectors, tmp_path):
    write_documents(tmp_path / "c.jsonl", [Document(f"d{i}", text) for i, text in enumerate(TEXTS[:10])])
    save_vectors(tmp_path / "v.safetensors", tiny_vectors)
    write_json(tmp_path / "geometry.json", {"layer": 2})
    about = {"path": str(tiny_model.path), "source": "tiny", "revision": "r"}
    write_json(tmp_path / "model.json", about)
    leakage = ROOT / "resources/leakage"
    cfg = {
        "max_tokens": 1000, "window": 64, "snippets": 3, "shard_tokens": 1000, "random_directions": 5, "seed": 1,
        "precision": "float32", "permutations": 19, "bootstraps": 100,
    }  # fmt: skip
    sweep_corpus.main(
        tmp_path / "c.jsonl", tmp_path / "model.json", tmp_path / "v.safetensors", tmp_path / "geometry.json",
        leakage / "concept_words.csv", leakage / "idioms.txt", tmp_path / "plays.snippets.jsonl",
        tmp_path / "plays.csv", tmp_path / "plays.json", cfg=cfg,
    )  # fmt: skip
    found = read_json(tmp_path / "plays.json")
    assert found["corpus"] == "plays" and found["layer"] == 2 and found["n_documents"] == 10
    assert found["n_tokens"] <= 1100 and len(found["vectors"]) == 3 + 5
    lines = [json.loads(line) for line in (tmp_path / "plays.snippets.jsonl").read_text().splitlines()]
    assert len(lines) == 8 * 3 and {line["kind"] for line in lines} == {"concept", "random"}
    for line in lines:
        above = found["vectors"][line["vector"]]["quantiles"]["0.9"]
        assert line["highlighted"] == [score > above for score in line["scores"]]
        assert "".join(line["tokens"]) in TEXTS[int(line["document"][1:])]
        assert line["score"] == pytest.approx(np.mean(line["scores"]), abs=1e-4)
    draw_sweep.main(tmp_path / "plays.csv", tmp_path / "plays.json", tmp_path / "f.svg", tmp_path / "f.png")
    assert (tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")


def test_figure_draws_own_words_above_the_controls():
    rates = np.diag([1.0, 3.0, 2.0])
    table = rates_table(rates, np.full((4, 3), 0.25), CONCEPTS)
    axes = Figure().subplots()
    draw_own_words(axes, table, {"layer": 3, "corpus": "plays"})
    diagonal, random, own = axes.lines
    assert own.get_ydata().tolist() == [1, 3, 2] and not own.get_xdata().any()
    assert (random.get_ydata() == 0.25).all() and diagonal.get_slope() == 1
    assert [text.get_text() for text in axes.texts] == ["kind", "sad", "calm"]
