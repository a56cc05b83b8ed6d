"""Intervals, correlations, tests and power that every analysis uses. numpy and scipy alone.

Shapes: N units (stories, words, answers), S bootstrap samples, K columns (layers, components),
M covariates, G groups (templates), D ordered doses. What is not defined is NaN, never a guess.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy import optimize, special, stats

_BLOCK = 256  # resamples or shuffles worked on at once, lest all of them fill the memory


def permutation_p(observed: float, null: np.ndarray) -> float:
    """One-sided p-value with an honest floor: (b + 1) / (n + 1), b of n null values being as large.

    A null value short of `observed` by rounding alone counts as as large. Both must be finite.
    """
    assert np.isfinite(observed) and np.isfinite(null).all(), "a p-value needs finite values"
    rounding = 1e-12 * max(abs(observed), np.abs(null).max(initial=0))
    return float((np.sum(null >= observed - rounding) + 1) / (len(null) + 1))


# Bootstrap


def bootstrap_weights(n: int, *, samples: int, seed: int, clusters: np.ndarray | None = None) -> np.ndarray:
    """How often each unit is in each resample, drawn with replacement: float64 [S, N].

    Parameters
    ----------
    clusters : array [N], optional
        Label of each unit's cluster (its topic, say). Whole clusters are then drawn, as many as
        there are: units of one cluster are alike, and drawn singly they give too narrow an interval.
    """
    rng = np.random.default_rng(seed)
    if clusters is None:
        return rng.multinomial(n, np.full(n, 1 / n), size=samples).astype(np.float64)
    assert len(clusters) == n, f"{len(clusters)} cluster labels for {n} units"
    names, cluster_N = np.unique(clusters, return_inverse=True)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=samples)
    return drawn.astype(np.float64)[:, cluster_N]


def interval(value_S: np.ndarray, n_units: int, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of bootstrap values, widened for few units; NaN values are left out.

    The plain percentile interval is too narrow by sqrt((n - 1) / n) and takes z for t. The level is
    raised by just that, so that for a mean it is the t interval. From fewer than 6 units no
    percentile interval can cover 95%: it never leaves the units' range, which misses the median
    of a symmetric distribution in 2^(1 - n) of cases.

    Parameters
    ----------
    value_S : float array [S]
    n_units : int
        How many units, or clusters where clusters were drawn, each resample holds.

    Returns
    -------
    (low, high) : floats
        NaN where there are fewer than 2 units or no value.

    Source: Hesterberg 2015 (10.1080/00031305.2015.1089789), expanded percentile interval.
    """
    value = np.asarray(value_S, dtype=np.float64)
    value = value[~np.isnan(value)]
    if n_units < 2 or not len(value):
        return np.nan, np.nan
    # The normal and t distributions of scipy.special: those of scipy.stats cost more than the quantiles.
    t = special.stdtrit(n_units - 1, (1 - level) / 2)
    tail = special.ndtr(np.sqrt(n_units / (n_units - 1)) * t)
    low, high = np.quantile(value, [tail, 1 - tail])
    return float(low), float(high)


def bootstrap_interval(
    statistic: Callable[[np.ndarray], np.ndarray],
    n: int,
    *,
    samples: int,
    seed: int,
    clusters: np.ndarray | None = None,
) -> tuple[float, float]:
    """95% interval of a statistic of n units, or of clusters of them.

    Parameters
    ----------
    statistic : callable
        Takes weights [S, N], how often each unit was drawn, and returns all S values at once;
        NaN where it is not defined.
    clusters : array [N], optional
        As in `bootstrap_weights`.
    """
    weight_SN = bootstrap_weights(n, samples=samples, seed=seed, clusters=clusters)
    return interval(statistic(weight_SN), n if clusters is None else len(np.unique(clusters)))


