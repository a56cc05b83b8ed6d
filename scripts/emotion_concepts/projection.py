"""Projection: how far each token's residual stream lies along each vector."""

from dataclasses import dataclass

import numpy as np
import torch

from emotion_concepts.models import Model
from emotion_concepts.residual_stream import watched_residuals
from emotion_concepts.vectors import EmotionVectors


@dataclass(frozen=True)
class TokenScores:
    """Readouts of one text at every token.

    tokens : T strings; concepts, layers : as the vectors'; projection_LTC : float32, scalar
    projection on each unit vector, in the model's own units; cosine_LTC : float32; norm_LT :
    float32, L2 norm of the residual stream.
    """

    tokens: list[str]
    concepts: list[str]
    layers: list[int]
    projection_LTC: np.ndarray
    cosine_LTC: np.ndarray
    norm_LT: np.ndarray


def project(model: Model, vectors: EmotionVectors, text: str) -> TokenScores:
    """Project every token of a text on every denoised vector, at every layer that has vectors.

    Parameters
    ----------
    model : Model
        The model that the vectors are of; left as found.
    vectors : EmotionVectors
        As `load_vectors` returns them.
    text : str
        A plain text.

    Source: arXiv 2604.07729 (readouts: scalar projection on the unit vector, and cosine).
    """
    encoded = model.tokenizer(text)["input_ids"]
    units_LCD = vectors.denoised_LCD / np.linalg.norm(vectors.denoised_LCD, axis=-1, keepdims=True)
    projections, norms = [], []

    def read(layer: int, residual_BTD: torch.Tensor) -> None:
        if layer in vectors.layers:
            residual_TD = residual_BTD[0].float()
            unit_CD = torch.from_numpy(units_LCD[vectors.layers.index(layer)]).to(residual_TD)
            projections.append((residual_TD @ unit_CD.T).cpu().numpy())
            norms.append(residual_TD.norm(dim=-1).cpu().numpy())

    with torch.inference_mode(), watched_residuals(model.blocks, read):
        model.trunk(input_ids=torch.tensor([encoded], device=model.device), use_cache=False)
    projection_LTC, norm_LT = np.stack(projections), np.stack(norms)
    return TokenScores(
        tokens=[model.tokenizer.decode([token]) for token in encoded],
        concepts=vectors.concepts,
        layers=vectors.layers,
        projection_LTC=projection_LTC,
        cosine_LTC=projection_LTC / norm_LT[..., None],
        norm_LT=norm_LT,
    )
