"""The shape that the vectors form: similarities, order, components, clusters, likeness between layers.

Shape letters: L layers, C concepts, D width, K components or clusters, S bootstrap samples.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from emotion_concepts.statistics import bootstrap_weights, interval

# Resamples behind an interval of likeness: each costs a pass over all pairs of concepts.
PROFILE_SAMPLES = 400


def cosines(vectors_CD: np.ndarray) -> np.ndarray:
    """Cosine of every pair of vectors: float64 [C, C]."""
    unit = vectors_CD / np.linalg.norm(vectors_CD, axis=1, keepdims=True)
    return np.clip(unit @ unit.T, -1, 1)


def hierarchical_order(cosines_CC: np.ndarray) -> np.ndarray:
    """Positions in which neighbours are alike: leaves of average linkage on 1 - cosine, best ordered."""
    distance = 1 - cosines_CC
    np.fill_diagonal(distance, 0)
    condensed = squareform(distance, checks=False)
    return leaves_list(linkage(condensed, method="average", optimal_ordering=True))


def principal_components(vectors_CD: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores on the leading principal components, and their shares of variance.

    Returns
    -------
    scores_CK, share_K : float64 [C, K], [K]
        A component's sign is arbitrary: it is set so that the largest score in magnitude is positive.
    """
    values = np.asarray(vectors_CD, np.float64)
    values = values - values.mean(0)
    # From the inner products of the concepts, which are few, and not from the width, which is not.
    squares, left = np.linalg.eigh(values @ values.T)
    squares, left = np.maximum(squares[::-1], 0), left[:, ::-1]
    count = min(count, *values.shape)
    scores = left[:, :count] * np.sqrt(squares[:count])
    strongest = scores[np.abs(scores).argmax(0), np.arange(count)]
    return scores * np.where(strongest < 0, -1, 1), squares[:count] / squares.sum()


def held_out_operator(vectors_CD: np.ndarray) -> np.ndarray:
    """What ridge regression on all other concepts predicts for each concept, as a linear map: float64 [C, C].

    `operator @ rating_C` is the leave-one-out prediction (with intercept). The penalty is the mean
    eigenvalue of the centred inner products: it is fixed by the vectors alone, so no rating chooses it
    and every shuffle of the ratings can be predicted by one product.
    """
    n = len(vectors_CD)
    centred = vectors_CD - vectors_CD.mean(0)
    inner = centred @ centred.T
    penalty = np.trace(inner) / n
    fitted = np.full((n, n), 1 / n) + inner @ np.linalg.inv(inner + penalty * np.eye(n))
    # The closed form of leaving one out: a fit's residual, divided by what the point does not explain itself.
    return np.eye(n) - (np.eye(n) - fitted) / (1 - np.diag(fitted))[:, None]


def clusterings(
    vectors_CD: np.ndarray, numbers: Sequence[int], *, starts: int, seed: int
) -> tuple[pd.DataFrame, dict]:
    """k-means on the directions of the vectors, for several numbers of clusters, each from many starts.

    Returns
    -------
    table : DataFrame
        k; silhouette (of the best start; 1 is well apart, 0 not at all); stability: mean adjusted Rand index
        of every pair of starts (1: the same clusters from wherever it begins, 0: chance).
    labels : dict
        {k: int [C]}, the best start's clusters, numbered by their first concept.
    """
    unit = vectors_CD / np.linalg.norm(vectors_CD, axis=1, keepdims=True)
    # Turned into the space that they span: every distance stays, and a wide model costs no more than a narrow one.
    left, singular, _ = np.linalg.svd(unit, full_matrices=False)
    unit = left * singular
    rows, labels = [], {}
    for k in (k for k in numbers if 2 <= k < len(unit)):
        # One start each, so that each start's clusters are seen.
        fits = [KMeans(k, n_init=1, random_state=seed + i).fit(unit) for i in range(starts)]
        best = min(fits, key=lambda fit: fit.inertia_).labels_
        agreement = adjusted_rand_indices(np.array([fit.labels_ for fit in fits]))
        stability = agreement[np.triu_indices(starts, 1)].mean() if starts > 1 else np.nan
        rows.append((k, silhouette_score(unit, best, metric="cosine"), stability))
        labels[k] = _by_first(best)
    return pd.DataFrame(rows, columns=["k", "silhouette", "stability"]), labels


