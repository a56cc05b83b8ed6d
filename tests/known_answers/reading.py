"""What the workflow reads at the places of an experiment's texts, without files."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from transformers import PreTrainedTokenizerBase

from emotion_concepts import messages, positions
from emotion_concepts.experiments import EXPERIMENTS, PROMPTS
from emotion_concepts.models import Model
from emotion_concepts.place_scores import PlaceScores, score_places, with_labels
from emotion_concepts.span_recording import places_table, read_batch, read_in_formats
from emotion_concepts.text_sets import Text, plain_dialogue
from emotion_concepts.vectors import EmotionVectors
from tests.known_answers.planted import CONCEPTS, DOSES, NAMES, Planted


def read_places_of(
    model: Model, name: str, texts: Sequence[Text], formats: Sequence[str] = ("plain",)
) -> tuple[pd.DataFrame, Callable[[int], np.ndarray]]:
    """The places of an experiment's texts with their labels, and the residual stream there by layer."""
    limits = dict.fromkeys(formats)
    read = read_in_formats(texts, (EXPERIMENTS | PROMPTS)[name], model.tokenizer, limits)
    table = places_table(read)
    places = with_labels(table.drop(columns="digest"), texts)
    digests = list(dict.fromkeys(table["digest"]))
    batch = read_batch(model, read, "padded", digests, list(range(len(read))))
    rows = [digests.index(digest) for digest in table["digest"]]
    value_LUD = batch.value_LUD[:, rows]
    places["n_tokens"] = batch.n_tokens_U[rows]
    return places, lambda layer: value_LUD[layer]


def unread_places(tokenizer: PreTrainedTokenizerBase, name: str, texts: Sequence[Text]) -> pd.DataFrame:
    """The places of an experiment's texts with their labels, which no model has read."""
    read = read_in_formats(texts, EXPERIMENTS[name], tokenizer, {"plain": None})
    places = with_labels(places_table(read).drop(columns="digest"), texts)
    return places.assign(n_tokens=[int(place.counted.sum()) for text in read for place in text.places])


def planted_texts(planted: Planted, topic: int, seed: int = 5) -> dict[str, list[Text]]:
    """Texts for each experiment in the planted model's words, a concept's being those of one topic.

    Before a reply the planted model reads another concept than the one said (`turns`), so this is the one that
    such texts are labelled with.
    """
    rng = np.random.default_rng(seed)
    fillers, markers = planted.words_of["fillers"], planted.words_of["markers"]

    def some(count: int, *more: str) -> str:
        """Fillers, then these words, in any order."""
        return " ".join(rng.permutation([*rng.choice(fillers, count), *more]))

    def marked(concept: int, count: int = 1) -> list[str]:
        return list(rng.choice(markers[concept][topic], count))

    def replied(concept: int) -> str:
        return CONCEPTS[planted.reply_of[concept]]

    return {
        "implicit": _implicit(some, marked, replied),
        "numbers": _numbers(some, replied),
        "turns": _turns(some, marked, planted.reply_of),
        "context": _context(some, marked, replied),
        "negation": _negation(some, marked, replied),
        "binding": _binding(some, marked),
        "locality": _locality(some, marked),
    }


def reading_summaries(
    scores_of: Callable[[str], PlaceScores], at: int, *, permutations: int, bootstraps: int, seed: int
) -> dict[str, dict]:
    """The summaries of rows 3, 4 and 9 to 13 in plain turns, at one layer where they want one."""
    options = {"permutations": permutations, "bootstraps": bootstraps, "seed": seed}
    found = {
        "implicit": lambda s: messages.implicit_summary(s, "plain", None, **options),
        "numbers": lambda s: messages.numbers_summary(s, "plain", at, **options),
        "turns": lambda s: positions.turns_summary(s, "plain", at, **options),
        "context": lambda s: positions.context_summary(s, "plain", **options),
        "negation": lambda s: positions.negation_summary(s, "plain", **options),
        "binding": lambda s: positions.binding_summary(s, "plain", **options),
        "locality": lambda s: positions.locality_summary(s, "plain", at, **options),
    }
    return {name: summarise(scores_of(name))[0] for name, summarise in found.items()}


def read_scores(
    model: Model, vectors: EmotionVectors, texts: dict[str, list[Text]]
) -> Callable[[str], PlaceScores]:
    """Gives the scores of an experiment's texts, as the workflow would have them."""

    def scores_of(name: str) -> PlaceScores:
        places, value_UD = read_places_of(model, name, texts[name])
        return score_places(places, value_UD, vectors, vectors.raw_LCD[:, ::-1], seed=1)

    return scores_of


def noise_scores(places_of: dict[str, pd.DataFrame], seed: int) -> Callable[[str], PlaceScores]:
    """Normal noise for what is read at these places, at three layers."""
    rng = np.random.default_rng(seed)

    def scores_of(name: str) -> PlaceScores:
        places = places_of[name]
        shape = (3, len(places))
        return PlaceScores(
            places, list(CONCEPTS), [0, 1, 2], rng.standard_normal((*shape, len(CONCEPTS))), np.ones(shape),
            {name: rng.standard_normal((*shape, 20)) for name in ("random", "orthogonal")},
        )  # fmt: skip

    return scores_of


