"""Sums over topics and concepts, however the values come."""

import numpy as np
import pytest
from scipy import sparse

from emotion_concepts import cells, retrieval
from emotion_concepts.cells import cell_sums, topic_halves


def stories(n=40, width=7, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.poisson(1.0, (n, width)).astype(np.float32)
    return values, rng.choice(["a", "b", "c"], n), rng.choice(["s", "t"], n)


def test_values_in_blocks_or_sparse_give_the_same_sums(monkeypatch):
    values, emotions, topics = stories()
    whole, counts = cell_sums(values, emotions, topics)
    expected = np.array(
        [
            [(values - values.mean(0, dtype=float))[(emotions == c) & (topics == t)].sum(0) for c in "abc"]
            for t in "st"
        ]
    )
    np.testing.assert_allclose(whole, expected, atol=1e-9)
    monkeypatch.setattr(cells, "TEXTS_AT_ONCE", 7)
    np.testing.assert_allclose(cell_sums(values, emotions, topics)[0], whole, atol=1e-9)
    scarce, same_counts = cell_sums(sparse.csr_array(values), emotions, topics)
    np.testing.assert_allclose(scarce, whole, atol=1e-9)
    np.testing.assert_array_equal(same_counts, counts)


def test_what_is_common_to_all_texts_costs_no_digits():
    """Activations far from the origin: the same vectors as without what they have in common."""
    values, emotions, topics = stories()
    far = values.astype(np.float64) + 1e6
    np.testing.assert_allclose(
        cell_sums(far, emotions, topics)[0], cell_sums(values, emotions, topics)[0], atol=1e-7
    )


def test_of_many_stories_some_are_asked_evenly(monkeypatch):
    values, emotions, topics = stories(n=400)
    values = values + 3 * (emotions[:, None] == np.array(list("abcabca")))
    halves = topic_halves(2, 70, 0)
    everyone = retrieval.story_hits(values, emotions, topics, halves)
    np.testing.assert_array_equal(
        retrieval.story_hits(sparse.csr_array(values), emotions, topics, halves), everyone
    )
    monkeypatch.setattr(retrieval, "STORIES_ASKED", 100)
    some = retrieval.story_hits(values, emotions, topics, halves)
    assert len(some) == 100 and some.mean() == pytest.approx(everyone.mean(), abs=0.1)
    assert 0.4 < everyone.mean() < 1
