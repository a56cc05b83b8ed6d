"""Statistics against scipy, closed forms, plain loops and simulated data.

How often an interval covers, or a test errs, is counted on simulated data with fixed seeds. Where a
coverage is asked for, 3,000 trials put its standard error at 0.4 points.
"""

import itertools
import tracemalloc

import numpy as np
import pytest
from scipy import stats

from emotion_concepts.statistics import (
    adjusted_p,
    bootstrap_interval,
    bootstrap_weights,
    detectable_correlation,
    detectable_difference,
    detectable_rate,
    holds_from,
    interval,
    max_abs_correlation_null,
    mean_effect,
    partial_pearson,
    pearson,
    permutation_p,
    spearman,
    standardised,
    trend_test,
    weighted_pearson,
    wilson_interval,
)

TRIALS = 3000


def covered(value_ST, n_units, truth):
    """Share of trials whose interval holds the truth."""
    intervals = np.array([interval(value_S, n_units) for value_S in value_ST.T])
    return np.mean((intervals[:, 0] <= truth) & (truth <= intervals[:, 1]))


def resampled_means(weight_SN, x_TN):
    return weight_SN @ x_TN.T / weight_SN.sum(1)[:, None]


def stories_of_clusters(n_clusters, *, seed):
    """Values [T, N] of stories that share half their variance with their cluster, and its labels [N]."""
    rng = np.random.default_rng(seed)
    cluster_N = np.repeat(np.arange(n_clusters), np.resize([4, 6, 5], n_clusters))
    shared = rng.standard_normal((TRIALS, n_clusters))[:, cluster_N]
    own = rng.standard_normal((TRIALS, len(cluster_N)))
    return np.sqrt(0.5) * (shared + own), cluster_N


def errs_as_often_as_it_says(errors, trials, alpha=0.05):
    return stats.binom.ppf(0.001, trials, alpha) <= errors <= stats.binom.ppf(0.999, trials, alpha)


# p-values


def test_permutation_p_has_an_honest_floor():
    assert permutation_p(5, np.zeros(99)) == 0.01
    assert permutation_p(0, np.zeros(99)) == 1.0


def test_a_null_value_that_ties_but_for_rounding_counts_as_large():
    assert permutation_p(0.1 + 0.2, np.full(9, 0.3)) == 1.0
    assert permutation_p(3e-9, np.full(9, 1e-9)) == 0.1


@pytest.mark.parametrize(("observed", "null"), [(np.nan, [0.0, 1.0]), (0.5, [0.0, np.nan])])
def test_a_p_value_of_nan_is_refused(observed, null):
    with pytest.raises(AssertionError, match="finite"):
        permutation_p(observed, np.array(null))


def test_adjusted_p_is_benjamini_and_hochberg_by_hand():
    p = np.random.default_rng(0).uniform(size=25) ** 2
    order = np.argsort(p)
    expected = np.empty(25)
    for rank, place in enumerate(order):
        expected[place] = min(p[order[j]] * 25 / (j + 1) for j in range(rank, 25))
    np.testing.assert_allclose(adjusted_p(p.reshape(5, 5)), expected.reshape(5, 5))


def test_adjusted_p_leaves_nan_out_of_the_count():
    p = np.array([[0.01, np.nan], [0.04, np.nan]])
    np.testing.assert_allclose(adjusted_p(p), [[0.02, np.nan], [0.04, np.nan]])
    assert np.isnan(p[0, 1]) and np.isnan(adjusted_p(np.full((2, 2), np.nan))).all()


def test_a_grid_of_nothing_has_an_adjusted_discovery_in_5_percent_of_cases():
    p = np.random.default_rng(1).uniform(size=(2000, 3, 7))
    assert errs_as_often_as_it_says(sum(adjusted_p(grid).min() <= 0.05 for grid in p), 2000)


# Bootstrap


