"""How far two sets of vectors agree: of two story sets, or of two models.

Shape letters: L layers, C concepts that both have, D and E widths, K components.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.spatial import procrustes

from emotion_concepts.geometry import PROFILE_SAMPLES, principal_components, profile_correlation
from emotion_concepts.vectors import EmotionVectors, centred

FEWEST_CONCEPTS = 3
# Leading components that are turned onto each other, at most; with more, any two sets would fit.
PROCRUSTES_COMPONENTS = 10
SHUFFLES = 19


def set_agreement(vectors: Mapping[str, EmotionVectors], *, seed: int) -> pd.DataFrame:
    """Every pair of sets of vectors, at each layer of the first, over the concepts that both have.

    Returns
    -------
    DataFrame
        first, second (names), layer, other_layer (the second's, at the same relative depth), n_concepts;
        cosine: mean cosine of a concept's two vectors; found: share of concepts whose nearest vector in the
        other set is their own, mean of both ways (both NaN where depth or width differ, and no more than
        chance where two models' streams have nothing to do with each other); chance: 1 / n_concepts;
        rsa, rsa_low, rsa_high: correlation of the cosines of all pairs of concepts, with 95% interval;
        procrustes: share of the leading components' variance that is the same after the best rotation and
        scaling; procrustes_shuffled: the same for shuffled concepts. Pairs with fewer than three concepts in
        common are left out.

    The denoised vectors are centred anew over the shared concepts, so that what the other concepts
    of a set have in common does not count.
    """
    rows = []
    for first, second, shared, a_LCD, b_LCE in _pairs(vectors):
        deepest = len(b_LCE) - 1
        for i, a_CD in enumerate(a_LCD):
            j = round(i / max(1, len(a_LCD) - 1) * deepest) if len(a_LCD) != len(b_LCE) else i
            row = {
                "first": first,
                "second": second,
                "layer": vectors[first].layers[i],
                "other_layer": vectors[second].layers[j],
                "n_concepts": len(shared),
            }
            rows.append(row | _agreement(a_CD, b_LCE[j], a_LCD.shape == b_LCE.shape, seed))
    columns = ["first", "second", "layer", "other_layer", "n_concepts", "cosine", "found", "chance", "rsa",
               "rsa_low", "rsa_high", "procrustes", "procrustes_shuffled"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def concept_cosines(vectors: Mapping[str, EmotionVectors]) -> pd.DataFrame:
    """Cosine of each concept's two vectors, for every pair of sets of one shape, at each layer.

    Returns
    -------
    DataFrame
        first, second, layer, concept, cosine.
    """
    tables = []
    for first, second, shared, a_LCD, b_LCE in _pairs(vectors):
        if a_LCD.shape != b_LCE.shape:
            continue
        for layer, cosine_C in zip(vectors[first].layers, (a_LCD * b_LCE).sum(-1), strict=True):
            pair = {"first": first, "second": second, "layer": layer}
            tables.append(pd.DataFrame({**pair, "concept": shared, "cosine": cosine_C}))
    columns = ["first", "second", "layer", "concept", "cosine"]
    return pd.concat(tables)[columns] if tables else pd.DataFrame(columns=columns)


def _pairs(vectors: Mapping[str, EmotionVectors]) -> Iterator[tuple]:
    """Every two sets with concepts enough in common: their names, those concepts, and their units [L, C, D]."""
    for first, second in combinations(vectors, 2):
        shared = sorted(set(vectors[first].concepts) & set(vectors[second].concepts))
        if len(shared) >= FEWEST_CONCEPTS:
            yield first, second, shared, _units(vectors[first], shared), _units(vectors[second], shared)


def _agreement(a_CD: np.ndarray, b_CE: np.ndarray, one_space: bool, seed: int) -> dict:
    n = len(a_CD)
    cosine, found = np.nan, np.nan
    if one_space:
        cosine_CC = a_CD @ b_CE.T
        cosine = np.diag(cosine_CC).mean()
        found = np.mean([(cosine_CC.argmax(axis) == np.arange(n)).mean() for axis in (0, 1)])
    rsa, (low, high) = profile_correlation(a_CD, b_CE, samples=PROFILE_SAMPLES, seed=seed)
    count = min(PROCRUSTES_COMPONENTS, (n - 1) // 2)
    a_CK, b_CK = (principal_components(x, count)[0] for x in (a_CD, b_CE))
    rng = np.random.default_rng(seed)
    shuffled = [_turned_fit(a_CK, rng.permutation(b_CK)) for _ in range(SHUFFLES)]
    return {
        "cosine": cosine,
        "found": found,
        "chance": 1 / n,
        "rsa": rsa,
        "rsa_low": low,
        "rsa_high": high,
        "procrustes": _turned_fit(a_CK, b_CK),
        "procrustes_shuffled": np.mean(shuffled),
    }


def _turned_fit(a_CK: np.ndarray, b_CK: np.ndarray) -> float:
    return 1 - procrustes(a_CK, b_CK)[2]


def _units(vectors: EmotionVectors, concepts: list[str]) -> np.ndarray:
    """Vectors of some concepts, centred over them and scaled to length 1: float64 [L, C, D]."""
    chosen = vectors.denoised_LCD[:, [vectors.concepts.index(concept) for concept in concepts]]
    moved = np.stack([centred(vector_CD.astype(np.float64)) for vector_CD in chosen])
    return moved / np.linalg.norm(moved, axis=-1, keepdims=True)
