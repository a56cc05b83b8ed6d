"""The logit lens: what a direction of the residual stream says to the unembedding (method.md, row 2).

Shape letters: N directions, D width, V tokens of the vocabulary, K tokens kept.
"""

import copy
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn
from transformers import PreTrainedTokenizerBase

from emotion_concepts.errors import DataError, UnsupportedModelError
from emotion_concepts.models import Model
from emotion_concepts.vectors import EmotionVectors

# Scores at once, and rows of the unembedding in float32 at once: 256 MB, and 350 MB at width 5,376.
SCORES_AT_ONCE = 2**26
TOKENS_AT_ONCE = 2**14


@dataclass(frozen=True)
class Readings:
    """The ends of each direction's scores over the vocabulary.

    top_NK, bottom_NK : int64 token numbers, the highest score first and the lowest score first;
    top_score_NK, bottom_score_NK : float32, their scores.
    """

    top_NK: np.ndarray
    top_score_NK: np.ndarray
    bottom_NK: np.ndarray
    bottom_score_NK: np.ndarray


class LogitLens:
    """A model's way from its last block to its logits, for directions.

    A direction has no length that means anything, and the final norm is not linear, so a direction v
    is read as a residual of its own: scaled to a root mean square of 1, through the model's own
    norm, less what the norm gives for a residual of zero. Of an RMSNorm that leaves `weight * v`,
    of a LayerNorm `weight * (v - mean(v))`, each times a positive number that changes no order: the
    norm's bias cancels, and so does the unembedding's. Logit scales and soft caps are monotone and
    left out. All in float32, whatever the model's own precision.

    Parameters
    ----------
    model : Model
        Left as found.

    Raises
    ------
    UnsupportedModelError
        What comes between its last block and its unembedding is not a chain of modules.
    """

    def __init__(self, model: Model):
        self._steps = [copy.deepcopy(module).float() for module in final_modules(model)]
        # A vocabulary may be padded with rows that are no token's.
        self._weight_VD = model.hf.get_output_embeddings().weight[: len(model.tokenizer)]
        self._width = model.width

    @torch.inference_mode()
    def normed(self, directions_ND: np.ndarray) -> torch.Tensor:
        """What the unembedding gets of each direction: float32 [N, width of the unembedding]."""
        x_ND = torch.as_tensor(np.asarray(directions_ND, np.float32), device=self._weight_VD.device)
        x_ND = x_ND / x_ND.norm(dim=1, keepdim=True) * self._width**0.5
        return self._through(x_ND) - self._through(torch.zeros_like(x_ND[:1]))

    @torch.inference_mode()
    def scores(self, directions_ND: np.ndarray) -> torch.Tensor:
        """Score of every token of the vocabulary: float32 [N, V]."""
        normed = self.normed(directions_ND)
        scores_NV = normed.new_empty(len(normed), len(self._weight_VD))
        for start in range(0, len(self._weight_VD), TOKENS_AT_ONCE):
            some = slice(start, start + TOKENS_AT_ONCE)
            scores_NV[:, some] = normed @ self._weight_VD[some].float().T
        return scores_NV

    @torch.inference_mode()
    def read(self, directions_ND: np.ndarray, *, top: int, bottom: int) -> Readings:
        """The tokens with the `top` highest and the `bottom` lowest scores of each direction."""
        n_tokens = len(self._weight_VD)
        n_rows = max(1, SCORES_AT_ONCE // n_tokens)
        parts = []
        for start in range(0, len(directions_ND), n_rows):
            scores_NV = self.scores(directions_ND[start : start + n_rows])
            high = scores_NV.topk(min(top, n_tokens))
            low = scores_NV.topk(min(bottom, n_tokens), largest=False)
            parts.append([end.cpu().numpy() for end in (high.indices, high.values, low.indices, low.values)])
        return Readings(*(np.concatenate(part) for part in zip(*parts, strict=True)))

    def _through(self, x_ND: torch.Tensor) -> torch.Tensor:
        return _chained(self._steps, x_ND)


@torch.inference_mode()
def final_modules(model: Model) -> list[nn.Module]:
    """The modules between a model's last block and its unembedding, in order: mostly one, the final norm.

    Found by watching which modules start after the last block in a short pass, and proved there:
    one after the other, they must make of the block's output what the unembedding got.

    Raises
    ------
    UnsupportedModelError
        They do not; names the model's class and the modules.
    """
    unembedding = model.hf.get_output_embeddings()
    found, running, seen = [], [], {}

    def after_last_block(_block, _inputs, output):
        seen["residual"] = output[0] if isinstance(output, tuple) else output

    def before(module, inputs):
        if "residual" not in seen or "read" in seen:
            return
        if module is unembedding:
            seen["read"] = inputs[0]
        elif not running:
            found.append(module)
        running.append(module)

    def after(module, _inputs, _output):
        if running and running[-1] is module:
            running.pop()

    handles = [model.blocks[-1].register_forward_hook(after_last_block)]
    for module in model.hf.modules():
        handles += [module.register_forward_pre_hook(before), module.register_forward_hook(after)]
    try:
        ids = model.tokenizer("The day began.", return_tensors="pt")["input_ids"]
        model.hf(ids.to(model.device), use_cache=False)
    finally:
        for handle in handles:
            handle.remove()
    if "read" in seen:
        made, wanted = _chained(found, seen["residual"]), seen["read"]
        if made.shape == wanted.shape and torch.allclose(made, wanted, rtol=1e-2, atol=1e-3):
            return found
    names = ", ".join(type(module).__name__ for module in found) or "nothing"
    raise UnsupportedModelError(
        f"{type(model.hf).__name__}: between its last block and its unembedding, {names} was found, which does "
        f"not make what the unembedding gets; the logit lens does not support this architecture yet"
    )


def _chained(steps: Iterable[nn.Module], x: torch.Tensor) -> torch.Tensor:
    for step in steps:
        x = step(x)
    return x


def flat_directions(vectors: EmotionVectors, width: int) -> np.ndarray:
    """All denoised vectors, layer by layer and concept by concept: float32 [layers x concepts, width].

    Raises
    ------
    DataError
        They are of another width than the model, or one has no direction (zero, infinite or NaN).
    """
    found = vectors.denoised_LCD.shape[-1]
    if found != width:
        raise DataError(f"the vectors are {found} wide, but the model's residual stream {width}")
    norm_LC = np.linalg.norm(vectors.denoised_LCD, axis=-1)
    bad = np.argwhere(~(np.isfinite(norm_LC) & (norm_LC > 0)))
    if len(bad):
        layer, concept = bad[0]
        raise DataError(
            f"the vector of {vectors.concepts[concept]!r} at layer {vectors.layers[layer]} has no direction: "
            f"its length is {norm_LC[layer, concept]}"
        )
    return vectors.denoised_LCD.reshape(-1, width)


def token_texts(tokenizer: PreTrainedTokenizerBase, tokens: Iterable[int]) -> dict[int, str]:
    """Each token as it reads inside a text, with its leading space if it has one."""
    # Alone, a token that begins with a space would lose it in some tokenizers.
    before = tokenizer("a", add_special_tokens=False)["input_ids"]
    start = tokenizer.decode(before)
    unique = sorted({int(token) for token in tokens})
    decoded = tokenizer.batch_decode(
        [[*before, token] for token in unique], clean_up_tokenization_spaces=False
    )
    return {token: text.removeprefix(start) for token, text in zip(unique, decoded, strict=True)}


def ends_table(
    readings: Readings, vectors: EmotionVectors, tokenizer: PreTrainedTokenizerBase, shown: int
) -> pd.DataFrame:
    """The tokens at both ends of every vector of `flat_directions`.

    Returns
    -------
    DataFrame
        layer, concept, end (top or bottom), rank (1 is the outermost), token (as it reads in a text),
        id (its number), score (logit of a residual that is the vector alone, at a root mean square of 1).
    """
    n_directions = len(vectors.layers) * len(vectors.concepts)
    parts = []
    for end, ids_NK, score_NK in (
        ("top", readings.top_NK, readings.top_score_NK),
        ("bottom", readings.bottom_NK, readings.bottom_score_NK),
    ):
        kept = min(shown, ids_NK.shape[1])
        parts.append(
            pd.DataFrame({
                "layer": np.repeat(vectors.layers, len(vectors.concepts) * kept),
                "concept": np.tile(np.repeat(vectors.concepts, kept), len(vectors.layers)),
                "end": end,
                "rank": np.tile(np.arange(1, kept + 1), n_directions),
                "id": ids_NK[:, :kept].ravel(),
                "score": score_NK[:, :kept].ravel().round(4),
            })
        )  # fmt: skip
    table = pd.concat(parts, ignore_index=True)
    table.insert(4, "token", table["id"].map(token_texts(tokenizer, table["id"])))
    return table.sort_values("layer", kind="stable", ignore_index=True)
