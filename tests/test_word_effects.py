"""Specificity and its summary on hand-made tables."""

import numpy as np
import pandas as pd
import pytest

from emotion_concepts.word_effects import change_matrix, specificity, words_summary


def table(change_RW, random_RW):
    n = len(change_RW)
    rows = [("p", f"c{r}", "concept", f"c{w}", 0.0, change_RW[r][w]) for r in range(n) for w in range(n)]
    rows += [
        ("p", f"random-{r}", "random", f"c{w}", 0.0, random_RW[r][w]) for r in range(2) for w in range(n)
    ]
    rows += [("other", "c0", "concept", "c0", 0.0, 1e6)]
    return pd.DataFrame(rows, columns=["prompt", "direction", "kind", "word", "logprob", "change"])


def test_specificity_is_own_minus_the_others_mean():
    change = np.array([[3.0, 0, 1], [1, 2, 1], [2, 4, 0]])
    np.testing.assert_allclose(specificity(change), [3 - 1.5, 2 - 2, 0 - 1])


def test_a_diagonal_is_found_and_noise_is_not():
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((8, 8))
    random = rng.standard_normal((2, 8))
    options = {"permutations": 199, "bootstraps": 200, "seed": 1}
    planted = words_summary(table(noise + 5 * np.eye(8), random), ["p"], **options)
    assert planted["p"] == 1 / 200 and planted["interval"][0] > 3
    assert planted["specificity"] == pytest.approx(specificity(noise + 5 * np.eye(8)).mean())
    controls = planted["controls"]
    assert list(controls) == ["random"] and controls["random"]["change"] == pytest.approx(random.mean())
    # A direction that raises every word alike is not specific.
    shift = words_summary(table(noise + 5, random), ["p"], **options)
    assert shift["p"] > 0.05 and abs(shift["specificity"]) < 2


def test_matrix_keeps_the_order_of_the_table():
    matrix = change_matrix(table(np.arange(121.0).reshape(11, 11), np.zeros((2, 11))), ["p"], "concept")
    assert list(matrix.index) == list(matrix.columns) == [f"c{i}" for i in range(11)]
    np.testing.assert_array_equal(matrix.to_numpy(), np.arange(121.0).reshape(11, 11))
