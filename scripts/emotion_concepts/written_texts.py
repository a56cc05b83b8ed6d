"""What is written: which cells a story or dialogue set has, and how a reply becomes a text."""

import re
from collections.abc import Mapping, Sequence
from itertools import product

from emotion_concepts.config_texts import Checks
from emotion_concepts.story_checks import HEADING, REMARK, Vocabulary, reason_of, story_faults
from emotion_concepts.text_sets import Text, plain_dialogue
from emotion_concepts.writing import Cell, whole_sentences

# How the turns of a dialogue are marked in a reply.
ROLES = {"Human": "user", "Assistant": "assistant", "System": "system"}
FEWEST_WORDS = 40


def story_cells(emotions: Sequence[str], topics: Mapping[str, str]) -> list[Cell]:
    """Every concept with every topic; the grammatical person alternates from call to call."""
    persons = ({"person": "first"}, {"person": "third"})
    return [
        Cell(
            id=f"{emotion}-{name}".replace(" ", "-"),
            variables={"emotion": emotion, "topic": topic},
            labels={"emotion": emotion, "topic": name},
            # By topic and not by concept: a concept that is added changes nobody's person.
            variants=persons if place % 2 == 0 else persons[::-1],
        )
        for emotion, (place, (name, topic)) in product(emotions, enumerate(topics.items()))
    ]


def story_of(
    cell: Cell,
    variant: Mapping[str, object],
    draft: str,
    *,
    emotions: Sequence[str],
    vocabulary: Vocabulary,
    checks: Checks,
) -> Text | str:
    """A draft as a story, or the first fault for which it is dropped."""
    story = Text(
        cell.id, whole_sentences(draft), cell.labels["emotion"], cell.labels["topic"], variant["person"]
    )
    reasons = [reason_of(fault) for fault in story_faults(story, emotions, vocabulary, checks)]
    return next((reason for reason in reasons if reason in checks.drop), story)


def dialogue_cells(kind: str, emotions: Sequence[str] | None, topics: Mapping[str, str]) -> list[Cell]:
    """The cells of a dialogue set.

    neutral: each topic, with and without a system prompt in turn. speakers: each ordered pair of
    concepts, equal ones too. unexpressed: each ordered pair of different concepts, the true one first.
    Pairs take the topics in turn.
    """
    if kind == "neutral":
        variants = ({"system": False}, {"system": False}, {"system": True})
        return [
            Cell(f"{kind}-{name}", {"topic": topic}, {"topic": name}, variants)
            for name, topic in topics.items()
        ]
    names = ("first", "second") if kind == "speakers" else ("true", "shown")
    pairs = [pair for pair in product(emotions or (), repeat=2) if kind == "speakers" or pair[0] != pair[1]]
    cells = []
    for place, pair in enumerate(pairs):
        name, topic = list(topics.items())[place % len(topics)]
        about = dict(zip(names, pair, strict=True))
        labels = {**{f"{key}_emotion": value for key, value in about.items()}, "topic": name}
        cells.append(Cell(f"{kind}-{'-'.join(pair)}".replace(" ", "-"), {"topic": topic, **about}, labels))
    return cells


def dialogue_of(
    cell: Cell, _variant: Mapping[str, object], draft: str, *, kind: str, vocabulary: Vocabulary
) -> Text | str:
    """A draft as a dialogue, or the fault for which it is dropped."""
    turns = turns_of(draft)
    if turns is None:
        return "not a dialogue in turns"
    spoken = " ".join(content for _, content in turns)
    if len(spoken.split()) < FEWEST_WORDS:
        return "too short"
    if HEADING.search(spoken) or REMARK.search(turns[0][1]):
        return "heading or remark"
    forbidden = (
        list(vocabulary.forms) if kind == "neutral" else [v for k, v in cell.labels.items() if k != "topic"]
    )
    if vocabulary.named(spoken, forbidden).keys() & set(forbidden):
        return "names a concept"
    messages = [{"role": ROLES[speaker], "content": content} for speaker, content in turns]
    labels = {key: value for key, value in cell.labels.items() if key != "topic"}
    return Text(
        cell.id, plain_dialogue(messages), topic=cell.labels["topic"], labels=labels, messages=messages
    )


def turns_of(draft: str) -> list[tuple[str, str]] | None:
    """Turns of `Human: ..` and `Assistant: ..`, or None if the two do not speak in turn, the Human first.

    A system prompt may stand before them. A last turn that breaks off is cut after its last whole
    sentence, and left out if none is whole.
    """
    pieces = re.split(rf"^\s*({'|'.join(ROLES)})\s*:", draft, flags=re.MULTILINE)
    if pieces[0].strip():
        return None
    turns = [(name, " ".join(said.split())) for name, said in zip(pieces[1::2], pieces[2::2], strict=True)]
    if turns:
        name, said = turns.pop()
        turns += [(name, whole)] if (whole := whole_sentences(said)) else []
    spoken = turns[1:] if turns and turns[0][0] == "System" else turns
    in_turn = all(name == ("Human", "Assistant")[place % 2] for place, (name, _) in enumerate(spoken))
    return turns if len(spoken) >= 2 and in_turn and all(said for _, said in turns) else None
