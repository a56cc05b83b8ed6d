"""Intervals and p-values that every analysis uses. numpy and scipy alone."""

from collections.abc import Callable

import numpy as np
from scipy import stats


def permutation_p(observed: float, null: np.ndarray) -> float:
    """One-sided p-value with an honest floor: (b + 1) / (n + 1), b of n null values being as large."""
    return float((np.sum(null >= observed) + 1) / (len(null) + 1))


def bootstrap_interval(
    statistic: Callable[[np.ndarray], float], n: int, *, samples: int, seed: int
) -> tuple[float, float]:
    """95% percentile interval of a statistic of resampled positions 0 to n - 1.

    Parameters
    ----------
    statistic : callable
        Takes an int array of n positions, drawn with replacement; NaN where it is not defined.
    """
    rng = np.random.default_rng(seed)
    values = np.array([statistic(rng.integers(0, n, n)) for _ in range(samples)])
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)


def pearson(x_NK: np.ndarray, y_N: np.ndarray) -> np.ndarray:
    """Pearson correlation of every column with `y`: float64 [K]; NaN where a side does not vary."""
    x = x_NK - x_NK.mean(0)
    y = y_N - y_N.mean()
    scale = np.sqrt((x**2).sum(0) * (y**2).sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(scale > 0, (x * y[:, None]).sum(0) / scale, np.nan)


def max_abs_correlation_null(
    x_NK: np.ndarray, y_N: np.ndarray, *, permutations: int, seed: int
) -> np.ndarray:
    """The largest absolute Pearson correlation over the columns, for each shuffle of `y`.

    Where the best of many columns (layers, components) was picked, this is what it must beat.
    """
    x = x_NK - x_NK.mean(0)
    x = x / np.linalg.norm(x, axis=0)
    y = (y_N - y_N.mean()) / np.linalg.norm(y_N - y_N.mean())
    rng = np.random.default_rng(seed)
    shuffled = np.stack([rng.permutation(y) for _ in range(permutations)])
    return np.abs(shuffled @ x).max(1)


def spearman(x_N: np.ndarray, y_N: np.ndarray) -> float:
    """Spearman's rank correlation."""
    return float(stats.spearmanr(x_N, y_N).statistic)
