"""Directions that a model is steered along: concepts' vectors and their controls, all of one norm a layer.

numpy and safetensors alone. Shape letters: L layers, C concepts, D width, R directions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import safe_open

from emotion_concepts.concepts import USUAL_CONCEPTS
from emotion_concepts.direction_kinds import CONTROLS, UNSTEERED
from emotion_concepts.reliability import orthogonal_directions
from emotion_concepts.vectors import EmotionVectors, random_directions


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
    controls: Mapping[str, np.ndarray],
    *,
    n_controls: int,
) -> Directions:
    """The unsteered baseline, the concepts' vectors, and controls of each kind.

    Parameters
    ----------
    controls : mapping
        Directions by kind, [L, K, D], of any length: as `read_controls` or `made_controls` gives them.
    n_controls : int
        The first so many of each kind (of the orthogonal ones there may be fewer).
    """
    chosen = {kind: controls[kind][:, :n_controls] for kind in CONTROLS if kind in controls}
    names = [UNSTEERED, *concepts]
    names += [f"{kind}-{i + 1}" for kind, of in chosen.items() for i in range(of.shape[1])]
    kinds = [UNSTEERED] + ["concept"] * len(concepts)
    kinds += [kind for kind, of in chosen.items() for _ in range(of.shape[1])]
    scaled = {}
    for layer in layers:
        place = vectors.layers.index(layer)
        # The baseline, and the concepts, of which there may be none.
        units = [np.zeros((1, vectors.raw_LCD.shape[-1]))]
        units += [vectors.unit(concept, layer)[None] for concept in concepts]
        units += [of[place] / np.linalg.norm(of[place], axis=-1, keepdims=True) for of in chosen.values()]
        scaled[layer] = (vectors.residual_norm[layer] * np.concatenate(units)).astype(np.float32)
    return Directions(names, kinds, scaled)


def read_controls(path: Path, n_layers: int) -> dict[str, np.ndarray]:
    """Control directions of vectors that were made here, as `save_controls` wrote them: float32 [L, K, D] by kind."""
    with safe_open(path, framework="numpy") as file:
        found = {kind: file.get_tensor(kind) for kind in CONTROLS}
    # The same random direction at all layers, as a concept keeps its own from layer to layer.
    return found | {"random": np.broadcast_to(found["random"], (n_layers, *found["random"].shape))}


def made_controls(vectors: EmotionVectors, count: int, seed: int) -> dict[str, np.ndarray]:
    """The same for vectors made elsewhere, of which there are no shuffled labels."""
    random = random_directions(count, vectors.raw_LCD.shape[-1], seed)
    orthogonal = [orthogonal_directions(raw_CD, count, seed) for raw_CD in vectors.raw_LCD]
    return {
        "random": np.broadcast_to(random, (len(orthogonal), *random.shape)),
        "orthogonal": np.stack(orthogonal),
    }


def controls_of(
    paths: Sequence[Path], vectors: EmotionVectors, count: int, seed: int
) -> dict[str, np.ndarray]:
    """Those in the file, if there is one, or else such that are made here."""
    return read_controls(paths[0], len(vectors.layers)) if paths else made_controls(vectors, count, seed)


def combined(directions: Directions, parts: Sequence[Mapping[str, float]]) -> dict[int, np.ndarray]:
    """Sums of directions, each part times its strength: {layer: float32 [parts, D]}."""
    weight = np.zeros((len(parts), len(directions.names)), np.float32)
    for row, part in enumerate(parts):
        for name, strength in part.items():
            weight[row, directions.names.index(name)] = strength
    return {layer: weight @ scaled for layer, scaled in directions.scaled_RD.items()}
