"""Steering: adding directions to the residual stream while the model reads or writes.

Every row of a batch has its own direction and strength, so that all concepts, all controls and the
unsteered baseline go through together. Shape letters: B rows, T tokens, D width, V vocabulary.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from emotion_concepts.layers import steered_layers
from emotion_concepts.models import Model
from emotion_concepts.residual_stream import watched_residuals
from emotion_concepts.vectors import EmotionVectors


@dataclass(frozen=True)
class Steering:
    """Steer every token toward one concept.

    vectors : the model's own; concept : one of them; strength : norm of what is added after each
    steered block, in units of the mean residual norm there; layers : blocks, or None for the third
    of depth centred on two thirds.
    """

    vectors: EmotionVectors
    concept: str
    strength: float = 0.05
    layers: Sequence[int] | None = None

    def additions(self) -> dict[int, np.ndarray]:
        """What is added after each steered block: {layer: float [D]}.

        Raises
        ------
        DataError
            An unknown concept, or a layer without vectors.
        """
        chosen = steered_layers(len(self.vectors.layers), self.layers)
        units = {layer: self.vectors.unit(self.concept, layer) for layer in chosen}
        return {k: self.strength * self.vectors.residual_norm[k] * unit for k, unit in units.items()}


@contextmanager
def steered(model: Model, addition_BD: Mapping[int, torch.Tensor]) -> Iterator[None]:
    """While this is open, `addition_BD[layer]` is added to every token after that block.

    Rows of the additions are rows of the batch; a row of zeros leaves its text as it is. The model
    is as found afterwards, even on an error.
    """
    additions = {k: rows.to(model.device, model.hf.dtype)[:, None] for k, rows in addition_BD.items()}

    def add(layer: int, residual_BTD: torch.Tensor) -> torch.Tensor | None:
        return residual_BTD + additions[layer] if layer in additions else None

    with watched_residuals(model.blocks, add):
        yield


def continuation_logprobs(
    model: Model,
    prompt: str,
    continuations: Sequence[str],
    addition_RD: Mapping[int, np.ndarray],
    *,
    batch_rows: int = 128,
) -> np.ndarray:
    """Log-probability of each continuation of a prompt, under each row of directions.

    Parameters
    ----------
    prompt : str
        Without a space at its end.
    continuations : sequence of str
        Each with its leading space.
    addition_RD : mapping
        {layer: [R, D]}: what is added to every token, one row a direction; zeros for the baseline.

    Returns
    -------
    ndarray, float32 [R, continuations]
        Natural logarithms, summed over a continuation's tokens.
    """
    n_rows = len(next(iter(addition_RD.values())))
    start = model.tokenizer(prompt)["input_ids"]
    tails = [model.tokenizer(text, add_special_tokens=False)["input_ids"] for text in continuations]
    longest = len(start) + max(len(tail) for tail in tails)
    pairs = [(row, column) for row in range(n_rows) for column in range(len(tails))]
    result = np.zeros((n_rows, len(tails)), np.float32)
    for first in range(0, len(pairs), batch_rows):
        batch = pairs[first : first + batch_rows]
        rows = [row for row, _ in batch]
        # Right padding: causal attention keeps it from every token that is scored.
        ids = torch.tensor([_padded([*start, *tails[column]], longest) for _, column in batch])
        additions = {k: torch.from_numpy(np.asarray(d)[rows]) for k, d in addition_RD.items()}
        with torch.inference_mode(), steered(model, additions):
            hidden_BTD = model.trunk(input_ids=ids.to(model.device), use_cache=False)[0]
            # Only positions that predict a continuation's token pass the unembedding.
            scored_BTV = model.hf.lm_head(hidden_BTD[:, len(start) - 1 : -1]).float().log_softmax(-1)
        chosen_BT = scored_BTV.gather(-1, ids[:, len(start) :, None].to(model.device))[..., 0].cpu()
        for b, (row, column) in enumerate(batch):
            result[row, column] = chosen_BT[b, : len(tails[column])].sum()
    return result


def _padded(ids: list[int], length: int) -> list[int]:
    return ids + [0] * (length - len(ids))


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
