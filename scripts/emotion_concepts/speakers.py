"""Row 15: are the present speaker's and the other speaker's emotion told apart?

Two speakers take turns, each with an emotion of their own. numpy and pandas alone. Shapes: U messages, D width, C
concepts, P topics, S samples.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from emotion_concepts import statistics
from emotion_concepts.factor_effects import (
    RESAMPLES,
    TopicSums,
    both_halves,
    cosines_between,
    effects,
    half_products,
    halves,
    reliability,
    resampled,
    topic_sums,
    within_groups,
)

# Fewest concepts and topics: halves of the topics, and an order of concepts to shuffle.
FEWEST_CONCEPTS, FEWEST_TOPICS = 3, 4
PRESENT, OTHER = 0, 1


def message_table(places: pd.DataFrame) -> pd.DataFrame:
    """Messages with their speaker (0, 1), the emotion of the one who speaks (present), and of the one who does not.

    Only messages after the first: before it nobody else has spoken.
    """
    turn = places["span"].str.removeprefix("message ").astype(int)
    second = (turn % 2).astype(bool)
    first_emotion, second_emotion = places["first_emotion"], places["second_emotion"]
    table = places.assign(
        turn=turn,
        speaker=second.astype(int),
        present=first_emotion.where(~second, second_emotion),
        other=second_emotion.where(~second, first_emotion),
    )
    return table[turn > 0]


def speakers_summary(
    messages: pd.DataFrame,
    value_UD: np.ndarray,
    vectors: dict[str, np.ndarray],
    ratings: pd.DataFrame | None = None,
    *,
    permutations: int,
    bootstraps: int,
    seed: int,
) -> tuple[dict, pd.DataFrame]:
    """Vectors of the present and of the other speaker's emotion, and how they lie to each other and to the stories'.

    Parameters
    ----------
    messages : DataFrame [U]
        As `message_table` gives them: text, topic, speaker, present, other.
    value_UD : float array [U, D]
        Mean residual stream over each message at one layer.
    vectors : dict
        The stories' vectors by concept; those of other concepts take no part.
    ratings : DataFrame, optional
        emotion, valence, arousal.

    Returns
    -------
    summary : dict
        present: value (R2 of the present vectors by the stories', one factor for all, without what noise takes from
        it), interval, p (of the R2 as_read, against shuffled concepts), chance (its mean there), reliability; other: value (cosine of present and other vectors, without what noise takes
        from it), interval, cosine (as read, mean over concepts), cosine_interval, cosine_p, shuffled (2.5 to
        97.5% of cosines with shuffled labels), reliability, p (of it, against shuffled labels), story_r2; ratings:
        by dimension r, p, n of each other vector with its closest present one; matrix: cosines of the four
        kinds. n and counts alone where the texts allow no answer.
    table : DataFrame
        concept, cosine, present_story, other_story, closest: the present vector closest to the other one.

    Source: arXiv 2604.07729, present and other speaker probes.
    """
    concepts = sorted(set(messages["present"]) & set(messages["other"]) & set(vectors))
    kept = (messages["present"].isin(concepts) & messages["other"].isin(concepts)).to_numpy()
    rows = messages[kept].reset_index(drop=True)
    n_topics = rows["topic"].nunique()
    about = {"n": rows["text"].nunique(), "n_concepts": len(concepts), "n_topics": n_topics}
    if len(concepts) < FEWEST_CONCEPTS or n_topics < FEWEST_TOPICS:
        return about, pd.DataFrame()
    topic_U, group_U = _numbered(rows, "topic"), _numbered(rows, "topic", "speaker")
    centred_UD = within_groups(value_UD[kept], group_U)
    level_FU = np.array([[concepts.index(name) for name in rows[kind]] for kind in ("present", "other")])
    sums = topic_sums(centred_UD, level_FU, len(concepts), group_U, topic_U)
    both_FCD = effects(sums, np.ones((1, n_topics)))[0]
    story_CD = np.stack([vectors[name] for name in concepts]).astype(np.float64)
    story_CD = story_CD - story_CD.mean(0)
    options = {"bootstraps": bootstraps, "seed": seed}

    null_cosine, null_reliability = _shuffled_others(
        rows, centred_UD, level_FU, len(concepts), group_U, permutations=permutations, seed=seed
    )
    summary = {
        **about,
        "present": _matched(sums, both_FCD, story_CD, permutations=permutations, **options),
        "other": _apart(sums, both_FCD, story_CD, null_cosine, null_reliability, **options),
        "matrix": _matrix(rows, centred_UD, level_FU, len(concepts)),
    }
    closest_C = cosines_between(both_FCD[OTHER], both_FCD[PRESENT]).argmax(1)
    if ratings is not None:
        summary["ratings"] = closest_ratings(
            concepts, both_FCD, ratings, permutations=permutations, seed=seed
        )
    table = pd.DataFrame(
        {"concept": concepts, "cosine": _row_cosines(*both_FCD),
         "present_story": _row_cosines(both_FCD[PRESENT], story_CD),
         "other_story": _row_cosines(both_FCD[OTHER], story_CD), "closest": [concepts[c] for c in closest_C]}
    )  # fmt: skip
    return summary, table


def explained(vector_CD: np.ndarray, story_CD: np.ndarray) -> float:
    """R2 of vectors by others, with one factor for all, over concepts and width; 0 where that factor is below 0."""
    inner = np.vdot(vector_CD, story_CD)
    return float(max(inner, 0) ** 2 / (np.vdot(vector_CD, vector_CD) * np.vdot(story_CD, story_CD)))


def explained_without_noise(
    sums: TopicSums, story_CD: np.ndarray, first_SP: np.ndarray, weight_P: np.ndarray
) -> float:
    """The same of the present vectors, from products across halves of the topics, which noise adds nothing to.

    NaN where the halves have nothing in common.
    """
    one, other = both_halves(sums, first_SP, weight_P)[:, :, PRESENT]
    common = np.einsum("scd,scd->s", one, other).mean()
    if common <= 0:
        return np.nan
    by_story = np.einsum("scd,cd->s", one, story_CD) * np.einsum("scd,cd->s", other, story_CD)
    return float(by_story.mean() / (common * np.vdot(story_CD, story_CD)))


def closest_ratings(
    concepts: Sequence[str], both_FCD: np.ndarray, ratings: pd.DataFrame, *, permutations: int, seed: int
) -> dict:
    """Is the present vector closest to another's emotion one of like valence, or arousal?

    Returns
    -------
    dict
        By dimension: r over the concepts, p (two-sided; which concept an other vector is of is shuffled), n. Empty
        where fewer than three concepts are rated.
    """
    rated = ratings.set_index("emotion")[["valence", "arousal"]].dropna()
    own = np.array([place for place, name in enumerate(concepts) if name in rated.index])
    if len(own) < FEWEST_CONCEPTS:
        return {}
    present_CD, other_CD = both_FCD[PRESENT][own], both_FCD[OTHER][own]
    closest_C = cosines_between(other_CD, present_CD).argmax(1)
    rng, found = np.random.default_rng(seed), {}
    for dimension in ("valence", "arousal"):
        value_C = rated.loc[[concepts[c] for c in own], dimension].to_numpy(np.float64)
        read_C = value_C[closest_C]
        r = float(statistics.pearson(value_C[:, None], read_C)[0])
        orders = rng.permuted(np.broadcast_to(value_C, (permutations, len(own))), axis=1)
        null = np.abs(statistics.pearson(orders.T, read_C))
        p = statistics.permutation_p(abs(r), null) if np.isfinite(r) else 1.0
        found[dimension] = {"r": r, "p": p, "n": len(own)}
    return found


def _matched(
    sums: TopicSums, both_FCD: np.ndarray, story_CD: np.ndarray, *, permutations: int, bootstraps: int, seed: int
) -> dict:  # fmt: skip
    """Do the present vectors match the stories' of their own concepts?"""
    present_CD, n_topics = both_FCD[PRESENT], len(sums.square_PKK)
    rng = np.random.default_rng(seed)
    first_SP = halves(n_topics, seed)
    as_read = explained(present_CD, story_CD)
    null = np.array([explained(present_CD, rng.permutation(story_CD)) for _ in range(permutations)])
    drawn = resampled(
        lambda weight_P: explained_without_noise(sums, story_CD, first_SP, weight_P),
        n_topics, samples=bootstraps, seed=seed,
    )  # fmt: skip
    return {
        "value": explained_without_noise(sums, story_CD, first_SP, np.ones(n_topics)),
        "interval": list(statistics.interval(drawn, n_topics)), "p": statistics.permutation_p(as_read, null),
        "as_read": as_read, "chance": float(null.mean()), "reliability": float(reliability(sums, first_SP)[PRESENT]),
    }  # fmt: skip


