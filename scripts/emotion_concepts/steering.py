"""Steering: adding directions to the residual stream while the model reads or writes.

Every row of a batch has its own direction and strength, so that all concepts, all controls and the
unsteered baseline go through together. Shape letters: B rows, T tokens, D width, V vocabulary.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from transformers import Cache

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
        return residual_BTD + additions[layer].to(residual_BTD.device) if layer in additions else None

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

    The prompt is read once a direction, and what follows its first tokens from the cache of that: most
    words are one token, and cost nothing more.

    Parameters
    ----------
    prompt : str
        Without a space at its end.
    continuations : sequence of str
        Each with its leading space.
    addition_RD : mapping
        {layer: [R, D]}: what is added to every token, one row a direction; zeros for the baseline.
    batch_rows : int
        Most rows in a batch.

    Returns
    -------
    ndarray, float32 [R, continuations]
        Natural logarithms, summed over a continuation's tokens; 0 for one without a token.
    """
    n_rows = len(next(iter(addition_RD.values())))
    start = model.tokenizer(prompt)["input_ids"]
    tails = [model.tokenizer(text, add_special_tokens=False)["input_ids"] for text in continuations]
    result = np.zeros((n_rows, len(tails)), np.float32)
    any_token = [column for column, tail in enumerate(tails) if tail]
    longer = [column for column, tail in enumerate(tails) if len(tail) > 1]
    for first in range(0, n_rows, batch_rows):
        rows = np.arange(first, min(first + batch_rows, n_rows))
        ids = torch.tensor([start] * len(rows), device=model.device)
        with torch.inference_mode(), steered(model, _chosen(addition_RD, rows)):
            read = model.hf(input_ids=ids, use_cache=True, logits_to_keep=1)
        logprob_RV = read.logits[:, -1].float().log_softmax(-1)
        firsts = [tails[column][0] for column in any_token]
        result[np.ix_(rows, any_token)] = logprob_RV[:, firsts].cpu().numpy()
        pairs = [(row, column) for row in range(len(rows)) for column in longer]
        for begin in range(0, len(pairs), batch_rows):
            batch = np.array(pairs[begin : begin + batch_rows])
            logprobs = _later_tokens(
                model,
                read.cache,
                batch[:, 0],
                [tails[c] for c in batch[:, 1]],
                _chosen(addition_RD, rows[batch[:, 0]]),
            )
            result[rows[batch[:, 0]], batch[:, 1]] += logprobs
    return result


def _later_tokens(model: Model, cache: Cache, rows, tails, additions) -> np.ndarray:
    """Log-probability of each tail after its first token, from the cache of what stands before: [pairs]."""
    longest = max(len(tail) for tail in tails)
    # Right padding: causal attention keeps it from every token that is scored.
    ids = torch.tensor([tail + [0] * (longest - len(tail)) for tail in tails], device=model.device)
    cache = deepcopy(cache)
    cache.batch_select_indices(torch.as_tensor(rows, device=model.device))
    with torch.inference_mode(), steered(model, additions):
        logits_BTV = model.hf(input_ids=ids[:, :-1], cache=cache, use_cache=True).logits
    logprob_BT = logits_BTV.float().log_softmax(-1).gather(-1, ids[:, 1:, None])[..., 0].cpu().numpy()
    return np.array([logprob_BT[b, : len(tail) - 1].sum() for b, tail in enumerate(tails)])


def _chosen(addition_RD: Mapping[int, np.ndarray], rows: np.ndarray) -> dict[int, torch.Tensor]:
    return {layer: torch.from_numpy(np.asarray(values)[rows]) for layer, values in addition_RD.items()}


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
