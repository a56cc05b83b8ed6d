"""Sweeps: merges, snippets and quantiles against plain loops; shards that survive a kill."""

import json

import numpy as np
import pytest

from emotion_concepts.corpora import Passage
from emotion_concepts.sweep import (
    BINS,
    PER_DOCUMENT,
    SNIPPET_TOKENS,
    ScoredPassage,
    VectorSweep,
    swept,
)

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
    one = ScoredPassage(Passage("d", 0, "a b c", 3), np.array([(0, 1), (2, 3), (4, 5)]), np.ones(3, bool), ends)
    found = swept([one], 1)
    assert found.counts_VH[0, -1] == 2 and found.counts_VH[0, 0] == 1


def test_a_sweep_comes_back_from_json():
    found = swept(scored_corpus(5), KEPT)
    back = VectorSweep.from_json(json.loads(json.dumps(found.as_json())))
    assert back.as_json() == found.as_json() and back.snippets == found.snippets
    np.testing.assert_array_equal(back.counts_VH, found.counts_VH)
