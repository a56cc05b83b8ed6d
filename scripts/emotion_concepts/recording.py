"""Recording: texts in, pooled residual streams of every layer out, in one pass.

Layer k is the output of decoder block k, counted from 0, before the final norm. Shape letters:
B texts of a batch, T tokens, L layers, D width, N texts.

A batch goes through the model in one of three ways. Packed: the texts end to end in one row, each
attending only to itself. Padded: a row each, padded on the right, where no token of a causal model sees
it. Single: one by one. `choose_way` takes the first that gives this model's own one-by-one values.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import nn

from emotion_concepts.errors import ConfigError, NonFiniteError, UnsupportedModelError
from emotion_concepts.models import Model
from emotion_concepts.moments import TokenMoments
from emotion_concepts.packing import packed_attention_in, packed_inputs
from emotion_concepts.progress import progress_bar
from emotion_concepts.residual_stream import watched_input, watched_residuals
from emotion_concepts.tokens import TokenisedText, counted_tokens, tokenise

logger = logging.getLogger(__name__)

R = TypeVar("R")
Way = Literal["packed", "padded", "single"]

# Tokens in a batch, padding included: larger batches fall out of a CPU's cache (design.md, section 6).
BATCH_TOKENS = 2000
# The same on a GPU, where nothing is tried out beforehand; a batch that does not fit is halved.
GPU_BATCH_TOKENS = 16384
# Texts that a model reads in every way before the first recording, to compare.
PREFLIGHT_TEXTS = 4
# Largest relative difference of centred means between a batch and one by one: arithmetic in another
# order stays far below, a token that sees what it must not goes far above.
TOLERANCE = {torch.float32: 1e-4, torch.float16: 0.02, torch.bfloat16: 0.1}
# Ways of models that have been compared already.
_ways: WeakKeyDictionary[nn.Module, Way] = WeakKeyDictionary()


@dataclass(frozen=True)
class Pooling:
    """What is kept of each text.

    counted : for each text bool [T], its tokens that count; how : "mean" or "max" (of each
    coordinate) over them. The last token alone is a mean over one.
    """

    counted: Sequence[np.ndarray]
    how: Literal["mean", "max"] = "mean"


@dataclass(frozen=True)
class Pass:
    """What goes through the model, how, and what is kept of it.

    texts, poolings : all texts, and what is kept of them; way : see the head of this module;
    last_layer : the pass ends after this block, or goes through all; embedding : what goes into the
    first block comes first; moments : takes in the tokens that count for the first pooling, when a
    whole batch has gone through.
    """

    model: Model
    texts: Sequence[TokenisedText]
    poolings: Sequence[Pooling]
    way: Way
    last_layer: int | None = None
    embedding: bool = False
    moments: TokenMoments | None = None


@dataclass(frozen=True)
class PooledBatch:
    """Pooled residual streams of one batch.

    rows : positions in the list of texts, B; value_LBD : float32, in the model's own units;
    norm_LB : float32, mean L2 norm over the same tokens; n_tokens_B : int32, tokens pooled.
    """

    rows: list[int]
    value_LBD: np.ndarray
    norm_LB: np.ndarray
    n_tokens_B: np.ndarray


def record(
    model: Model,
    texts: Sequence[str],
    pool: Literal["mean", "last", "max"] = "mean",
    skip: int = 50,
) -> np.ndarray:
    """Pooled residual stream of each text after every block, in one pass over the texts.

    Parameters
    ----------
    model : Model
        As `load_model` returns it; left as found.
    texts : sequence of str
        Plain texts.
    pool : {"mean", "last", "max"}
        Mean, or largest value of each coordinate, over the text's own tokens but the first `skip`;
        or the last own token.
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
    if pool not in ("mean", "last", "max"):
        raise ConfigError(f"pool: {pool!r} is not one of 'mean', 'last', 'max'")
    if skip < 0:
        raise ConfigError(f"skip: must be 0 or more, got {skip}")
    tokenised = tokenise(model.tokenizer, texts)
    counted = [counted_tokens(text, skip, last_only=pool == "last") for text in tokenised]
    (pooled,) = record_pooled(model, tokenised, [Pooling(counted, "max" if pool == "max" else "mean")])
    return pooled.value_LBD.transpose(1, 0, 2)


