"""Row 16: vectors of an emotion that is there and not shown.

numpy and pandas alone. Shapes: U replies, D width, C concepts, K components or control directions, P topics.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from emotion_concepts import statistics
from emotion_concepts.factor_effects import (
    RESAMPLES,
    TopicSums,
    cosines_between,
    effects,
    half_products,
    halves,
    reliability,
    resampled,
    topic_sums,
    within_groups,
)
from emotion_concepts.vectors import random_directions, without_components

# The stories' space: the leading components that hold so much of the vectors' variance (paper).
STORY_VARIANCE = 0.99
# Fewest concepts and topics: halves of the topics, and labels to shuffle.
FEWEST_CONCEPTS, FEWEST_TOPICS = 3, 4
N_CONTROLS = 200
TRUE, SHOWN = 0, 1


def story_space(vector_CD: np.ndarray, variance: float = STORY_VARIANCE) -> np.ndarray:
    """The fewest leading components of the stories' vectors that hold `variance` of it: float64 [K, D]."""
    centred = vector_CD - vector_CD.mean(0, dtype=np.float64)
    _, size_K, component_KD = np.linalg.svd(centred, full_matrices=False)
    held = np.cumsum(np.square(size_K)) / np.square(size_K).sum()
    # A sum that rounding leaves short of 1 still holds all.
    return component_KD[: int(np.searchsorted(held, variance - 1e-12) + 1)]


def deflection_summary(
    replies: pd.DataFrame,
    value_UD: np.ndarray,
    vectors: dict[str, np.ndarray],
    *,
    permutations: int,
    bootstraps: int,
    seed: int,
) -> tuple[dict, pd.DataFrame]:
    """How much of the vectors of a true, unexpressed emotion lies outside the space of the stories' vectors?

    Parameters
    ----------
    replies : DataFrame [U]
        topic, true_emotion, shown_emotion.
    value_UD : float array [U, D]
        Mean residual stream over each reply at one layer.
    vectors : dict
        The stories' vectors by concept, all of them.

    Returns
    -------
    summary : dict
        value: share of norm left, without what noise adds to it (None where nothing but noise is there); interval
        over topics; p, of the vectors' reliability against true labels shuffled within topics; reliability;
        as_read: the share with its noise; controls: the same as read of random directions and of vectors of shuffled
        labels; n_components; own_story: mean cosine with the concept's story vector, its p by shuffling
        concepts, and of the shown emotion's vectors (shown_story). n and counts alone where the texts allow no answer.
    table : DataFrame
        concept, left (share of norm, as read), story (cosine with the concept's story vector), shown_story.

    Source: arXiv 2604.07729, emotion deflection vectors.
    """
    used = _usable(replies, value_UD, vectors)
    concepts, topic_U, level_FU, n_topics = used.concepts, used.topic_U, used.level_FU, used.n_topics
    about = {"n": len(topic_U), "n_concepts": len(concepts), "n_topics": n_topics}
    if not used.enough:
        return about, pd.DataFrame()
    centred_UD, of = used.centred(), (len(concepts), topic_U, topic_U)
    component_KD = story_space(np.stack(list(vectors.values())))
    first_SP, everything = halves(n_topics, seed), np.ones((1, n_topics))
    sums = topic_sums(centred_UD, level_FU, *of)
    true_CD, shown_CD = effects(sums, everything)[0]

    rng, null = np.random.default_rng(seed), np.empty((min(permutations, RESAMPLES), 2))
    for row in null:
        shuffled_FU = np.array([statistics.shuffled_within(level_FU[TRUE], topic_U, rng), level_FU[SHOWN]])
        shuffled = topic_sums(centred_UD, shuffled_FU, *of)
        row[:] = (
            reliability(shuffled, first_SP)[TRUE],
            shares_left(effects(shuffled, everything)[0, TRUE], component_KD).mean(),
        )
    found = float(reliability(sums, first_SP)[TRUE])
    drawn = resampled(
        lambda weight_P: share_without_noise(sums, component_KD, first_SP, weight_P),
        n_topics, samples=bootstraps, seed=seed,
    )  # fmt: skip
    left_C = shares_left(true_CD, component_KD)
    random_KD = random_directions(N_CONTROLS, true_CD.shape[1], seed)
    story_CD = np.stack([vectors[name] for name in concepts]).astype(np.float64)
    story_CD -= story_CD.mean(0)
    own_C, shown_C = (cosines_between(of_CD, story_CD).diagonal() for of_CD in (true_CD, shown_CD))
    summary = {
        **about,
        "value": share_without_noise(sums, component_KD, first_SP, everything[0]),
        "interval": list(statistics.interval(drawn, n_topics)),
        "p": statistics.permutation_p(found, null[:, 0]), "reliability": found, "as_read": float(left_C.mean()),
        "controls": {
            "random_directions": float(shares_left(random_KD, component_KD).mean()),
            "shuffled_labels": float(null[:, 1].mean()),
        },
        "n_components": len(component_KD),
        "own_story": _own_cosine(true_CD, story_CD, permutations=permutations, seed=seed),
        "shown_story": _own_cosine(shown_CD, story_CD, permutations=permutations, seed=seed),
    }  # fmt: skip
    table = pd.DataFrame({"concept": concepts, "left": left_C, "story": own_C, "shown_story": shown_C})
    return summary, table


