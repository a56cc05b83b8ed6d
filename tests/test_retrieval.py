"""Retrieval against a brute-force loop."""

import numpy as np
import pytest

from emotion_concepts.cells import cell_sums, concepts_in_every_half, topic_gram, topic_groups, topic_halves
from emotion_concepts.retrieval import (
    nearest_concepts,
    retrieval_ranks,
    share_found,
    shuffled_gram,
    story_hits,
)


def gram_of(means, emotions, topics):
    cells = cell_sums(means, emotions, topics)
    return topic_gram(cells.sums_PCD), cells.counts_PC


def means_by_hand(means, emotions, topics, wanted):
    """Mean of each concept's texts on the wanted topics."""
    texts = list(zip(means, emotions, topics, strict=True))
    return np.array(
        [np.mean([m for m, e, t in texts if e == c and t in wanted], axis=0) for c in sorted(set(emotions))]
    )


def brute_force(means, emotions, topics, first_topics):
    """Concept vectors of both halves by hand; the place of the own concept in the order of cosines."""
    halves = [means_by_hand(means, emotions, topics, w) for w in (first_topics, set(topics) - first_topics)]
    asked, found = (half - half.mean(0) for half in halves)
    ranks = []
    for i, v in enumerate(asked):
        cosines = [v @ w / np.linalg.norm(w) for w in found]
        ranks.append(np.argsort(cosines)[::-1].tolist().index(i))
    return ranks


def make(n_topics=4, n_concepts=7, width=9, stories=2, signal=0.6, seed=0):
    rng = np.random.default_rng(seed)
    direction = rng.standard_normal((n_concepts, width))
    emotions, topics, means = [], [], []
    for c in range(n_concepts):
        for t in range(n_topics):
            for _ in range(stories + (c + t) % 2):
                emotions.append(f"c{c}")
                topics.append(f"t{t}")
                means.append(100 + signal * direction[c] + rng.standard_normal(width))
    return np.array(means, np.float32), np.array(emotions), np.array(topics)


def test_ranks_match_brute_force():
    means, emotions, topics = make()
    gram, counts = gram_of(means, emotions, topics)
    halves = topic_halves(4, 70, 0)
    ranks = retrieval_ranks(gram, counts, halves)
    for half, row in zip([*halves, *~halves], ranks, strict=True):
        first = {f"t{t}" for t in np.flatnonzero(half)}
        assert row.tolist() == brute_force(means.astype(float), emotions, topics, first)
    assert 0 < (ranks == 0).mean() < 1 and ranks.max() > 1


@pytest.mark.parametrize("stories", ["as many each", "not as many each"])
def test_shares_and_nearest_concepts_follow_from_the_ranks(stories):
    means, emotions, topics = make()
    if stories == "as many each":
        cells = list(zip(emotions, topics, strict=True))
        kept = [i for i, cell in enumerate(cells) if cells[:i].count(cell) < 2]
        means, emotions, topics = means[kept], emotions[kept], topics[kept]
    gram, counts = gram_of(means, emotions, topics)
    halves = topic_halves(4, 70, 0)
    found = retrieval_ranks(gram, counts, halves) == 0
    assert 0 < found.mean() < 1
    np.testing.assert_array_equal(share_found(gram, counts, halves, ~halves), found.mean(0))
    nearest = nearest_concepts(gram, counts, halves)
    np.testing.assert_allclose(nearest.diagonal(), found.mean(0))
    np.testing.assert_allclose(nearest.sum(1), 1)


def test_vectors_that_cannot_be_told_apart_are_not_found():
    gram, counts = gram_of(np.ones((8, 3)), np.repeat(["a", "b"], 4), np.array(["s", "t"] * 4))
    halves = topic_halves(2, 70, 0)
    assert (retrieval_ranks(gram, counts, halves) > 0).all()
    assert (share_found(gram, counts, halves, ~halves) == 0).all()


def test_story_hits_match_a_loop_over_stories():
    means, emotions, topics = make(signal=1.0)
    halves = topic_halves(4, 70, 0)
    concepts = sorted(set(emotions))
    expected = []
    for mean, emotion, topic in zip(means.astype(float), emotions, topics, strict=True):
        hits = []
        for half in (*halves, *~halves):
            first = {f"t{t}" for t in np.flatnonzero(half)}
            if topic not in first:
                by_concept = means_by_hand(means.astype(float), emotions, topics, first)
                moved = mean - by_concept.mean(0)
                cosines = [
                    moved @ v / np.linalg.norm(v) / np.linalg.norm(moved)
                    for v in by_concept - by_concept.mean(0)
                ]
                hits.append(concepts[int(np.argmax(cosines))] == emotion)
        expected.append(np.mean(hits))
    places = (np.unique(labels, return_inverse=True)[1] for labels in (emotions, topics))
    found = story_hits(
        means, *places, cell_sums(means, emotions, topics), gram_of(means, emotions, topics)[0], halves
    )
    np.testing.assert_allclose(found, expected)
    assert 0.2 < found.mean() < 1


def test_all_halvings_of_eight_topics_are_seventy_splits():
    halves = topic_halves(8, 70, 0)
    assert halves.shape == (35, 8) and (halves.sum(1) == 4).all()
    assert len({tuple(h) for h in (*halves, *~halves)}) == 70


def test_fewer_halvings_are_drawn_at_random():
    halves = topic_halves(8, 10, 0)
    assert halves.shape == (5, 8) and len({tuple(h) for h in (*halves, *~halves)}) == 10


def test_shuffling_the_gram_is_shuffling_the_labels():
    means, emotions, topics = make(stories=1)
    order = np.stack([np.random.default_rng(t).permutation(7) for t in range(4)])
    gram, counts = shuffled_gram(*gram_of(means, emotions, topics), order)
    renamed = emotions.copy()
    for t in range(4):
        for new, old in enumerate(order[t]):
            renamed[(topics == f"t{t}") & (emotions == f"c{old}")] = f"c{new}"
    expected, expected_counts = gram_of(means, renamed, topics)
    np.testing.assert_allclose(gram, expected)
    np.testing.assert_array_equal(counts, expected_counts)


def test_concepts_without_stories_in_a_half_are_known():
    counts = np.array([[1, 1, 0], [1, 0, 1]])
    assert concepts_in_every_half(counts, topic_halves(2, 70, 0)).tolist() == [True, False, False]


def test_no_signal_gives_chance():
    rates = []
    for seed in range(20):
        gram, counts = gram_of(*make(signal=0, n_concepts=10, seed=seed))
        rates.append((retrieval_ranks(gram, counts, topic_halves(4, 70, 0)) == 0).mean())
    assert abs(np.mean(rates) - 0.1) < 0.05


def test_many_topics_are_grouped_whole_and_evenly():
    topics = np.repeat([f"t{i:03d}" for i in range(100)], 3)
    groups = topic_groups(topics, seed=0)
    assert {len(set(groups[topics == t])) for t in topics} == {1}
    assert len(set(groups)) == 12 and set(np.unique(groups, return_counts=True)[1] // 3) <= {8, 9}
    few = np.array(["a", "b", "a"])
    assert topic_groups(few, seed=0).tolist() == ["a", "b", "a"]
