"""How far a concept's vector is the same when it is made from other stories (method.md, section 4).

numpy and pandas alone. Topics are what is halved, resampled and left out, never single stories: two stories of one
topic share more than their concept. Shape letters: P topics, C concepts, D width, S splits or samples.
"""

import numpy as np
import pandas as pd

from emotion_concepts.cells import CellSums, all_vectors, topic_halves, vectors_of
from emotion_concepts.statistics import bootstrap_weights

# Halvings of the topics behind a split-half cosine, at most.
MAX_SPLITS = 70


def reliability_table(stories: pd.DataFrame, cells: CellSums, *, samples: int, seed: int) -> pd.DataFrame:
    """A line a concept at one layer: its stories, and how far its vector stays the same.

    Parameters
    ----------
    stories : DataFrame
        emotion, n_tokens, norm (of the activation) of each.
    cells : CellSums
        Sums over its topics and concepts.
    samples : int
        Resamples of the topics.

    Returns
    -------
    DataFrame
        concept, n_stories, n_topics; n_tokens, log_tokens, norm: means over its stories; split_half,
        bootstrap, bootstrap_low: as `split_half` and `bootstrap_cosine` give them.
    """
    halves = topic_halves(len(cells.counts_PC), MAX_SPLITS, seed)
    mean, low = bootstrap_cosine(cells, samples=samples, seed=seed)
    values = stories.assign(log_tokens=np.log(stories["n_tokens"]), norm=stories["norm"].astype(np.float64))
    table = values.groupby("emotion")[["n_tokens", "log_tokens", "norm"]].mean().reset_index(names="concept")
    table.insert(1, "n_stories", cells.counts_PC.sum(0))
    table.insert(2, "n_topics", (cells.counts_PC > 0).sum(0))
    alone = len(cells.counts_PC) == 1
    return table.assign(
        split_half=np.nan if alone else split_half(cells, halves), bootstrap=mean, bootstrap_low=low
    )


def split_half(cells: CellSums, first_SP: np.ndarray) -> np.ndarray:
    """Mean cosine of a concept's vectors from the two halves of the topics: float64 [C].

    NaN for a concept that never has stories in both halves.
    """
    cosines = [_cosines(vectors_of(cells, half), vectors_of(cells, ~half)) for half in first_SP]
    return _mean_of_known(np.array(cosines))


def bootstrap_cosine(cells: CellSums, *, samples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Cosine of a vector with the same from resampled topics: mean and 5% quantile, float64 [C] each."""
    whole_CD = all_vectors(cells)
    weights = bootstrap_weights(len(cells.counts_PC), samples=samples, seed=seed)
    cosines_SC = np.array([_cosines(vectors_of(cells, w), whole_CD) for w in weights])
    low_C = np.full(cosines_SC.shape[1], np.nan)
    known = ~np.isnan(cosines_SC).all(0)
    low_C[known] = np.nanquantile(cosines_SC[:, known], 0.05, axis=0)
    return _mean_of_known(cosines_SC), low_C


def leave_one_out(cells: CellSums) -> np.ndarray:
    """Vectors made without each topic in turn: float64 [P, C, D]; NaN where nothing is left."""
    return np.stack([vectors_of(cells, weights) for weights in 1 - np.eye(len(cells.counts_PC))])


def shuffled_labels(emotions: np.ndarray, topics: np.ndarray, seed: int) -> np.ndarray:
    """The concept labels, shuffled among the stories of each topic: array [N]."""
    rng = np.random.default_rng(seed)
    shuffled = np.array(emotions)
    for topic in np.unique(topics):
        rows = np.flatnonzero(topics == topic)
        shuffled[rows] = shuffled[rng.permutation(rows)]
    return shuffled


def orthogonal_directions(vectors_CD: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Random directions orthogonal to every vector, as control: float64 [count, D].

    None, [0, D], where the vectors leave no room: as many as the width, or more.
    """
    width = vectors_CD.shape[1]
    basis_DK, size_K, _ = np.linalg.svd(vectors_CD.T, full_matrices=False)
    # Centred vectors span one direction less than they are: what stands for the last is chance.
    basis_DK = basis_DK[:, size_K > 1e-10 * size_K[0]]
    if basis_DK.shape[1] == width:
        return np.zeros((0, width))
    drawn = np.random.default_rng(seed).standard_normal((count, width))
    # Twice: once leaves as much of the space as rounding does.
    for _ in range(2):
        drawn -= (drawn @ basis_DK) @ basis_DK.T
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def _cosines(a_CD: np.ndarray, b_CD: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return (a_CD * b_CD).sum(1) / (np.linalg.norm(a_CD, axis=1) * np.linalg.norm(b_CD, axis=1))


def _mean_of_known(values_SC: np.ndarray) -> np.ndarray:
    known_SC = ~np.isnan(values_SC)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known_SC, values_SC, 0).sum(0) / known_SC.sum(0)
