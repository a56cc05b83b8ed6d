"""Recording: texts in, pooled residual streams of every layer out, in one pass.

Layer k is the output of decoder block k, counted from 0, before the final norm. Shape letters:
B texts of a batch, T tokens, L layers, D width, N texts.

A batch goes through the model in one of three ways. Packed: the texts end to end in one row, each
attending only to itself. Padded: a row each, padded on the right, where no token of a causal model sees
it. Single: one by one. `choose_way` takes the first that gives this model's own one-by-one values.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Literal
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedTokenizerBase

from emotion_concepts.errors import ConfigError, NonFiniteError, UnsupportedModelError
from emotion_concepts.models import Model
from emotion_concepts.packing import packed_attention_in, packed_inputs

logger = logging.getLogger(__name__)

Way = Literal["packed", "padded", "single"]

# Tokens in a batch, padding included: larger batches fall out of a CPU's cache (design.md, section 6).
BATCH_TOKENS = 2000
# Texts that a model reads in every way before the first recording, to compare.
PREFLIGHT_TEXTS = 4
# Largest relative difference of centred means between a batch and one by one: arithmetic in another
# order stays far below, a token that sees what it must not goes far above.
TOLERANCE = {torch.float32: 1e-4, torch.float16: 0.02, torch.bfloat16: 0.1}
# Ways of models that have been compared already.
_ways: WeakKeyDictionary[nn.Module, Way] = WeakKeyDictionary()


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
    batches = plan_batches([len(t.ids) for t in tokenised], [bool(c.any()) for c in counted])
    way = choose_way(model, tokenised, counted) if batches else "single"
    for rows in batches:
        batch = pool_within_memory(model, tokenised, counted, rows, way)
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


def choose_way(model: Model, texts: Sequence[TokenisedText], counted: Sequence[np.ndarray]) -> Way:
    """The fastest way that gives the values of one by one, tried on a few of these texts, once for a model.

    Sliding windows, ALiBi, recurrent layers and the like make some ways wrong for some families; which
    ones is not looked up but measured: centred means (raw ones hide a mistake: method.md, trap 1) of
    the longest, the shortest and two texts between, together and alone.
    """
    if model.hf in _ways:
        return _ways[model.hf]
    order = sorted((i for i, c in enumerate(counted) if c.any()), key=lambda i: (len(texts[i].ids), i))
    rows = [order[i] for i in sorted({round(x) for x in np.linspace(0, len(order) - 1, PREFLIGHT_TEXTS)})]
    if len(rows) < 2:
        return "single"
    alone = np.concatenate([pool_batch(model, texts, counted, [i], "single").mean_LBD for i in rows], axis=1)
    chosen: Way = "single"
    for way in ("packed", "padded"):
        try:
            together = pool_batch(model, texts, counted, rows, way).mean_LBD
        except UnsupportedModelError as error:
            logger.info("%s batches are not possible (%s)", way, error)
            continue
        error = _centred_error(together, alone)
        if error <= TOLERANCE[model.hf.dtype]:
            chosen = way
            logger.info("%s batches agree with one by one to %.0e on %d texts", way, error, len(rows))
            break
        logger.warning("%s batches differ from one by one by %.0e: not used", way, error)
    _ways[model.hf] = chosen
    return chosen


def pool_within_memory(
    model: Model,
    texts: Sequence[TokenisedText],
    counted: Sequence[np.ndarray],
    rows: Sequence[int],
    way: Way,
) -> PooledBatch:
    """`pool_batch`, in halves where the device's memory does not hold the whole."""
    try:
        return pool_batch(model, texts, counted, rows, way)
    except torch.OutOfMemoryError:
        if len(rows) == 1:
            raise
    logger.warning("%d texts do not fit in the device's memory together: halved", len(rows))
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    middle = len(rows) // 2
    halves = [pool_within_memory(model, texts, counted, part, way) for part in (rows[:middle], rows[middle:])]
    return PooledBatch(
        list(rows),
        np.concatenate([half.mean_LBD for half in halves], axis=1),
        np.concatenate([half.norm_LB for half in halves], axis=1),
        np.concatenate([half.n_tokens_B for half in halves]),
    )


