"""Agreement of story sets, on vectors of which it is known."""

import numpy as np
import pytest

from emotion_concepts.comparison import concept_cosines, set_agreement
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
        {"a": vectors(same, names), "b": vectors(3 * same + 1, names), "c": vectors(other, names)}, seed=1
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
        },
        seed=1,
    )
    assert table["n_concepts"].tolist() == [4, 4] and table["layer"].tolist() == [0, 1]
    np.testing.assert_allclose(table["cosine"], 1, atol=1e-5)


def test_sets_without_concepts_in_common_are_left_out():
    one = vectors(np.random.default_rng(2).standard_normal((1, 3, 5)), list("abc"))
    other = vectors(np.random.default_rng(3).standard_normal((1, 3, 5)), list("abx"))
    assert set_agreement({"a": one, "b": other}, seed=1).empty


def test_models_of_other_width_and_depth_are_compared_by_how_their_concepts_lie():
    """The same geometry, turned into a wider stream of twice as many layers."""
    rng = np.random.default_rng(4)
    small = rng.standard_normal((3, 30, 20))
    turn = np.linalg.qr(rng.standard_normal((50, 20)))[0].T
    names = [f"c{i:02d}" for i in range(30)]
    wide = np.repeat(small, 2, axis=0) @ turn
    table = set_agreement({"a": vectors(small, names), "b": vectors(wide, names)}, seed=1)
    assert table["layer"].tolist() == [0, 1, 2] and table["other_layer"].tolist() == [0, 2, 5]
    np.testing.assert_allclose(table["rsa"], 1, atol=1e-6)
    np.testing.assert_allclose(table["procrustes"], 1, atol=1e-6)
    assert table["cosine"].isna().all() and table["procrustes_shuffled"].max() < 0.6
    assert concept_cosines({"a": vectors(small, names), "b": vectors(wide, names)}).empty


def test_unrelated_vectors_lie_no_more_alike_than_shuffled_ones():
    rng = np.random.default_rng(5)
    names = [f"c{i:02d}" for i in range(40)]
    one, other = (vectors(rng.standard_normal((1, 40, 60)), names) for _ in range(2))
    (row,) = set_agreement({"a": one, "b": other}, seed=1).to_dict("records")
    assert row["rsa_low"] < 0 < row["rsa_high"]
    assert row["procrustes"] == pytest.approx(row["procrustes_shuffled"], abs=0.1)


def test_each_concepts_cosine_is_that_of_the_centred_vectors():
    rng = np.random.default_rng(6)
    first, second = rng.standard_normal((2, 1, 5, 8))
    table = concept_cosines({"a": vectors(first, list("vwxyz")), "b": vectors(second, list("vwxyz"))})
    a, b = (v[0].astype(np.float32) - v[0].astype(np.float32).mean(0) for v in (first, second))
    expected = [x @ y / np.linalg.norm(x) / np.linalg.norm(y) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(table["cosine"], expected, atol=1e-6)
