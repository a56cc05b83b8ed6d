"""Is a concept found again on topics that its vector was not made from? (method.md, row 1)

The topics are halved; concept vectors from one half are matched by cosine with those of the other.
Shape letters: L layers, P topics, C concepts, D width, S splits.
"""

from collections.abc import Iterator

import numpy as np

from emotion_concepts.cells import CellSums, paired_products, topic_pairs

# Single stories that are asked for at most: each costs its products with all cells. Their share has a
# standard error of .011 at most.
STORIES_ASKED = 2000
# Of them, those whose scores in all splits are made at once: what they take stays in a core's cache.
STORIES_AT_ONCE = 16


def retrieval_ranks(gram_PPCC: np.ndarray, counts_PC: np.ndarray, first_SP: np.ndarray) -> np.ndarray:
    """How many concepts of the other half are at least as near to each vector as its own: int [2S, C].

    Parameters
    ----------
    gram_PPCC, counts_PC : ndarray
        As `cells.topic_gram` gives it, and the texts in each cell.
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
    cross_SCC = paired_products(gram, *sides)
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
    values_ND: np.ndarray,
    concept_N: np.ndarray,
    topic_N: np.ndarray,
    cells: CellSums,
    gram_PPCC: np.ndarray,
    first_SP: np.ndarray,
) -> np.ndarray:
    """Share of splits in which a story's nearest concept vector is its own: float64 [N].

    The vectors are made from the half of the topics that the story's topic is not in; nearest by
    cosine, after the mean of that half's concept means is taken off the story.

    Parameters
    ----------
    values_ND : ndarray
        The stories that are asked for, with the place of each one's concept and topic in `cells`.
    cells, gram_PPCC : CellSums, ndarray
        Of all stories. Every concept needs some in every half: see `concepts_in_every_half`.
    """
    values_ND = (values_ND - cells.middle_D).astype(np.float32)
    # Every split adds up the same products, so each is made once. float32 tells the nearest.
    products_PNC = values_ND @ cells.sums_PCD.astype(np.float32).transpose(0, 2, 1)
    halves_SP = np.concatenate([first_SP, ~first_SP])
    n_SC = (halves_SP @ cells.counts_PC).astype(np.float32)
    # Of each half's vectors: their norms, and their products with the mean of the half's concept means.
    means_SCC = paired_products(gram_PPCC, halves_SP, halves_SP) / (n_SC[:, :, None] * n_SC[:, None, :])
    with_mean_SC = means_SCC.mean(2)
    middle_S = with_mean_SC.mean(1, keepdims=True)
    squares_SC = means_SCC.diagonal(axis1=1, axis2=2) - 2 * with_mean_SC + middle_S
    norm_SC = np.sqrt(np.maximum(squares_SC, 1e-60)).astype(np.float32)
    with_middle_SC = (with_mean_SC - middle_S).astype(np.float32)
    hits_N = np.zeros(len(values_ND))
    held_out_SN = ~halves_SP[:, topic_N]
    for start in range(0, len(values_ND), STORIES_AT_ONCE):
        some = slice(start, start + STORIES_AT_ONCE)
        scores_SNC = np.tensordot(halves_SP.astype(np.float32), products_PNC[:, some], 1) / n_SC[:, None]
        scores_SNC -= scores_SNC.mean(2, keepdims=True)
        scores_SNC -= with_middle_SC[:, None]
        scores_SNC /= norm_SC[:, None]
        own_SN = scores_SNC.argmax(2) == concept_N[some]
        hits_N[some] = (own_SN & held_out_SN[:, some]).sum(0)
    return hits_N / np.maximum(held_out_SN.sum(0), 1)


def shuffled_gram(
    gram_PPCC: np.ndarray, counts_PC: np.ndarray, order_PC: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The same with the concept labels shuffled within each topic, by `order_PC` (one permutation a topic)."""
    gram = np.empty_like(gram_PPCC)
    for p, rows in enumerate(order_PC):
        for q, columns in enumerate(order_PC):
            gram[p, q] = gram_PPCC[p, q][rows][:, columns]
    return gram, np.take_along_axis(counts_PC, order_PC, axis=1)


def _norms(gram_PPCC, half_SP, counts_SC, centred: bool) -> np.ndarray:
    """Norms of one half's vectors, up to a factor that is the same for all: [S, C]."""
    pairs_SK = topic_pairs(half_SP, half_SP).astype(gram_PPCC.dtype)
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
