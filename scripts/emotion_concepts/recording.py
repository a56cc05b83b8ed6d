"""Recording: texts in, pooled residual streams of every layer out, in one pass.

Layer k is the output of decoder block k, counted from 0, before the final norm. Shape letters:
B texts of a batch, T tokens, L layers, D width, N texts.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedTokenizerBase

from emotion_concepts.errors import ConfigError, NonFiniteError
from emotion_concepts.models import Model

# Tokens in a batch, padding included: larger batches fall out of a CPU's cache (design.md, section 6).
BATCH_TOKENS = 2000


@dataclass(frozen=True)
class TokenisedText:
    """A text's tokens; `own` is False on a BOS and other tokens that the tokenizer added."""

    ids: list[int]
    own: list[bool]


@dataclass(frozen=True)
class PooledBatch:
    """Pooled residual streams of one batch.

    rows : positions in the list of texts, B; mean_LBD : float32, in the model's own units;
    norm_LB : float32, mean L2 norm over the same tokens; n_tokens_B : int32, tokens pooled.
    """

    rows: list[int]
    mean_LBD: np.ndarray
    norm_LB: np.ndarray
    n_tokens_B: np.ndarray


def record(
    model: Model, texts: Sequence[str], pool: Literal["mean", "last"] = "mean", skip: int = 50
) -> np.ndarray:
    """Pooled residual stream of each text after every block, in one pass over the texts.

    Parameters
    ----------
    model : Model
        As `load_model` returns it; left as found.
    texts : sequence of str
        Plain texts.
    pool : {"mean", "last"}
        Mean over the text's own tokens but the first `skip`, or the last own token.
    skip : int
        How many of a text's own tokens are left out at its start (a BOS is not its own).

    Returns
    -------
    ndarray, float32 [texts, layers, width]
        Layer 0 is the output of the first block; a row of NaN where no token is left.

    Raises
    ------
    ConfigError
        Unknown `pool`, or negative `skip`.
    NonFiniteError
        Infinity or NaN in a text that counts; names text and layer.

    Source: arXiv 2604.07729, emotion vectors (mean from the 50th token on).
    """
    if pool not in ("mean", "last"):
        raise ConfigError(f"pool: {pool!r} is not one of 'mean', 'last'")
    if skip < 0:
        raise ConfigError(f"skip: must be 0 or more, got {skip}")
    tokenised = tokenise(model.tokenizer, texts)
    counted = [counted_tokens(text, skip, last_only=pool == "last") for text in tokenised]
    means = np.full((len(texts), len(model.blocks), model.width), np.nan, np.float32)
    for rows in plan_batches([len(t.ids) for t in tokenised], [bool(c.any()) for c in counted]):
        batch = pool_batch(model, tokenised, counted, rows)
        means[batch.rows] = batch.mean_LBD.transpose(1, 0, 2)
    return means


def tokenise(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_tokens: int | None = None
) -> list[TokenisedText]:
    """Tokens of each text, and which of them are the text's own; cut to `max_tokens` if given.

    Nothing is padded here, so it does not matter which side the tokenizer pads, or with what.
    """
    tokenised = []
    for text in texts:
        encoded = tokenizer(
            text,
            return_special_tokens_mask=True,
            truncation=max_tokens is not None,
            max_length=max_tokens,
        )
        own = [not special for special in encoded["special_tokens_mask"]]
        tokenised.append(TokenisedText(list(encoded["input_ids"]), own))
    return tokenised


def counted_tokens(text: TokenisedText, skip: int, *, last_only: bool = False) -> np.ndarray:
    """Bool [T]: the text's own tokens after the first `skip`, or only the last of them."""
    own = np.array(text.own, dtype=bool)
    counted = own & (np.cumsum(own) > skip)
    if last_only and counted.any():
        counted[: np.flatnonzero(counted)[-1]] = False
    return counted


