"""How far a concept's vector is the same when it is made from other stories (method.md, section 4).

numpy and pandas alone. Topics are what is halved, resampled and left out, never single stories: two stories of one
topic share more than their concept. Shape letters: P topics, C concepts, D width, S splits or samples.
"""

import numpy as np
import pandas as pd

from emotion_concepts.cells import CellSums, paired_products, topic_gram, topic_halves, vectors_of
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
    gram = topic_gram(cells.sums_PCD)
    mean, low = bootstrap_cosine(gram, cells.counts_PC, samples=samples, seed=seed)
    values = stories.assign(log_tokens=np.log(stories["n_tokens"]), norm=stories["norm"].astype(np.float64))
    table = values.groupby("emotion")[["n_tokens", "log_tokens", "norm"]].mean().reset_index(names="concept")
    table.insert(1, "n_stories", cells.counts_PC.sum(0))
    table.insert(2, "n_topics", (cells.counts_PC > 0).sum(0))
    alone = len(cells.counts_PC) == 1
    return table.assign(
        split_half=np.nan if alone else split_half(gram, cells.counts_PC, halves),
        bootstrap=mean,
        bootstrap_low=low,
    )


def split_half(gram_PPCC: np.ndarray, counts_PC: np.ndarray, first_SP: np.ndarray) -> np.ndarray:
    """Mean cosine of a concept's vectors from the two halves of the topics: float64 [C].

    NaN for a concept that never has stories in both halves.
    """
    return _mean_of_known(_cosines(gram_PPCC, counts_PC, first_SP, ~first_SP))


def bootstrap_cosine(
    gram_PPCC: np.ndarray, counts_PC: np.ndarray, *, samples: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Cosine of a vector with the same from resampled topics: mean and 5% quantile, float64 [C] each."""
    weights_SP = bootstrap_weights(len(counts_PC), samples=samples, seed=seed)
    cosines_SC = _cosines(gram_PPCC, counts_PC, weights_SP, np.ones_like(weights_SP))
    low_C = np.full(cosines_SC.shape[1], np.nan)
    known = ~np.isnan(cosines_SC).all(0)
    low_C[known] = np.nanquantile(cosines_SC[:, known], 0.05, axis=0)
    return _mean_of_known(cosines_SC), low_C


def leave_one_out(cells: CellSums) -> np.ndarray:
    """Vectors made without each topic in turn: float64 [P, C, D]; NaN where nothing is left."""
    return np.stack([vectors_of(cells, weights) for weights in 1 - np.eye(len(cells.counts_PC))])


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


def _cosines(gram_PPCC, counts_PC, left_SP, right_SP) -> np.ndarray:
    """Cosine of each concept's vectors from the left topics and from the right ones: float64 [S, C]."""
    inner_SC, left_SC, right_SC = (
        _inner(gram_PPCC, counts_PC, *sides)
        for sides in ((left_SP, right_SP), (left_SP, left_SP), (right_SP, right_SP))
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        return inner_SC / np.sqrt(np.maximum(left_SC, 0) * np.maximum(right_SC, 0))


def _inner(gram_PPCC, counts_PC, left_SP, right_SP) -> np.ndarray:
    """Inner product of each concept's vectors from two choices of topics: float64 [S, C].

    NaN for a concept without stories on a side; the means that are taken off are those of the others.
    """
    n_left_SC, n_right_SC = left_SP @ counts_PC, right_SP @ counts_PC
    with np.errstate(divide="ignore"):
        one_left_SC, one_right_SC = (np.where(n > 0, 1 / n, 0) for n in (n_left_SC, n_right_SC))
    table_SCC = paired_products(gram_PPCC, left_SP, right_SP)
    table_SCC *= one_left_SC[:, :, None]
    table_SCC *= one_right_SC[:, None, :]
    with np.errstate(invalid="ignore"):
        left_S, right_S = ((n > 0).sum(1, keepdims=True) for n in (n_left_SC, n_right_SC))
        with_right_SC, with_left_SC = table_SCC.sum(2) / right_S, table_SCC.sum(1) / left_S
        middle_S = with_left_SC.sum(1, keepdims=True) / right_S
        inner_SC = table_SCC.diagonal(axis1=1, axis2=2) - with_right_SC - with_left_SC + middle_S
    return np.where((n_left_SC > 0) & (n_right_SC > 0), inner_SC, np.nan)


def _mean_of_known(values_SC: np.ndarray) -> np.ndarray:
    known_SC = ~np.isnan(values_SC)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known_SC, values_SC, 0).sum(0) / known_SC.sum(0)