def test_weights_count_n_draws_of_units_alike():
    weight = bootstrap_weights(12, samples=5000, seed=0)
    assert weight.shape == (5000, 12) and weight.dtype == np.float64
    assert (weight.sum(1) == 12).all()
    # Each weight is binomial(12, 1/12): mean 1, variance 11/12.
    np.testing.assert_allclose(weight.mean(0), 1, atol=0.06)
    np.testing.assert_allclose(weight.var(0), 11 / 12, atol=0.1)
    np.testing.assert_array_equal(weight, bootstrap_weights(12, samples=5000, seed=0))


def test_clusters_are_drawn_whole():
    clusters = np.array(["b", "a", "b", "c", "a", "b"])
    weight = bootstrap_weights(6, samples=200, seed=0, clusters=clusters)
    for name in "abc":
        assert (np.ptp(weight[:, clusters == name], axis=1) == 0).all()
    assert (weight[:, [1, 0, 3]].sum(1) == 3).all()


def test_interval_of_a_mean_is_the_t_interval():
    """The tails are widened by just what the bootstrap of a mean lacks: sqrt((n - 1) / n), and z for t."""
    n, sd = 9, 2.0
    values = stats.norm.ppf(
        (np.arange(1_000_000) + 0.5) / 1_000_000, 1, sd * np.sqrt((n - 1) / n) / np.sqrt(n)
    )
    expected = stats.t.interval(0.95, n - 1, 1, sd / np.sqrt(n))
    np.testing.assert_allclose(interval(values, n), expected, atol=1e-4)


def test_interval_leaves_nan_out_and_is_nan_of_nothing():
    values = np.arange(1000.0)
    assert interval(np.r_[values, np.full(50, np.nan)], 30) == interval(values, 30)
    assert np.isnan(interval(values, 1)).all()
    assert np.isnan(interval(np.full(10, np.nan), 30)).all()


@pytest.mark.parametrize("clusters", [None, np.repeat(np.arange(6), 4)])
def test_bootstrap_interval_is_the_interval_of_the_resampled_statistic(clusters):
    x = np.random.default_rng(0).standard_normal(24)
    weight = bootstrap_weights(24, samples=500, seed=3, clusters=clusters)
    means = [np.repeat(x, times.astype(int)).mean() for times in weight]
    found = bootstrap_interval(lambda w: w @ x / w.sum(1), 24, samples=500, seed=3, clusters=clusters)
    np.testing.assert_allclose(found, interval(means, 24 if clusters is None else 6))


def test_interval_covers_the_mean_of_40_normals_as_often_as_it_says():
    x = np.random.default_rng(2).standard_normal((TRIALS, 40))
    weight = bootstrap_weights(40, samples=2000, seed=0)
    assert 0.93 <= covered(resampled_means(weight, x), 40, 0) <= 0.97


@pytest.mark.parametrize("n_clusters", [8, 20])
def test_cluster_interval_covers_the_mean_as_often_as_it_says(n_clusters):
    x, clusters = stories_of_clusters(n_clusters, seed=3)
    weight = bootstrap_weights(len(clusters), samples=2000, seed=0, clusters=clusters)
    assert 0.93 <= covered(resampled_means(weight, x), n_clusters, 0) <= 0.97


def test_drawing_stories_of_clusters_singly_covers_too_seldom():
    x, clusters = stories_of_clusters(20, seed=3)
    weight = bootstrap_weights(len(clusters), samples=2000, seed=0)
    assert covered(resampled_means(weight, x[:500]), len(clusters), 0) < 0.85


def test_interval_covers_a_correlation_as_often_as_it_says():
    rng = np.random.default_rng(4)
    weight = bootstrap_weights(60, samples=1000, seed=0)
    x, noise = rng.standard_normal((2, TRIALS, 60))
    y = 0.5 * x + np.sqrt(0.75) * noise
    r = [weighted_pearson(weight, x[t][:, None], y[t])[:, 0] for t in range(TRIALS)]
    assert 0.93 <= covered(np.stack(r, axis=1), 60, 0.5) <= 0.97


