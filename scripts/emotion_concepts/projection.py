"""Projection: how far each token's residual stream lies along each vector."""

from dataclasses import dataclass

import numpy as np
import torch

from emotion_concepts.errors import DataError
from emotion_concepts.models import Model
from emotion_concepts.residual_stream import watched_residuals
from emotion_concepts.tokens import tokenise
from emotion_concepts.vectors import EmotionVectors


@dataclass(frozen=True)
class TokenScores:
    """Readouts of one text at every token.

    tokens : T strings; concepts, layers : as the vectors'; projection_LTC : float32, scalar
    projection on each unit vector, in the model's own units; cosine_LTC : float32; norm_LT :
    float32, L2 norm of the residual stream; text : what was read; own_T : bool, False on a BOS and
    other tokens that the tokenizer added; places_T2 : int32, characters of the text that each token
    stands for, start and end; empty where the tokenizer cannot tell.
    """

    tokens: list[str]
    concepts: list[str]
    layers: list[int]
    projection_LTC: np.ndarray
    cosine_LTC: np.ndarray
    norm_LT: np.ndarray
    text: str
    own_T: np.ndarray
    places_T2: np.ndarray


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

    Raises
    ------
    DataError
        The text has no tokens, or more than the model reads.

    Source: arXiv 2604.07729 (readouts: scalar projection on the unit vector, and cosine).
    """
    encoded = tokenise(model.tokenizer, [text], with_places=model.tokenizer.is_fast)[0]
    limit = getattr(model.hf.config.get_text_config(), "max_position_embeddings", None)
    if not 0 < len(encoded.ids) <= (limit or np.inf):
        raise DataError(
            f"the text has {len(encoded.ids)} tokens; this model reads 1 to {limit or 'any number'}"
        )
    ids_BT = torch.tensor(encoded.ids[None], dtype=torch.int64, device=model.device)
    units_LCD = vectors.denoised_LCD / np.linalg.norm(vectors.denoised_LCD, axis=-1, keepdims=True)
    projections, norms = [], []

    def read(layer: int, residual_BTD: torch.Tensor) -> None:
        if layer in vectors.layers:
            residual_TD = residual_BTD[0].float()
            unit_CD = torch.from_numpy(units_LCD[vectors.layers.index(layer)]).to(residual_TD)
            projections.append((residual_TD @ unit_CD.T).cpu().numpy())
            norms.append(residual_TD.norm(dim=-1).cpu().numpy())

    with torch.inference_mode(), watched_residuals(model.blocks, read):
        model.trunk(input_ids=ids_BT, use_cache=False)
    projection_LTC, norm_LT = np.stack(projections), np.stack(norms)
    return TokenScores(
        tokens=[model.tokenizer.decode([token]) for token in encoded.ids.tolist()],
        concepts=vectors.concepts,
        layers=vectors.layers,
        projection_LTC=projection_LTC,
        cosine_LTC=projection_LTC / norm_LT[..., None],
        norm_LT=norm_LT,
        text=text,
        own_T=encoded.own,
        places_T2=encoded.places,
    )
