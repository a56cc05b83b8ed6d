"""Reliability and controls against loops over stories, and on planted signal and noise."""

import numpy as np
import pytest

from emotion_concepts.cells import all_vectors, cell_sums, topic_gram, topic_halves
from emotion_concepts.reliability import (
    bootstrap_cosine,
    leave_one_out,
    orthogonal_directions,
    split_half,
)


def stories(signal=1.0, n_concepts=6, n_topics=4, width=40, seed=0, uneven=True):
    rng = np.random.default_rng(seed)
    direction = rng.standard_normal((n_concepts, width))
    rows = [
        (c, t) for c in range(n_concepts) for t in range(n_topics) for _ in range(1 + uneven * ((c + t) % 2))
    ]
    mean = np.array([100 + signal * direction[c] + rng.standard_normal(width) for c, _ in rows])
    return mean, np.array([f"c{c}" for c, _ in rows]), np.array([f"t{t}" for _, t in rows])


def gram_of(mean, emotion, topic):
    cells = cell_sums(mean, emotion, topic)
    return topic_gram(cells.sums_PCD), cells.counts_PC


def vectors_by_hand(mean, emotion, rows):
    means = [
        np.mean([m for m, e, keep in zip(mean, emotion, rows, strict=True) if e == c and keep], axis=0)
        for c in sorted(set(emotion))
    ]
    return np.array(means) - np.mean(means, axis=0)


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def test_cells_hold_the_sums_and_counts_of_their_stories():
    mean, emotion, topic = stories()
    cells = cell_sums(mean, emotion, topic)
    here = (emotion == "c2") & (topic == "t3")
    np.testing.assert_allclose(cells.sums_PCD[3, 2], (mean[here] - mean.mean(0)).sum(0))
    assert cells.counts_PC[3, 2] == here.sum() and cells.counts_PC.sum() == len(mean)
    np.testing.assert_allclose(
        all_vectors(cells), vectors_by_hand(mean, emotion, np.ones(len(mean))), atol=1e-9
    )


def test_vectors_without_a_topic_match_a_loop():
    mean, emotion, topic = stories()
    left_out = leave_one_out(cell_sums(mean, emotion, topic))
    for t in range(4):
        np.testing.assert_allclose(left_out[t], vectors_by_hand(mean, emotion, topic != f"t{t}"), atol=1e-9)


def test_split_half_matches_a_loop_over_halvings():
    mean, emotion, topic = stories()
    halves = topic_halves(4, 70, 0)
    expected = []
    for half in halves:
        first = np.isin(topic, [f"t{t}" for t in np.flatnonzero(half)])
        a, b = (vectors_by_hand(mean, emotion, rows) for rows in (first, ~first))
        expected.append([cosine(x, y) for x, y in zip(a, b, strict=True)])
    np.testing.assert_allclose(split_half(*gram_of(mean, emotion, topic), halves), np.mean(expected, 0))


def test_reliability_is_high_with_signal_and_zero_without():
    for signal, low, high in ((4, 0.9, 1), (0, -0.15, 0.15)):
        gram = gram_of(*stories(signal, n_concepts=20, width=200, uneven=False))
        assert low <= split_half(*gram, topic_halves(4, 70, 0)).mean() <= high
    mean_C, low_C = bootstrap_cosine(*gram_of(*stories(4, width=200)), samples=100, seed=0)
    assert (mean_C > 0.95).all() and (low_C <= mean_C).all()


def test_a_concept_without_stories_in_both_halves_has_no_reliability():
    mean, emotion, topic = stories()
    kept = (emotion != "c1") | (topic == "t0")
    found = split_half(*gram_of(mean[kept], emotion[kept], topic[kept]), topic_halves(4, 70, 0))
    assert np.isnan(found[1]) and not np.isnan(np.delete(found, 1)).any()


def test_orthogonal_directions_are_that_and_of_length_one():
    vectors = np.random.default_rng(0).standard_normal((6, 40)) * 100
    directions = orthogonal_directions(vectors, 5, seed=1)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1)
    assert np.abs(directions @ vectors.T).max() < 1e-10


def test_vectors_that_fill_the_width_leave_no_orthogonal_direction():
    assert orthogonal_directions(np.random.default_rng(0).standard_normal((50, 40)), 5, seed=1).shape == (
        0,
        40,
    )


def test_one_topic_alone_is_resampled_to_itself():
    mean, emotion, topic = stories()
    one = topic == "t0"
    mean_C, _ = bootstrap_cosine(*gram_of(mean[one], emotion[one], topic[one]), samples=50, seed=0)
    assert mean_C == pytest.approx(1)
