"""Emotion vectors: concept means minus their mean over concepts, raw and denoised.

numpy and scipy alone, float64 inside. Shape letters: N texts, C concepts, L layers, D width, K components.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save
from scipy.sparse.linalg import eigsh

from emotion_concepts.errors import DataError
from emotion_concepts.files import written_whole

# Components that are looked for first.
FIRST_COMPONENTS = 16


@dataclass(frozen=True)
class EmotionVectors:
    """Vectors of one model and story set.

    raw_LCD, denoised_LCD : float32; concepts : sorted names, C; layers : block numbers, L;
    model, revision : what was read; residual_norm : {layer: mean L2 norm of the residual stream
    over the stories' pooled tokens}, the unit of steering strength.
    """

    raw_LCD: np.ndarray
    denoised_LCD: np.ndarray
    concepts: list[str]
    layers: list[int]
    model: str
    revision: str
    residual_norm: dict[int, float]

    def unit(self, concept: str, layer: int) -> np.ndarray:
        """The denoised vector of a concept at a layer, scaled to length 1: float32 [width].

        Raises
        ------
        DataError
            An unknown concept or layer; names the known ones.
        """
        if concept not in self.concepts:
            raise DataError(f"no vector for {concept!r}; known: {', '.join(self.concepts)}")
        if layer not in self.layers:
            raise DataError(f"no vectors at layer {layer}; known: {self.layers[0]} to {self.layers[-1]}")
        vector = self.denoised_LCD[self.layers.index(layer), self.concepts.index(concept)]
        return vector / np.linalg.norm(vector)


def units_at(vectors: EmotionVectors, layer: int, width: int) -> np.ndarray:
    """All denoised vectors of a layer, in the concepts' order, scaled to length 1: float32 [C, D].

    Raises
    ------
    DataError
        They are of another width than the model, or one has no direction (zero, infinite or NaN).
    """
    vector_CD = vectors.denoised_LCD[vectors.layers.index(layer)]
    if vector_CD.shape[1] != width:
        raise DataError(f"the vectors are {vector_CD.shape[1]} wide, but the model's residual stream {width}")
    norm_C = np.linalg.norm(vector_CD, axis=1)
    bad = np.flatnonzero(~(np.isfinite(norm_C) & (norm_C > 0)))
    if len(bad):
        raise DataError(
            f"the vector of {vectors.concepts[bad[0]]!r} at layer {layer} has no direction: "
            f"its length is {norm_C[bad[0]]}"
        )
    return vector_CD / norm_C[:, None]


def concept_means(mean_ND: np.ndarray, emotions: Sequence[str], concepts: Sequence[str]) -> np.ndarray:
    """Mean over each concept's texts: float64 [C, D]."""
    emotions = np.asarray(emotions)
    return np.stack([mean_ND[emotions == concept].mean(0, dtype=np.float64) for concept in concepts])


def centred(mean_CD: np.ndarray) -> np.ndarray:
    """Concept means minus the mean of those means (paper, section 1): float64 [C, D]."""
    return mean_CD - mean_CD.mean(0, keepdims=True)


def leading_components(covariance_DD: np.ndarray, variance: float) -> np.ndarray:
    """The fewest leading principal components that together explain `variance` of it.

    Parameters
    ----------
    covariance_DD : ndarray
        Covariance of neutral texts' token activations at one layer.
    variance : float
        Share in [0, 1); 0 gives none.

    Returns
    -------
    ndarray, float64 [K, D]
        Orthonormal rows.
    """
    if variance == 0:
        return np.zeros((0, len(covariance_DD)))
    width, total = len(covariance_DD), np.trace(covariance_DD)
    # Few components hold half of the variance: finding these alone is many times faster in a wide model.
    count = FIRST_COMPONENTS
    while count < width // 4:
        # A fixed start makes the result the same in every run.
        values, components = eigsh(covariance_DD, count, v0=np.ones(width))
        explained = np.cumsum(values[::-1]) / total
        if explained[-1] >= variance:
            return components.T[::-1][: int(np.searchsorted(explained, variance) + 1)]
        count *= 4
    values, components = np.linalg.eigh(covariance_DD)
    explained = np.cumsum(np.maximum(values[::-1], 0)) / total
    return components.T[::-1][: int(np.searchsorted(explained, variance) + 1)]


def without_components(vectors_CD: np.ndarray, components_KD: np.ndarray) -> np.ndarray:
    """Vectors with the span of orthonormal components projected out."""
    return vectors_CD - (vectors_CD @ components_KD.T) @ components_KD


def random_directions(count: int, width: int, seed: int) -> np.ndarray:
    """Directions drawn evenly from the unit sphere, as control: float64 [count, D]."""
    drawn = np.random.default_rng(seed).standard_normal((count, width))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def save_vectors(path: Path, vectors: EmotionVectors, more: Mapping[str, str] = MappingProxyType({})) -> None:
    """Write `vectors.safetensors` whole (contract: design.md, section 7), with more metadata if given."""
    metadata = {
        **more,
        "concepts": json.dumps(vectors.concepts),
        "layers": json.dumps(vectors.layers),
        "model": vectors.model,
        "revision": vectors.revision,
        "residual_norm": json.dumps([vectors.residual_norm[layer] for layer in vectors.layers]),
        "layer_convention": "layer k is the output of decoder block k, counted from 0, before the final norm",
    }
    tensors = {
        "raw": np.ascontiguousarray(vectors.raw_LCD, np.float32),
        "denoised": np.ascontiguousarray(vectors.denoised_LCD, np.float32),
    }
    with written_whole(path) as temporary:
        temporary.write_bytes(_same_bytes(save(tensors, metadata)))


def save_controls(
    path: Path, shuffled_LCD: np.ndarray, random_KD: np.ndarray, orthogonal_LKD: np.ndarray
) -> None:
    """Write `controls.safetensors`: `shuffled`, `random` and `orthogonal`, float32.

    shuffled : vectors made after the concept labels were shuffled among the stories of each topic (where a
    concept has several there, these stay together); random : unit directions, the same at every layer; orthogonal : unit directions orthogonal to all of a layer's
    vectors (none where those fill the width).
    """
    tensors = {"shuffled": shuffled_LCD, "random": random_KD, "orthogonal": orthogonal_LKD}
    content = save({name: np.ascontiguousarray(values, np.float32) for name, values in tensors.items()})
    with written_whole(path) as temporary:
        temporary.write_bytes(_same_bytes(content))


def _same_bytes(content: bytes) -> bytes:
    """A safetensors file with its header in sorted order: the library leaves that order to chance."""
    size = int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8 : 8 + size]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)  # the format wants the tensors to begin at a multiple of 8
    return len(header).to_bytes(8, "little") + header + content[8 + size :]


def load_vectors(path: Path | str) -> EmotionVectors:
    """Read `vectors.safetensors`.

    Raises
    ------
    DataError
        No such file, or one that lacks what this project writes.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            about = file.metadata() or {}
            layers = json.loads(about["layers"])
            return EmotionVectors(
                raw_LCD=file.get_tensor("raw"),
                denoised_LCD=file.get_tensor("denoised"),
                concepts=json.loads(about["concepts"]),
                layers=layers,
                model=about["model"],
                revision=about["revision"],
                residual_norm=dict(zip(layers, json.loads(about["residual_norm"]), strict=True)),
            )
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (KeyError, ValueError) as error:
        raise DataError(f"{path}: not a vectors file of this project: {error}") from None
