"""Key-value caches whose rows come and go: what tokens before have left, for the tokens that follow.

Rows are padded on the left, and a mask says which columns are theirs. Shape letters: B rows, P columns, H heads.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from emotion_concepts.models import Model

# Keys and values of one row at every layer: [(H, columns, head width), ..] twice.
Past = list[tuple[torch.Tensor, torch.Tensor]]


@dataclass(frozen=True)
class CacheKind:
    """What a model remembers of the tokens before.

    exists : it gives back a cache at all; plain : that is nothing but keys and values a token, of which rows and
    columns can be taken (a recurrent state cannot be cut or padded); window : the shortest sliding window of its
    layers, beyond which old columns are dropped, or None.
    """

    exists: bool
    plain: bool
    window: int | None

    def can_be_cut(self, n_tokens: int) -> bool:
        """Can columns be moved while no row is longer than this?"""
        return self.plain and (self.window is None or n_tokens < self.window)


def cache_kind(model: Model) -> CacheKind:
    """Look, with two tokens, what kind of cache a model has."""
    with torch.inference_mode():
        ids = torch.zeros((1, 2), dtype=torch.long, device=model.device)
        cache = getattr(model.trunk(input_ids=ids, use_cache=True), "cache", None)
    plain = type(cache) is DynamicCache and all(
        type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in cache.layers
    )
    windows = [layer.sliding_window for layer in cache.layers if layer.is_sliding] if plain else []
    return CacheKind(cache is not None, plain, min(windows, default=None))


def past_of(cache: Cache, row: int, own_P: torch.Tensor) -> Past:
    """What one row has in a cache: its own columns alone."""
    return [
        (layer.keys[row][:, own_P.to(layer.keys.device)], layer.values[row][:, own_P.to(layer.values.device)])
        for layer in cache.layers
    ]


def cache_of(model: Model, pasts: Sequence[Past], past_B: torch.Tensor) -> tuple[DynamicCache, torch.Tensor]:
    """A cache whose row b continues `pasts[past_B[b]]`, and the mask of its columns: bool [B, P]."""
    lengths = [past[0][0].shape[1] for past in pasts]
    longest = max(lengths)
    cache = DynamicCache(config=model.hf.config)
    for layer in range(len(pasts[0])):
        padded = [
            torch.stack(
                [_padded(past[layer][of], longest) for past in pasts],
            )[past_B.to(pasts[0][layer][of].device)]
            for of in (0, 1)
        ]
        cache.update(*padded, layer)
    return cache, _own_columns(lengths, model.device)[past_B]


def joined(first: Cache, second: Cache, own_first: torch.Tensor, own_second: torch.Tensor) -> torch.Tensor:
    """Add the second cache's rows to the first, which is changed; gives the mask of all: bool [B, P]."""
    longest = max(own_first.shape[1], own_second.shape[1])
    for into, new in zip(first.layers, second.layers, strict=True):
        into.keys = torch.cat([_padded(into.keys, longest), _padded(new.keys, longest)])
        into.values = torch.cat([_padded(into.values, longest), _padded(new.values, longest)])
        _set_length(into, longest)
    return torch.cat([_widened(own_first, longest), _widened(own_second, longest)])


def kept_rows(cache: Cache, own_BP: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Keep some rows of a cache, which is changed, without the columns that none of them has; gives their mask."""
    own_BP = own_BP[rows]
    first = int(own_BP.any(0).int().argmax())
    for layer in cache.layers:
        layer.keys, layer.values = layer.keys[rows][:, :, first:], layer.values[rows][:, :, first:]
        _set_length(layer, layer.keys.shape[2])
    return own_BP[:, first:]


def _own_columns(lengths: Sequence[int], device: torch.device) -> torch.Tensor:
    longest = max(lengths)
    return torch.tensor(
        [[column >= longest - n for column in range(longest)] for n in lengths], device=device
    )


def _padded(values: torch.Tensor, length: int) -> torch.Tensor:
    """Keys or values [.., columns, head width] with columns of zeros before them."""
    missing = length - values.shape[-2]
    return torch.nn.functional.pad(values, (0, 0, missing, 0)) if missing else values


def _widened(own_BP: torch.Tensor, length: int) -> torch.Tensor:
    return torch.nn.functional.pad(own_BP, (length - own_BP.shape[1], 0))


def _set_length(layer: DynamicLayer, length: int) -> None:
    if layer.is_sliding:
        layer.cumulative_length = length
