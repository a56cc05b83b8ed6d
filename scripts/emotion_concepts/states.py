"""Row 14: is an emotion that was stated still read in a reply that has nothing to do with it?

numpy, scikit-learn and pandas. Shapes: U replies, D width, K features, S scenarios, M stories.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, cross_val_predict

from emotion_concepts import statistics

# The condition in which nothing of the state should be read, and those that it is set against.
NEUTRAL_TOPIC = "neutral_topic"
CONDITIONS = ("expressed", "hidden", NEUTRAL_TOPIC, "story", "others")
# Principal components that a probe reads: a hundred replies fill no more.
COMPONENTS = 50
# Shuffles of labels, each with fits of its own, and the folds of these: seconds a format.
SHUFFLES, SHUFFLED_FOLDS = 19, 4


def states_summary(
    replies: pd.DataFrame,
    value_UD: np.ndarray,
    texts: Sequence[str],
    stories: tuple[np.ndarray, pd.DataFrame] | None = None,
    *,
    shuffles: int,
    permutations: int,
    bootstraps: int,
    seed: int,
) -> tuple[dict, pd.DataFrame]:
    """Accuracy of a probe for the stated emotion, by what the dialogue is about, on scenarios held out.

    Parameters
    ----------
    replies : DataFrame [U]
        emotion, condition, topic (the scenario), n_tokens.
    value_UD : float array [U, D]
        Mean residual stream over each reply at one layer.
    texts : sequence of U strings
        The replies themselves.
    stories : (value_MD, DataFrame with emotion and topic), optional
        Free text of the same concepts, for probes made on the one and asked of the other.
    shuffles : int
        Fits with the labels shuffled within scenario and condition, behind each condition's p.

    Returns
    -------
    summary : dict
        value: mean accuracy over the other conditions less that on the neutral topic; interval over scenarios, p
        and p_below by flipping the signs of scenarios; chance; n, n_scenarios, n_classes; conditions: accuracy,
        interval, p, pooled (probe of all conditions), word_counts, length; controls: value from word counts and from
        length; stories: to, from, by condition, and their intervals. n and counts alone where the texts allow no
        answer.
    table : DataFrame
        condition, kind (own, pooled, word counts, length), accuracy, low, high.

    Source: arXiv 2604.07729, probes of emotional states.
    """
    kept_U, scenarios = _comparable(replies)
    places = replies[kept_U].reset_index(drop=True)
    about = {
        "n": len(places),
        "n_scenarios": len(scenarios),
        "n_classes": int(places["emotion"].nunique()),
    }
    if len(scenarios) < 2 or about["n_classes"] < 2:
        return about, pd.DataFrame()
    hits = probe_hits(places, value_UD[kept_U], [texts[row] for row in np.flatnonzero(kept_U)])
    found, table = hits_summary(places, hits, permutations=permutations, bootstraps=bootstraps, seed=seed)
    p = shuffled_p(value_UD[kept_U], places, shuffles=shuffles, seed=seed)
    summary = about | found | {"n_shuffles": shuffles}
    for name, of in summary["conditions"].items():
        of["p"] = p[name]
    if stories is not None:
        summary["stories"] = story_transfer(
            value_UD[kept_U], places, *stories, bootstraps=bootstraps, seed=seed
        )
    return summary, table


def probe_hits(places: pd.DataFrame, value_UD: np.ndarray, texts: Sequence[str]) -> dict[str, np.ndarray]:
    """Is each reply's emotion what a probe made on other scenarios says? bool [U] by kind of probe.

    own: of the activations, one for each condition; pooled: one for all; word counts (TF-IDF) and length (tokens,
    and their logarithm): as own.
    """
    counted = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\w+").fit_transform(texts)
    length_U1 = places[["n_tokens"]].to_numpy(np.float64)
    features = {
        "own": value_UD,
        "word counts": counted.toarray(),
        "length": np.hstack([length_U1, np.log(length_U1)]),
    }
    hits = {kind: _hits_within(values_UK, places) for kind, values_UK in features.items()}
    return hits | {"pooled": _hits(_coordinates(value_UD), places)}


def hits_summary(
    places: pd.DataFrame, hits: Mapping[str, np.ndarray], *, permutations: int, bootstraps: int, seed: int
) -> tuple[dict, pd.DataFrame]:
    """What the hits of probes say: the part of `states_summary` that needs no probe."""
    scenarios = sorted(places["topic"].unique())
    by_scenario = {kind: _accuracy(hits_U, places, scenarios) for kind, hits_U in hits.items()}
    table = _accuracy_table(by_scenario, bootstraps, seed)
    effect = {kind: _beyond_neutral(accuracy) for kind, accuracy in by_scenario.items()}
    found = statistics.mean_effect(
        effect["own"], np.arange(len(scenarios)), permutations=permutations, bootstraps=bootstraps, seed=seed
    )
    return {
        **found, "n": len(places), "n_scenarios": len(scenarios), "n_classes": int(places["emotion"].nunique()),
        "chance": 1 / places["emotion"].nunique(),
        "conditions": {name: _condition(table, name) for name in CONDITIONS},
        "controls": {kind: float(effect[kind].mean()) for kind in ("word counts", "length")},
    }, table  # fmt: skip


def shuffled_p(value_UD: np.ndarray, places: pd.DataFrame, *, shuffles: int, seed: int) -> dict[str, float]:
    """Is the emotion read at all in each condition, against labels shuffled within its scenarios?

    The probe is made anew on every shuffle, with `SHUFFLED_FOLDS` folds, as is the one that is compared.
    """
    rng, found = np.random.default_rng(seed), {}
    if not shuffles:
        return dict.fromkeys(CONDITIONS, 1.0)
    for condition in CONDITIONS:
        rows = np.flatnonzero(places["condition"] == condition)
        own, values_UK = places.iloc[rows], _coordinates(value_UD[rows])
        folds = GroupKFold(min(SHUFFLED_FOLDS, own["topic"].nunique()))
        null = []
        for _ in range(shuffles):
            emotion = statistics.shuffled_within(own["emotion"].to_numpy(), own["topic"].to_numpy(), rng)
            null.append(_hits(values_UK, own.assign(emotion=emotion), folds).mean())
        observed = _hits(values_UK, own, folds).mean()
        found[condition] = statistics.permutation_p(float(observed), np.array(null))
    return found


def story_transfer(
    value_UD: np.ndarray, places: pd.DataFrame, story_MD: np.ndarray, stories: pd.DataFrame, *, bootstraps: int, seed: int
) -> dict:  # fmt: skip
    """Probes of the replies asked of stories, and the other way round; each side is standardised by itself.

    Returns
    -------
    dict
        to_stories: balanced accuracy of the replies' probe on stories, interval over the stories' topics, n;
        from_stories: accuracy of the stories' probe by condition, interval over scenarios; chance.
    """
    known = np.isin(stories["emotion"], places["emotion"].unique())
    told, told_MD = stories[known].reset_index(drop=True), statistics.standardised(story_MD[known])
    said_UD = statistics.standardised(value_UD)
    if told["emotion"].nunique() < places["emotion"].nunique():
        return {}
    hits_M = _probe().fit(said_UD, places["emotion"]).predict(told_MD) == told["emotion"].to_numpy()
    hits_U = _probe().fit(told_MD, told["emotion"]).predict(said_UD) == places["emotion"].to_numpy()
    emotion, size = np.unique(told["emotion"], return_inverse=True)
    weight_M = 1 / np.bincount(size)[size] / len(emotion)
    low, high = statistics.bootstrap_interval(
        lambda w_SM: (w_SM * weight_M) @ hits_M / (w_SM @ weight_M),
        len(told), samples=bootstraps, seed=seed, clusters=told["topic"].to_numpy(),
    )  # fmt: skip
    scenarios = sorted(places["topic"].unique())
    asked = _accuracy_table({"stories": _accuracy(hits_U, places, scenarios)}, bootstraps, seed)
    return {
        "to_stories": {
            "accuracy": float(hits_M @ weight_M),
            "interval": [low, high], "n": len(told),
        },
        "from_stories": {
            row.condition: {"accuracy": row.accuracy, "interval": [row.low, row.high]} for row in asked.itertuples()
        },
        "chance": 1 / len(emotion),
    }  # fmt: skip


def _comparable(replies: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Replies of scenarios that every condition has, of emotions that all of these have; bool [U], and the scenarios.

    With some emotions on some scenarios alone, a scenario would tell its emotions.
    """
    known = replies[replies["condition"].isin(CONDITIONS)]
    n_conditions = known.groupby("topic")["condition"].nunique()
    scenarios = sorted(n_conditions.index[n_conditions == len(CONDITIONS)])
    known = known[known["topic"].isin(scenarios)]
    cells = known.groupby("emotion")[["condition", "topic"]].apply(lambda of: len(of.drop_duplicates()))
    whole = cells.index[cells == len(CONDITIONS) * len(scenarios)] if len(cells) else []
    return replies.index.isin(known.index[known["emotion"].isin(whole)]), scenarios