def adjusted_rand_indices(label_SN: np.ndarray) -> np.ndarray:
    """Adjusted Rand index (Hubert and Arabie 1985) of every two ways to cluster the same things: float64 [S, S].

    In its form of pairs: together in both, in one, in the other. For all at once, where scikit-learn's takes
    milliseconds for each two.
    """
    rows, columns = np.triu_indices(label_SN.shape[1], 1)
    together_SM = (label_SN[:, rows] == label_SN[:, columns]).astype(np.float64)
    both_SS, each_S, n_pairs = together_SM @ together_SM.T, together_SM.sum(1), len(rows)
    expected_SS = each_S[:, None] * each_S / n_pairs
    most_SS = (each_S[:, None] + each_S) / 2
    with np.errstate(invalid="ignore"):
        index_SS = (both_SS - expected_SS) / (most_SS - expected_SS)
    # Two that put everything together, or everything apart, leave nothing to chance: they are the same.
    return np.where(most_SS == expected_SS, 1.0, index_SS)


def _by_first(label_C: np.ndarray) -> np.ndarray:
    """The same clusters, numbered in the order in which they first occur."""
    first = list(dict.fromkeys(label_C.tolist()))
    return np.array([first.index(label) for label in label_C])


def similarity_profile(vectors_CD: np.ndarray) -> np.ndarray:
    """Cosines of all pairs of different vectors, the geometry as one list: float64 [C (C - 1) / 2]."""
    return cosines(np.asarray(vectors_CD, np.float64))[np.triu_indices(len(vectors_CD), 1)]


def layer_similarity(vectors_LCD: np.ndarray) -> np.ndarray:
    """Correlation of the layers' cosine matrices (representational similarity analysis): float64 [L, L]."""
    return np.corrcoef([similarity_profile(vectors_CD) for vectors_CD in vectors_LCD])


def profile_correlation(
    vectors_CD: np.ndarray, other_CE: np.ndarray, *, samples: int, seed: int
) -> tuple[float, tuple[float, float]]:
    """How alike two sets of vectors of the same concepts lie: correlation of their cosines, 95% interval.

    The widths may differ. The interval is from a bootstrap over concepts; a pair of one concept with itself,
    which a resample can hold, says nothing and is left out, as is a resample of fewer than three concepts.
    """
    x, y = similarity_profile(vectors_CD), similarity_profile(other_CE)
    rows, columns = np.triu_indices(len(vectors_CD), 1)
    values = []
    for weight_C in bootstrap_weights(len(vectors_CD), samples=samples, seed=seed):
        if np.count_nonzero(weight_C) < 3:
            continue
        weight = weight_C[rows] * weight_C[columns]
        weight /= weight.sum()
        dx, dy = x - weight @ x, y - weight @ y
        values.append((weight @ (dx * dy)) / np.sqrt((weight @ dx**2) * (weight @ dy**2)))
    return float(np.corrcoef(x, y)[0, 1]), interval(np.array(values), len(vectors_CD))


def layers_table(
    vectors_LCD: np.ndarray, layers: Sequence[int], described: int, *, seed: int
) -> pd.DataFrame:
    """Likeness of every pair of layers, and the interval of each one's with the described layer.

    Returns
    -------
    DataFrame
        layer, layer_K for each layer K, low, high.
    """
    at = list(layers).index(described)
    table = pd.DataFrame(layer_similarity(vectors_LCD), columns=[f"layer_{layer}" for layer in layers])
    table.insert(0, "layer", layers)
    found = [
        profile_correlation(v, vectors_LCD[at], samples=PROFILE_SAMPLES, seed=seed)[1] for v in vectors_LCD
    ]
    return table.assign(low=[low for low, _ in found], high=[high for _, high in found])
