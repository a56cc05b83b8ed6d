"""How far the vectors of two story sets agree. numpy and pandas alone.

Shape letters: L layers, C concepts that both sets have, D width.
"""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from emotion_concepts.vectors import EmotionVectors, centred

FEWEST_CONCEPTS = 3


def set_agreement(vectors: Mapping[str, EmotionVectors]) -> pd.DataFrame:
    """Every pair of story sets, at each layer, over the concepts that both have.

    Returns
    -------
    DataFrame
        first, second (set names), layer, n_concepts; cosine: mean cosine of a concept's two vectors;
        found: share of concepts whose nearest vector in the other set is their own, mean of both ways;
        chance: 1 / n_concepts. Pairs with fewer than three concepts in common are left out.

    The denoised vectors are centred anew over the shared concepts, so that what the other concepts
    of a set have in common does not count.
    """
    rows = []
    for first, second in combinations(vectors, 2):
        shared = sorted(set(vectors[first].concepts) & set(vectors[second].concepts))
        if len(shared) < FEWEST_CONCEPTS:
            continue
        a_LCD, b_LCD = (_units(vectors[name], shared) for name in (first, second))
        for layer, cosine_CC in enumerate(a_LCD @ b_LCD.transpose(0, 2, 1)):
            own = np.arange(len(shared))
            found = [(cosine_CC.argmax(axis) == own).mean() for axis in (0, 1)]
            rows.append(
                (
                    first,
                    second,
                    layer,
                    len(shared),
                    np.diag(cosine_CC).mean(),
                    np.mean(found),
                    1 / len(shared),
                )
            )
    columns = ["first", "second", "layer", "n_concepts", "cosine", "found", "chance"]
    return pd.DataFrame(rows, columns=columns)


def _units(vectors: EmotionVectors, concepts: list[str]) -> np.ndarray:
    """Vectors of some concepts, centred over them and scaled to length 1: float64 [L, C, D]."""
    chosen = vectors.denoised_LCD[:, [vectors.concepts.index(concept) for concept in concepts]]
    moved = np.stack([centred(vector_CD.astype(np.float64)) for vector_CD in chosen])
    return moved / np.linalg.norm(moved, axis=-1, keepdims=True)
