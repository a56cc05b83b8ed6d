"""Is a concept found again on topics that its vector was not made from? (method.md, row 1)

The topics are halved; concept vectors from one half are matched by cosine with those of the other.
Shape letters: L layers, P topics, C concepts, D width, S splits.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

# More topics than this are put together in groups at random: 924 halvings are enough, and the
# table of inner products grows with the square.
MAX_GROUPS = 12


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


def topic_gram(
    mean_ND: np.ndarray, emotions: np.ndarray, topics: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Inner products of the sums over each (topic, concept), and the counts behind them.

    Everything that retrieval needs of a layer: gram float64 [P, P, C, C], counts int [P, C].
    Concepts and topics are in sorted order.
    """
    concept, topic = (np.unique(labels, return_inverse=True)[1] for labels in (emotions, topics))
    sums, counts = _cell_sums(_less_the_common(mean_ND), concept, topic)
    return np.einsum("pcd,qed->pqce", sums, sums, optimize=True), counts


def concepts_in_every_half(counts_PC: np.ndarray, first_SP: np.ndarray) -> np.ndarray:
    """Which concepts have a story in both halves of every split: bool [C]."""
    return ((first_SP @ counts_PC > 0) & (~first_SP @ counts_PC > 0)).all(0)


def retrieval_ranks(gram_PPCC: np.ndarray, counts_PC: np.ndarray, first_SP: np.ndarray) -> np.ndarray:
    """How many concepts of the other half are at least as near to each vector as its own: int [2S, C].

    Parameters
    ----------
    gram_PPCC, counts_PC : ndarray
        As `topic_gram` gives them.
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
) -> float:
    """Share of (split, concept) pairs in which the nearest concept of the other side is the own one.

    The mean of `retrieval_ranks` == 0, in half the time, for any two disjoint sets of topics a split:
    shuffles and growth curves ask it often.
    """
    found = []
    for pair in _similarities(gram_PPCC, counts_PC, left_SP, right_SP):
        for table_CC in pair:
            own_C = table_CC.diagonal().copy()
            np.fill_diagonal(table_CC, -np.inf)
            found.append((table_CC.max(1) < own_C).mean())
    return float(np.mean(found))


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
    sides = (left_SP, right_SP)
    counts = [side @ counts_PC for side in sides]
    assert all((n_SC > 0).all() for n_SC in counts)
    cross_SCC = _half_products(gram_PPCC, *sides)
    norm_SC = [_centred_norms(gram_PPCC, side, n_SC) for side, n_SC in zip(sides, counts, strict=True)]
    # Split by split: the tables of one fit in a core's cache, those of all do not.
    for s, cross_CC in enumerate(cross_SCC):
        cross_CC /= (counts[0][s][:, None] * counts[1][s]).astype(cross_CC.dtype)
        cross_CC -= cross_CC.mean(0)
        cross_CC -= cross_CC.mean(1, keepdims=True)
        yield cross_CC / norm_SC[1][s], np.ascontiguousarray((cross_CC / norm_SC[0][s][:, None]).T)


def story_hits(
    values_ND: np.ndarray, emotions: np.ndarray, topics: np.ndarray, first_SP: np.ndarray
) -> np.ndarray:
    """Share of splits in which a story's nearest concept vector is its own: float64 [N].

    The vectors are made from the half of the topics that the story's topic is not in; nearest by
    cosine, after the mean of that half's concept means is taken off the story.

    Every concept needs stories in every half: see `concepts_in_every_half`.
    """
    concept, topic = (np.unique(labels, return_inverse=True)[1] for labels in (emotions, topics))
    values = _less_the_common(values_ND)
    sums, counts = _cell_sums(values, concept, topic)
    hits, asked = np.zeros(len(values)), np.zeros(len(values))
    for first_P in (*first_SP, *~first_SP):
        means = np.tensordot(first_P, sums, 1) / (first_P @ counts)[:, None]
        middle = means.mean(0)
        vectors = means - middle
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300)
        held_out = ~first_P[topic]
        nearest = ((values[held_out] - middle) @ vectors.T).argmax(1)
        hits[held_out] += nearest == concept[held_out]
        asked += held_out
    return hits / np.maximum(asked, 1)


def shuffled_gram(
    gram_PPCC: np.ndarray, counts_PC: np.ndarray, order_PC: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The same with the concept labels shuffled within each topic, by `order_PC` (one permutation a topic)."""
    gram = np.empty_like(gram_PPCC)
    for p, rows in enumerate(order_PC):
        for q, columns in enumerate(order_PC):
            gram[p, q] = gram_PPCC[p, q][rows][:, columns]
    return gram, np.take_along_axis(counts_PC, order_PC, axis=1)


def _less_the_common(values_ND: np.ndarray) -> np.ndarray:
    """What is common to all texts cancels in the end; taking it out first keeps the digits that matter."""
    return values_ND - values_ND.mean(0, dtype=np.float64)


def _cell_sums(values_ND, concept_N, topic_N) -> tuple[np.ndarray, np.ndarray]:
    """Sums over each (topic, concept) and how many are in each: float64 [P, C, D], int [P, C]."""
    shape = topic_N.max() + 1, concept_N.max() + 1
    sums, counts = np.zeros((*shape, values_ND.shape[1])), np.zeros(shape, int)
    np.add.at(sums, (topic_N, concept_N), values_ND)
    np.add.at(counts, (topic_N, concept_N), 1)
    return sums, counts


def _half_products(gram_PPCC, left_SP, right_SP) -> np.ndarray:
    """Inner products of the concept sums of two halves: [S, C, C]."""
    n_concepts = gram_PPCC.shape[-1]
    pairs_SK = _topic_pairs(left_SP, right_SP).astype(gram_PPCC.dtype)
    products = pairs_SK @ gram_PPCC.reshape(-1, n_concepts**2)
    return products.reshape(-1, n_concepts, n_concepts)


def _centred_norms(gram_PPCC, half_SP, counts_SC) -> np.ndarray:
    """Norms of one half's concept means, the mean of those taken off: [S, C]."""
    pairs_SK = _topic_pairs(half_SP, half_SP).astype(gram_PPCC.dtype)
    gram_KCC = gram_PPCC.reshape(-1, *gram_PPCC.shape[2:])
    squares_SC = (pairs_SK @ gram_KCC.diagonal(axis1=1, axis2=2)) / counts_SC**2
    # Where every concept has a story on every topic, all splits weigh the concepts alike.
    weight_UC, used_S = np.unique((1 / counts_SC).astype(gram_PPCC.dtype), axis=0, return_inverse=True)
    with_sum_KCU = gram_KCC @ weight_UC.T
    with_sum_SC = np.stack([pairs_SK[s] @ with_sum_KCU[..., u] for s, u in enumerate(used_S)])
    with_mean_SC = with_sum_SC / counts_SC / counts_SC.shape[1]
    squares_SC = squares_SC - 2 * with_mean_SC + with_mean_SC.mean(1, keepdims=True)
    return np.sqrt(np.maximum(squares_SC, 1e-30)).astype(gram_PPCC.dtype)


def _topic_pairs(left_SP, right_SP) -> np.ndarray:
    """True where the first topic is in the left half and the second in the right: bool [S, P * P]."""
    return (left_SP[:, :, None] & right_SP[:, None, :]).reshape(len(left_SP), -1)
