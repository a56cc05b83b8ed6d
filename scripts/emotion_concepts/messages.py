"""Rows 3 and 4: what the vectors read before the reply to a message, where no emotion is named.

numpy and scipy alone. Shapes: N texts, C concepts, L layers, G groups of doses, D doses, K control directions.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer

from emotion_concepts import statistics
from emotion_concepts.place_scores import PlaceScores
from emotion_concepts.text_sets import Text

# Fewest topics and concepts with which one half of the messages can choose and the other judge.
FEWEST = 2


def implicit_summary(
    scores: PlaceScores,
    form: str,
    words_NC: pd.DataFrame | None,
    *,
    permutations: int,
    bootstraps: int,
    seed: int,
) -> tuple[dict, pd.DataFrame]:
    """Row 3: is the message's own concept the one whose vector is most active before the reply?

    Each vector's cosines are standardised over the messages. The layer is chosen on half of the topics, and the
    share of messages whose own concept comes first is told of the other half; the shuffles of labels within
    topics behind the p-value choose their layer too.

    Parameters
    ----------
    form : str
        The format whose messages are looked at.
    words_NC : DataFrame, optional
        The same scores from word counts (`word_scores`), indexed by text.

    Returns
    -------
    summary : dict
        value, interval (Wilson), p, n, layer, chance, controls; `matrix`: mean score of each concept's
        vector on each concept's messages, held out; empty but for n where there is too little to ask.
    by_layer : DataFrame
        layer, all, chosen_half, held_out: shares of messages.
    """
    rows = np.flatnonzero((scores.places["format"] == form) & scores.places["emotion"].isin(scores.concepts))
    places = scores.places.iloc[rows]
    concepts, topics = sorted(set(places["emotion"])), sorted(set(places["topic"]))
    if len(concepts) < FEWEST or len(topics) < FEWEST:
        return {"n": len(places), "n_concepts": len(concepts)}, pd.DataFrame()
    own_N = np.array([concepts.index(name) for name in places["emotion"]])
    columns = [scores.concepts.index(name) for name in concepts]
    z_LNC = np.stack([statistics.standardised(of[np.ix_(rows, columns)]) for of in scores.cosine_LUC])
    held_N = places["topic"].isin(topics[1::2]).to_numpy()
    topic_N = places["topic"].to_numpy()

    first_LN = z_LNC.argmax(-1)
    value, best = _held_out(first_LN, own_N, held_N)
    rng = np.random.default_rng(seed)
    null = [
        _held_out(first_LN, statistics.shuffled_within(own_N, topic_N, rng), held_N)[0]
        for _ in range(permutations)
    ]
    n_held = int(held_N.sum())
    hits_LN = first_LN == own_N
    table = pd.DataFrame(
        {"layer": scores.layers, "all": hits_LN.mean(1), "chosen_half": hits_LN[:, ~held_N].mean(1),
         "held_out": hits_LN[:, held_N].mean(1)}
    )  # fmt: skip
    controls = {"chance": 1 / len(concepts), "shuffled_labels_best_layer": float(np.mean(null))}
    for name in ("random", "shuffled"):
        found = _control(scores, name, rows, columns)
        if found is not None:
            controls[f"{name}_vectors"] = _held_out(found.argmax(-1), own_N, held_N)[0]
    if words_NC is not None:
        words = words_NC.loc[places["text"], concepts].to_numpy()
        hits = statistics.standardised(words).argmax(1) == own_N
        controls["word_counts"] = float(hits[held_N].mean())
    held = z_LNC[best][held_N]
    held_own = own_N[held_N]
    # A row of NaN for a concept of which no message is held out.
    matrix = np.full((len(concepts), len(concepts)), np.nan)
    for c in np.unique(held_own):
        matrix[c] = held[held_own == c].mean(0)
    return {
        "value": value, "interval": list(statistics.wilson_interval(round(value * n_held), n_held)),
        "p": statistics.permutation_p(value, np.array(null)), "n": n_held, "layer": scores.layers[best],
        "controls": controls, "concepts": concepts, "matrix": matrix.tolist(),
        "diagonal": float(held[np.arange(len(held)), held_own].mean()), "n_concepts": len(concepts),
    }, table  # fmt: skip


def word_scores(messages: Sequence[Text], stories: Sequence[Text]) -> pd.DataFrame:
    """How alike a message and each concept's stories are in their words alone: cosines of TF-IDF [N, C]."""
    counts = TfidfVectorizer(sublinear_tf=True)
    of_stories = counts.fit_transform([story.text for story in stories])
    concepts = sorted({story.emotion for story in stories})
    emotion = np.array([story.emotion for story in stories])
    means = np.stack([np.asarray(of_stories[emotion == concept].mean(0))[0] for concept in concepts])
    means -= means.mean(0)
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    scored = counts.transform([message.text for message in messages]) @ means.T
    return pd.DataFrame(scored, index=[message.id for message in messages], columns=concepts)


