"""Is a concept found again on topics that its vector was not made from? (method.md, row 1)

The topics are halved; concept vectors from one half are matched by cosine with those of the other.
Shape letters: L layers, P topics, C concepts, D width, S splits.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from emotion_concepts.cells import CellSums

# Single stories that are asked for at most: each costs its products with all cells.
STORIES_ASKED = 4000


def topic_gram(sums_PCD: np.ndarray) -> np.ndarray:
    """Inner products of the sums over each (topic, concept): float64 [P, P, C, C].

    With their counts, everything that retrieval needs of a layer.
    """
    n_topics, n_concepts, width = sums_PCD.shape
    flat_FD = sums_PCD.reshape(-1, width)
    gram_FF = flat_FD @ flat_FD.T
    return np.ascontiguousarray(
        gram_FF.reshape(n_topics, n_concepts, n_topics, n_concepts).transpose(0, 2, 1, 3)
    )


def retrieval_ranks(gram_PPCC: np.ndarray, counts_PC: np.ndarray, first_SP: np.ndarray) -> np.ndarray:
    """How many concepts of the other half are at least as near to each vector as its own: int [2S, C].

    Parameters
    ----------
    gram_PPCC, counts_PC : ndarray
        As `topic_gram` gives it, and the texts in each cell.
    first_SP : ndarray of bool
        Topics of the one half; rows 0 to S - 1 match its vectors against the other half's, the
        rest the other way round.

    Every concept needs stories in every half: see `concepts_in_every_half`.
    """
    tables = _similarities(gram_PPCC, counts_PC, first_SP, ~first_SP)
    both_S2C = np.array([[(t >= t.diagonal()[:, None]).sum(1) - 1 for t in pair] for pair in tables])
    return both_S2C.transpose(1, 0, 2).reshape(-1, both_S2C.shape[2])


def share_found(
    gram_PPCC: np.ndarray, counts_PC: np.ndarray, left_SP: np.ndarray, right_SP: np.ndarray
) -> np.ndarray:
    """Share of splits in which a concept's nearest on the other side is its own: float64 [C].

    The mean of `retrieval_ranks` == 0 in less time, for any two disjoint sets of topics a split: shuffles
    and growth curves ask it often.
    """
    found_C = np.zeros(counts_PC.shape[1])
    for cross_CC, left_norm_C, right_norm_C in _centred_products(gram_PPCC, counts_PC, left_SP, right_SP):
        for table_CC, axis in ((cross_CC / right_norm_C, 1), (cross_CC / left_norm_C[:, None], 0)):
            own_C = table_CC.diagonal().copy()
            np.fill_diagonal(table_CC, -np.inf)
            found_C += table_CC.max(axis) < own_C
    return found_C / (2 * len(left_SP))


def nearest_concepts(gram_PPCC: np.ndarray, counts_PC: np.ndarray, first_SP: np.ndarray) -> np.ndarray:
    """How often each concept's nearest vector of the other half is each concept's: share [C asked, C nearest]."""
    n_concepts = counts_PC.shape[1]
    nearest = [t.argmax(1) for pair in _similarities(gram_PPCC, counts_PC, first_SP, ~first_SP) for t in pair]
    share_CC = np.zeros((n_concepts, n_concepts))
    for nearest_C in nearest:
        share_CC[np.arange(n_concepts), nearest_C] += 1 / len(nearest)
    return share_CC


def _similarities(gram_PPCC, counts_PC, left_SP, right_SP) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For each split, the vectors of the left topics against those of the right, and the other way round.

    Each [C asked, C found]: inner products over the found vector's norm. The asked vector's own norm
    divides all of its cosines alike and is left out.
    """
    for cross_CC, left_norm_C, right_norm_C in _centred_products(gram_PPCC, counts_PC, left_SP, right_SP):
        yield cross_CC / right_norm_C, (cross_CC / left_norm_C[:, None]).T


def _centred_products(gram_PPCC, counts_PC, left_SP, right_SP) -> Iterator[tuple[np.ndarray, ...]]:
    """For each split: inner products of left and right vectors [C, C], and the norms of both [C]."""
    sides = (left_SP, right_SP)
    counts = [side @ counts_PC for side in sides]
    assert all((n_SC > 0).all() for n_SC in counts)
    # Where every concept has as many stories on a topic as the others, the mean over concepts can be taken
    # off before anything is added up, once for all splits.
    alike = (counts_PC == counts_PC[:, :1]).all()
    gram = _centred(gram_PPCC) if alike else gram_PPCC
    cross_SCC = _half_products(gram, *sides)
    norm_SC = [_norms(gram, side, n_SC, alike) for side, n_SC in zip(sides, counts, strict=True)]
    # Split by split: the tables of one fit in a core's cache, those of all do not.
    for s, cross_CC in enumerate(cross_SCC):
        if not alike:
            cross_CC /= (counts[0][s][:, None] * counts[1][s]).astype(cross_CC.dtype)
            cross_CC = _centred(cross_CC)
        yield cross_CC, norm_SC[0][s], norm_SC[1][s]


def _centred(table_CC: np.ndarray) -> np.ndarray:
    """Rows' and columns' means taken off, over the last two axes."""
    less_CC = table_CC - table_CC.mean(-2, keepdims=True)
    less_CC -= less_CC.mean(-1, keepdims=True)
    return less_CC


