"""Agreement of story sets, on vectors of which it is known."""

import numpy as np
import pytest

from emotion_concepts.comparison import set_agreement
from emotion_concepts.vectors import EmotionVectors


def vectors(values_LCD, concepts):
    values = np.asarray(values_LCD, np.float32)
    layers = list(range(len(values)))
    return EmotionVectors(values, values, concepts, layers, "m", "r", dict.fromkeys(layers, 1.0))


def test_the_same_vectors_agree_and_unrelated_ones_do_not():
    rng = np.random.default_rng(0)
    same, other = rng.standard_normal((2, 1, 40, 300))
    names = [f"c{i:02d}" for i in range(40)]
    table = set_agreement(
        {"a": vectors(same, names), "b": vectors(3 * same + 1, names), "c": vectors(other, names)}
    )
    pairs = table.set_index(["first", "second"])
    assert pairs.loc[("a", "b"), "cosine"] == pytest.approx(1) and pairs.loc[("a", "b"), "found"] == 1
    assert abs(pairs.loc[("a", "c"), "cosine"]) < 0.05 and pairs.loc[("a", "c"), "found"] < 0.15
    assert set(table["chance"]) == {1 / 40}


def test_only_shared_concepts_count_and_are_centred_anew():
    """A set with further concepts, all of which lie far away: the shared ones agree all the same."""
    rng = np.random.default_rng(1)
    shared = rng.standard_normal((2, 4, 30))
    more = np.concatenate([shared, 50 + rng.standard_normal((2, 3, 30))], axis=1)
    table = set_agreement(
        {
            "a": vectors(shared, list("abcd")),
            "b": vectors(more - more.mean(1, keepdims=True), list("abcdxyz")),
        }
    )
    assert table["n_concepts"].tolist() == [4, 4] and table["layer"].tolist() == [0, 1]
    np.testing.assert_allclose(table["cosine"], 1, atol=1e-5)


def test_sets_without_concepts_in_common_are_left_out():
    one = vectors(np.random.default_rng(2).standard_normal((1, 3, 5)), list("abc"))
    other = vectors(np.random.default_rng(3).standard_normal((1, 3, 5)), list("abx"))
    assert set_agreement({"a": one, "b": other}).empty