def numbers_summary(
    scores: PlaceScores, form: str, at: int, *, permutations: int, bootstraps: int, seed: int
) -> tuple[dict, pd.DataFrame]:
    """Row 4: does a concept's score follow the number in a message, in the direction that its meaning has?

    Parameters
    ----------
    at : int
        Place of the layer among `scores.layers`.

    Returns
    -------
    summary : dict
        value, the mean over series of the expected sign times Spearman's rho of cosine with dose; interval over
        phrasings; p (`statistics.trend_test`); per_doubling, the slope of a step in standard deviations of the
        vector's cosine over the messages; controls: the same number where it carries no threat, random
        directions; `by_template`: each claim's mean rho, p of the same test, and adjusted_p over the claims.
    table : DataFrame
        template, concept, expected, kind, place, dose, score: mean over phrasings of the standardised cosine.
    """
    series = _series(scores, form)
    if series.empty:
        return {"n": 0}, pd.DataFrame()
    series["values"] = list(_values(series, scores.cosine_LUC[at], series["column"]))
    clusters = (series["template"] + "-" + series["phrasing"].astype(str))[
        series["kind"] == "threat"
    ].to_numpy()
    options = {"permutations": permutations, "seed": seed, "together": True}
    threat, control = (series[series["kind"] == kind] for kind in ("threat", "control"))
    value, p = statistics.trend_test(np.stack(threat["values"]), threat["expected"].to_numpy(), **options)
    p_below = statistics.trend_test(np.stack(threat["values"]), -threat["expected"].to_numpy(), **options)[1]
    signed, signed_control = _signed_rho(threat), _signed_rho(control)
    (interval,) = statistics.mean_intervals(
        signed[:, None], samples=bootstraps, seed=seed, clusters=clusters
    ).tolist()
    beyond = statistics.mean_effect(
        signed - signed_control, clusters, permutations=permutations, bootstraps=bootstraps, seed=seed
    )
    random_K = _random_trends(threat, scores.controls["random"][at])
    shown = series.groupby(["template", "concept", "expected", "kind"], sort=False)
    table = pd.DataFrame(
        [
            {**dict(zip(("template", "concept", "expected", "kind"), key, strict=True)), "place": place,
             "dose": group["doses"].iloc[0][place], "score": np.mean([v[place] for v in group["values"]])}
            for key, group in shown
            for place in range(len(group["values"].iloc[0]))
        ]
    )  # fmt: skip
    return {
        "value": value, "interval": interval, "p": p, "p_below": p_below, "n": len(threat),
        "layer": scores.layers[at],
        "n_phrasings": len(set(clusters)), "per_doubling": float(np.mean(_slopes(threat) * threat["expected"])),
        "controls": {"same_number_without_threat": float(signed_control.mean()),
                     "random_directions": float(random_K.mean()), "random_95": float(np.quantile(random_K, 0.95))},
        "beyond_control": beyond,
        "by_template": _by_claim(threat, **options),
    }, table  # fmt: skip