def mean_intervals(
    value_NK: np.ndarray, *, samples: int, seed: int, clusters: np.ndarray | None = None
) -> np.ndarray:
    """95% interval of the mean of every column, over units or clusters of them: float64 [K, 2]."""
    value_NK = np.asarray(value_NK, dtype=np.float64)
    n = len(value_NK)
    weight_SN = bootstrap_weights(n, samples=samples, seed=seed, clusters=clusters)
    mean_SK = weight_SN @ value_NK / weight_SN.sum(1, keepdims=True)
    n_units = n if clusters is None else len(np.unique(clusters))
    return np.array([interval(mean_S, n_units) for mean_S in mean_SK.T])


def shuffled_within(label_N: np.ndarray, group_N: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Labels in another order within each group."""
    shuffled = np.array(label_N)
    for group in np.unique(group_N):
        rows = np.flatnonzero(group_N == group)
        shuffled[rows] = rng.permutation(shuffled[rows])
    return shuffled


# Correlations


def pearson(x_NK: np.ndarray, y_N: np.ndarray) -> np.ndarray:
    """Pearson correlation of every column with `y`: float64 [K]; NaN where a side does not vary."""
    return np.clip(_unit(x_NK).T @ _unit(y_N), -1, 1)


def weighted_pearson(weight_SN: np.ndarray, x_NK: np.ndarray, y_N: np.ndarray) -> np.ndarray:
    """Pearson correlation of every column with `y` in every resample: float64 [S, K].

    NaN where a side does not vary among the units drawn. Matrix products over blocks of resamples:
    beside the result, memory holds a few arrays of a block's size.
    """
    x, y = _unit(x_NK), _unit(y_N)
    xx, xy, yy = x * x, x * y[:, None], y * y
    r_SK = np.empty((len(weight_SN), x.shape[1]))
    for rows in _blocks(len(weight_SN)):
        w = weight_SN[rows]
        total, sum_x, sum_y = w.sum(1), w @ x, w @ y
        with np.errstate(invalid="ignore", divide="ignore"):
            mean_y = sum_y / total
            var_x = w @ xx - sum_x**2 / total[:, None]
            var_y = w @ yy - sum_y * mean_y
            scale = np.sqrt(var_x * var_y[:, None])
            r = (w @ xy - sum_x * mean_y[:, None]) / scale
        # Columns have norm 1, so what is left below 1e-12 is rounding.
        varies = (var_x > 1e-12) & (var_y > 1e-12)[:, None]
        r_SK[rows] = np.where(varies, np.clip(r, -1, 1), np.nan)
    return r_SK


def spearman(x_NK: np.ndarray, y_N: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation of every column with `y`: float64 [K]; ties share their mean rank.

    NaN where a side does not vary.
    """
    return pearson(stats.rankdata(x_NK, axis=0), stats.rankdata(y_N))


def partial_pearson(x_NK: np.ndarray, y_N: np.ndarray, covariate_NM: np.ndarray) -> np.ndarray:
    """Pearson correlation of what linear regression on the covariates leaves of both: float64 [K].

    The regression has an intercept. NaN where the covariates leave nothing of a side.
    """
    left = without_covariates(np.column_stack([x_NK, y_N]), covariate_NM)
    return pearson(left[:, :-1], left[:, -1])


def without_covariates(value_NK: np.ndarray, covariate_NM: np.ndarray) -> np.ndarray:
    """What linear regression on the covariates, with an intercept, leaves of each column: float64 [N, K].

    Exactly 0 where they leave nothing but rounding.
    """
    value = value_NK - value_NK.mean(0, dtype=np.float64)
    # Scaled alike: a norm in thousands beside a logarithm would cost digits. One that does not vary explains nothing.
    covariate = np.nan_to_num(_unit(covariate_NM), nan=0.0)
    left = value - covariate @ np.linalg.lstsq(covariate, value, rcond=None)[0]
    left[:, np.linalg.norm(left, axis=0) <= 1e-10 * np.linalg.norm(value, axis=0)] = 0
    return left


def max_abs_correlation_null(
    x_NK: np.ndarray, y_N: np.ndarray, *, permutations: int, seed: int
) -> np.ndarray:
    """The largest absolute Pearson correlation over the columns, for each shuffle of `y`.

    Where the best of many columns (layers, components) was picked, this is what it must beat.
    Columns that do not vary take no part.

    Returns
    -------
    float64 [permutations]
    """
    x, y = _unit(x_NK), _unit(y_N)
    x = x[:, np.isfinite(x).all(0)]
    assert x.shape[1], "no column varies"
    rng = np.random.default_rng(seed)
    null = np.empty(permutations)
    for rows in _blocks(permutations):
        shuffled = rng.permuted(np.broadcast_to(y, (len(null[rows]), len(y))), axis=1)
        null[rows] = np.abs(shuffled @ x).max(1)
    return null


# Tests and rates


def trend_test(
    value_GD: np.ndarray, expected_G: np.ndarray, *, permutations: int, seed: int, together: bool = False
) -> tuple[float, float]:
    """Do values rise or fall with the dose as was claimed for each group?

    Parameters
    ----------
    value_GD : float array [G, D]
        Finite; doses in rising order.
    expected_G : array [G]
        +1 where the value is claimed to rise with the dose, -1 where to fall.
    permutations : int
        The null shuffles the doses within each group.
    together : bool
        It shuffles them alike in all groups, where these have their doses in common: what a number's own
        token does to the value, it does in all of them.

    Returns
    -------
    statistic : float
        Mean over groups of the expected sign times Spearman's rho of value with dose; a group
        whose values do not vary counts as 0.
    p : float
        One-sided, with the floor of `permutation_p`.
    """
    assert np.isfinite(value_GD).all(), "a dose without a value"
    assert np.isin(expected_G, [-1, 1]).all(), "expected directions are +1 and -1"
    rank_GD = np.nan_to_num(_unit(stats.rankdata(value_GD, axis=1).T).T, nan=0.0)
    signed_GD = rank_GD * np.asarray(expected_G)[:, None] / len(rank_GD)
    dose_D = _unit(np.arange(signed_GD.shape[1]))
    rng = np.random.default_rng(seed)
    null = np.empty(permutations)
    for rows in _blocks(permutations):
        if together:
            shuffled_PD = rng.permuted(np.broadcast_to(dose_D, (len(null[rows]), len(dose_D))), axis=1)
            null[rows] = shuffled_PD @ signed_GD.sum(0)
            continue
        shuffled = rng.permuted(np.broadcast_to(dose_D, (len(null[rows]), *signed_GD.shape)), axis=2)
        null[rows] = np.einsum("pgd,gd->p", shuffled, signed_GD)
    statistic = float((signed_GD @ dose_D).sum())
    return statistic, permutation_p(statistic, null)


def mean_effect(
    effect_N: np.ndarray, clusters: np.ndarray, *, permutations: int, bootstraps: int, seed: int
) -> dict:
    """Is an effect per text above 0 on the mean? Texts of one cluster are alike.

    Parameters
    ----------
    effect_N : float array [N]
        Finite; under the null each cluster's is as likely to have the other sign.
    clusters : array [N]
        Label of each text's cluster.

    Returns
    -------
    dict
        value, the mean; interval, over clusters; p and p_below, one-sided, by flipping the signs of whole
        clusters; n texts and n_clusters.
    """
    effect = np.asarray(effect_N, dtype=np.float64)
    assert np.isfinite(effect).all(), "a text without an effect"
    names, cluster_N = np.unique(np.asarray(clusters), return_inverse=True)
    sum_G = np.bincount(cluster_N, effect)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (permutations, len(names)))
    null = signs @ sum_G / len(effect)
    value = float(effect.mean())
    (found,) = mean_intervals(effect[:, None], samples=bootstraps, seed=seed, clusters=cluster_N)
    return {
        "value": value, "interval": found.tolist(), "p": permutation_p(value, null),
        "p_below": permutation_p(-value, -null), "n": len(effect), "n_clusters": len(names),
    }  # fmt: skip


