"""Is a concept found again on topics that its vector was not made from? (method.md, row 1)

The topics are halved; concept vectors from one half are matched by cosine with those of the other.
Shape letters: L layers, P topics, C concepts, D width, S splits.
"""

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
    concept_names, concept = np.unique(emotions, return_inverse=True)
    topic_names, topic = np.unique(topics, return_inverse=True)
    sums = np.zeros((len(topic_names), len(concept_names), mean_ND.shape[1]))
    # What is common to all texts cancels in the end; taking it out first keeps the digits that matter.
    np.add.at(sums, (topic, concept), mean_ND - mean_ND.mean(0, dtype=np.float64))
    counts = np.zeros(sums.shape[:2], int)
    np.add.at(counts, (topic, concept), 1)
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
    counts_SC, other_counts_SC = first_SP @ counts_PC, ~first_SP @ counts_PC
    assert (counts_SC > 0).all() and (other_counts_SC > 0).all()
    cross_SCC = _half_products(gram_PPCC, first_SP, ~first_SP)
    cross_SCC /= counts_SC[:, :, None]
    cross_SCC /= other_counts_SC[:, None, :]
    cross_SCC -= cross_SCC.mean(1, keepdims=True)
    cross_SCC -= cross_SCC.mean(2, keepdims=True)
    # The asked vector's own norm divides all its cosines alike and is left out.
    there = cross_SCC / _half_norms(gram_PPCC, other_counts_SC, ~first_SP)[:, None, :]
    back = cross_SCC / _half_norms(gram_PPCC, counts_SC, first_SP)[:, :, None]
    return np.concatenate([
        (there >= np.einsum("scc->sc", there)[:, :, None]).sum(2) - 1,
        (back >= np.einsum("scc->sc", back)[:, None, :]).sum(1) - 1,
    ])  # fmt: skip


def story_hits(
    values_ND: np.ndarray, emotions: np.ndarray, topics: np.ndarray, first_SP: np.ndarray
) -> np.ndarray:
    """Share of splits in which a story's nearest concept vector is its own: float64 [N].

    The vectors are made from the half of the topics that the story's topic is not in; nearest by
    cosine, after the mean of that half's concept means is taken off the story.

    Every concept needs stories in every half: see `concepts_in_every_half`.
    """
    concept_names, concept = np.unique(emotions, return_inverse=True)
    topic_names, topic = np.unique(topics, return_inverse=True)
    values = values_ND - values_ND.mean(0, dtype=np.float64)
    n_concepts, n_topics = len(concept_names), len(topic_names)
    sums = np.zeros((n_topics, n_concepts, values.shape[1]))
    np.add.at(sums, (topic, concept), values)
    counts = np.zeros((n_topics, n_concepts))
    np.add.at(counts, (topic, concept), 1)
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


def _half_products(gram_PPCC, left_SP, right_SP) -> np.ndarray:
    """Inner products of the concept sums of two halves: [S, C, C]."""
    n_topics, n_concepts = gram_PPCC.shape[0], gram_PPCC.shape[-1]
    chosen = (left_SP[:, :, None] & right_SP[:, None, :]).reshape(len(left_SP), -1)
    products = chosen.astype(float) @ gram_PPCC.reshape(n_topics**2, -1)
    return products.reshape(-1, n_concepts, n_concepts)


def _half_norms(gram_PPCC, counts_SC, half_SP) -> np.ndarray:
    """Norms of one half's centred concept means: [S, C]."""
    products = _half_products(gram_PPCC, half_SP, half_SP)
    products /= counts_SC[:, None, :]
    with_mean = products.mean(2) / counts_SC
    squares = np.einsum("scc->sc", products) / counts_SC
    return np.sqrt(np.maximum(squares - 2 * with_mean + with_mean.mean(1, keepdims=True), 1e-300))