def _series(scores: PlaceScores, form: str) -> pd.DataFrame:
    """One row for each (template, kind, phrasing, concept): its places in the order of the doses.

    columns: template, kind, phrasing, concept, expected, column (the concept's among the scores'), doses, rows,
    of_format: all rows of the format. The threatening series and those of the control are in one order.
    """
    places = scores.places[scores.places["format"] == form].sort_values("place")
    found = []
    for (template, kind, phrasing), group in places.groupby(["template", "kind", "phrasing"]):
        for concept, expected in group["expected"].iloc[0].items():
            if concept in scores.concepts:
                column = scores.concepts.index(concept)
                rows, doses = group.index.to_numpy(), group["dose"].tolist()
                found.append((template, kind, phrasing, concept, expected, column, doses, rows))
    names = ["template", "kind", "phrasing", "concept", "expected", "column", "doses", "rows"]
    series = pd.DataFrame(found, columns=names).sort_values(["template", "phrasing", "concept", "kind"])
    series.attrs["of_format"] = places.index.to_numpy()
    return series


def _values(series: pd.DataFrame, score_UK: np.ndarray, columns: Sequence[int]) -> np.ndarray:
    """Scores of each series in a column of its own, standardised over the format: float64 [G, D]."""
    of_format = series.attrs["of_format"]
    z_UK = np.zeros(score_UK.shape)
    z_UK[of_format] = statistics.standardised(score_UK[of_format])
    return z_UK[np.stack(series["rows"]), np.asarray(columns)[:, None]]


def _signed_rho(series: pd.DataFrame) -> np.ndarray:
    """Expected sign times Spearman's rho of each series with its doses: float64 [G]."""
    return _rho(np.stack(series["values"])) * series["expected"].to_numpy()


def _rho(values_GD: np.ndarray) -> np.ndarray:
    return np.nan_to_num(statistics.spearman(values_GD.T, np.arange(values_GD.shape[1])), nan=0.0)


def _by_claim(threat: pd.DataFrame, **options) -> list[dict]:
    """Each claim (template, concept) by itself, over its phrasings: rho, p, and p adjusted for their number."""
    found = []
    for (template, concept, expected), of in threat.groupby(["template", "concept", "expected"], sort=False):
        rho, p = statistics.trend_test(np.stack(of["values"]), of["expected"].to_numpy(), **options)
        claimed = {"template": template, "concept": concept, "expected": int(expected)}
        found.append({**claimed, "rho": rho, "p": p})
    adjusted = statistics.adjusted_p(np.array([claimed["p"] for claimed in found]))
    return [{**of, "adjusted_p": float(p)} for of, p in zip(found, adjusted, strict=True)]


def _slopes(series: pd.DataFrame) -> np.ndarray:
    """Least-squares slope of each series over the steps of its doses: float64 [G]."""
    values_GD = np.stack(series["values"])
    step_D = np.arange(values_GD.shape[1]) - (values_GD.shape[1] - 1) / 2
    return values_GD @ step_D / (step_D @ step_D)


def _random_trends(threat: pd.DataFrame, random_UK: np.ndarray) -> np.ndarray:
    """The statistic with a random direction in each concept's place, another one each time: float64 [K]."""
    n, expected = random_UK.shape[1], threat["expected"].to_numpy()
    shifted = ((threat["column"].to_numpy() + k) % n for k in range(n))
    return np.array([(_rho(_values(threat, random_UK, columns)) * expected).mean() for columns in shifted])


def _held_out(first_LN: np.ndarray, own_N: np.ndarray, held_N: np.ndarray) -> tuple[float, int]:
    """Share of held-out messages with their own concept first, at the layer that the others choose; that layer.

    first_LN : which concept comes first, for each layer and message.
    """
    hits_LN = first_LN == own_N
    best = int(hits_LN[:, ~held_N].mean(1).argmax())
    return float(hits_LN[best, held_N].mean()), best


def _control(scores: PlaceScores, name: str, rows: np.ndarray, columns: Sequence[int]) -> np.ndarray | None:
    """Standardised scores with control vectors in the concepts' places: [L, N, C]."""
    found_LUK = scores.controls.get(name)
    if found_LUK is None or (name == "random" and found_LUK.shape[-1] < len(columns)):
        return None
    chosen = list(range(len(columns))) if name == "random" else list(columns)
    return np.stack([statistics.standardised(of[np.ix_(rows, chosen)]) for of in found_LUK])
