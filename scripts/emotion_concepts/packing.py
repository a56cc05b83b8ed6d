"""Packing: texts laid end to end in one row, each attending only to itself, so that no token is padding."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from transformers import AttentionInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from emotion_concepts.errors import UnsupportedModelError

NAME = "emotion_concepts_packed"
# What an attention layer may ask for that packing knows how to give. A family that asks for more (soft
# caps, learned sinks, position biases) is read another way.
KNOWN = {"sliding_window", "position_ids", "use_cache", "output_attentions", "is_causal", "cu_seq_lens_q"}


def packed_attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **asked,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each text of a row, as transformers' attention functions are called.

    Parameters
    ----------
    query, key, value : Tensor
        [1, heads, tokens, head width]; `cu_seq_lens_q` in `asked` says where texts begin and end.

    Returns
    -------
    Tensor, None
        [1, tokens, heads, head width].

    Raises
    ------
    UnsupportedModelError
        The layer asks for something that is not known here; names it.
    """
    scaling, dropout = asked.pop("scaling", None), asked.pop("dropout", 0.0)
    unknown = {name for name, value in asked.items() if value is not None} - KNOWN
    if unknown or attention_mask is not None or asked.get("is_causal") is False:
        raise UnsupportedModelError(
            f"{type(module).__name__}: attention with {', '.join(sorted(unknown)) or 'a mask of its own'}"
        )
    ends = asked["cu_seq_lens_q"].tolist()
    window = asked.get("sliding_window")
    outputs = []
    for start, end in pairwise(ends):
        part = slice(start, end)
        outputs.append(
            sdpa_attention_forward(
                module, query[:, :, part], key[:, :, part], value[:, :, part],
                _banded(end - start, window, query) if window and window < end - start else None,
                dropout=dropout, scaling=scaling, is_causal=True,
            )[0]
        )  # fmt: skip
    return torch.cat(outputs, dim=1), None


AttentionInterface.register(NAME, packed_attention)


@contextmanager
def packed_attention_in(model: PreTrainedModel) -> Iterator[None]:
    """While this is open, the model's attention layers read rows of packed texts.

    Raises
    ------
    UnsupportedModelError
        The model's attention cannot be exchanged.
    """
    before = model.config._attn_implementation
    if before != "sdpa":
        raise UnsupportedModelError(f"{type(model).__name__}: its attention is {before!r}, not 'sdpa'")
    model.set_attn_implementation(NAME)
    try:
        if model.config.get_text_config()._attn_implementation != NAME:
            raise UnsupportedModelError(f"{type(model).__name__}: its attention cannot be exchanged")
        yield
    finally:
        model.set_attn_implementation(before)


def packed_inputs(ids: Sequence[np.ndarray], device: torch.device) -> dict[str, torch.Tensor]:
    """What a model is called with for texts laid end to end: ids and positions [1, tokens], and the bounds."""
    lengths = [len(text) for text in ids]
    positions = np.concatenate([np.arange(n) for n in lengths])
    return {
        "input_ids": torch.from_numpy(np.concatenate(ids).astype(np.int64))[None].to(device),
        "position_ids": torch.from_numpy(positions)[None].to(device),
        "cu_seq_lens_q": torch.tensor([0, *np.cumsum(lengths)]),
    }


def _banded(n_tokens: int, window: int, like: torch.Tensor) -> torch.Tensor:
    """Mask of a sliding window: bool [1, 1, tokens, tokens], True where a token is seen."""
    place = torch.arange(n_tokens, device=like.device)
    back = place[:, None] - place[None, :]
    return ((back >= 0) & (back < window))[None, None]
