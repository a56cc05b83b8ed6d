"""A planted and a null case for every claim of the scorecard: the one place to add them for a new analysis.

`CASES` has an entry for each `*_entry` function of `emotion_concepts.scorecard`; a test fails for one
without. The nulls, a random model and plain noise, are the same for all: one tries them on many seeds.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pandas as pd
from transformers import PreTrainedTokenizerBase

from emotion_concepts import lens_scores, scorecard
from emotion_concepts.shards import LayerActivations
from tests.known_answers.analyses import Effort, Found, LensTokens, analyse, summarised
from tests.known_answers.dialogues import LAYER, noise_dialogues
from tests.known_answers.nulls import random_model
from tests.known_answers.planted import CONCEPTS, Planted, story_set

DIMENSIONS = ("valence", "arousal")
WHO = ("known", "stories")
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


def _reading_case(entry: Callable[..., dict], experiment: str, *, least: float) -> Case:
    """A line of an experiment that reads, as plain turns."""
    name = entry.__name__.removesuffix("_entry")
    return Case(lambda found: {name: entry(*WHO, "plain", LAYER, found.reading[experiment])}, least)


CASES = {
    "retrieval_entry": Case(
        lambda found: {"retrieval": scorecard.retrieval_entry(*WHO, found.retrieval)}, least=0.99
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
    "states_entry": _reading_case(scorecard.states_entry, "states", least=0.7),
    "present_speaker_entry": _reading_case(scorecard.present_speaker_entry, "speakers", least=0.8),
    "other_speaker_entry": _reading_case(scorecard.other_speaker_entry, "speakers", least=-0.05),
    "deflection_entry": _reading_case(scorecard.deflection_entry, "unexpressed", least=0.95),
    "post_training_entry": _reading_case(scorecard.post_training_entry, "shift", least=0.005),
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


def null_found(planted: Planted, tokenizer: PreTrainedTokenizerBase, seed: int, **stories) -> Found:
    """A random model reads short stories in which no word is a concept's on two topics."""
    texts = story_set(planted, seed=seed, skip=2, **{"length": 14, "marked": 4} | stories)
    model = random_model(tokenizer, seed)
    found = analyse(model, texts, planted.ratings, skip=2, strength=0.5, effort=NULL_EFFORT, seed=seed)
    # What a random model would read is noise of a few large and many small directions.
    return replace(found, reading=noise_dialogues(seed, spectrum=1.0))


def noise_found(planted: Planted, seed: int) -> Found:
    """No model at all: normal noise for activations and word changes, at two layers that are nearly the same."""
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
        layers, ["same words"] * len(emotions), planted.ratings, changes, lens, steered=[1], strength=0.5,
        effort=NULL_EFFORT, seed=seed,
    )  # fmt: skip
    return replace(found, reading=noise_dialogues(seed))
