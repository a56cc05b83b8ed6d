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
    """Ways to halve the topics: bool [S, P], True on the first half; each has its mirror image.

    All of them if there are at most `max_splits`, else that many drawn at random (in pairs).
    """
    halves = [h for h in combinations(range(n_topics), n_topics // 2) if n_topics % 2 or 0 in h]
    wanted = max(1, max_splits // 2)
    if len(halves) > wanted:
        chosen = np.random.default_rng(seed).choice(len(halves), wanted, replace=False)
        halves = [halves[i] for i in sorted(chosen)]
    first = np.zeros((len(halves), n_topics), bool)
    for row, half in enumerate(halves):
        first[row, list(half)] = True
    return np.concatenate([first, ~first])


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
    """How many concepts of the other half are at least as near to each vector as its own: int [S, C].

    Parameters
    ----------
    gram_PPCC, counts_PC : ndarray
        As `topic_gram` gives them.
    first_SP : ndarray of bool
        Topics of the half that is matched against the other.

    Every concept needs stories in every half: see `concepts_in_every_half`.
    """
    asked_counts, found_counts = first_SP @ counts_PC, ~first_SP @ counts_PC
    assert (asked_counts > 0).all() and (found_counts > 0).all()
    cross = _half_products(gram_PPCC, first_SP, ~first_SP, asked_counts, found_counts)
    own = _half_products(gram_PPCC, ~first_SP, ~first_SP, found_counts, found_counts)
    norm_SC = np.sqrt(np.maximum(np.einsum("scc->sc", own), 1e-300))
    likeness = cross / norm_SC[:, None, :]
    return (likeness >= np.einsum("scc->sc", likeness)[:, :, None]).sum(-1) - 1


def story_hits(
    values_ND: np.ndarray, emotions: np.ndarray, topics: np.ndarray, first_SP: np.ndarray
) -> np.ndarray:
    """Share of halvings in which a story's nearest concept vector is its own: float64 [N].

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
    for first_P in first_SP:
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
    n_topics, n_concepts = counts_PC.shape
    flat = (np.arange(n_topics)[:, None] * n_concepts + order_PC).ravel()
    square = gram_PPCC.transpose(0, 2, 1, 3).reshape(n_topics * n_concepts, -1)[np.ix_(flat, flat)]
    gram = square.reshape(n_topics, n_concepts, n_topics, n_concepts).transpose(0, 2, 1, 3)
    return gram, np.take_along_axis(counts_PC, order_PC, axis=1)


def _half_products(gram_PPCC, left_SP, right_SP, left_counts_SC, right_counts_SC) -> np.ndarray:
    """Inner products of centred concept means of two halves: [S, C, C]."""
    n_topics, n_concepts = gram_PPCC.shape[0], gram_PPCC.shape[-1]
    chosen = (left_SP[:, :, None] & right_SP[:, None, :]).reshape(len(left_SP), -1)
    products = chosen.astype(float) @ gram_PPCC.reshape(n_topics**2, -1)
    products = products.reshape(-1, n_concepts, n_concepts)
    products = products / left_counts_SC[:, :, None] / right_counts_SC[:, None, :]
    return (
        products
        - products.mean(1, keepdims=True)
        - products.mean(2, keepdims=True)
        + products.mean((1, 2), keepdims=True)
    )