def standardised(value_UK: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and standard deviation 1 over the rows: float64; one that does not vary is 0."""
    value = np.asarray(value_UK, dtype=np.float64)
    return np.nan_to_num(_unit(value), nan=0.0) * np.sqrt(len(value))


def holds_from(low_L: np.ndarray, layers: Sequence[int]) -> int | None:
    """The first layer from which the lower bound of an effect is above 0 and stays so; None if there is none."""
    below = np.flatnonzero(~(np.asarray(low_L) > 0))
    first = below[-1] + 1 if len(below) else 0
    return int(layers[first]) if first < len(layers) else None


def adjusted_p(p: np.ndarray) -> np.ndarray:
    """Benjamini-Hochberg adjusted p-values of a grid of any shape; NaN stays NaN and is not counted."""
    adjusted = np.array(p, dtype=np.float64)
    tested = ~np.isnan(adjusted)
    if tested.any():
        adjusted[tested] = stats.false_discovery_control(adjusted[tested])
    return adjusted


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """95% Wilson interval (low, high) of a rate of independent trials; NaN of no trial."""
    if n == 0:
        return np.nan, np.nan
    found = stats.binomtest(int(successes), int(n)).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


# Power: the smallest effect that n could have shown


def detectable_rate(n: int, baseline: float, *, power: float = 0.8, alpha: float = 0.05) -> float:
    """Smallest true rate above `baseline` that an exact one-sided binomial test of n trials finds.

    NaN where even n successes of n would not be significant.
    """
    counts = np.arange(n + 1)
    significant = counts[stats.binom.sf(counts - 1, n, baseline) <= alpha]
    if not len(significant):
        return np.nan
    # P(X >= k) at rate p is the beta distribution function of (k, n - k + 1) at p.
    return float(stats.beta.ppf(power, significant[0], n - significant[0] + 1))


def detectable_difference(n_per_group: int, rate: float, *, power: float = 0.8, alpha: float = 0.05) -> float:
    """Smallest rise over `rate` that a two-sided two-proportion z test between two groups finds.

    A normal approximation: it flatters groups with fewer than about 5 expected successes or
    failures. NaN where even a rise to 1 would go unseen.
    """
    z_alpha, z_power = stats.norm.isf(alpha / 2), stats.norm.isf(1 - power)

    def excess(rise: float) -> float:
        mean, high = rate + rise / 2, rate + rise
        pooled = z_alpha * np.sqrt(2 * mean * (1 - mean))
        apart = z_power * np.sqrt(max(rate * (1 - rate) + high * (1 - high), 0))
        return rise * np.sqrt(n_per_group) - pooled - apart

    # `excess` is convex and below 0 at a rise of almost nothing: one root, if any.
    smallest, largest = 1e-9, 1 - rate
    if largest <= smallest or excess(largest) < 0:
        return np.nan
    return float(optimize.brentq(excess, smallest, largest))


def detectable_correlation(n: int, *, power: float = 0.8, alpha: float = 0.05) -> float:
    """Smallest correlation that a two-sided test of n pairs finds (Fisher's z); NaN of 3 or fewer."""
    if n <= 3:
        return np.nan
    return float(np.tanh((stats.norm.isf(alpha / 2) + stats.norm.isf(1 - power)) / np.sqrt(n - 3)))


def _unit(x: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and norm 1, along axis 0; NaN where a column does not vary or has a NaN."""
    x = np.asarray(x, dtype=np.float64)
    centred = x - x.mean(0)
    # Compared as they are: the mean of equal values may differ from them by rounding.
    norm = np.where(x.max(0) > x.min(0), np.linalg.norm(centred, axis=0), np.nan)
    return centred / norm


def _blocks(n: int) -> Iterator[slice]:
    """Slices that cover n rows."""
    return (slice(start, min(start + _BLOCK, n)) for start in range(0, n, _BLOCK))
