"""Directions that a model is steered along: concepts' vectors and their controls, all of one norm a layer.

numpy and safetensors alone. Shape letters: L layers, C concepts, D width, R directions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import safe_open

from emotion_concepts.concepts import USUAL_CONCEPTS
from emotion_concepts.reliability import orthogonal_directions
from emotion_concepts.vectors import EmotionVectors, random_directions

UNSTEERED = "unsteered"
CONTROLS = ("random", "orthogonal", "shuffled")


@dataclass(frozen=True)
class Directions:
    """One row a direction; the first is the unsteered baseline.

    names : R; kinds : "unsteered", "concept", "random" (the same at every layer), "orthogonal" (to all of a
    layer's vectors) or "shuffled" (made of stories with shuffled labels); scaled_RD : {layer: float32 [R, D]}, m(layer)
    times the unit vector: what strength 1 adds there; zeros for the baseline.
    """

    names: list[str]
    kinds: list[str]
    scaled_RD: dict[int, np.ndarray]

    def of_kind(self, *kinds: str) -> list[int]:
        """Rows of some kinds."""
        return [row for row, kind in enumerate(self.kinds) if kind in kinds]

    def added(self, rows: Sequence[int], strengths: Sequence[float]) -> dict[int, np.ndarray]:
        """Chosen rows, each times its strength: {layer: float32 [rows, D]}."""
        times = np.asarray(strengths, np.float32)[:, None]
        return {layer: times * scaled[list(rows)] for layer, scaled in self.scaled_RD.items()}


def concepts_to_steer(known: Sequence[str], chosen: Sequence[str] | None) -> list[str]:
    """The chosen concepts that have vectors; without a choice the usual twelve, filled up with others."""
    if chosen is not None:
        return [concept for concept in chosen if concept in known]
    usual = [concept for concept in USUAL_CONCEPTS if concept in known]
    others = [concept for concept in known if concept not in usual]
    return [*usual, *others][: len(USUAL_CONCEPTS)]


def steered_directions(
    vectors: EmotionVectors,
    concepts: Sequence[str],
    layers: Sequence[int],
    *,
    n_controls: int,
    seed: int,
    shuffled_LCD: np.ndarray | None = None,
) -> Directions:
    """The unsteered baseline, the concepts' vectors, and controls of each kind.

    Parameters
    ----------
    n_controls : int
        Of each kind; of the orthogonal ones as many as the width has room for.
    shuffled_LCD : ndarray, optional
        Vectors of shuffled labels, as `save_controls` writes them; without them there is no such control.
    """
    width = vectors.raw_LCD.shape[-1]
    # The same random direction at all layers, as a concept keeps its own from layer to layer.
    random = random_directions(n_controls, width, seed)
    parts: dict[str, list[np.ndarray]] = {kind: [] for kind in ("concept", *CONTROLS)}
    for layer in layers:
        place = vectors.layers.index(layer)
        parts["concept"].append(np.stack([vectors.unit(concept, layer) for concept in concepts]))
        parts["random"].append(random)
        parts["orthogonal"].append(orthogonal_directions(vectors.raw_LCD[place], n_controls, seed))
        chosen = np.empty((0, width)) if shuffled_LCD is None else shuffled_LCD[place, :n_controls]
        parts["shuffled"].append(chosen / np.linalg.norm(chosen, axis=-1, keepdims=True))
    counts = {kind: min(map(len, of)) for kind, of in parts.items()}
    names = [UNSTEERED, *concepts] + [f"{kind}-{i + 1}" for kind in CONTROLS for i in range(counts[kind])]
    kinds = [UNSTEERED] + [kind for kind, n in counts.items() for _ in range(n)]
    scaled = {}
    for number, layer in enumerate(layers):
        units = [of[number][: counts[kind]] for kind, of in parts.items()]
        norm = vectors.residual_norm[layer]
        scaled[layer] = (norm * np.concatenate([np.zeros((1, width)), *units])).astype(np.float32)
    return Directions(names, kinds, scaled)


def read_shuffled(controls: Sequence[Path]) -> np.ndarray | None:
    """Vectors of shuffled labels from `controls.safetensors`: float32 [L, C, D]; None without such a file."""
    if not controls:
        return None
    with safe_open(controls[0], framework="numpy") as file:
        return file.get_tensor("shuffled")


def combined(directions: Directions, parts: Sequence[Mapping[str, float]]) -> dict[int, np.ndarray]:
    """Sums of directions, each part times its strength: {layer: float32 [parts, D]}."""
    weight = np.zeros((len(parts), len(directions.names)), np.float32)
    for row, part in enumerate(parts):
        for name, strength in part.items():
            weight[row, directions.names.index(name)] = strength
    return {layer: weight @ scaled for layer, scaled in directions.scaled_RD.items()}
