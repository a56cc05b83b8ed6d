"""What the analysis of preferences reads: activations at the activities, and their projections on directions. No torch.

Shape letters: N activities, L layers, D width, K directions.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors import safe_open

from emotion_concepts.directions import read_controls
from emotion_concepts.vectors import EmotionVectors


def read_activations(path: Path) -> tuple[pd.DataFrame, np.ndarray, str]:
    """Activities (id, category, n_tokens), the mean residual stream over each one's tokens [N, L, D], and the format."""
    with safe_open(path, framework="numpy") as file:
        about = json.loads(file.metadata()["about"])
        return (
            pd.DataFrame({k: about[k] for k in ("id", "category", "n_tokens")}),
            file.get_tensor("mean"),
            about["format"],
        )


def direction_projections(
    mean_NLD: np.ndarray, vectors: EmotionVectors, controls: Path
) -> tuple[pd.DataFrame, np.ndarray]:
    """Scalar projection on the unit vectors of all concepts and of all control directions.

    Returns
    -------
    DataFrame [K], float32 [L, N, K]
        direction (as `steered_directions` names them) and kind; layers are those of the vectors.
    """
    found = read_controls(controls, len(vectors.layers))
    of_kind = {"concept": vectors.denoised_LCD} | found
    names = [(concept, "concept") for concept in vectors.concepts]
    names += [(f"{kind}-{i + 1}", kind) for kind, of in found.items() for i in range(of.shape[1])]
    vector_LKD = np.concatenate(list(of_kind.values()), axis=1)
    unit_LKD = vector_LKD / np.linalg.norm(vector_LKD, axis=-1, keepdims=True)
    projection_LNK = np.einsum("nld,lkd->lnk", mean_NLD[:, vectors.layers], unit_LKD)
    return pd.DataFrame(names, columns=["direction", "kind"]), projection_LNK.astype(np.float32)
