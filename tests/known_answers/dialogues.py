"""Texts of rows 14 to 16 and 20 in which the answers are planted, and noise in which there are none."""

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from emotion_concepts.deflection import deflection_summary
from emotion_concepts.models import Model
from emotion_concepts.place_scores import unit_rows
from emotion_concepts.post_training import KINDS, shift_summary
from emotion_concepts.speakers import message_table, speakers_summary
from emotion_concepts.states import CONDITIONS, hits_summary, states_summary
from emotion_concepts.text_sets import Text, plain_dialogue
from tests.known_answers.planted import BOUND, CONCEPTS, Plan, Planted
from tests.known_answers.reading import read_places_of

ASKED = CONCEPTS[::3]
# Nothing of the context is spread before the next block.
LAYER = BOUND
OPTIONS = {"permutations": 199, "bootstraps": 200, "seed": 1}
POST_TRAINED = {"gloomy": 0.4, "enthusiastic": -0.3}


def planted_dialogues() -> dict[str, dict]:
    """The summaries of these rows, of a planted model whose speakers hear each other, and of one shifted from it."""
    planted, shifted = (Planted(Plan(heard_gain=4.0, shift=shift)) for shift in ({}, POST_TRAINED))
    model, trained = (
        Model(of.llama.model(), of.llama.tokenizer(), Path(), "planted", "planted")
        for of in (planted, shifted)
    )
    vectors = dict(zip(CONCEPTS, planted.vectors, strict=True))
    places, value_UD = read_places_of(model, "states", list(state_set(planted)))
    states, _ = states_summary(places, value_UD(LAYER), ["the same"] * len(places), shuffles=19, **OPTIONS)
    places, value_UD = read_places_of(model, "speakers", list(speaker_set(planted)))
    messages = message_table(places)
    asked = {concept: vectors[concept] for concept in ASKED}
    speakers, _ = speakers_summary(
        messages, value_UD(LAYER)[messages.index], asked, planted.ratings, **OPTIONS
    )
    places, value_UD = read_places_of(model, "unexpressed", list(unexpressed_set(planted)))
    deflection, _ = deflection_summary(places, value_UD(LAYER), vectors, **OPTIONS)
    read = [
        {kind: read_places_of(of, kind, list(prompt_set(planted, kind)))[1](LAYER) for kind in KINDS}
        for of in (model, trained)
    ]
    shift, _ = shift_summary(*read, unit_rows(planted.vectors), list(CONCEPTS), **OPTIONS)
    found = {"states": states, "speakers": speakers, "unexpressed": deflection, "shift": shift}
    return {name: summary | {"layer": LAYER} for name, summary in found.items()}


def state_set(planted: Planted) -> Iterator[Text]:
    """In a reply its emotion's markers, or only in the request (hidden), or nowhere (neutral topic)."""
    say = _sayer(planted)
    for condition, topic, concept in product(CONDITIONS, range(planted.plan.topics), ASKED):
        asked = say(concept, topic) if condition == "hidden" else say()
        reply = say() if condition in ("hidden", "neutral_topic") else say(concept, topic)
        labels = {"emotion": concept, "condition": condition, "topic": str(topic)}
        yield _dialogue(f"{condition}-{topic}-{concept}", [asked, reply], labels)


def speaker_set(planted: Planted) -> Iterator[Text]:
    """Each speaker uses the markers of an emotion of their own."""
    say = _sayer(planted)
    for topic, rep, (c, first) in product(range(planted.plan.topics), range(2), enumerate(ASKED)):
        second = ASKED[(3 * c + 2 * topic + rep) % len(ASKED)]
        turns = [say((first, second)[turn % 2], topic) for turn in range(4)]
        labels = {"first_emotion": first, "second_emotion": second, "topic": str(topic)}
        yield _dialogue(f"{topic}-{rep}-{c}", turns, labels)