# Correlations


def test_correlations_match_scipy():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((30, 3)), rng.standard_normal(30)
    np.testing.assert_allclose(pearson(x, y), [stats.pearsonr(column, y).statistic for column in x.T])
    x, y = rng.integers(0, 5, (30, 3)), rng.integers(0, 5, 30)
    np.testing.assert_allclose(spearman(x, y), [stats.spearmanr(column, y).statistic for column in x.T])


@pytest.mark.parametrize("correlation", [pearson, spearman])
def test_a_side_that_does_not_vary_has_no_correlation(correlation):
    # The mean of 0.1s is not 0.1: rounding must not pass for variation.
    x = np.column_stack([np.full(30, 0.1), np.arange(30.0)])
    np.testing.assert_array_equal(np.isnan(correlation(x, np.arange(30.0))), [True, False])
    assert np.isnan(correlation(x, np.full(30, 0.1))).all()


def test_weighted_correlations_are_those_of_the_repeated_units():
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((15, 4)) * [1, 1e6, 1e-6, 1] + [0, 1e7, 0, 5], rng.standard_normal(15)
    weight = bootstrap_weights(15, samples=600, seed=0)
    expected = [pearson(np.repeat(x, w.astype(int), axis=0), np.repeat(y, w.astype(int))) for w in weight]
    np.testing.assert_allclose(weighted_pearson(weight, x, y), expected, atol=1e-9)


def test_a_resample_without_variation_has_no_correlation():
    x, y = np.array([[0.1, 5.0], [0.1, 6.0], [0.7, 8.0]]), np.array([1.0, 2.0, 4.0])
    weight = np.array([[2.0, 1.0, 0.0], [0.0, 0.0, 3.0], [1.0, 1.0, 1.0]])
    expected = [[True, False], [True, True], [False, False]]
    np.testing.assert_array_equal(np.isnan(weighted_pearson(weight, x, y)), expected)
    assert np.isnan(weighted_pearson(weight, np.full((3, 1), 0.1), y)).all()


def test_partial_correlation_of_one_covariate_is_the_closed_form():
    rng = np.random.default_rng(2)
    z = rng.standard_normal(40)
    x, y = rng.standard_normal((40, 3)) + z[:, None], rng.standard_normal(40) - 2 * z
    r_xy, r_xz, r_yz = pearson(x, y), pearson(x, z), pearson(y[:, None], z)
    expected = (r_xy - r_xz * r_yz) / np.sqrt((1 - r_xz**2) * (1 - r_yz**2))
    np.testing.assert_allclose(partial_pearson(x, y, z[:, None]), expected)


def test_partial_correlation_of_many_covariates_is_read_off_the_inverse_covariance():
    rng = np.random.default_rng(3)
    z = rng.standard_normal((50, 4)) * [1, 1e4, 1, 1] + [0, 0, 100, 0]
    x, y = rng.standard_normal(50) + z[:, 0], rng.standard_normal(50) + z[:, 2]
    precision = np.linalg.inv(np.cov(np.column_stack([x, y, z]).T))
    expected = -precision[0, 1] / np.sqrt(precision[0, 0] * precision[1, 1])
    np.testing.assert_allclose(partial_pearson(x[:, None], y, z), [expected], rtol=1e-6)


def test_a_side_that_the_covariates_explain_has_no_partial_correlation():
    rng = np.random.default_rng(4)
    z, y = rng.standard_normal((20, 2)), rng.standard_normal(20)
    x = np.column_stack([z @ [3.0, -1.0] + 7, rng.standard_normal(20)])
    np.testing.assert_array_equal(np.isnan(partial_pearson(x, y, z)), [True, False])


# The best of many


