"""Vectors of several labels that a text has at once, each with the others taken out.

A text with two emotions (the speaker's and the listener's, the true and the shown one) is a sum of an effect of each:
least squares within groups of texts (topics), so that no label stands in for the other where the pairs are not
evenly drawn, as where nobody shows the very emotion that is true. numpy alone, float64.
Shape letters: U texts, F factors, C levels (concepts) of each, P topics, D width, S choices of topics.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from emotion_concepts.cells import topic_halves
from emotion_concepts.statistics import bootstrap_weights

# Halvings of the topics behind what is told of two halves.
MAX_SPLITS = 8
# Most resamples and shuffles: each makes the vectors of all halvings anew, which takes milliseconds.
RESAMPLES = 500


@dataclass(frozen=True)
class TopicSums:
    """What least squares needs of each topic: products of the labels with each other and with the values.

    square_PKK, cross_PKD : float64, K = F C indicators, F by F; n_factors : F.
    """

    square_PKK: np.ndarray
    cross_PKD: np.ndarray
    n_factors: int


def within_groups(value_UK: np.ndarray, group_U: np.ndarray) -> np.ndarray:
    """Values less the mean of their group: float64."""
    _, place_U = np.unique(group_U, return_inverse=True)
    values = np.asarray(value_UK, dtype=np.float64)
    sums = np.zeros((place_U.max() + 1, values.shape[1]))
    np.add.at(sums, place_U, values)
    return values - (sums / np.bincount(place_U)[:, None])[place_U]


def topic_sums(
    centred_UD: np.ndarray, level_FU: np.ndarray, n_levels: int, group_U: np.ndarray, topic_U: np.ndarray
) -> TopicSums:
    """Sums over each topic of texts that are described by several labels.

    Parameters
    ----------
    centred_UD : ndarray
        Values as `within_groups` leaves them.
    level_FU : int array
        Which level of each factor a text has.
    group_U : array
        Texts of a group have something in common that no factor tells; a group is of one topic.
    topic_U : array
        Topics are what is halved and resampled.
    """
    one_UK = within_groups(
        np.hstack([level_U[:, None] == np.arange(n_levels) for level_U in level_FU]), group_U
    )
    rows = [np.flatnonzero(topic_U == topic) for topic in np.unique(topic_U)]
    return TopicSums(
        np.stack([one_UK[of].T @ one_UK[of] for of in rows]),
        np.stack([one_UK[of].T @ centred_UD[of] for of in rows]),
        len(level_FU),
    )


def effects(sums: TopicSums, weight_SP: np.ndarray) -> np.ndarray:
    """Vectors of each factor's levels from weighted topics, of mean 0 over the levels: float64 [S, F, C, D]."""
    n_topics, n_columns, width = sums.cross_PKD.shape
    weight = np.asarray(weight_SP, dtype=np.float64)
    square_SKK = (weight @ sums.square_PKK.reshape(n_topics, -1)).reshape(-1, n_columns, n_columns)
    cross_SKD = (weight @ sums.cross_PKD.reshape(n_topics, -1)).reshape(-1, n_columns, width)
    # Of all solutions the smallest: a level's mean over the factor is nothing that texts could tell.
    found_SKD = np.linalg.pinv(square_SKK, rcond=1e-9, hermitian=True) @ cross_SKD
    return found_SKD.reshape(len(weight), sums.n_factors, -1, width)


def halves(n_topics: int, seed: int) -> np.ndarray:
    """Halvings of the topics: bool [S, P]."""
    return topic_halves(n_topics, MAX_SPLITS, seed)


def both_halves(sums: TopicSums, first_SP: np.ndarray, weight_P: np.ndarray) -> np.ndarray:
    """Vectors from the one half of the topics, and from the other: float64 [2, S, F, C, D]."""
    weight_2SP = np.concatenate([first_SP, ~first_SP]) * weight_P
    found = effects(sums, weight_2SP)
    return found.reshape(2, len(first_SP), *found.shape[1:])


def half_products(sums: TopicSums, first_SP: np.ndarray, weight_P: np.ndarray | None = None) -> np.ndarray:
    """Inner products of the factors' vectors from the one half with those from the other, over all levels.

    What noise adds to a vector of one half, it does not add to the other's: on the mean these are products of
    vectors without noise. float64 [F, F], mean over the splits, both ways round.
    """
    weight = np.ones(first_SP.shape[1]) if weight_P is None else weight_P
    one, other = both_halves(sums, first_SP, weight)
    products_FF = np.einsum("sfcd,sgcd->fg", one, other) / len(first_SP)
    return (products_FF + products_FF.T) / 2


def reliability(sums: TopicSums, first_SP: np.ndarray) -> np.ndarray:
    """Cosine of a factor's vectors from the two halves, all levels together, mean over the splits: float64 [F]."""
    one, other = both_halves(sums, first_SP, np.ones(first_SP.shape[1]))
    inner_SF = np.einsum("sfcd,sfcd->sf", one, other)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine_SF = inner_SF / np.sqrt(np.square(one).sum((2, 3)) * np.square(other).sum((2, 3)))
    return np.nan_to_num(cosine_SF).mean(0)


def resampled(
    statistic: Callable[[np.ndarray], float], n_topics: int, *, samples: int, seed: int
) -> np.ndarray:
    """A statistic of weighted topics, from topics drawn with replacement: float64 [at most `RESAMPLES`]."""
    samples = min(samples, RESAMPLES)
    weight_SP = bootstrap_weights(n_topics, samples=samples, seed=seed)
    return np.array([statistic(weight_P) for weight_P in weight_SP])


def cosines_between(one_CD: np.ndarray, other_CD: np.ndarray) -> np.ndarray:
    """Cosine of each row with each row of the other: float64 [C, C]; 0 of a vector that is 0."""
    one, other = (
        of / np.maximum(np.linalg.norm(of, axis=1, keepdims=True), 1e-300) for of in (one_CD, other_CD)
    )
    return one @ other.T