def plan_batches(
    lengths: Sequence[int], wanted: Sequence[bool], batch_tokens: int = BATCH_TOKENS
) -> list[list[int]]:
    """Positions of the wanted texts in batches of like length, at most `batch_tokens` each with padding.

    The longest come first, so that a batch that does not fit in memory shows itself at once. Equal
    inputs give equal plans.
    """
    order = sorted((i for i, w in enumerate(wanted) if w), key=lambda i: (-lengths[i], i))
    batches: list[list[int]] = []
    for i in order:
        if batches and lengths[batches[-1][0]] * (len(batches[-1]) + 1) <= batch_tokens:
            batches[-1].append(i)
        else:
            batches.append([i])
    return batches


def pool_batch(
    model: Model, texts: Sequence[TokenisedText], counted: Sequence[np.ndarray], rows: Sequence[int]
) -> PooledBatch:
    """Run the trunk (never the unembedding) on some of the texts, and pool inside the pass.

    Parameters
    ----------
    texts, counted
        All texts and their counted tokens; each of the chosen counts one token or more.
    rows : sequence of int
        Which texts make up this batch.

    Raises
    ------
    NonFiniteError
        Infinity or NaN; names the text's position and the layer.
    """
    n_longest = max(len(texts[i].ids) for i in rows)
    ids_BT = np.zeros((len(rows), n_longest), np.int64)
    attended_BT = np.zeros((len(rows), n_longest), np.int64)
    weight_BT = np.zeros((len(rows), n_longest), np.float32)
    n_tokens_B = np.array([counted[i].sum() for i in rows], np.int32)
    # Right padding: under causal attention no token of the text sees what follows it.
    for b, i in enumerate(rows):
        ids_BT[b, : len(texts[i].ids)] = texts[i].ids
        attended_BT[b, : len(texts[i].ids)] = 1
        weight_BT[b, : len(texts[i].ids)] = counted[i] / n_tokens_B[b]
    weight = torch.from_numpy(weight_BT).to(model.device)
    pooled: list[torch.Tensor] = []
    norms: list[torch.Tensor] = []

    def pool(_layer: int, residual_BTD: torch.Tensor) -> None:
        # Where nothing counts the weight is 0; but 0 x inf is NaN, so padding is kept finite by
        # the model itself, and what is not finite shows below.
        residual_BTD = residual_BTD.float()
        pooled.append(torch.bmm(weight[:, None], residual_BTD)[:, 0])
        norms.append((residual_BTD.norm(dim=-1) * weight).sum(-1))

    with torch.inference_mode(), watched_residuals(model.blocks, pool):
        model.hf.base_model(
            input_ids=torch.from_numpy(ids_BT).to(model.device),
            attention_mask=torch.from_numpy(attended_BT).to(model.device),
            use_cache=False,
        )
    mean_LBD = torch.stack(pooled).cpu().numpy()
    _check_finite(mean_LBD, rows)
    return PooledBatch(list(rows), mean_LBD, torch.stack(norms).cpu().numpy(), n_tokens_B)


@contextmanager
def watched_residuals(blocks: nn.ModuleList, watch) -> Iterator[None]:
    """While this is open, `watch(layer, residual_BTD)` is called with each block's output.

    If it returns a tensor, that takes the output's place. The hooks are removed at the end, even
    on an error.
    """

    def hook(layer: int):
        def call(_block, _inputs, output):
            residual = output[0] if isinstance(output, tuple) else output
            changed = watch(layer, residual)
            if changed is None:
                return None
            return (changed, *output[1:]) if isinstance(output, tuple) else changed

        return call

    handles = [block.register_forward_hook(hook(layer)) for layer, block in enumerate(blocks)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _check_finite(mean_LBD: np.ndarray, rows: Sequence[int]) -> None:
    bad = ~np.isfinite(mean_LBD).all(-1)
    if bad.any():
        layer, b = np.argwhere(bad)[0]
        raise NonFiniteError(
            f"text {rows[b]}: infinity or NaN in the residual stream after layer {layer}; "
            f"try recording.precision: float32"
        )