def test_picking_the_best_of_many_columns_is_paid_for():
    """On pure noise the p-value of the best column is uniform, so 5% fall below .05."""
    rng = np.random.default_rng(2)
    low = 0
    for trial in range(1000):
        x, y = rng.standard_normal((20, 30)), rng.standard_normal(20)
        null = max_abs_correlation_null(x, y, permutations=99, seed=trial)
        low += permutation_p(np.abs(pearson(x, y)).max(), null) <= 0.05
    assert errs_as_often_as_it_says(low, 1000)


def test_the_null_of_the_best_column_runs_over_all_shuffles():
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((5, 3)), rng.standard_normal(5)
    exact = [np.abs(pearson(x, np.array(order))).max() for order in itertools.permutations(y)]
    null = max_abs_correlation_null(x, y, permutations=4000, seed=0)
    assert null.min() == pytest.approx(min(exact)) and null.max() == pytest.approx(max(exact))
    assert null.mean() == pytest.approx(np.mean(exact), abs=0.01)
    with_flat = np.column_stack([x, np.full(5, 0.1)])
    np.testing.assert_array_equal(max_abs_correlation_null(with_flat, y, permutations=4000, seed=0), null)


def test_ten_thousand_shuffles_of_a_full_grid_stay_small():
    x = np.random.default_rng(6).standard_normal((171, 150))
    tracemalloc.start()
    null = max_abs_correlation_null(x, x[:, 0], permutations=10_000, seed=0)
    weighted_pearson(np.ones((10_000, 171)), x, x[:, 0])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert null.shape == (10_000,) and peak < 50e6


# Trends


def test_trend_is_the_mean_signed_rank_correlation():
    rng = np.random.default_rng(0)
    value, expected = rng.integers(0, 4, (5, 6)), np.array([1, -1, 1, 1, -1])
    rho = [stats.spearmanr(row, np.arange(6)).statistic for row in value]
    statistic, _ = trend_test(value, expected, permutations=9, seed=0)
    assert statistic == pytest.approx(np.mean(expected * rho))


def test_trend_p_matches_all_shuffles():
    value, expected = np.array([[0.1, 0.3, 0.2, 0.9], [5.0, 5.0, 1.0, 2.0]]), np.array([1, -1])
    rho = [
        [sign * stats.spearmanr(order, np.arange(4)).statistic for order in itertools.permutations(row)]
        for row, sign in zip(value, expected, strict=True)
    ]
    exact = np.add.outer(*np.array(rho)).ravel() / 2
    statistic, p = trend_test(value, expected, permutations=20_000, seed=0)
    # Four standard errors of 20,000 shuffles.
    assert p == pytest.approx(np.mean(exact >= statistic - 1e-9), abs=0.01)


def test_a_flat_group_dilutes_the_trend_and_a_wrong_claim_is_no_trend():
    rising = np.tile(np.arange(5.0), (3, 1))
    assert trend_test(rising, np.ones(3), permutations=999, seed=0) == (pytest.approx(1), 0.001)
    with_flat = np.vstack([rising, np.full(5, 0.1)])
    assert trend_test(with_flat, np.ones(4), permutations=99, seed=0)[0] == pytest.approx(0.75)
    assert trend_test(rising, -np.ones(3), permutations=99, seed=0) == (pytest.approx(-1), 1.0)
    assert trend_test(with_flat[3:], np.ones(1), permutations=99, seed=0) == (0, 1.0)


def test_trend_is_found_in_5_percent_of_noise():
    rng = np.random.default_rng(1)
    expected = np.array([1, 1, -1, 1, -1, 1])
    p = [
        trend_test(rng.standard_normal((6, 5)), expected, permutations=99, seed=trial)[1]
        for trial in range(1000)
    ]
    assert errs_as_often_as_it_says(np.sum(np.array(p) <= 0.05), 1000)