def _apart(
    sums: TopicSums, both_FCD: np.ndarray, story_CD: np.ndarray, null_cosine: np.ndarray,
    null_reliability: np.ndarray, *, bootstraps: int, seed: int,
) -> dict:  # fmt: skip
    """How the other speaker's vectors lie to the present one's, and whether there are any."""
    n_topics = len(sums.square_PKK)
    first_SP = halves(n_topics, seed)
    cosine = float(np.nanmean(_row_cosines(*both_FCD)))
    drawn = np.array(
        [
            (_without_noise(half_products(sums, first_SP[s % len(first_SP)][None], weight_P)),
             np.nanmean(_row_cosines(*effects(sums, weight_P[None])[0])))
            for s, weight_P in enumerate(statistics.bootstrap_weights(n_topics, samples=min(bootstraps, RESAMPLES), seed=seed))
        ]
    )  # fmt: skip
    found = float(reliability(sums, first_SP)[OTHER])
    return {
        "value": _without_noise(half_products(sums, first_SP)),
        "interval": list(statistics.interval(drawn[:, 0], n_topics)),
        "p": statistics.permutation_p(found, null_reliability), "reliability": found,
        "cosine": cosine, "cosine_interval": list(statistics.interval(drawn[:, 1], n_topics)),
        "cosine_p": statistics.permutation_p(abs(cosine), np.abs(null_cosine)),
        "shuffled": np.quantile(null_cosine, [0.025, 0.975]).tolist(),
        "story_r2": explained(both_FCD[OTHER], story_CD),
    }  # fmt: skip


