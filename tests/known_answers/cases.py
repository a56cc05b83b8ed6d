"""A planted and a null case for every claim of the scorecard: the one place to add them for a new analysis.

`CASES` has an entry for each `*_entry` function of `scorecard` and `reading_claims`; a test fails for one
without. The nulls, a random model and plain noise, are the same for all: one tries them on many seeds.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pandas as pd
from transformers import PreTrainedTokenizerBase

from emotion_concepts import lens_scores, reading_claims, scorecard, steering_claims
from emotion_concepts.corpora import Passage
from emotion_concepts.models import Model
from emotion_concepts.shards import LayerActivations
from emotion_concepts.sweep import ScoredPassage
from emotion_concepts.text_sets import Text
from tests.known_answers.analyses import (
    N_RANDOM,
    Effort,
    Found,
    LensTokens,
    ReadTexts,
    TextsOfOthers,
    analyse,
    summarised,
    with_reading,
)
from tests.known_answers.choices import NULLS, PLANTED, preference_summaries
from tests.known_answers.conduct_scores import conduct_summaries
from tests.known_answers.dialogues import noise_dialogues, planted_dialogues
from tests.known_answers.nulls import random_model
from tests.known_answers.planted import CONCEPTS, Planted, corpus_set, story_set
from tests.known_answers.reading import noise_at_places, planted_texts, read_scores

DIMENSIONS = ("valence", "arousal")
WHO = ("known", "stories")
# The layer that the experiments that read are told of: the planted reply is there.
LAYER = 6
NULL_EFFORT = Effort(max_splits=6, shuffles=39, permutations=199, bootstraps=200)


@dataclass(frozen=True)
class Case:
    """One claim of the scorecard.

    entries : its lines, as {name: line}, from what the analyses found; least : the least value that they
    have where the answer is planted; more_p : p-values that the lines only speak of, as {name: p}.
    """

    entries: Callable[[Found], dict[str, dict]]
    least: float
    more_p: Callable[[Found], dict[str, float]] = lambda found: {}


def _reading(name: str, entry: Callable[..., dict], *, least: float, of: str | None = None, **more) -> Case:
    """An experiment that reads, in plain turns; `of` is its name where it has several claims."""
    return Case(lambda found: {name: entry(*WHO, "plain", found.reading[of or name])}, least, **more)


CASES = {
    "retrieval_entry": Case(
        lambda found: {"retrieval": scorecard.retrieval_entry(*WHO, found.retrieval)}, least=0.99
    ),
    "corpus_entry": Case(
        # Three names in one of two snippets are 1.5 less the others'; a concept nearby may come first at one document.
        lambda found: {"corpus": scorecard.corpus_entry(*WHO, found.sweep)},
        least=1.1,
    ),
    "labelled_entry": Case(
        lambda found: {"labelled": scorecard.labelled_entry(*WHO, found.labels)}, least=0.95
    ),
    "lens_entry": Case(lambda found: {"lens": scorecard.lens_entry(*WHO, found.lens)}, least=0.99),
    "component_entry": Case(
        lambda found: {
            f"component {d}": scorecard.component_entry(*WHO, found.components, d, 0.5) for d in DIMENSIONS
        },
        least=0.95,
        more_p=lambda found: {f"best component {d}": found.components[d]["best_p"] for d in DIMENSIONS},
    ),
    "regression_entry": Case(
        lambda found: {
            f"regression {d}": scorecard.regression_entry(*WHO, found.regression, d) for d in DIMENSIONS
        },
        least=0.95,
    ),
    "steered_words_entry": Case(
        # Own against others, in nats: two blocks of .05 x 64, twice for the first, gain 2, cosine .5 or more.
        lambda found: {"words": scorecard.steered_words_entry(*WHO, found.words)},
        least=5.0,
    ),
    "implicit_entry": _reading("implicit", reading_claims.implicit_entry, least=0.95),
    "numbers_entry": _reading(
        "numbers",
        reading_claims.numbers_entry,
        least=0.95,
        more_p=lambda found: {
            f"numbers: claim {k}": of["p"] for k, of in enumerate(found.reading["numbers"]["by_template"])
        },
    ),
    # Before the reply stands what the reply has, and the user's turn has something else.
    "turns_entry": _reading("turns", reading_claims.turns_entry, least=0.5),
    # In standard deviations over the texts: how large depends on what else the texts hold.
    "context_entry": _reading("context", reading_claims.context_entry, least=0.5),
    "negation_entry": _reading("negation", reading_claims.negation_entry, least=2.0),
    "binding_entry": _reading("binding", reading_claims.binding_entry, least=0.5),
    "locality_entry": _reading("locality", reading_claims.locality_entry, least=2.0),
    "states_entry": _reading("states", reading_claims.states_entry, least=0.7),
    "present_speaker_entry": _reading(
        "present speaker", reading_claims.present_speaker_entry, least=0.8, of="speakers"
    ),
    "other_speaker_entry": _reading(
        "other speaker", reading_claims.other_speaker_entry, least=-0.05, of="speakers"
    ),
    "deflection_entry": _reading("unexpressed", reading_claims.deflection_entry, least=0.95),
    "preference_entry": _reading("preferences", steering_claims.preference_entry, least=0.6),
    "preference_valence_entry": _reading(
        "valence", steering_claims.preference_valence_entry, least=0.7, of="preferences"
    ),
    "preference_causal_entry": _reading("causes", steering_claims.preference_causal_entry, least=0.7),
    # Half a nat a token is planted, in each direction that is claimed.
    **{
        f"{name}_entry": _reading(name, entry, least=0.4)
        for name, entry in steering_claims.CONDUCT_ENTRIES.items()
    },
    "post_training_entry": _reading("shift", reading_claims.post_training_entry, least=0.005),
}


@dataclass(frozen=True)
class NullStudy:
    """What many null models gave: p-values and verdicts by name, one a seed."""

    p: dict[str, np.ndarray]
    verdicts: dict[str, np.ndarray]
    values: dict[str, np.ndarray]
    names: dict[str, list[str]]

    def of(self, claim: str) -> "NullStudy":
        """The part of one claim of `CASES`."""
        names = set(self.names[claim])
        parts = (
            {k: v for k, v in all_.items() if k in names} for all_ in (self.p, self.verdicts, self.values)
        )
        return NullStudy(*parts, {claim: self.names[claim]})


def null_study(null: Callable[[int], Found], seeds: range) -> NullStudy:
    """Every claim on a fresh null for each seed."""
    p, verdicts, values, names = {}, {}, {}, {}
    for seed in seeds:
        found = null(seed)
        for claim, case in CASES.items():
            lines, more = case.entries(found), case.more_p(found)
            names[claim] = [*lines, *more]
            for name, line in lines.items():
                p.setdefault(name, []).append(line["p"])
                values.setdefault(name, []).append(line["value"])
                verdicts.setdefault(name, []).append(line["verdict"])
            for name, value in more.items():
                p.setdefault(name, []).append(value)
    kept = ({name: np.array(v) for name, v in all_.items()} for all_ in (p, verdicts, values))
    return NullStudy(*kept, names)


def told_stories(planted: Planted, **stories) -> list[Text]:
    """Stories of all topics but the last, whose words the texts of the experiments have: no story has those."""
    return [
        story for story in story_set(planted, **stories) if story.topic != f"topic {planted.plan.topics - 1}"
    ]


def planted_found(planted: Planted, model: Model) -> Found:
    """What is found in the planted model: the stories' part, and what the experiments read at `LAYER`."""
    found = analyse(model, told_stories(planted), planted.ratings, texts_of_others(planted, 1))
    texts = planted_texts(planted, planted.plan.topics - 1)
    found = with_reading(found, read_scores(model, found.vectors, texts), LAYER)
    return _with_more(found, planted_dialogues() | _steered(1, planted=True))