def test_shuffles_of_all_groups_together_are_those_of_one_order():
    rng = np.random.default_rng(3)
    value, expected = rng.standard_normal((3, 5)), np.array([1, -1, 1])
    value += np.arange(5) * expected[:, None] * 0.4

    def statistic(order):
        rho = [stats.spearmanr(row[list(order)], np.arange(5)).statistic for row in value]
        return np.mean(expected * rho)

    exact = np.array([statistic(order) for order in itertools.permutations(range(5))])
    found, p = trend_test(value, expected, permutations=20_000, seed=0, together=True)
    assert found == pytest.approx(statistic(range(5)))
    # Four standard errors of 20,000 shuffles.
    assert p == pytest.approx(np.mean(exact >= found - 1e-9), abs=0.01)
    assert p != pytest.approx(trend_test(value, expected, permutations=20_000, seed=0)[1], abs=0.01)


def test_what_a_number_does_in_all_groups_is_no_trend_where_they_are_shuffled_together():
    rng = np.random.default_rng(4)
    p = {together: [] for together in (True, False)}
    for trial in range(1000):
        # The number's own token: the same in all groups.
        value = rng.standard_normal(6) + 0.5 * rng.standard_normal((8, 6))
        for together, found in p.items():
            options = {"permutations": 99, "seed": trial, "together": together}
            found.append(trend_test(value, np.ones(8), **options)[1])
    low = {together: np.sum(np.array(found) <= 0.05) for together, found in p.items()}
    assert errs_as_often_as_it_says(low[True], 1000)
    # Each group by itself would be found more than four times as often as it should.
    assert low[False] > 200


# Mean effects


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_the_p_of_a_mean_effect_is_that_of_all_sign_flips_of_clusters(shift):
    rng = np.random.default_rng(5)
    clusters = np.array(list("aabbbcdde"))
    effect = rng.standard_normal(9) + shift
    null = []
    for signs in itertools.product([-1, 1], repeat=5):
        sign = dict(zip("abcde", signs, strict=True))
        null.append(np.mean([sign[c] * e for c, e in zip(clusters, effect, strict=True)]))
    null = np.array(null)
    found = mean_effect(effect, clusters, permutations=20_000, bootstraps=50, seed=0)
    assert found["value"] == pytest.approx(effect.mean())
    # Four standard errors of 20,000 flips.
    assert found["p"] == pytest.approx(np.mean(null >= effect.mean() - 1e-9), abs=0.015)
    assert found["p_below"] == pytest.approx(np.mean(null <= effect.mean() + 1e-9), abs=0.015)
    assert (found["n"], found["n_clusters"]) == (9, 5)


def test_the_interval_of_a_mean_effect_is_the_t_interval_of_clusters():
    rng = np.random.default_rng(6)
    means = rng.standard_normal(40)
    effect, clusters = np.repeat(means, 3), np.repeat(np.arange(40), 3)
    found = mean_effect(effect, clusters, permutations=9, bootstraps=20_000, seed=0)
    t = stats.t.interval(0.95, 39, means.mean(), stats.sem(means))
    assert found["interval"] == pytest.approx(t, abs=0.03)
    # Taken singly, the same texts would seem three times as many.
    single = mean_effect(effect, np.arange(120), permutations=9, bootstraps=2000, seed=0)
    assert np.ptp(single["interval"]) < 0.65 * np.ptp(found["interval"])


def test_a_mean_effect_is_found_in_5_percent_of_noise_whose_clusters_are_alike():
    rng = np.random.default_rng(7)
    clusters = np.repeat(np.arange(8), 4)
    p = []
    for trial in range(1000):
        effect = rng.standard_normal(8)[clusters] + 0.3 * rng.standard_normal(32)
        p.append(mean_effect(effect, clusters, permutations=99, bootstraps=2, seed=trial)["p"])
    assert errs_as_often_as_it_says(np.sum(np.array(p) <= 0.05), 1000)