def _message(name: str, text: str, **labels) -> Text:
    return Text(name, f"Human: {text}", labels=labels, messages=[{"role": "user", "content": text}])


def _implicit(some, marked, replied) -> list[Text]:
    return [
        _message(f"implicit-{c}-{k}", some(8, *marked(c)), emotion=replied(c), topic=f"t{k}")
        for c in range(0, 24, 2)
        for k in range(4)
    ]


def _numbers(some, replied) -> list[Text]:
    expected = {replied(CONCEPTS.index("afraid")): 1, replied(CONCEPTS.index("calm")): -1}
    texts = []
    for kind, unit in (("threat", "mg"), ("control", "pages")):
        for phrasing in range(6):
            before, after = some(2), some(2)
            texts += [
                _message(
                    f"numbers-{kind}-{phrasing}-{dose}", f"{before} {dose} {unit} {after}", template="dose",
                    kind=kind, phrasing=phrasing, dose=dose, place=place, expected=expected,
                )
                for place, dose in enumerate(DOSES[2:10])
            ]  # fmt: skip
    return texts


def _turns(some, marked, reply_of) -> list[Text]:
    texts = []
    for c in range(24):
        said = [some(6, *marked(c)) + " " + marked(c)[0], some(4, *marked(int(reply_of[c]), 2))]
        messages_ = [
            {"role": role, "content": text} for role, text in zip(("user", "assistant"), said, strict=True)
        ]
        texts.append(Text(f"turns-{c}", f"Human: {said[0]}\n\nAssistant: {said[1]}", messages=messages_))
    return texts


def _context(some, marked, replied) -> list[Text]:
    texts = []
    for k in range(12):
        good, bad = 2 * k, 2 * k + 1
        start, suffix = some(2), some(14)
        for side, concept in (("good", good), ("bad", bad)):
            word = marked(concept)[0]
            text = f"{start} {word} {suffix}"
            # The suffix has the context's own concept, and not the reply's.
            labels = {"good concept": CONCEPTS[good], "bad concept": CONCEPTS[bad]}
            at = len(start) + 1
            spans = {"change": (0, at, at + len(word)), "suffix": (0, at + len(word) + 1, len(text))}
            made = _message(f"context-{k}-{side}", text, pair=f"{k}", side=side, **labels)
            texts.append(replace(made, spans=spans))
    return texts


def _negation(some, marked, replied) -> list[Text]:
    texts = []
    for c in range(0, 24, 2):
        for frame in range(4):
            start, word, end = some(3), marked(c)[0], some(2)
            for form, no in (("affirmed", ""), ("negated", "not ")):
                at = len(start) + 1 + len(no)
                made = _message(
                    f"negation-{c}-{frame}-{form}",
                    f"{start} {no}{word} {end}",
                    emotion=replied(c),
                    frame=frame,
                    form=form,
                )
                texts.append(replace(made, spans={"word": (0, at, at + len(word))}))
    return texts


def _binding(some, marked) -> list[Text]:
    texts = []
    for k in range(24):
        pair = [k, (k + 7) % 24]
        names = [NAMES[k % 4], NAMES[(k + 1) % 4]]
        told = [f"{name} {some(2, *marked(c, 2))}" for name, c in zip(names, pair, strict=True)]
        order = (0, 1) if k % 2 else (1, 0)
        text, spans = f"{told[0]} . {told[1]} . ", {}
        spans["first state"], spans["second state"] = (0, len(told[0])), (len(told[0]) + 3, len(text) - 3)
        for person in order:
            spans[f"{('first', 'second')[person]} again"] = (len(text), len(text) + len(names[person]))
            text += f"{names[person]} {some(2)} . "
        labels = {"first": CONCEPTS[pair[0]], "second": CONCEPTS[pair[1]]}
        texts.append(Text(f"binding-{k}", text.rstrip(), labels=labels, spans=spans))
    return texts


def _locality(some, marked) -> list[Text]:
    texts = []
    for k in range(16):
        outer, inner = k, (k + 9) % 24
        said = [some(8, *marked(outer, 2)), some(8, *marked(outer, 2)), some(3), some(4, *marked(inner, 6))]
        after = [[some(8, *marked(outer)) for _ in range(2)] for _ in range(2)]
        said += [" ".join(sentences) for sentences in after]
        spans = {"before": (1, 0, len(said[1])), "inner": (3, 0, len(said[3]))}
        for message, sentences in enumerate(after):
            first = len(sentences[0])
            spans[f"after {2 * message + 1}"] = (4 + message, 0, first)
            spans[f"after {2 * message + 2}"] = (4 + message, first + 1, len(said[4 + message]))
        turns = [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(said)]
        labels = {"outer": CONCEPTS[outer], "inner": CONCEPTS[inner]}
        texts.append(Text(f"locality-{k}", plain_dialogue(turns), labels=labels, messages=turns, spans=spans))
    return texts
