"""Sums over each (topic, concept): all that vectors, their reliability and retrieval need of a layer.

numpy and scipy alone. Shape letters: N texts, P topics, C concepts, D width, S splits or samples.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import sparse

# More topics than this are put together in groups at random: 924 halvings are enough, and what is kept
# for each topic grows with their number.
MAX_GROUPS = 12


@dataclass(frozen=True)
class CellSums:
    """Sums over the texts of each topic (or group of topics) and concept, at one layer.

    sums_PCD : float64, of the values less `middle_D`; counts_PC : int, how many texts they are; middle_D :
    float64, the mean of all texts. It is taken off because it cancels in every vector, and the digits that
    matter are kept. Topics and concepts are in sorted order.
    """

    sums_PCD: np.ndarray
    counts_PC: np.ndarray
    middle_D: np.ndarray

    def of_concepts(self, wanted_C: np.ndarray) -> "CellSums":
        """Those of some concepts alone: bool or int [C]."""
        return CellSums(self.sums_PCD[:, wanted_C], self.counts_PC[:, wanted_C], self.middle_D)


def topic_groups(topics: np.ndarray, seed: int) -> np.ndarray:
    """The topics themselves, or, if there are more than `MAX_GROUPS`, groups of like size: str array [texts]."""
    names, topic = np.unique(topics, return_inverse=True)
    if len(names) <= MAX_GROUPS:
        return topics
    group = np.random.default_rng(seed).permutation(len(names)) % MAX_GROUPS
    return np.char.add("group ", np.char.zfill(group.astype(str), 2))[topic]


def topic_halves(n_topics: int, max_splits: int, seed: int) -> np.ndarray:
    """Ways to halve the topics, each asked in both directions: bool [S, P], True on one half.

    All of them if that is at most `max_splits` directed splits, else as many drawn at random.
    """
    halves = [h for h in combinations(range(n_topics), n_topics // 2) if n_topics % 2 or 0 in h]
    wanted = max(1, max_splits // 2)
    if len(halves) > wanted:
        chosen = np.random.default_rng(seed).choice(len(halves), wanted, replace=False)
        halves = [halves[i] for i in sorted(chosen)]
    first = np.zeros((len(halves), n_topics), bool)
    for row, half in enumerate(halves):
        first[row, list(half)] = True
    return first


def cell_sums(values_ND: np.ndarray | sparse.csr_array, emotions: np.ndarray, topics: np.ndarray) -> CellSums:
    """Sums over the texts of each topic and concept, of values at hand; they may be sparse."""
    if not sparse.issparse(values_ND):
        return summed_blocks([values_ND], emotions, topics)
    shape, cell_N = _cells(emotions, topics)
    entries = np.ones(len(cell_N)), (cell_N, np.arange(len(cell_N)))
    member = sparse.csr_array(entries, shape=(shape[0] * shape[1], len(cell_N)))
    return _less_middle((member @ values_ND).toarray(), shape, cell_N)


def summed_blocks(blocks: Iterable[np.ndarray], emotions: np.ndarray, topics: np.ndarray) -> CellSums:
    """The same of values that come in blocks of texts, [texts, D] each, in the order of the labels."""
    shape, cell_N = _cells(emotions, topics)
    sums, start = None, 0
    for block in blocks:
        block = np.asarray(block, np.float64)
        sums = np.zeros((shape[0] * shape[1], block.shape[1])) if sums is None else sums
        stop = start + len(block)
        # Row by row, while the block is in the cache: a product with zeros and ones takes three times as long.
        for cell, row in zip(cell_N[start:stop], block, strict=True):
            sums[cell] += row
        start = stop
    return _less_middle(sums, shape, cell_N)


def shuffled_cells(cells: CellSums, seed: int) -> CellSums:
    """The same after the concept labels were shuffled among the cells of each topic, those that have any text."""
    rng = np.random.default_rng(seed)
    sums, counts = cells.sums_PCD.copy(), cells.counts_PC.copy()
    for p, counts_C in enumerate(cells.counts_PC):
        known = np.flatnonzero(counts_C)
        drawn = rng.permutation(known)
        sums[p, known], counts[p, known] = cells.sums_PCD[p, drawn], counts_C[drawn]
    return CellSums(sums, counts, cells.middle_D)


def _cells(emotions: np.ndarray, topics: np.ndarray) -> tuple[tuple[int, int], np.ndarray]:
    """How many topics and concepts there are, and which cell each text is in."""
    (concepts, concept_N), (names, topic_N) = (np.unique(x, return_inverse=True) for x in (emotions, topics))
    return (len(names), len(concepts)), topic_N * len(concepts) + concept_N


def _less_middle(sums: np.ndarray, shape: tuple[int, int], cell_N: np.ndarray) -> CellSums:
    counts, middle_D = np.bincount(cell_N, minlength=len(sums)), sums.sum(0) / len(cell_N)
    sums -= counts[:, None] * middle_D
    return CellSums(sums.reshape(*shape, -1), counts.reshape(shape), middle_D)


def concepts_in_every_half(counts_PC: np.ndarray, first_SP: np.ndarray) -> np.ndarray:
    """Which concepts have a story in both halves of every split: bool [C]."""
    return ((first_SP @ counts_PC > 0) & (~first_SP @ counts_PC > 0)).all(0)


def vectors_of(cells: CellSums, weight_P: np.ndarray) -> np.ndarray:
    """Concept vectors from some topics, or weighted ones: float64 [C, D]; NaN for a concept without a text there.

    Concept means minus their mean over the concepts that have any (paper, section 1).
    """
    n_C = weight_P @ cells.counts_PC
    with np.errstate(invalid="ignore", divide="ignore"):
        means_CD = np.tensordot(np.asarray(weight_P, np.float64), cells.sums_PCD, 1) / n_C[:, None]
    return means_CD - np.nanmean(means_CD, 0) if (n_C > 0).any() else means_CD


def all_vectors(cells: CellSums) -> np.ndarray:
    """Concept vectors from every topic: float64 [C, D]."""
    return vectors_of(cells, np.ones(len(cells.counts_PC)))


def topic_gram(sums_PCD: np.ndarray) -> np.ndarray:
    """Inner products of the sums over each (topic, concept): float64 [P, P, C, C].

    With the counts, all that the cosines of vectors from any choice of topics need.
    """
    n_topics, n_concepts, width = sums_PCD.shape
    flat_FD = sums_PCD.reshape(-1, width)
    gram_FF = flat_FD @ flat_FD.T
    return np.ascontiguousarray(
        gram_FF.reshape(n_topics, n_concepts, n_topics, n_concepts).transpose(0, 2, 1, 3)
    )


def paired_products(gram_PPCC: np.ndarray, left_SP: np.ndarray, right_SP: np.ndarray) -> np.ndarray:
    """Inner products of concept sums over some topics with those over others: [S, C, C].

    Parameters
    ----------
    gram_PPCC : ndarray
        As `topic_gram` gives it; its dtype is the result's.
    left_SP, right_SP : ndarray
        Topics of each side, or weights of them.
    """
    n_concepts = gram_PPCC.shape[-1]
    pairs_SK = topic_pairs(left_SP, right_SP).astype(gram_PPCC.dtype)
    return (pairs_SK @ gram_PPCC.reshape(-1, n_concepts**2)).reshape(-1, n_concepts, n_concepts)


def topic_pairs(left_SP: np.ndarray, right_SP: np.ndarray) -> np.ndarray:
    """Weight of each pair of topics, the first by its place on the left and the second on the right: [S, P * P]."""
    return (left_SP[:, :, None] * right_SP[:, None, :]).reshape(len(left_SP), -1)
