"""Sums over each (topic, concept): all that vectors, their reliability and retrieval need of a layer.

numpy and scipy alone. Shape letters: N texts, P topics, C concepts, D width, S splits or samples.
"""

from itertools import combinations

import numpy as np
from scipy import sparse

# More topics than this are put together in groups at random: 924 halvings are enough, and what is kept
# for each topic grows with their number.
MAX_GROUPS = 12
# Texts whose values are widened to float64 at once: 170 MB at a width of 5,120.
TEXTS_AT_ONCE = 4096


def topic_groups(topics: np.ndarray, seed: int) -> np.ndarray:
    """The topics themselves, or, if there are more than `MAX_GROUPS`, groups of like size: array [texts]."""
    names, topic = np.unique(topics, return_inverse=True)
    if len(names) <= MAX_GROUPS:
        return topics
    group = np.random.default_rng(seed).permutation(len(names)) % MAX_GROUPS
    return group[topic]


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


def cell_sums(
    values_ND: np.ndarray | sparse.csr_array, emotions: np.ndarray, topics: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sums over the texts of each topic and concept, and how many they are: float64 [P, C, D], int [P, C].

    Topics and concepts are in sorted order. What is common to all texts is taken off: it cancels in every
    vector, and the digits that matter are kept. The values may be sparse, and are never copied whole.
    """
    (concepts, concept_N), (names, topic_N) = (np.unique(x, return_inverse=True) for x in (emotions, topics))
    shape, n_texts = (len(names), len(concepts)), len(concept_N)
    cell_N = topic_N * shape[1] + concept_N
    sums = np.zeros((shape[0] * shape[1], values_ND.shape[1]))
    for start in range(0, n_texts, TEXTS_AT_ONCE):
        rows = np.arange(start, min(start + TEXTS_AT_ONCE, n_texts))
        entries = np.ones(len(rows)), (cell_N[rows], np.arange(len(rows)))
        member = sparse.csr_array(entries, shape=(len(sums), len(rows)))
        part = member @ values_ND[rows]
        sums += part.toarray() if sparse.issparse(part) else part
    counts = np.bincount(cell_N, minlength=len(sums))
    sums -= counts[:, None] * (sums.sum(0) / n_texts)
    return sums.reshape(*shape, -1), counts.reshape(shape)


def concepts_in_every_half(counts_PC: np.ndarray, first_SP: np.ndarray) -> np.ndarray:
    """Which concepts have a story in both halves of every split: bool [C]."""
    return ((first_SP @ counts_PC > 0) & (~first_SP @ counts_PC > 0)).all(0)


def vectors_of(sums_PCD: np.ndarray, counts_PC: np.ndarray, weight_P: np.ndarray) -> np.ndarray:
    """Concept vectors from some topics, or weighted ones: float64 [C, D]; NaN for a concept without a text there.

    Concept means minus their mean over the concepts that have any.
    """
    n_C = weight_P @ counts_PC
    with np.errstate(invalid="ignore", divide="ignore"):
        means_CD = np.tensordot(np.asarray(weight_P, np.float64), sums_PCD, 1) / n_C[:, None]
    return means_CD - np.nanmean(means_CD, 0) if (n_C > 0).any() else means_CD
