"""What the vectors read at the places of an experiment's texts: cosines and projections, with controls.

The pooled residual stream is on disk for every layer; reading it off is a product with directions of
length 1, without a model. Shapes: U places, C concepts, L layers, D width, K control directions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

from emotion_concepts.reliability import orthogonal_directions
from emotion_concepts.shards import read_places
from emotion_concepts.text_sets import Text, read_texts
from emotion_concepts.vectors import EmotionVectors, random_directions

# Random directions, and as many orthogonal to all vectors: enough for the spread of what chance gives.
N_CONTROLS = 20


@dataclass(frozen=True)
class PlaceScores:
    """Readouts at every place.

    places : DataFrame [U]: text, format, span, token, n_tokens, and the labels of its text; concepts, layers : as
    the vectors'. cosine_LUC : float32, with each concept's vector; norm_LU : float32, L2 norm of what
    was pooled. controls : {"random", "orthogonal", "shuffled": cosine_LUK}, those that were asked for; the last
    with vectors of shuffled labels, one a concept.
    """

    places: pd.DataFrame
    concepts: list[str]
    layers: list[int]
    cosine_LUC: np.ndarray
    norm_LU: np.ndarray
    controls: dict[str, np.ndarray]


def score_places(
    places: pd.DataFrame,
    value_UD: Callable[[int], np.ndarray],
    vectors: EmotionVectors,
    shuffled_LCD: np.ndarray | None = None,
    *,
    seed: int,
    directions: Sequence[str] = ("random", "orthogonal"),
) -> PlaceScores:
    """Read the vectors, and control directions, at every place and layer.

    Parameters
    ----------
    places : DataFrame
        As `labelled_places` gives them.
    value_UD : callable
        Gives the residual stream at the places after a block: float [U, D].
    shuffled_LCD : ndarray, optional
        Vectors of shuffled labels.
    directions : sequence of str
        Which control directions are read too.
    """
    shape = (len(vectors.layers), len(places))
    cosine_LUC = np.empty((*shape, len(vectors.concepts)), np.float32)
    norm_LU = np.empty(shape, np.float32)
    random_KD = random_directions(N_CONTROLS, vectors.denoised_LCD.shape[-1], seed)
    controls: dict[str, list[np.ndarray]] = {name: [] for name in (*directions, "shuffled")}
    for at, layer in enumerate(vectors.layers):
        value = value_UD(layer).astype(np.float64)
        norm_LU[at] = np.linalg.norm(value, axis=1)
        unit_UD = value / norm_LU[at][:, None]
        cosine_LUC[at] = unit_UD @ unit_rows(vectors.denoised_LCD[at]).T
        if "random" in directions:
            controls["random"].append(unit_UD @ random_KD.T)
        if "orthogonal" in directions:
            # None where the vectors fill the whole width.
            vector_CD = vectors.denoised_LCD[at].astype(np.float64)
            controls["orthogonal"].append(unit_UD @ orthogonal_directions(vector_CD, N_CONTROLS, seed).T)
        if shuffled_LCD is not None:
            controls["shuffled"].append(unit_UD @ unit_rows(shuffled_LCD[at]).T)
    return PlaceScores(
        places, vectors.concepts, vectors.layers, cosine_LUC, norm_LU,
        {name: np.stack(values).astype(np.float32) for name, values in controls.items() if values},
    )  # fmt: skip


def labelled_places(folder: Path, texts: Path) -> pd.DataFrame:
    """The places of an experiment (`record_places`) with the labels of their texts."""
    return with_labels(read_places(folder), read_texts(texts))


def with_labels(places: pd.DataFrame, texts: Sequence[Text]) -> pd.DataFrame:
    """Places with the labels of their texts: emotion, topic and whatever else the text set has."""
    labels = pd.DataFrame(
        [{"text": text.id, "emotion": text.emotion, "topic": text.topic} | text.labels for text in texts]
    )
    # A text that is read in one format only says so in a label of that name.
    labels = labels.drop(columns=[name for name in ("format", "span", "token") if name in labels])
    return places.merge(labels, on="text", how="left", validate="many_to_one")


def shuffled_vectors(path: Path) -> np.ndarray:
    """Vectors of shuffled labels, as `compute_vectors` left them: float32 [L, C, D]."""
    return load_file(path)["shuffled"]


def unit_rows(vector_CD: np.ndarray) -> np.ndarray:
    """Vectors scaled to length 1: float64 [C, D]."""
    vector_CD = vector_CD.astype(np.float64)
    return vector_CD / np.linalg.norm(vector_CD, axis=1, keepdims=True)
