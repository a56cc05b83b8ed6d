"""Named parts of a text, in characters, and the tokens that stand for them.

A dialogue is rendered first, as plain turns or through the model's chat template; every message's
content, the last user turn, the last reply and the place before it are then spans like any other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from transformers import PreTrainedTokenizerBase

from emotion_concepts.errors import DataError
from emotion_concepts.text_sets import PLAIN_ROLES, Text, plain_dialogue
from emotion_concepts.tokens import TokenisedText, tokenise

Span = tuple[int, int]


@dataclass(frozen=True)
class Rendered:
    """A text as the model reads it: text; spans : name to (start, end) in its characters."""

    text: str
    spans: Mapping[str, Span]


def rendered(text: Text, tokenizer: PreTrainedTokenizerBase, *, chat_template: bool) -> Rendered:
    """A text with its spans, a dialogue with those of its turns too.

    Parameters
    ----------
    text : Text
        Its `spans` are in characters of `text`, or, in a dialogue, of a message's content: (message,
        start, end).
    chat_template : bool
        Dialogues go through the model's chat template; else they are plain `Human:` / `Assistant:`
        turns. A dialogue that ends with the user gets the opening of the reply.

    Returns
    -------
    Rendered
        For a dialogue also the spans `message 0`, `message 1`, .., `user turn` (the last),
        `reply` (the last, if the dialogue ends with it), and `before reply`: what stands
        between the two, whose last token is the one that the reply is computed from.

    Raises
    ------
    DataError
        The model has no chat template, or its template does not give a message's content as it is.
    """
    if not text.messages:
        return Rendered(text.text, text.spans)
    messages = text.messages
    open_end = messages[-1]["role"] != "assistant"
    if not chat_template:
        whole = plain_dialogue(messages) + (f"\n\n{PLAIN_ROLES['assistant']}:" if open_end else "")
    elif tokenizer.chat_template is None:
        raise DataError(f"text {text.id}: the model has no chat template; read it as plain turns")
    else:
        whole = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=open_end)
    contents = _found_in_order(whole, [m["content"].strip() for m in messages], text.id)
    spans = {f"message {i}": span for i, span in enumerate(contents)}
    users = [i for i, m in enumerate(messages) if m["role"] == "user"]
    if users:
        turn = contents[users[-1]]
        spans["user turn"] = turn
        reply = (len(whole), len(whole)) if open_end else contents[-1]
        spans["before reply"] = (turn[1], reply[0])
    if not open_end:
        spans["reply"] = contents[-1]
    for name, (message, start, end) in text.spans.items():
        # Templates take off the space around a message; so do we.
        content = messages[message]["content"]
        first = contents[message][0] - (len(content) - len(content.lstrip()))
        spans[name] = (first + start, first + end)
    return Rendered(whole, spans)


def goes_through_template(tokenizer: PreTrainedTokenizerBase, asked: str) -> bool:
    """Is a prompt rendered by the chat template? If that is `asked` ("chat"), and there is one: else in plain turns."""
    return asked == "chat" and tokenizer.chat_template is not None


def tokenise_rendered(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[Rendered], *, chat_template: bool
) -> list[TokenisedText]:
    """Tokens of rendered texts, with the characters that each stands for.

    Raises
    ------
    DataError
        The tokenizer cannot tell which characters a token stands for.
    """
    if not tokenizer.is_fast:
        raise DataError(
            f"{type(tokenizer).__name__} does not tell which characters a token stands for, "
            f"so spans cannot be found; use the fast tokenizer of this model"
        )
    # A chat template has written the special tokens already.
    return tokenise(
        tokenizer, [text.text for text in texts], special_tokens=not chat_template, with_places=True
    )


def tokens_of(text: TokenisedText, span: Span) -> np.ndarray:
    """Bool [T]: the tokens that stand for any character of the span."""
    start, end = span
    return (text.places[:, 0] < end) & (text.places[:, 1] > start)


def last_token_of(text: TokenisedText, span: Span) -> np.ndarray:
    """Bool [T]: the last of those tokens, or none."""
    counted = tokens_of(text, span)
    last = np.flatnonzero(counted)[-1:]
    return np.isin(np.arange(len(counted)), last)


def _found_in_order(whole: str, contents: Sequence[str], name: str) -> list[Span]:
    spans, place = [], 0
    for number, content in enumerate(contents):
        start = whole.find(content, place)
        if start < 0:
            raise DataError(
                f"text {name}: the chat template changes message {number}; its place cannot be told"
            )
        place = start + len(content)
        spans.append((start, place))
    return spans