def null_found(planted: Planted, tokenizer: PreTrainedTokenizerBase, seed: int, **stories) -> Found:
    """A random model reads short stories in which no word is a concept's on two topics."""
    told = told_stories(planted, seed=seed, skip=2, **{"length": 14, "marked": 4} | stories)
    model = random_model(tokenizer, seed)
    others = texts_of_others(planted, seed, marked=0)
    found = analyse(
        model, told, planted.ratings, others, tfidf_NL=noise_scores(others, seed), skip=2, strength=0.5,
        effort=NULL_EFFORT, seed=seed,
    )  # fmt: skip
    texts = planted_texts(planted, planted.plan.topics - 1, seed=seed)
    found = with_reading(found, read_scores(model, found.vectors, texts), 1, NULL_EFFORT, seed)
    # What a random model would read of dialogues is noise of a few large and many small directions.
    return _with_more(found, noise_dialogues(seed, spectrum=1.0) | _steered(seed, planted=False))


def texts_of_others(planted: Planted, seed: int, marked: int = 4) -> TextsOfOthers:
    """A corpus in which the concepts' names stand, and texts labelled with ten concepts, which `marked` words tell.

    Each of these words is in texts of one topic alone, so that counting words does not find a label.
    """
    stories = story_set(planted, length=20, marked=marked, skip=1, seed=seed + 1000)
    labelled = [text for text in stories if text.emotion in CONCEPTS[::3]]
    return TextsOfOthers(corpus_set(planted, seed=seed + 2000), labelled)