def _probe() -> LogisticRegression:
    return LogisticRegression(max_iter=1000, tol=1e-3)


def _coordinates(value_UK: np.ndarray) -> np.ndarray:
    """Standardised features as their leading principal components; no label is looked at: float64."""
    left_UK, size_K, _ = np.linalg.svd(statistics.standardised(value_UK), full_matrices=False)
    return (left_UK * size_K)[:, :COMPONENTS]


def _hits(value_UK: np.ndarray, places: pd.DataFrame, folds: GroupKFold | None = None) -> np.ndarray:
    """Is each reply's emotion what a probe says that was made on other scenarios (all others)? bool [U]."""
    emotion = places["emotion"].to_numpy()
    said = cross_val_predict(
        _probe(), value_UK, emotion, groups=places["topic"].to_numpy(), cv=folds or LeaveOneGroupOut()
    )
    return said == emotion


def _hits_within(value_UK: np.ndarray, places: pd.DataFrame) -> np.ndarray:
    """The same with a probe for each condition by itself."""
    hits_U = np.zeros(len(places), bool)
    for condition in CONDITIONS:
        rows = np.flatnonzero(places["condition"] == condition)
        hits_U[rows] = _hits(_coordinates(value_UK[rows]), places.iloc[rows])
    return hits_U


