"""How often a claim about what is read in texts comes out as "reproduced", by the size of the effect and the number of texts.

Scores of rows 3, 4, 11, 13 and 14 and activations of row 15 are normal noise with an effect planted in them: no model
takes part. How large an effect is, is told as the scorecard tells it of a real run. `make power PART=texts`.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
import pandas as pd

from emotion_concepts import reading_claims
from emotion_concepts.experiment_texts import negation_texts, number_texts
from emotion_concepts.messages import implicit_summary, numbers_summary
from emotion_concepts.place_scores import PlaceScores, with_labels
from emotion_concepts.positions import locality_summary, negation_summary
from emotion_concepts.speakers import message_table, speakers_summary
from emotion_concepts.states import CONDITIONS, NEUTRAL_TOPIC, hits_summary
from emotion_concepts.text_sets import Text, read_texts
from tests.conftest import ROOT

TEXT_SETS = ROOT / "resources/text_sets"
OPTIONS = {"permutations": 199, "bootstraps": 200}
# Random directions are told beside a figure, and no verdict asks for them.
N_LAYERS, N_RANDOM = 3, 2
# Emotions of rows 14 and 15, and coordinates of what row 15 reads.
EMOTIONS, WIDTH = [f"emotion {n:02}" for n in range(15)], 24
# A text's noise has a half of its variance in common: with the same number in other phrasings, at other places of
# the conversation, in the same dialogue.
HALF = np.sqrt(0.5)

# Of an effect, a number of texts and a seed: the summary, and the effect as the scorecard tells it.
Told = tuple[dict, float]


@dataclass(frozen=True)
class TextStudy:
    """One experiment: what is counted of its texts and how many, which effects are planted, in which unit they are told."""

    titles: dict[str, tuple[str, Callable[..., dict]]]
    counted: str
    numbers: tuple[int, ...]
    effects: tuple[float, ...]
    unit: str
    summarise: Callable[[float, int, int], Told]
    seeds: int = 20


def implicit(effect: float, topics: int, seed: int) -> Told:
    """Row 3: each message's own concept is raised, at layers that are nearly the same."""
    places, concepts = _implicit_places(topics)
    rng, shape = np.random.default_rng(seed), (len(places), len(concepts))
    cosine_LUC = rng.standard_normal(shape) + 0.3 * rng.standard_normal((N_LAYERS, *shape))
    cosine_LUC /= np.sqrt(1.09)
    cosine_LUC[:, np.arange(len(places)), [concepts.index(name) for name in places["emotion"]]] += effect
    scores = _scores(places, concepts, cosine_LUC, rng)
    summary, _ = implicit_summary(scores, "plain", None, **OPTIONS, seed=seed)
    return summary, summary["diagonal"]


def numbers(effect: float, phrasings: int, seed: int) -> Told:
    """Row 4: a step in the claimed direction with every dose, where it threatens."""
    places, concepts = _number_places(phrasings)
    rng, place = np.random.default_rng(seed), places["place"].to_numpy()
    same_number = places.groupby(["template", "place"]).ngroup().to_numpy()
    of_number = rng.standard_normal((same_number.max() + 1, len(concepts)))[same_number]
    cosine_UC = HALF * (of_number + rng.standard_normal(of_number.shape))
    threat = (places["kind"] == "threat").to_numpy()
    for c, concept in enumerate(concepts):
        expected = places["expected"].map(lambda of, name=concept: of.get(name, 0)).to_numpy()
        cosine_UC[:, c] += effect * threat * expected * place
    scores = _scores(places, concepts, cosine_UC[None], rng)
    summary, _ = numbers_summary(scores, "plain", 0, **OPTIONS, seed=seed)
    return summary, summary["per_doubling"]


def negation(effect: float, frames: int, seed: int) -> Told:
    """Row 11: what is affirmed is raised before the reply in the last of three layers."""
    places, concepts = _negation_places(frames)
    rng = np.random.default_rng(seed)
    cosine_LUC = rng.standard_normal((N_LAYERS, len(places), len(concepts)))
    affirmed = np.flatnonzero((places["form"] == "affirmed") & (places["span"] == "before reply"))
    own = [concepts.index(name) for name in places["emotion"].iloc[affirmed]]
    cosine_LUC[-1, affirmed, own] += effect
    scores = _scores(places, concepts, cosine_LUC, rng)
    summary, _ = negation_summary(scores, "plain", **OPTIONS, seed=seed)
    return summary, summary["late"]["value"]