def noise_scores(others: TextsOfOthers, seed: int) -> np.ndarray:
    """In the place of word counts, which could only take a false finding away."""
    return np.random.default_rng(seed + 3000).standard_normal(others.truth.shape)


def _noise_read(others: TextsOfOthers, seed: int) -> ReadTexts:
    """Texts of others, every cosine and activation normal noise."""
    rng = np.random.default_rng(seed + 4000)

    def passage(text: Text) -> ScoredPassage:
        places = np.array([found.span() for found in re.finditer(r"\S+", text.text)])
        cosines = rng.normal(0, 0.1, (len(places), len(CONCEPTS) + N_RANDOM)).astype(np.float32)
        counted = np.ones(len(places), bool)
        return ScoredPassage(Passage(text.id, 0, text.text, len(places)), places, counted, cosines)

    return ReadTexts(
        others,
        lambda layer: [passage(text) for text in others.corpus],
        lambda layer: rng.standard_normal((len(others.labelled), 64)).astype(np.float32),
        noise_scores(others, seed),
    )


def noise_found(planted: Planted, places_of: dict[str, pd.DataFrame], seed: int) -> Found:
    """No model at all: normal noise for activations, word changes and scores, at layers that are nearly the same."""
    rng = np.random.default_rng(seed)
    emotions, topics = (labels.ravel() for labels in np.meshgrid(CONCEPTS, [f"t{i}" for i in range(4)]))
    noise = rng.standard_normal((len(emotions), 64)).astype(np.float32)
    ones = np.ones(len(emotions))
    layers = [LayerActivations(emotions, emotions, topics, noise * (1 + k), ones, ones) for k in range(2)]
    words = CONCEPTS[:12]
    kinds = dict.fromkeys(words, "concept") | {f"random-{i}": "random" for i in range(5)}
    changes = pd.DataFrame(
        [
            (prompt, direction, kind, word, 0.0, rng.standard_normal())
            for prompt, (direction, kind), word in product(("he", "you"), kinds.items(), words)
        ],
        columns=["prompt", "direction", "kind", "word", "logprob", "change"],
    )
    tokens = np.argsort(rng.random((3, len(CONCEPTS), 500)), axis=-1)[..., : lens_scores.TOP]
    lens = LensTokens(np.stack([tokens[0], tokens[1]]), tokens[2], {c: {i} for i, c in enumerate(CONCEPTS)})
    found = summarised(
        layers, ["same words"] * len(emotions), planted.ratings, changes, lens,
        _noise_read(texts_of_others(planted, seed), seed), steered=[1], strength=0.5, effort=NULL_EFFORT, seed=seed,
    )  # fmt: skip
    found = with_reading(found, noise_at_places(places_of, seed), 1, NULL_EFFORT, seed)
    return _with_more(found, noise_dialogues(seed) | _steered(seed, planted=False))


def _steered(seed: int, *, planted: bool) -> dict[str, dict]:
    """What steering would leave, from tables alone: preferences and conduct."""
    options = {"permutations": NULL_EFFORT.permutations, "bootstraps": NULL_EFFORT.bootstraps}
    preferences, causes = preference_summaries(PLANTED if planted else NULLS["nothing"], seed, **options)
    return {"preferences": preferences, "causes": causes} | conduct_summaries(
        seed, planted=planted, **options
    )


def _with_more(found: Found, summaries: dict[str, dict]) -> Found:
    return replace(found, reading=found.reading | summaries)