def record_pooled(
    model: Model,
    texts: Sequence[TokenisedText],
    poolings: Sequence[Pooling],
    *,
    last_layer: int | None = None,
    embedding: bool = False,
    batch_tokens: int = BATCH_TOKENS,
) -> list[PooledBatch]:
    """Any number of poolings of the same texts in one pass.

    Parameters
    ----------
    last_layer : int, optional
        The model is cut after this block; all blocks if not given.
    embedding : bool
        What goes into the first block comes first, so that layer k stands at k + 1.

    Returns
    -------
    list of PooledBatch
        One for each pooling, over all texts in their order; where none of a text's tokens counts,
        its values are NaN and its `n_tokens` 0.
    """
    n_layers = len(model.blocks) if last_layer is None else last_layer + 1
    shape = (n_layers + embedding, len(texts))
    whole = [
        PooledBatch(
            list(range(len(texts))),
            np.full((*shape, model.width), np.nan, np.float32),
            np.full(shape, np.nan, np.float32),
            np.zeros(len(texts), np.int32),
        )
        for _ in poolings
    ]
    wanted = [any(p.counted[i].any() for p in poolings) for i in range(len(texts))]
    batches = plan_batches([len(text.ids) for text in texts], wanted, batch_tokens)
    way = choose_way(model, texts, wanted) if batches else "single"
    reading = Pass(model, texts, poolings, way, last_layer, embedding)
    for rows in batches:
        for all_texts, batch in zip(whole, pool_within_memory(reading, rows), strict=True):
            all_texts.value_LBD[:, rows] = batch.value_LBD
            all_texts.norm_LB[:, rows] = batch.norm_LB
            all_texts.n_tokens_B[rows] = batch.n_tokens_B
    return whole


def pooled_at(
    model: Model,
    texts: Sequence[TokenisedText],
    pooling: Pooling,
    layer: int,
) -> np.ndarray:
    """One pooling of the texts at one layer, after which the pass ends: float32 [N, D].

    A row of NaN where none of a text's tokens counts. No other layer is held.
    """
    found_ND = np.full((len(texts), model.width), np.nan, np.float32)
    wanted = [bool(counted.any()) for counted in pooling.counted]
    batches = plan_batches([len(text.ids) for text in texts], wanted, usual_batch_tokens(model))
    way = choose_way(model, texts, wanted, layer) if batches else "single"
    reading = Pass(model, texts, [pooling], way, layer)
    with progress_bar(len(texts), "texts", "reading") as bar:
        for rows in batches:
            (batch,) = pool_within_memory(reading, rows)
            found_ND[batch.rows] = batch.value_LBD[-1]
            bar.update(len(rows))
    return found_ND


def usual_batch_tokens(model: Model) -> int:
    """Tokens in a batch on the device that the model is on."""
    return GPU_BATCH_TOKENS if model.device.type == "cuda" else BATCH_TOKENS


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


def choose_way(
    model: Model,
    texts: Sequence[TokenisedText],
    wanted: Sequence[bool],
    last_layer: int | None = None,
) -> Way:
    """The fastest way that gives the values of one by one, tried on a few of these texts, once for a model.

    Sliding windows, ALiBi, recurrent layers and the like make some ways wrong for some families; which
    ones is not looked up but measured: centred means (raw ones hide a mistake: method.md, trap 1) of
    the longest, the shortest and two texts between, together and alone; of the layers up to `last_layer`
    where no others will be read.
    """
    if model.hf in _ways:
        return _ways[model.hf]
    order = sorted((i for i, w in enumerate(wanted) if w), key=lambda i: (len(texts[i].ids), i))
    rows = [order[i] for i in sorted({round(x) for x in np.linspace(0, len(order) - 1, PREFLIGHT_TEXTS)})]
    if len(rows) < 2:
        return "single"
    means = [Pooling([np.ones(len(text.ids), bool) for text in texts])]
    alone = pool_batch(Pass(model, texts, means, "single", last_layer), rows)[0].value_LBD
    chosen: Way = "single"
    for way in ("packed", "padded"):
        try:
            together = pool_batch(Pass(model, texts, means, way, last_layer), rows)[0].value_LBD
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