def pool_batch(
    model: Model,
    texts: Sequence[TokenisedText],
    counted: Sequence[np.ndarray],
    rows: Sequence[int],
    way: Way,
) -> PooledBatch:
    """Run the trunk (never the unembedding) on some of the texts, and pool inside the pass.

    Parameters
    ----------
    texts, counted
        All texts and their counted tokens; each of the chosen counts one token or more.
    rows : sequence of int
        Which texts make up this batch.
    way : {"packed", "padded", "single"}
        See the head of this module.

    Raises
    ------
    UnsupportedModelError
        The model's attention cannot be packed.
    NonFiniteError
        Infinity or NaN; names the text's position and the layer.
    """
    if way == "single" and len(rows) > 1:
        parts = [pool_batch(model, texts, counted, [row], way) for row in rows]
        return PooledBatch(
            list(rows),
            np.concatenate([part.mean_LBD for part in parts], axis=1),
            np.concatenate([part.norm_LB for part in parts], axis=1),
            np.concatenate([part.n_tokens_B for part in parts]),
        )
    ids = [texts[i].ids for i in rows]
    inputs = packed_inputs(ids, model.device) if way == "packed" else _padded_inputs(ids, model.device)
    stride = 0 if way == "packed" else max(len(text) for text in ids)
    starts = np.arange(len(ids)) * stride if stride else np.cumsum([0, *map(len, ids)])[:-1]
    spans = [slice(int(start), int(start) + len(text)) for start, text in zip(starts, ids, strict=True)]
    n_tokens_B = np.array([counted[i].sum() for i in rows], np.int32)
    weights = [
        torch.from_numpy((counted[i] / n).astype(np.float32)).to(model.device)
        for i, n in zip(rows, n_tokens_B, strict=True)
    ]
    pooled: list[torch.Tensor] = []
    norms: list[torch.Tensor] = []

    def pool(_layer: int, residual_BTD: torch.Tensor) -> None:
        residual_TD = residual_BTD.flatten(0, 1).float()
        norm_T = residual_TD.norm(dim=-1)
        pooled.append(torch.stack([w @ residual_TD[span] for w, span in zip(weights, spans, strict=True)]))
        norms.append(torch.stack([w @ norm_T[span] for w, span in zip(weights, spans, strict=True)]))

    reading = packed_attention_in(model.hf) if way == "packed" else nullcontext()
    with torch.inference_mode(), reading, watched_residuals(model.blocks, pool):
        model.trunk(**inputs, use_cache=False)
    mean_LBD = torch.stack(pooled).cpu().numpy()
    _check_finite(mean_LBD, rows)
    return PooledBatch(list(rows), mean_LBD, torch.stack(norms).cpu().numpy(), n_tokens_B)


def _padded_inputs(ids: Sequence[Sequence[int]], device: torch.device) -> dict[str, torch.Tensor]:
    n_longest = max(len(text) for text in ids)
    padding = [n_longest - len(text) for text in ids]
    return {
        "input_ids": torch.tensor(
            [[*text, *[0] * n] for text, n in zip(ids, padding, strict=True)], device=device
        ),
        "attention_mask": torch.tensor(
            [[1] * len(text) + [0] * n for text, n in zip(ids, padding, strict=True)], device=device
        ),
    }


def _centred_error(mean_LBD: np.ndarray, expected_LBD: np.ndarray) -> float:
    """Largest relative difference of any layer's means, their mean over texts taken off."""
    centred, wanted = (m - m.mean(1, keepdims=True) for m in (mean_LBD, expected_LBD))
    errors = np.linalg.norm(centred - wanted, axis=(1, 2)) / np.linalg.norm(wanted, axis=(1, 2))
    return float(errors.max())


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
