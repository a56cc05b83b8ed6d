"""Sums over topics and concepts, however the values come."""

import numpy as np
from scipy import sparse

from emotion_concepts import retrieval
from emotion_concepts.cells import cell_sums, shuffled_cells, summed_blocks
from emotion_concepts.retrieval import asked_stories


def stories(n=40, width=7, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.poisson(1.0, (n, width)).astype(np.float32)
    return values, rng.choice(["a", "b", "c"], n), rng.choice(["s", "t"], n)


def test_values_in_blocks_or_sparse_give_the_same_sums():
    values, emotions, topics = stories()
    found = cell_sums(values, emotions, topics)
    whole, counts = found.sums_PCD, found.counts_PC
    expected = np.array(
        [
            [(values - values.mean(0, dtype=float))[(emotions == c) & (topics == t)].sum(0) for c in "abc"]
            for t in "st"
        ]
    )
    np.testing.assert_allclose(whole, expected, atol=1e-9)
    np.testing.assert_array_equal(
        counts, [[((emotions == c) & (topics == t)).sum() for c in "abc"] for t in "st"]
    )
    blocks = (values[start : start + 7] for start in range(0, 40, 7))
    np.testing.assert_allclose(summed_blocks(blocks, emotions, topics).sums_PCD, whole, atol=1e-9)
    scarce = cell_sums(sparse.csr_array(values), emotions, topics)
    np.testing.assert_allclose(scarce.sums_PCD, whole, atol=1e-9)
    np.testing.assert_array_equal(scarce.counts_PC, counts)


def test_what_is_common_to_all_texts_costs_no_digits():
    """Activations far from the origin: the same vectors as without what they have in common."""
    values, emotions, topics = stories()
    far = values.astype(np.float64) + 1e6
    np.testing.assert_allclose(
        cell_sums(far, emotions, topics).sums_PCD, cell_sums(values, emotions, topics).sums_PCD, atol=1e-7
    )


def test_shuffled_cells_are_those_of_the_topic_under_other_names():
    rng = np.random.default_rng(0)
    emotion, topic = np.repeat([f"c{c}" for c in range(9)], 4), np.tile(list("stuv"), 9)
    kept = (emotion != "c3") | (topic == "s")
    values, emotion, topic = rng.standard_normal((36, 5))[kept], emotion[kept], topic[kept]
    cells = cell_sums(values, emotion, topic)
    shuffled = shuffled_cells(cells, seed=1)
    np.testing.assert_array_equal(shuffled.counts_PC, cells.counts_PC)
    for before, after in zip(cells.sums_PCD, shuffled.sums_PCD, strict=True):
        assert (before != after).any()
        np.testing.assert_array_equal(np.sort(before, axis=0), np.sort(after, axis=0))


def test_of_many_stories_some_are_asked_evenly(monkeypatch):
    assert asked_stories(5).tolist() == [0, 1, 2, 3, 4]
    monkeypatch.setattr(retrieval, "STORIES_ASKED", 100)
    asked = asked_stories(399)
    assert len(asked) == 100 and asked[0] == 0 and asked[-1] == 398 and set(np.diff(asked)) <= {4, 5}