def pool_within_memory(reading: Pass, rows: Sequence[int]) -> list[PooledBatch]:
    """`pool_batch`, in parts where the device's memory does not hold the whole."""
    parts = within_memory(lambda some: pool_batch(reading, some), rows)
    return parts[0] if len(parts) == 1 else joined(parts)


def within_memory(work: Callable[[Sequence[int]], R], rows: Sequence[int]) -> list[R]:
    """What `work` gives for these texts, in halves of halves where the device's memory does not hold them together."""
    try:
        return [work(rows)]
    except torch.OutOfMemoryError:
        if len(rows) == 1:
            raise
    logger.warning("%d texts do not fit in the device's memory together: halved", len(rows))
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    middle = len(rows) // 2
    return [*within_memory(work, rows[:middle]), *within_memory(work, rows[middle:])]


def joined(parts: Sequence[Sequence[PooledBatch]]) -> list[PooledBatch]:
    """Batches put together, for each pooling."""
    return [
        PooledBatch(
            [row for batch in batches for row in batch.rows],
            np.concatenate([batch.value_LBD for batch in batches], axis=1),
            np.concatenate([batch.norm_LB for batch in batches], axis=1),
            np.concatenate([batch.n_tokens_B for batch in batches]),
        )
        for batches in zip(*parts, strict=True)
    ]


def pool_batch(reading: Pass, rows: Sequence[int]) -> list[PooledBatch]:
    """Run the trunk (never the unembedding) on some of the texts, and pool inside the pass.

    Parameters
    ----------
    rows : sequence of int
        Which texts make up this batch.

    Returns
    -------
    list of PooledBatch
        One for each pooling.

    Raises
    ------
    UnsupportedModelError
        The model's attention cannot be packed.
    NonFiniteError
        Infinity or NaN; names the text's position and the layer.
    """
    if reading.way == "single" and len(rows) > 1:
        return joined([pool_batch(reading, [row]) for row in rows])
    model = reading.model
    inputs, spans = laid_out([reading.texts[i].ids for i in rows], reading.way, model.device)
    readers = [_Reader(pooling, rows, spans, model.device) for pooling in reading.poolings]

    sums = None
    if reading.moments:
        counted_T = torch.zeros(inputs["input_ids"].numel(), dtype=torch.bool)
        for i, span in zip(rows, spans, strict=True):
            counted_T[span] = torch.from_numpy(reading.poolings[0].counted[i])
        sums = _MomentReader(counted_T.to(model.device))

    def read(_layer: int, residual_BTD: torch.Tensor) -> None:
        residual_TD = residual_BTD.flatten(0, 1).float()
        norm_T = residual_TD.norm(dim=-1)
        if sums:
            sums.read(residual_TD)
        for reader in readers:
            reader.read(residual_TD, norm_T)

    entering = watched_input(model.blocks[0], partial(read, -1)) if reading.embedding else nullcontext()
    with entering:
        run_trunk(model, inputs, reading.way, read, reading.last_layer)
    pooled = [reader.batch() for reader in readers]
    if sums:
        sums.add_to(reading.moments)
    return pooled


def laid_out(
    ids: Sequence[np.ndarray], way: Way, device: torch.device
) -> tuple[dict[str, torch.Tensor], list[slice]]:
    """A batch as the model is called with it, and where in the flattened residual stream each text stands."""
    packed, width = way == "packed", max(len(text) for text in ids)
    inputs = packed_inputs(ids, device) if packed else _padded_inputs(ids, device)
    starts = np.cumsum([0, *map(len, ids)])[:-1] if packed else np.arange(len(ids)) * width
    return inputs, [
        slice(int(start), int(start) + len(text)) for start, text in zip(starts, ids, strict=True)
    ]


def run_trunk(
    model: Model,
    inputs: dict[str, torch.Tensor],
    way: Way,
    watch: Callable[[int, torch.Tensor], None],
    last_layer: int | None,
) -> None:
    """One pass without the unembedding; `watch` is called as in `watched_residuals`."""
    attention = packed_attention_in(model.hf) if way == "packed" else nullcontext()
    with torch.inference_mode(), attention, watched_residuals(model.blocks, watch, last_layer):
        model.trunk(**inputs, use_cache=False)


