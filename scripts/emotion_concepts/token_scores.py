"""Token scores at one layer: the cosine of every token's residual stream with every direction, in one pass.

The pass ends after that layer. Shape letters: T tokens, V directions, D width.
"""

from collections.abc import Sequence
from itertools import chain

import numpy as np
import torch

from emotion_concepts.errors import NonFiniteError
from emotion_concepts.models import Model
from emotion_concepts.recording import Way, laid_out, run_trunk, within_memory
from emotion_concepts.tokens import TokenisedText


def token_cosines(
    model: Model,
    texts: Sequence[TokenisedText],
    rows: Sequence[int],
    unit_VD: np.ndarray,
    *,
    layer: int,
    way: Way,
) -> list[np.ndarray]:
    """Cosines of each token with each direction, of some of the texts together.

    Parameters
    ----------
    rows : sequence of int
        Which texts make up this batch.
    unit_VD : ndarray
        Directions of length 1.
    layer : int
        Whose output is read.
    way : Way
        As `recording.choose_way` gives it.

    Returns
    -------
    list of ndarray, float32 [T, V]
        One for each of `rows`, in their order.

    Raises
    ------
    NonFiniteError
        Infinity or NaN; names the text's position and the layer.
    """

    def work(some: Sequence[int]) -> list[np.ndarray]:
        if way == "single":
            return [_batch(model, texts, [row], unit_VD, layer, way)[0] for row in some]
        return _batch(model, texts, some, unit_VD, layer, way)

    return list(chain.from_iterable(within_memory(work, rows)))


def _batch(model, texts, rows, unit_VD, layer: int, way: Way) -> list[np.ndarray]:
    inputs, spans = laid_out([texts[row].ids for row in rows], way, model.device)
    found = []

    def read(at: int, residual_BTD: torch.Tensor) -> None:
        if at == layer:
            residual_TD = residual_BTD.flatten(0, 1).float()
            along_TV = (
                residual_TD @ torch.as_tensor(unit_VD, dtype=torch.float32, device=residual_TD.device).T
            )
            found.append((along_TV / residual_TD.norm(dim=-1, keepdim=True)).cpu().numpy())

    run_trunk(model, inputs, way, read, layer)
    cosines = [found[0][span] for span in spans]
    for row, cosine_TV in zip(rows, cosines, strict=True):
        if not np.isfinite(cosine_TV).all():
            raise NonFiniteError(
                f"text {row}: infinity or NaN in the residual stream after layer {layer}; "
                f"try recording.precision: float32"
            )
    return cosines
