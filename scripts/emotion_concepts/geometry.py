"""The shape that the vectors form: similarities, order, principal components. numpy and scipy alone."""

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform


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
    left, singular, _ = np.linalg.svd(values, full_matrices=False)
    count = min(count, len(singular))
    scores = left[:, :count] * singular[:count]
    strongest = scores[np.abs(scores).argmax(0), np.arange(count)]
    return scores * np.where(strongest < 0, -1, 1), singular[:count] ** 2 / np.sum(singular**2)


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