def deflection_vectors(
    replies: pd.DataFrame, value_UD: np.ndarray, vectors: dict[str, np.ndarray]
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Vectors of true, unexpressed emotions at one layer, as read and orthogonalised against the stories' space.

    Parameters
    ----------
    replies, value_UD, vectors
        As in `deflection_summary`.

    Returns
    -------
    list of C str, float64 [C, D], float64 [C, D]
        None of them where the texts that are read have too few emotions or topics that can be used.

    Source: arXiv 2604.07729, emotion deflection vectors.
    """
    used = _usable(replies, value_UD, vectors)
    if not used.enough:
        nothing = np.empty((0, value_UD.shape[1]))
        return [], nothing, nothing
    sums = topic_sums(used.centred(), used.level_FU, len(used.concepts), used.topic_U, used.topic_U)
    true_CD = effects(sums, np.ones((1, used.n_topics)))[0, TRUE]
    return used.concepts, true_CD, without_components(true_CD, story_space(np.stack(list(vectors.values()))))


@dataclass(frozen=True)
class _Usable:
    """Replies whose two emotions both have vectors: topic, values, and both emotions' places among the concepts."""

    concepts: list[str]
    topic_U: np.ndarray
    value_UD: np.ndarray
    level_FU: np.ndarray

    def centred(self) -> np.ndarray:
        """Values without their topic's mean: float64 [U, D]."""
        return within_groups(self.value_UD, self.topic_U)

    @property
    def n_topics(self) -> int:
        return len(np.unique(self.topic_U))

    @property
    def enough(self) -> bool:
        return len(self.concepts) >= FEWEST_CONCEPTS and self.n_topics >= FEWEST_TOPICS


def _usable(replies: pd.DataFrame, value_UD: np.ndarray, vectors: dict[str, np.ndarray]) -> _Usable:
    concepts = sorted(set(replies["true_emotion"]) & set(replies["shown_emotion"]) & set(vectors))
    kept = (replies["true_emotion"].isin(concepts) & replies["shown_emotion"].isin(concepts)).to_numpy()
    rows = replies[kept]
    topic_U = rows.groupby("topic").ngroup().to_numpy()
    level_FU = np.array(
        [[concepts.index(name) for name in rows[f"{kind}_emotion"]] for kind in ("true", "shown")]
    )
    return _Usable(concepts, topic_U, value_UD[kept], level_FU)


def shares_left(vector_CD: np.ndarray, component_KD: np.ndarray) -> np.ndarray:
    """Share of each vector's norm that is left without the span of orthonormal components: float64 [C]."""
    left = np.linalg.norm(without_components(vector_CD, component_KD), axis=1)
    return left / np.maximum(np.linalg.norm(vector_CD, axis=1), 1e-300)


def share_without_noise(
    sums: TopicSums, component_KD: np.ndarray, first_SP: np.ndarray, weight_P: np.ndarray
) -> float:
    """The same of all vectors together, from products across halves of the topics, which noise adds nothing to.

    NaN where the halves have nothing in common; what falls below 0 by chance is 0.
    """
    within = TopicSums(sums.square_PKK, sums.cross_PKD @ component_KD.T, sums.n_factors)
    whole, inside = (half_products(of, first_SP, weight_P)[TRUE, TRUE] for of in (sums, within))
    if whole <= 0:
        return np.nan
    return float(np.sqrt(np.clip((whole - inside) / whole, 0, None)))


def _own_cosine(vector_CD: np.ndarray, story_CD: np.ndarray, *, permutations: int, seed: int) -> dict:
    """Mean cosine with the story vector of the same concept, and its p by shuffling the concepts."""
    cosines_CC = cosines_between(vector_CD, story_CD)
    rng, concept_C = np.random.default_rng(seed), np.arange(len(cosines_CC))
    null = np.array([cosines_CC[concept_C, rng.permutation(concept_C)].mean() for _ in range(permutations)])
    value = float(cosines_CC.diagonal().mean())
    return {"value": value, "p": statistics.permutation_p(value, null)}
