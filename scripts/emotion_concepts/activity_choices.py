"""Which of two activities a model would rather do, steered or not (method.md, rows 6 and 7).

Shape letters: N activities, L layers, D width.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import pandas as pd

from emotion_concepts.errors import DataError
from emotion_concepts.models import Model
from emotion_concepts.recording import Pooling, record_pooled
from emotion_concepts.sequence_scores import ScoredSequence, token_logprobs
from emotion_concepts.spans import Rendered, Span, rendered, tokenise_rendered, tokens_of
from emotion_concepts.steering import Edits
from emotion_concepts.text_sets import Text
from emotion_concepts.tokens import TokenisedText

# The question comes first, so that little stands after the second activity: that is read for every pair.
QUESTION = "Which of these two would you rather do next? Name its letter alone.\n(A) {first}\n(B) {second}"
LETTERS = ("A", "B")


@dataclass(frozen=True)
class Choice:
    """A prompt that offers two activities: its tokens, and those of each activity (bool [T])."""

    first: str
    second: str
    tokens: TokenisedText
    of_first: np.ndarray
    of_second: np.ndarray


def balanced(activities: Sequence[Text], count: int | None) -> list[Text]:
    """The first activities of each category, as many of each, `count` in all at most; None takes all.

    Raises
    ------
    DataError
        An activity has no category, or there are not that many of each.
    """
    by_category: dict[str, list[Text]] = defaultdict(list)
    for activity in activities:
        if "category" not in activity.labels:
            raise DataError(f"activity {activity.id}: needs a label 'category'")
        by_category[activity.labels["category"]].append(activity)
    if count is None:
        return list(activities)
    each = count // len(by_category)
    short = [name for name, of in by_category.items() if len(of) < each]
    if not each or short:
        raise DataError(
            f"{count} activities asked for: {each} of each category, but there are fewer"
            + (f" of {short[0]!r}" if short else "")
        )
    return [activity for of in by_category.values() for activity in of[:each]]


def choices(
    model: Model, activities: Sequence[Text], steered: frozenset[str] | None = None, *, chat: bool
) -> list[Choice]:
    """A prompt for every ordered pair; given the steered half, for each of it with each of the others."""
    pairs = [
        (first, second)
        for first, second in permutations(activities, 2)
        if steered is None or (first.id in steered) != (second.id in steered)
    ]
    texts = [_offer(first.text, second.text) for first, second in pairs]
    prompts = [_opened(rendered(text, model.tokenizer, chat_template=chat), chat) for text in texts]
    tokens = tokenise_rendered(model.tokenizer, prompts, chat_template=chat)
    return [
        Choice(
            first.id,
            second.id,
            own,
            tokens_of(own, prompt.spans["first"]),
            tokens_of(own, prompt.spans["second"]),
        )
        for (first, second), prompt, own in zip(pairs, prompts, tokens, strict=True)
    ]


def scored_choices(
    model: Model,
    offered: Sequence[Choice],
    edits: Edits,
    names: Sequence[str],
    kinds: Sequence[str],
    steered: frozenset[str] = frozenset(),
    *,
    chat: bool,
) -> pd.DataFrame:
    """What the model chooses under each direction.

    Parameters
    ----------
    edits, names, kinds
        A row a direction; the unsteered one is named with edit row -1 by `kinds` "unsteered".
    steered : set of activities' ids
        Those on whose own tokens the direction is added, wherever they stand.

    Returns
    -------
    DataFrame
        direction, kind, first, second, steered (which of the two; empty if none is), logit (log p(A) - log p(B)),
        mass (p(A) + p(B)).
    """
    letters = [model.tokenizer(letter, add_special_tokens=False)["input_ids"][:1] for letter in LETTERS]
    if not all(letters) or letters[0] == letters[1]:
        raise DataError(f"{type(model.tokenizer).__name__}: has no tokens for the letters A and B")
    sequences, rows = [], []
    for row, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        for choice in offered:
            where = choice.of_first * (choice.first in steered) | choice.of_second * (
                choice.second in steered
            )
            for letter in letters:
                ids = np.append(choice.tokens.ids, letter).astype(np.int64)
                edit = -1 if kind == "unsteered" else row
                sequences.append(ScoredSequence(ids, 1, edit, np.append(where, [False])))
            on = next((of for of in (choice.first, choice.second) if of in steered), "")
            rows.append((name, kind, choice.first, choice.second, on))
    logprob = np.concatenate(token_logprobs(model, sequences, edits, shown_as="choices")).reshape(-1, 2)
    table = pd.DataFrame(rows, columns=["direction", "kind", "first", "second", "steered"])
    # In float64: a difference of two logarithms, and their sum as probabilities.
    found = logprob.astype(np.float64)
    return table.assign(logit=found[:, 0] - found[:, 1], mass=np.exp(found).sum(1))


def activity_activations(
    model: Model, activities: Sequence[Text], *, chat: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Mean residual stream over each activity's own tokens, offered as (A): float32 [N, L, D], and how many they are.

    Nothing that stands after it has been read there, so the other activity does not matter.
    """
    prompts = [
        rendered(_offer(activity.text, activity.text), model.tokenizer, chat_template=chat)
        for activity in activities
    ]
    tokens = tokenise_rendered(model.tokenizer, prompts, chat_template=chat)
    counted = [tokens_of(own, prompt.spans["first"]) for own, prompt in zip(tokens, prompts, strict=True)]
    (pooled,) = record_pooled(model, tokens, [Pooling(counted)])
    return pooled.value_LBD.transpose(1, 0, 2), np.array([own.sum() for own in counted])


def every_second(activities: Sequence[Text]) -> frozenset[str]:
    """The half that is steered: every second one of each category."""
    seen: dict[str, int] = defaultdict(int)
    half = set()
    for activity in activities:
        if seen[activity.labels["category"]] % 2 == 0:
            half.add(activity.id)
        seen[activity.labels["category"]] += 1
    return frozenset(half)


def _opened(prompt: Rendered, chat: bool) -> Rendered:
    """The reply's bracket is there already: what follows is a letter."""
    return Rendered(prompt.text + ("(" if chat else " ("), prompt.spans)


def _offer(first: str, second: str) -> Text:
    content = QUESTION.format(first=first, second=second)
    start = QUESTION.index("{first}")
    spans: dict[str, Span] = {"first": (0, start, start + len(first))}
    start = content.index("\n(B) ") + len("\n(B) ")
    spans["second"] = (0, start, start + len(second))
    return Text("offer", content, messages=[{"role": "user", "content": content}], spans=spans)