def unexpressed_set(planted: Planted) -> Iterator[Text]:
    """The true emotion is in what the other one says, another in the reply."""
    say = _sayer(planted)
    for topic, rep, (c, true) in product(range(planted.plan.topics), range(2), enumerate(ASKED)):
        shown = ASKED[(c + 1 + (3 * topic + rep) % (len(ASKED) - 1)) % len(ASKED)]
        labels = {"true_emotion": true, "shown_emotion": shown, "topic": str(topic)}
        yield _dialogue(f"{topic}-{rep}-{c}", [say(true, topic), say(shown, topic)], labels)


def prompt_set(planted: Planted, kind: str) -> Iterator[Text]:
    """Requests of fillers."""
    say = _sayer(planted, seed=KINDS.index(kind))
    for number in range(12):
        yield _dialogue(f"{kind}-{number}", [say()], {"kind": kind})


def noise_dialogues(seed: int, spectrum: float = 0.0) -> dict[str, dict]:
    """The same summaries of normal noise: the k-th of 12 coordinates k^-spectrum times as large as the first.

    A dialogue has noise of its own, beside that of each of its messages.
    """
    rng, options = np.random.default_rng(seed), {"permutations": 39, "bootstraps": 20, "seed": seed}
    size_D = np.arange(1.0, 13) ** -spectrum

    def noise(*shape: int) -> np.ndarray:
        return rng.standard_normal((*shape, len(size_D))) * size_D

    emotions, topics = list("abcd"), range(4)
    vectors = dict(zip(emotions, noise(4), strict=True))
    grid = list(product(CONDITIONS, "123456", "abcd"))
    replies = pd.DataFrame(grid, columns=["condition", "topic", "emotion"])
    # What a probe of noise says; a probe that is made of it says the same (`test_probes_of_noise_are_at_chance`).
    hits = {kind: rng.random(len(grid)) < 0.25 for kind in ("own", "pooled", "word counts", "length")}
    states, _ = hits_summary(replies, hits, **options | {"permutations": 199})
    for of in states["conditions"].values():
        of["p"] = 1.0
    pairs = list(product(topics, emotions, emotions))
    dialogues = pd.DataFrame(pairs, columns=["topic", "first_emotion", "second_emotion"])
    places = dialogues.assign(text=[str(n) for n in range(len(pairs))]).merge(
        pd.DataFrame({"span": [f"message {turn}" for turn in range(4)]}), how="cross"
    )
    messages = message_table(places)
    value_UD = (noise(len(places)) + np.repeat(noise(len(pairs)), 4, axis=0))[messages.index]
    speakers, _ = speakers_summary(messages, value_UD, vectors, None, **options)
    hidden = pd.DataFrame(
        [pair for pair in pairs if pair[1] != pair[2]], columns=["topic", "true_emotion", "shown_emotion"]
    )
    deflection, _ = deflection_summary(hidden, noise(len(hidden)), vectors, **options)
    concepts = ["gloomy", "playful", *(f"concept {n}" for n in range(18))]
    base, step = ({kind: noise(8) for kind in KINDS} for _ in range(2))
    post = {kind: base[kind] + step[kind] for kind in KINDS}
    shift, _ = shift_summary(base, post, unit_rows(noise(20)), concepts, **options | {"permutations": 199})
    found = {"states": states, "speakers": speakers, "unexpressed": deflection, "shift": shift}
    return {name: summary | {"layer": LAYER} for name, summary in found.items()}


def _sayer(planted: Planted, seed: int = 0) -> Callable[..., str]:
    """Gives ten words: fillers, and three markers of a concept."""
    rng = np.random.default_rng(seed)

    def say(concept: str | None = None, topic: int = 0) -> str:
        markers = planted.words_of["markers"][CONCEPTS.index(concept)][topic] if concept else []
        own = rng.choice(markers, 3) if concept else []
        words = [*own, *rng.choice(planted.words_of["fillers"], 10 - len(own))]
        return " ".join(rng.permutation(words))

    return say


def _dialogue(name: str, said: list[str], labels: dict) -> Text:
    messages = [
        {"role": ("user", "assistant")[turn % 2], "content": content} for turn, content in enumerate(said)
    ]
    return Text(name, plain_dialogue(messages), labels=labels, messages=messages)
