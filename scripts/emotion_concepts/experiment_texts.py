"""The experiments' text sets, from what is kept under resources/text_sets: a file, or a grid that is laid out.

A grid says once what many texts share: doses x phrasings, frames x words, conditions x emotions.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

from emotion_concepts.errors import DataError
from emotion_concepts.text_sets import Text, plain_dialogue, read_texts

# Names for the two speakers of a dialogue that is also read as a script.
NAME_PAIRS = (
    ("Mara", "Jonas"), ("Tessa", "Piet"), ("Ruth", "Omar"), ("Ines", "Karl"), ("Nora", "Felix"), ("Leila", "Tom"),
    ("Vera", "Hugo"), ("Amy", "Luis"),
)  # fmt: skip


def experiment_texts(name: str, path: Path) -> list[Text]:
    """The texts of an experiment, from its file.

    Raises
    ------
    DataError
        The file is not a text set, or a grid lacks one of its parts; names the file.
    """
    path = Path(path)
    if path.suffix != ".json":
        texts = read_texts(path)
        return [*texts, *scripts_of(texts)] if name == "speakers" else texts
    try:
        return list(GRIDS[name](json.loads(path.read_text(encoding="utf-8"))))
    except json.JSONDecodeError as error:
        raise DataError(f"{path}:{error.lineno}: not JSON: {error.msg}") from None
    except KeyError as error:
        raise DataError(f"{path}: the grid of {name!r} lacks {error.args[0]!r}") from None


def number_texts(grid: Mapping) -> Iterator[Text]:
    """Templates x (threat, control) x phrasings x doses; the dose's place in its series is a label too.

    `expected` has the sign with which a concept should follow the dose, of the threatening number alone.
    """
    for template in grid["templates"]:
        kinds = (("threat", template["phrasings"]), ("control", template["control"]["phrasings"]))
        for (kind, phrasings), (place, dose) in product(kinds, enumerate(template["doses"])):
            for number, phrasing in enumerate(phrasings):
                yield _message(
                    f"numbers-{template['name']}-{kind}-{number}-{dose}".replace(" ", "-"),
                    _filled(phrasing, "{dose}", str(dose)),
                    {
                        "template": template["name"], "kind": kind, "phrasing": number, "dose": dose,
                        "place": place, "expected": template["expected"],
                    },
                )  # fmt: skip


def negation_texts(grid: Mapping) -> Iterator[Text]:
    """Frames x concepts, each affirmed and negated, with the place of the concept's word."""
    for (number, frame), (concept, word) in product(enumerate(grid["frames"]), grid["words"].items()):
        for form in ("affirmed", "negated"):
            said = _filled(frame[form], "{word}", word)
            start = frame[form].index("{word}")
            text = _message(
                f"negation-{number}-{concept}-{form}",
                said,
                {"emotion": concept, "frame": number, "form": form},
            )
            yield replace(text, spans={"word": (0, start, start + len(word))})


def state_texts(grid: Mapping) -> Iterator[Text]:
    """Conditions x scenarios x emotions: a state is told in the user's turn, and a reply follows.

    A reply is the same for every emotion where the condition says that nothing of the state shows.
    """
    for condition, about in grid["conditions"].items():
        for (number, scenario), emotion in product(enumerate(about["scenarios"]), grid["emotions"]):
            replies = scenario["reply"]
            reply = replies if isinstance(replies, str) else replies[emotion]
            asked = about["told"].replace("{request}", scenario["request"]).replace("{emotion}", emotion)
            yield _dialogue(
                f"states-{condition}-{number}-{emotion}",
                [{"role": "user", "content": asked}, {"role": "assistant", "content": reply}],
                {"emotion": emotion, "condition": condition, "topic": f"{number}"},
            )


def scripts_of(dialogues: Sequence[Text]) -> Iterator[Text]:
    """The same dialogues as a script of two named people, each turn a span: `message 0`, `message 1`, .."""
    for number, dialogue in enumerate(dialogues):
        if not dialogue.messages:
            raise DataError(f"text {dialogue.id}: a dialogue of two speakers needs 'messages'")
        names, said, spans = NAME_PAIRS[number % len(NAME_PAIRS)], "", {}
        for turn, message in enumerate(dialogue.messages):
            said += f"{names[turn % 2]}: "
            spans[f"message {turn}"] = (len(said), len(said) + len(message["content"]))
            said += message["content"] + "\n\n"
        yield Text(
            f"{dialogue.id}-named", said.rstrip(), topic=dialogue.topic,
            labels=dialogue.labels | {"names": list(names), "format": "named"}, spans=spans,
        )  # fmt: skip


GRIDS: dict[str, Callable[[Mapping], Iterator[Text]]] = {
    "numbers": number_texts,
    "negation": negation_texts,
    "states": state_texts,
}


def _filled(form: str, gap: str, word: str) -> str:
    """A form with its gap filled; without the gap it would be the same text again and again."""
    if gap not in form:
        raise KeyError(gap)
    return form.replace(gap, word)


def _message(name: str, content: str, labels: dict) -> Text:
    return _dialogue(name, [{"role": "user", "content": content}], labels)


def _dialogue(name: str, messages: list[dict], labels: dict) -> Text:
    return Text(name, plain_dialogue(messages), labels=labels, messages=messages)
