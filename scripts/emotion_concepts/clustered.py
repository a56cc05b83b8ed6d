"""Correlations over units that are alike: activities of one category, concepts that read alike. numpy alone.

Shapes: N activities, C concepts, K directions, P shuffles, S samples, I rows behind another value, G categories.
"""

import numpy as np
from scipy.special import comb

from emotion_concepts import statistics


def shuffled_rows(category_N: np.ndarray, permutations: int, rng: np.random.Generator) -> np.ndarray:
    """Activities in another order: categories change places as wholes, and within them everyone: int [P, N].

    Exact for categories of one size; else a category is laid over the end of one and the start of the next.
    """
    _, place_N = np.unique(category_N, return_inverse=True)
    rank_PG = rng.permuted(np.tile(np.arange(place_N.max() + 1), (permutations, 1)), axis=1)
    drawn_PN = np.argsort(rank_PG[:, place_N] + rng.random((permutations, len(place_N))), axis=1)
    row_PN = np.empty_like(drawn_PN)
    row_PN[:, np.argsort(place_N, kind="stable")] = drawn_PN
    return row_PN


def shuffled_pearson(
    x_NC: np.ndarray, y_N: np.ndarray, category_N: np.ndarray, permutations: int, seed: int
) -> np.ndarray:
    """Correlation of every column with `y`, for each shuffle of it: float64 [P, C]."""
    row_PN = shuffled_rows(category_N, permutations, np.random.default_rng(seed))
    return _units(y_N)[row_PN] @ _units(x_NC)


def shuffled(value_C: np.ndarray, permutations: int, seed: int) -> np.ndarray:
    """Values in other orders, all alike probable: [P, C]."""
    return np.random.default_rng(seed).permuted(np.tile(value_C, (permutations, 1)), axis=1)


def crossed_intervals(
    x_NC: np.ndarray, elo_N: np.ndarray, category_N: np.ndarray, other_IC: np.ndarray, category_I: np.ndarray, *,
    bootstraps: int, seed: int,
) -> tuple[list[float], list[float]]:  # fmt: skip
    """95% intervals of the correlation over concepts of r with another value, and of their covariance.

    Categories of the activities behind r, those behind the other value (the mean of its rows; one row is fixed), and
    concepts are drawn together. What that adds to the noise of r pulls the correlation toward 0.

    Parameters
    ----------
    x_NC, elo_N : float64
        Whose correlation over activities is each concept's r.
    other_IC : float64
        Each concept's other value is the mean of its column.
    category_N, category_I : arrays
        Labels of the categories that are drawn as wholes.
    """
    n_concepts = x_NC.shape[1]
    weight_SN = statistics.bootstrap_weights(len(elo_N), samples=bootstraps, seed=seed, clusters=category_N)
    r_SC = statistics.weighted_pearson(weight_SN, x_NC, elo_N)
    weight_SI = statistics.bootstrap_weights(
        len(other_IC), samples=bootstraps, seed=seed + 1, clusters=category_I
    )
    other_SC = weight_SI @ other_IC / weight_SI.sum(1, keepdims=True)
    weight_SC = statistics.bootstrap_weights(n_concepts, samples=bootstraps, seed=seed + 2) / n_concepts
    a_SC, b_SC = (of - (weight_SC * of).sum(1, keepdims=True) for of in (r_SC, other_SC))
    covariance_S = (weight_SC * a_SC * b_SC).sum(1)
    scale_S = np.sqrt((weight_SC * a_SC**2).sum(1) * (weight_SC * b_SC**2).sum(1))
    r_S = np.divide(covariance_S, scale_S, out=np.full(bootstraps, np.nan), where=scale_S > 1e-12)
    counts = [len(np.unique(category_N)), n_concepts]
    if len(other_IC) > 1:
        counts.append(len(np.unique(category_I)))
    return tuple(list(statistics.interval(of, min(counts))) for of in (r_S, covariance_S))


def expected_largest(value_K: np.ndarray, n: int) -> float:
    """Mean of the largest over all choices of n of K values."""
    value_K, k = np.sort(value_K), np.arange(1, len(value_K) + 1)
    return float((comb(k - 1, n - 1) / comb(len(value_K), n)) @ value_K)


def correlation(x_C: np.ndarray, y_C: np.ndarray) -> float:
    """Pearson's, of two rows of values."""
    return float(statistics.pearson(np.asarray(x_C)[:, None], np.asarray(y_C))[0])


def covariance(x_C: np.ndarray, y_C: np.ndarray) -> float:
    """Mean product of deviations from the means."""
    x_C, y_C = np.asarray(x_C), np.asarray(y_C)
    return float((x_C - x_C.mean()) @ (y_C - y_C.mean()) / len(x_C))


def _units(value_NK: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and norm 1; NaN where one does not vary."""
    value_NK = value_NK - value_NK.mean(0)
    norm_K = np.linalg.norm(value_NK, axis=0)
    return value_NK / np.where(norm_K > 0, norm_K, np.nan)