def test_standardised_columns_are_z_scores_and_one_that_does_not_vary_is_0():
    x = np.random.default_rng(8).standard_normal((7, 3)) * [1, 1e-3, 1e4] + [0, 5, -2]
    np.testing.assert_allclose(standardised(x), stats.zscore(x), rtol=1e-9)
    x[:, 1] = 0.1
    found = standardised(x.astype(np.float32))
    assert found.dtype == np.float64 and (found[:, 1] == 0).all()
    np.testing.assert_allclose(found[:, 0], stats.zscore(x[:, 0]), rtol=1e-5)


@pytest.mark.parametrize(
    ("low", "first"),
    [
        ([-1, -1, 1, 1], 7),
        ([1, 1, 1, 1], 2),
        ([1, -1, 1, 1], 7),
        ([1, 1, 1, -1], None),
        ([1, 1, 0, 1], 9),
        ([-1, 1, np.nan, 1], 9),
        ([np.nan] * 4, None),
    ],
)
def test_an_effect_holds_from_the_layer_after_the_last_without_it(low, first):
    assert holds_from(np.array(low), [2, 5, 7, 9]) == first


# Rates and power


def test_wilson_interval_is_the_closed_form():
    z, k, n = stats.norm.isf(0.025), 3, 40
    centre, half = k / n + z**2 / (2 * n), z * np.sqrt(k / n * (1 - k / n) / n + z**2 / (4 * n**2))
    expected = np.array([centre - half, centre + half]) / (1 + z**2 / n)
    np.testing.assert_allclose(wilson_interval(k, n), expected)
    assert wilson_interval(0, 40)[0] == 0 and wilson_interval(np.int64(40), 40)[1] == 1
    assert np.isnan(wilson_interval(0, 0)).all()


@pytest.mark.parametrize(("n", "baseline"), [(50, 0.2), (20, 0.0), (300, 0.5)])
def test_a_detectable_rate_is_found_with_the_power_asked_for(n, baseline):
    rate = detectable_rate(n, baseline)
    p_of_count = [stats.binomtest(k, n, baseline, alternative="greater").pvalue for k in range(n + 1)]
    count = np.random.default_rng(0).binomial(n, rate, 100_000)
    assert rate > baseline
    # Standard error 0.13 points.
    assert np.mean(np.array(p_of_count)[count] <= 0.05) == pytest.approx(0.8, abs=0.005)


def test_no_rate_is_detectable_from_too_few_trials_or_a_ceiling():
    assert np.isnan(detectable_rate(4, 0.5)) and not np.isnan(detectable_rate(5, 0.5))
    assert np.isnan(detectable_rate(100, 1.0))
    assert np.isnan(detectable_difference(3, 0.5)) and np.isnan(detectable_difference(100, 1.0))
    assert np.isnan(detectable_correlation(3))


@pytest.mark.parametrize(("n", "rate"), [(200, 0.3), (1000, 0.05)])
def test_a_detectable_difference_is_found_with_the_power_asked_for(n, rate):
    rng = np.random.default_rng(1)
    rise = detectable_difference(n, rate)
    low, high = rng.binomial(n, rate, 100_000) / n, rng.binomial(n, rate + rise, 100_000) / n
    mean = (low + high) / 2
    z = (high - low) / np.sqrt(2 * mean * (1 - mean) / n)
    # The normal approximation is off by about a point.
    assert np.mean(np.abs(z) >= stats.norm.isf(0.025)) == pytest.approx(0.8, abs=0.015)


def test_a_detectable_correlation_is_found_with_the_power_asked_for():
    n, r = 50, detectable_correlation(50)
    x, noise = np.random.default_rng(2).standard_normal((2, n, 20_000))
    y = r * x + np.sqrt(1 - r**2) * noise
    x, y = x - x.mean(0), y - y.mean(0)
    found = (x * y).sum(0) / np.sqrt((x**2).sum(0) * (y**2).sum(0))
    t = found * np.sqrt((n - 2) / (1 - found**2))
    # Standard error 0.3 points, and Fisher's approximation.
    assert np.mean(np.abs(t) >= stats.t.isf(0.025, n - 2)) == pytest.approx(0.8, abs=0.015)