def locality(effect: float, conversations: int, seed: int) -> Told:
    """Row 13: the inner story's concept is raised within it, and nowhere else."""
    spans = ["before", "inner", *(f"after {n}" for n in range(1, 7))]
    rng = np.random.default_rng(seed)
    pairs = [(EMOTIONS[n % 15], EMOTIONS[(n + 1 + n // 15) % 15]) for n in range(conversations)]
    places = pd.DataFrame(
        [
            (f"{n:02}", "plain", span, ".", 20, outer, inner)
            for n, (outer, inner) in enumerate(pairs)
            for span in spans
        ],
        columns=["text", "format", "span", "token", "n_tokens", "outer", "inner"],
    )
    of_text = np.repeat(rng.standard_normal((conversations, len(EMOTIONS))), len(spans), axis=0)
    cosine_UC = HALF * (of_text + rng.standard_normal(of_text.shape))
    within = np.flatnonzero(places["span"] == "inner")
    cosine_UC[within, [EMOTIONS.index(name) for name in places["inner"].iloc[within]]] += effect
    scores = _scores(places, EMOTIONS, cosine_UC[None], rng)
    summary, _ = locality_summary(scores, "plain", 0, **OPTIONS, seed=seed)
    return summary, summary["fall"]["value"]


def states(effect: float, scenarios: int, seed: int) -> Told:
    """Row 14: a probe is right so much more often than chance in all conditions but the neutral topic.

    What probes say is drawn, as fitting them to activations would take hours; word counts are at chance.
    """
    rng, chance = np.random.default_rng(seed), 1 / len(EMOTIONS)
    grid = product(CONDITIONS, map(str, range(scenarios)), EMOTIONS)
    replies = pd.DataFrame(grid, columns=["condition", "topic", "emotion"])
    rate = chance + effect * (replies["condition"] != NEUTRAL_TOPIC).to_numpy()
    hits = {
        kind: rng.random(len(replies)) < (rate if kind in ("own", "pooled") else chance)
        for kind in ("own", "pooled", "word counts", "length")
    }
    summary, _ = hits_summary(replies, hits, **OPTIONS, seed=seed)
    for of in summary["conditions"].values():
        of["p"] = 1.0
    return summary, summary["value"]


def speakers(effect: float, topics: int, seed: int) -> Told:
    """Row 15: a message lies along the story vector of its speaker's emotion, and along another one of the listener's.

    The effect is the length of these vectors, over that of a message's noise, half of which is its dialogue's.
    """
    rng, n_emotions = np.random.default_rng(seed), len(EMOTIONS)
    present_CD, other_CD = (
        effect * np.sqrt(WIDTH) * _lengths_1(rng, 2 * n_emotions).reshape(2, n_emotions, -1)
    )
    rows = [
        (topic, EMOTIONS[c], EMOTIONS[(c + shift) % n_emotions])
        for topic in range(topics)
        for shift in rng.choice(n_emotions, 2, replace=False)
        for c in range(n_emotions)
    ]
    dialogues = pd.DataFrame(rows, columns=["topic", "first_emotion", "second_emotion"])
    spans = pd.DataFrame({"span": [f"message {turn}" for turn in range(4)]})
    places = dialogues.assign(text=[f"{n:03}" for n in range(len(rows))]).merge(spans, how="cross")
    messages = message_table(places)
    number = EMOTIONS.index
    of_dialogue = rng.standard_normal((len(rows), WIDTH))[places["text"].astype(int)]
    noise_UD = HALF * (of_dialogue + rng.standard_normal(of_dialogue.shape))[messages.index]
    value_UD = (
        noise_UD + present_CD[messages["present"].map(number)] + other_CD[messages["other"].map(number)]
    )
    stories = dict(zip(EMOTIONS, present_CD if effect else _lengths_1(rng, n_emotions), strict=True))
    # Each resample makes the vectors of all halvings anew.
    options = {"permutations": 39, "bootstraps": 60, "seed": seed}
    summary, _ = speakers_summary(messages.reset_index(drop=True), value_UD, stories, None, **options)
    return summary, effect


STUDIES = {
    "implicit": TextStudy(
        {"implicit": ("3 implicit emotion", reading_claims.implicit_entry)}, "messages a concept", (2, 4, 6),
        (0, 0.25, 0.5, 0.75, 1, 1.5, 2), "own concept's mean score (SD)", implicit,
    ),
    "numbers": TextStudy(
        {"numbers": ("4 numbers", reading_claims.numbers_entry)}, "phrasings a template", (1, 2, 4),
        (0, 0.05, 0.1, 0.15, 0.2, 0.3), "SD a step of the dose", numbers,
    ),
    "negation": TextStudy(
        {"negation": ("11 negation", reading_claims.negation_entry)}, "frames a concept", (1, 3, 6),
        (0, 0.25, 0.5, 0.75, 1, 1.5, 2), "X less not X, late (SD)", negation,
    ),
    "locality": TextStudy(
        {"locality": ("13 locality", reading_claims.locality_entry)}, "conversations", (8, 16, 32),
        (0, 0.25, 0.5, 0.75, 1, 1.5, 2), "fall after the story (SD)", locality,
    ),
    "states": TextStudy(
        {"states": ("14 states", reading_claims.states_entry)}, "scenarios", (5, 8, 16),
        (0, 0.04, 0.06, 0.08, 0.12, 0.2), "accuracy beyond the neutral topic", states,
    ),
    "speakers": TextStudy(
        {"present speaker": ("15 present speaker", reading_claims.present_speaker_entry),
         "other speaker": ("15 other speaker", reading_claims.other_speaker_entry)}, "topics", (5, 8, 15),
        (0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5), "length of the vectors / noise", speakers, seeds=12,
    ),
}  # fmt: skip


def judged(name: str, effect: float, number: int, seed: int) -> list[dict]:
    """The verdicts on an experiment's claims, of one seed."""
    study = STUDIES[name]
    summary, told = study.summarise(effect, number, seed)
    lines = {
        claim: entry("planted", "none", "plain", {"layer": 0} | summary)
        for claim, (_, entry) in study.titles.items()
    }
    return [
        {"claim": claim, "counted": study.counted, "number": number, "planted": effect, "effect": told,
         "found": line["verdict"] == "reproduced"}
        for claim, line in lines.items()
    ]  # fmt: skip


def runs() -> list[tuple[str, float, int, int]]:
    """What `judged` is asked, the slowest first."""
    names = sorted(STUDIES, key=lambda name: name != "speakers")
    return [
        (name, *of)
        for name in names
        for of in product(STUDIES[name].effects, STUDIES[name].numbers, range(STUDIES[name].seeds))
    ]


def _scores(
    places: pd.DataFrame, concepts: list[str], cosine_LUC: np.ndarray, rng: np.random.Generator
) -> PlaceScores:
    random_LUK = rng.standard_normal((*cosine_LUC.shape[:2], N_RANDOM))
    layers = list(range(len(cosine_LUC)))
    return PlaceScores(
        places, concepts, layers, cosine_LUC, np.ones(cosine_LUC.shape[:2]), {"random": random_LUK}
    )


def _lengths_1(rng: np.random.Generator, n: int) -> np.ndarray:
    vectors = rng.standard_normal((n, WIDTH))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _places(texts: Iterable[Text], spans: tuple[str, ...] = ("before reply",)) -> pd.DataFrame:
    """A line a text and span, with the text's labels."""
    texts = list(texts)
    places = pd.DataFrame(
        [(text.id, "plain", span, ".", 1) for text in texts for span in spans],
        columns=["text", "format", "span", "token", "n_tokens"],
    )
    return with_labels(places, texts)


@cache
def _implicit_places(topics: int) -> tuple[pd.DataFrame, list[str]]:
    texts = read_texts(TEXT_SETS / "implicit.jsonl")
    kept = sorted({text.labels["topic"] for text in texts})[:topics]
    places = _places(text for text in texts if text.labels["topic"] in kept)
    return places, sorted(set(places["emotion"]))


@cache
def _number_places(phrasings: int) -> tuple[pd.DataFrame, list[str]]:
    grid = json.loads((TEXT_SETS / "numbers.json").read_text(encoding="utf-8"))
    for template in grid["templates"]:
        for of in (template, template["control"]):
            of["phrasings"] = of["phrasings"][:phrasings]
    places = _places(number_texts(grid))
    return places, sorted({concept for expected in places["expected"] for concept in expected})


@cache
def _negation_places(frames: int) -> tuple[pd.DataFrame, list[str]]:
    grid = json.loads((TEXT_SETS / "negation.json").read_text(encoding="utf-8"))
    grid["frames"] = grid["frames"][:frames]
    places = _places(negation_texts(grid), ("word", "user turn", "before reply"))
    return places, sorted(set(places["emotion"]))
