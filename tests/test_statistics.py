"""Statistics against closed forms and simulated data."""

import numpy as np
import pytest
from scipy import stats

from emotion_concepts.statistics import (
    bootstrap_interval,
    max_abs_correlation_null,
    pearson,
    permutation_p,
    spearman,
)


def test_permutation_p_has_an_honest_floor():
    assert permutation_p(5, np.zeros(99)) == 0.01
    assert permutation_p(0, np.zeros(99)) == 1.0


def test_correlations_match_scipy():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((30, 3)), rng.standard_normal(30)
    np.testing.assert_allclose(pearson(x, y), [stats.pearsonr(x[:, k], y).statistic for k in range(3)])
    assert spearman(np.array([1.0, 2, 3]), np.array([1.0, 8, 27])) == pytest.approx(1)
    assert np.isnan(pearson(np.ones((5, 1)), np.arange(5.0))[0])


def test_bootstrap_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(1)
    covered = 0
    for trial in range(300):
        x = rng.standard_normal(40)
        low, high = bootstrap_interval(lambda rows, x=x: x[rows].mean(), 40, samples=300, seed=trial)
        covered += low <= 0 <= high
    # 95% nominal; the percentile interval at n = 40 is known to fall short by about a point.
    assert 0.90 <= covered / 300 <= 0.98


def test_picking_the_best_of_many_columns_is_paid_for():
    """On pure noise the p-value of the best column is uniform, so 5% fall below .05."""
    rng = np.random.default_rng(2)
    low = 0
    for trial in range(200):
        x, y = rng.standard_normal((20, 30)), rng.standard_normal(20)
        null = max_abs_correlation_null(x, y, permutations=99, seed=trial)
        low += permutation_p(np.abs(pearson(x, y)).max(), null) <= 0.05
    assert low <= stats.binom.ppf(0.999, 200, 0.05)
    assert low >= stats.binom.ppf(0.001, 200, 0.05)