def asked_stories(n_stories: int) -> np.ndarray:
    """Which stories are asked for singly: all of them, or `STORIES_ASKED` evenly chosen; int [asked]."""
    return np.unique(np.linspace(0, n_stories - 1, min(n_stories, STORIES_ASKED)).astype(int))


def story_hits(
    values_ND: np.ndarray, concept_N: np.ndarray, topic_N: np.ndarray, cells: CellSums, first_SP: np.ndarray
) -> np.ndarray:
    """Share of splits in which a story's nearest concept vector is its own: float64 [N].

    The vectors are made from the half of the topics that the story's topic is not in; nearest by
    cosine, after the mean of that half's concept means is taken off the story.

    Parameters
    ----------
    values_ND : ndarray
        The stories that are asked for, with the place of each one's concept and topic in `cells`.
    cells : CellSums
        Of all stories. Every concept needs some in every half: see `concepts_in_every_half`.
    """
    values_ND = (values_ND - cells.middle_D).astype(np.float32)
    # Every split adds up the same products, so each is made once. float32 tells the nearest.
    products_PNC = values_ND @ cells.sums_PCD.astype(np.float32).transpose(0, 2, 1)
    hits_N, times_N = np.zeros(len(values_ND)), np.zeros(len(values_ND))
    for first_P in (*first_SP, *~first_SP):
        half = _half_vectors(cells, first_P)
        held_out = ~first_P[topic_N]
        scores_NC = np.tensordot(first_P.astype(np.float32), products_PNC, 1)[held_out] / half.n_C
        scores_NC -= scores_NC.mean(1, keepdims=True)
        scores_NC -= half.with_middle_C
        scores_NC /= half.norm_C
        hits_N[held_out] += scores_NC.argmax(1) == concept_N[held_out]
        times_N += held_out
    return hits_N / np.maximum(times_N, 1)


@dataclass(frozen=True)
class _Half:
    """Concept vectors of some topics: stories a concept, their centred norms, and each vector's product
    with the mean of the concept means."""

    n_C: np.ndarray
    norm_C: np.ndarray
    with_middle_C: np.ndarray


def _half_vectors(cells: CellSums, first_P) -> _Half:
    n_C = first_P @ cells.counts_PC
    means_CD = np.tensordot(first_P.astype(float), cells.sums_PCD, 1) / n_C[:, None]
    middle_D = means_CD.mean(0)
    vectors_CD = means_CD - middle_D
    norm_C = np.maximum(np.linalg.norm(vectors_CD, axis=1), 1e-30)
    return _Half(*(x.astype(np.float32) for x in (n_C, norm_C, vectors_CD @ middle_D)))


def shuffled_gram(
    gram_PPCC: np.ndarray, counts_PC: np.ndarray, order_PC: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The same with the concept labels shuffled within each topic, by `order_PC` (one permutation a topic)."""
    gram = np.empty_like(gram_PPCC)
    for p, rows in enumerate(order_PC):
        for q, columns in enumerate(order_PC):
            gram[p, q] = gram_PPCC[p, q][rows][:, columns]
    return gram, np.take_along_axis(counts_PC, order_PC, axis=1)


def _half_products(gram_PPCC, left_SP, right_SP) -> np.ndarray:
    """Inner products of the concept sums of two halves: [S, C, C]."""
    n_concepts = gram_PPCC.shape[-1]
    pairs_SK = _topic_pairs(left_SP, right_SP).astype(gram_PPCC.dtype)
    products = pairs_SK @ gram_PPCC.reshape(-1, n_concepts**2)
    return products.reshape(-1, n_concepts, n_concepts)


def _norms(gram_PPCC, half_SP, counts_SC, centred: bool) -> np.ndarray:
    """Norms of one half's vectors, up to a factor that is the same for all: [S, C]."""
    pairs_SK = _topic_pairs(half_SP, half_SP).astype(gram_PPCC.dtype)
    gram_KCC = gram_PPCC.reshape(-1, *gram_PPCC.shape[2:])
    squares_SC = pairs_SK @ gram_KCC.diagonal(axis1=1, axis2=2)
    if centred:
        return np.sqrt(np.maximum(squares_SC, 1e-30)).astype(gram_PPCC.dtype)
    squares_SC = squares_SC / counts_SC**2
    # Splits that weigh the concepts alike are reckoned together.
    weight_UC, used_S = np.unique((1 / counts_SC).astype(gram_PPCC.dtype), axis=0, return_inverse=True)
    with_sum_KCU = gram_KCC @ weight_UC.T
    with_sum_SC = np.stack([pairs_SK[s] @ with_sum_KCU[..., u] for s, u in enumerate(used_S)])
    with_mean_SC = with_sum_SC / counts_SC / counts_SC.shape[1]
    squares_SC = squares_SC - 2 * with_mean_SC + with_mean_SC.mean(1, keepdims=True)
    return np.sqrt(np.maximum(squares_SC, 1e-30)).astype(gram_PPCC.dtype)


def _topic_pairs(left_SP, right_SP) -> np.ndarray:
    """True where the first topic is in the left half and the second in the right: bool [S, P * P]."""
    return (left_SP[:, :, None] & right_SP[:, None, :]).reshape(len(left_SP), -1)