def _without_noise(products_FF: np.ndarray) -> float:
    """Cosine of two kinds of vectors from products across halves; NaN where a kind has nothing but noise."""
    squares = products_FF[PRESENT, PRESENT] * products_FF[OTHER, OTHER]
    if min(products_FF[PRESENT, PRESENT], products_FF[OTHER, OTHER]) <= 0:
        return np.nan
    return float(products_FF[PRESENT, OTHER] / np.sqrt(squares))


def _shuffled_others(
    rows: pd.DataFrame, centred_UD: np.ndarray, level_FU: np.ndarray, n_concepts: int, group_U: np.ndarray, *,
    permutations: int, seed: int,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Cosine with the present vectors, and reliability, of other vectors whose labels are shuffled.

    Whole dialogues swap the other's emotion, within their topic and for each speaker by itself.
    """
    topic_U, rng = _numbered(rows, "topic"), np.random.default_rng(seed)
    # One label for all of a speaker's messages in a dialogue.
    _, first_U, unit_U = np.unique(_numbered(rows, "text", "speaker"), return_index=True, return_inverse=True)
    first_SP = halves(len(np.unique(topic_U)), seed)
    everything, null = np.ones((1, first_SP.shape[1])), np.empty((min(permutations, RESAMPLES), 2))
    for row in null:
        shuffled_U = statistics.shuffled_within(level_FU[OTHER][first_U], group_U[first_U], rng)[unit_U]
        sums = topic_sums(centred_UD, np.array([level_FU[PRESENT], shuffled_U]), n_concepts, group_U, topic_U)
        row[:] = np.nanmean(_row_cosines(*effects(sums, everything)[0])), reliability(sums, first_SP)[OTHER]
    return null[:, 0], null[:, 1]


def _matrix(rows: pd.DataFrame, centred_UD: np.ndarray, level_FU: np.ndarray, n_concepts: int) -> dict:
    """Mean cosine over concepts of the four kinds of vectors: whose words by whose emotion."""
    kinds, found = [], []
    for speaker, name in ((0, "first"), (1, "second")):
        at = (rows["speaker"] == speaker).to_numpy()
        if not at.any():
            continue
        topic = _numbered(rows[at], "topic")
        sums = topic_sums(centred_UD[at], level_FU[:, at], n_concepts, topic, topic)
        kinds += [f"{name} speaker, own emotion", f"{name} speaker, the other's emotion"]
        found += list(effects(sums, np.ones((1, len(sums.square_PKK))))[0])
    cosines = [[float(np.nanmean(_row_cosines(one, two))) for two in found] for one in found]
    return {"kinds": kinds, "cosines": cosines}


def _numbered(rows: pd.DataFrame, *labels: str) -> np.ndarray:
    """A number for each combination of labels: int [U]."""
    return rows.groupby(list(labels)).ngroup().to_numpy()


def _row_cosines(one_CD: np.ndarray, other_CD: np.ndarray) -> np.ndarray:
    """Cosine of each row with the same row: float64 [C]; NaN of a vector that is 0."""
    norms = np.linalg.norm(one_CD, axis=1) * np.linalg.norm(other_CD, axis=1)
    return np.divide((one_CD * other_CD).sum(1), norms, out=np.full(len(norms), np.nan), where=norms > 0)
