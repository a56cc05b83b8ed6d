"""Steering: changing the residual stream while a model reads or writes.

Every row of a batch has its own direction, strength and tokens, so that all concepts, all controls and the
unsteered baseline go through together. Shape letters: R edits, B rows, T tokens, D width.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch

from emotion_concepts.errors import ConfigError, DataError
from emotion_concepts.layers import steered_layers
from emotion_concepts.models import Model
from emotion_concepts.residual_stream import watched_residuals
from emotion_concepts.spans import Rendered, tokenise_rendered, tokens_of
from emotion_concepts.tokens import has_special_tokens
from emotion_concepts.vectors import EmotionVectors


@dataclass(frozen=True)
class Edits:
    """What is done to the residual stream h after some blocks; each row is one intervention.

    h becomes h - <h, removed> removed + added. Adding a direction is `added` alone, ablating one `removed`
    alone, clamping one to a value is both.

    added_RD : {layer: float32 [R, D]}, in the model's own units.
    removed_RD : {layer: float32 [R, D]}, unit vectors, or zeros where nothing is taken out.
    """

    added_RD: Mapping[int, np.ndarray]
    removed_RD: Mapping[int, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.added_RD.values()), ()))


@dataclass(frozen=True)
class Steering:
    """Steer toward, or away from, one concept.

    vectors : the model's own; concept : one of them; strength : norm of what is added after each
    steered block, in units of the mean residual norm there; layers : blocks, or None for the third
    of depth centred on two thirds.
    mode : "add", or "clamp", which sets the projection on the concept's unit vector to `strength` (of the same
    unit); clamped to 0 a direction is ablated.
    tokens : "all"; "reply", the prompt's last token, which predicts the reply's first, and all that is written; or
    characters of the prompt, (start, end).
    """

    vectors: EmotionVectors
    concept: str
    strength: float = 0.05
    layers: Sequence[int] | None = None
    mode: Literal["add", "clamp"] = "add"
    tokens: Literal["all", "reply"] | tuple[int, int] = "all"

    def additions(self) -> dict[int, np.ndarray]:
        """What is added after each steered block: {layer: float [D]}.

        Raises
        ------
        DataError
            An unknown concept, or a layer without vectors.
        """
        return {k: self.strength * self.vectors.residual_norm[k] * unit for k, unit in self._units().items()}

    def edits(self) -> Edits:
        """The same as one row of edits."""
        if self.mode not in ("add", "clamp"):
            raise ConfigError(f"steering mode {self.mode!r}; known: add, clamp")
        added = {k: value[None].astype(np.float32) for k, value in self.additions().items()}
        removed = {k: unit[None] for k, unit in self._units().items()} if self.mode == "clamp" else {}
        return Edits(added, removed)

    def _units(self) -> dict[int, np.ndarray]:
        chosen = steered_layers(len(self.vectors.layers), self.layers)
        return {layer: self.vectors.unit(self.concept, layer) for layer in chosen}


def stacked_edits(steerings: Sequence[Steering | None], width: int) -> Edits:
    """A row of edits for each; None leaves the residual stream as it is."""
    rows = [Edits({}) if steering is None else steering.edits() for steering in steerings]

    def stacked(parts: Sequence[Mapping[int, np.ndarray]]) -> dict[int, np.ndarray]:
        nothing = np.zeros((1, width), np.float32)
        layers = sorted(set().union(*parts))
        return {k: np.concatenate([part.get(k, nothing) for part in parts]) for k in layers}

    return Edits(stacked([row.added_RD for row in rows]), stacked([row.removed_RD for row in rows]))


def steered_tokens(
    model: Model, prompt: str, ids: Sequence[int], tokens: str | tuple[int, int]
) -> np.ndarray:
    """Which of a prompt's tokens are steered, and whether what is written after it is: bool [T + 1].

    Parameters
    ----------
    ids : sequence of int
        The prompt's tokens, T.
    tokens : as in `Steering`.

    Raises
    ------
    DataError
        The characters are not in the prompt, or the tokenizer cannot tell what a token stands for.
    """
    where = np.full(len(ids) + 1, tokens == "all")
    if tokens == "reply":
        where[-2:] = True
    elif isinstance(tokens, tuple):
        start, end = tokens
        if not 0 <= start < end <= len(prompt):
            raise DataError(f"span {start} to {end}, but the text has {len(prompt)} characters")
        written = has_special_tokens(model.tokenizer, prompt)
        (own,) = tokenise_rendered(model.tokenizer, [Rendered(prompt, {})], chat_template=written)
        where[:-1] = tokens_of(own, tokens)
    elif tokens != "all":
        raise ConfigError(f"steered tokens {tokens!r}; known: all, reply, (start, end)")
    return where


class Aim:
    """What the next passes steer: which edit each row of the batch has, and at which of its tokens."""

    def __init__(self, model: Model, edits: Edits):
        self._added = _on_device(model, edits.added_RD)
        self._removed = {k: v for k, v in _on_device(model, edits.removed_RD).items() if v.any()}
        self.at()

    def at(self, row_B: torch.Tensor | None = None, where_BT: torch.Tensor | None = None) -> None:
        """Set it, for all passes until the next call.

        Parameters
        ----------
        row_B : int64 Tensor, optional
            Row of the edits for each row of the batch; -1 for none. None: the rows in their order.
        where_BT : bool Tensor, optional
            The tokens of the pass that are steered; None: all.
        """
        self._where = None if where_BT is None else where_BT[..., None]
        if row_B is None:
            self._now = self._added, self._removed
            return
        # A row of nothing is the first of all edits, at no token.
        unsteered = row_B < 0
        if unsteered.any():
            self._where = ~unsteered[:, None, None] & (True if self._where is None else self._where)
        rows = row_B.clamp(min=0)
        self._now = tuple({k: v[rows] for k, v in of.items()} for of in (self._added, self._removed))

    def change(self, layer: int, residual_BTD: torch.Tensor) -> torch.Tensor | None:
        """The residual stream as it goes on; None where this layer is left as it is."""
        added, removed = (of.get(layer) for of in self._now)
        if added is None and removed is None:
            return None
        changed = residual_BTD
        if removed is not None:
            unit_B1D = removed[:, None].to(residual_BTD.device)
            changed = changed - (changed * unit_B1D).sum(-1, keepdim=True) * unit_B1D
        if added is not None:
            changed = changed + added[:, None].to(residual_BTD.device)
        if self._where is None:
            return changed
        return torch.where(self._where.to(residual_BTD.device), changed, residual_BTD)


@contextmanager
def steered(model: Model, edits: Edits) -> Iterator[Aim]:
    """While this is open, the residual stream is changed after the edits' blocks, as the `Aim` says.

    Rows of the edits are rows of the batch, at all tokens, until it is set otherwise. The model is as found
    afterwards, even on an error.
    """
    aim = Aim(model, edits)
    with watched_residuals(model.blocks, aim.change):
        yield aim


def residual_norms(model: Model, prompt: str) -> np.ndarray:
    """Mean L2 norm of the residual stream over a prompt's tokens but the first: float32 [layers].

    The first token is left out: as an attention sink its norm says nothing about the others.
    """
    norms: list[float] = []
    ids = torch.tensor([model.tokenizer(prompt)["input_ids"]], device=model.device)
    with (
        torch.inference_mode(),
        watched_residuals(
            model.blocks, lambda _, h: norms.append(h[0, 1:].float().norm(dim=-1).mean().item())
        ),
    ):
        model.trunk(input_ids=ids, use_cache=False)
    return np.array(norms, np.float32)


def _on_device(model: Model, value_RD: Mapping[int, np.ndarray]) -> dict[int, torch.Tensor]:
    return {
        k: torch.from_numpy(np.asarray(values, np.float32)).to(model.device, model.hf.dtype)
        for k, values in value_RD.items()
    }