def _accuracy(hits_U: np.ndarray, places: pd.DataFrame, scenarios: Sequence[str]) -> pd.DataFrame:
    """Share of hits by scenario (rows) and condition (columns)."""
    table = places.assign(hit=hits_U).pivot_table(
        index="topic", columns="condition", values="hit", aggfunc="mean"
    )
    return table.loc[list(scenarios), list(CONDITIONS)].astype(float)


def _beyond_neutral(accuracy: pd.DataFrame) -> np.ndarray:
    """Mean over the other conditions less the neutral topic, by scenario: float64 [S]."""
    return (accuracy.drop(columns=NEUTRAL_TOPIC).mean(axis=1) - accuracy[NEUTRAL_TOPIC]).to_numpy()


def _accuracy_table(by_scenario: Mapping[str, pd.DataFrame], bootstraps: int, seed: int) -> pd.DataFrame:
    """Accuracy by condition and kind with its interval over scenarios."""
    rows = []
    for kind, accuracy in by_scenario.items():
        weight_SN = statistics.bootstrap_weights(len(accuracy), samples=bootstraps, seed=seed)
        for condition in CONDITIONS:
            of = accuracy[condition].to_numpy()
            low, high = statistics.interval(weight_SN @ of / len(of), len(of))
            rows.append((condition, kind, of.mean(), low, high))
    return pd.DataFrame(rows, columns=["condition", "kind", "accuracy", "low", "high"])


def _condition(table: pd.DataFrame, condition: str) -> dict:
    """A condition's part of the summary."""
    rows = table[table["condition"] == condition].set_index("kind")
    own = rows.loc["own"]
    others = {kind: float(rows.loc[kind, "accuracy"]) for kind in ("pooled", "word counts", "length")}
    return {"accuracy": float(own["accuracy"]), "interval": [float(own["low"]), float(own["high"])], **others}