class _Reader:
    """Pools one batch for one pooling, layer by layer, on the device; copied to the host at the end."""

    def __init__(self, pooling: Pooling, rows: Sequence[int], spans: Sequence[slice], device: torch.device):
        self._rows, self._how = list(rows), pooling.how
        counted = [pooling.counted[i] for i in rows]
        self._n_tokens = np.array([c.sum() for c in counted], np.int32)
        self._parts = [
            (span, torch.from_numpy(c / max(1, n)).float().to(device))
            for span, c, n in zip(spans, counted, self._n_tokens, strict=True)
        ]
        self._device = device
        self._values: list[torch.Tensor] = []
        self._norms: list[torch.Tensor] = []

    def read(self, residual_TD: torch.Tensor, norm_T: torch.Tensor) -> None:
        if residual_TD.device != self._device:
            # A model that is spread over devices: the weights follow the stream.
            self._device = residual_TD.device
            self._parts = [(span, weights.to(self._device)) for span, weights in self._parts]
        if self._how == "max":
            lowest = -torch.inf
            pooled = [residual_TD[s].where(w[:, None] > 0, lowest).amax(0) for s, w in self._parts]
        else:
            pooled = [w @ residual_TD[s] for s, w in self._parts]
        self._values.append(torch.stack(pooled))
        self._norms.append(torch.stack([w @ norm_T[s] for s, w in self._parts]))

    def batch(self) -> PooledBatch:
        value_LBD, norm_LB = _on_host(self._values), _on_host(self._norms)
        empty = self._n_tokens == 0
        value_LBD[:, empty], norm_LB[:, empty] = 0, 0
        _check_finite(value_LBD, self._rows)
        value_LBD[:, empty], norm_LB[:, empty] = np.nan, np.nan
        return PooledBatch(self._rows, value_LBD, norm_LB, self._n_tokens)


class _MomentReader:
    """Sums over one batch's tokens, layer by layer, on the device, until the whole batch has gone through."""

    def __init__(self, counted_T: torch.Tensor):
        self._counted = counted_T
        self._sums: list[torch.Tensor] = []
        self._products: list[torch.Tensor] = []

    def read(self, residual_TD: torch.Tensor) -> None:
        value_TD = residual_TD[self._counted.to(residual_TD.device)].double()
        self._sums.append(value_TD.sum(0))
        self._products.append(value_TD.T @ value_TD)

    def add_to(self, moments: TokenMoments) -> None:
        moments.add(int(self._counted.sum()), _on_host(self._sums), _on_host(self._products))


def _on_host(layers: Sequence[torch.Tensor]) -> np.ndarray:
    """One array of all layers; in one copy where they are on one device."""
    if len({layer.device for layer in layers}) > 1:
        layers = [layer.cpu() for layer in layers]
    return torch.stack(tuple(layers)).cpu().numpy()


def _padded_inputs(ids: Sequence[np.ndarray], device: torch.device) -> dict[str, torch.Tensor]:
    shape = len(ids), max(len(text) for text in ids)
    ids_BT, attended_BT = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for row, text in enumerate(ids):
        ids_BT[row, : len(text)], attended_BT[row, : len(text)] = text, 1
    return {
        "input_ids": torch.from_numpy(ids_BT).to(device),
        "attention_mask": torch.from_numpy(attended_BT).to(device),
    }


def _centred_error(mean_LBD: np.ndarray, expected_LBD: np.ndarray) -> float:
    """Largest relative difference of any layer's means, their mean over texts taken off."""
    centred, wanted = (m - m.mean(1, keepdims=True) for m in (mean_LBD, expected_LBD))
    errors = np.linalg.norm(centred - wanted, axis=(1, 2)) / np.linalg.norm(wanted, axis=(1, 2))
    return float(errors.max())


def _check_finite(value_LBD: np.ndarray, rows: Sequence[int]) -> None:
    bad = ~np.isfinite(value_LBD).all(-1)
    if bad.any():
        layer, b = np.argwhere(bad)[0]
        raise NonFiniteError(
            f"text {rows[b]}: infinity or NaN in the residual stream after layer {layer}; "
            f"try recording.precision: float32"
        )
