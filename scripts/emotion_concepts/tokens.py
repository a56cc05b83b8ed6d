"""A text's tokens, and which of them count."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from transformers import AutoTokenizer, PreTrainedTokenizerBase


@dataclass(frozen=True)
class TokenisedText:
    """A text's tokens.

    ids : int32 [T]; own : bool [T], False on a BOS and other tokens that the tokenizer added;
    places : int32 [T, 2], characters of the text that each token stands for, start and end; empty
    where they were not asked for.
    """

    ids: np.ndarray
    own: np.ndarray
    places: np.ndarray


def vocabulary(folder: Path) -> dict[str, int]:
    """Tokens and their numbers, of the model in a folder."""
    return AutoTokenizer.from_pretrained(folder, trust_remote_code=False).get_vocab()


def tokenise(
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    max_tokens: int | None = None,
    *,
    special_tokens: bool = True,
    with_places: bool = False,
) -> list[TokenisedText]:
    """Tokens of each text, and which of them are the text's own; cut to `max_tokens` if given.

    Nothing is padded here, so it does not matter which side the tokenizer pads, or with what.

    Parameters
    ----------
    special_tokens : bool
        False for a text that has them already, as one that a chat template made.
    with_places : bool
        Say which characters each token stands for; only fast tokenizers can.
    """
    tokenised = []
    for text in texts:
        encoded = tokenizer(
            text,
            add_special_tokens=special_tokens,
            return_special_tokens_mask=True,
            return_offsets_mapping=with_places,
            truncation=max_tokens is not None,
            max_length=max_tokens,
        )
        tokenised.append(
            TokenisedText(
                np.array(encoded["input_ids"], np.int32),
                ~np.array(encoded["special_tokens_mask"], bool),
                np.array(encoded.get("offset_mapping", []), np.int32).reshape(-1, 2),
            )
        )
    return tokenised


def has_special_tokens(tokenizer: PreTrainedTokenizerBase, text: str) -> bool:
    """Does a text begin as a chat template writes it, with special tokens of its own?"""
    return tokenizer.bos_token is not None and text.startswith(tokenizer.bos_token)


def counted_tokens(text: TokenisedText, skip: int, *, last_only: bool = False) -> np.ndarray:
    """Bool [T]: the text's own tokens after the first `skip`, or only the last of them."""
    counted = text.own & (np.cumsum(text.own) > skip)
    if last_only and counted.any():
        counted[: np.flatnonzero(counted)[-1]] = False
    return counted


def token_starts(tokenizer: PreTrainedTokenizerBase) -> Callable[[str], list[int]]:
    """A function that gives the characters at which a text's own tokens begin."""

    def starts(text: str) -> list[int]:
        encoded = tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True, return_attention_mask=False,
            verbose=False,
        )  # fmt: skip
        return [start for start, _ in encoded["offset_mapping"]]

    return starts
