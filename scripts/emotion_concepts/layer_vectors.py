"""All that is made of one layer's sums: vectors, their controls, and how reliable they are.

Shape letters: P topics, C concepts, D width, K directions.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from emotion_concepts import reliability
from emotion_concepts.cells import CellSums, all_vectors, shuffled_cells
from emotion_concepts.vectors import leading_components, without_components


@dataclass(frozen=True)
class LayerVectors:
    """Of one layer, float32 but for the tables.

    raw_CD, denoised_CD, shuffled_CD : vectors, denoised ones, those of shuffled labels; orthogonal_KD : unit
    directions orthogonal to all vectors; without_PCD : vectors made without each topic; reliability : as
    `reliability_table` gives it; norm : mean activation norm of the stories; n_removed : neutral components
    that were projected out.
    """

    raw_CD: np.ndarray
    denoised_CD: np.ndarray
    shuffled_CD: np.ndarray
    orthogonal_KD: np.ndarray
    without_PCD: np.ndarray
    reliability: pd.DataFrame
    norm: float
    n_removed: int


def layer_vectors(
    cells: CellSums, stories: pd.DataFrame, covariance_DD: np.ndarray, *, denoise_variance: float,
    reliability_samples: int, control_directions: int, seed: int,
) -> LayerVectors:  # fmt: skip
    """Make them, with the settings of the `vectors` section.

    Parameters
    ----------
    cells : CellSums
        Of the layer.
    stories : DataFrame
        emotion, n_tokens and norm (of the activation, float32) of each.
    covariance_DD : ndarray
        Of the neutral dialogues' token activations.
    """
    raw_CD = all_vectors(cells)
    components_KD = leading_components(covariance_DD, denoise_variance)
    return LayerVectors(
        raw_CD=raw_CD.astype(np.float32),
        denoised_CD=without_components(raw_CD, components_KD).astype(np.float32),
        shuffled_CD=all_vectors(shuffled_cells(cells, seed)).astype(np.float32),
        orthogonal_KD=reliability.orthogonal_directions(raw_CD, control_directions, seed).astype(np.float32),
        without_PCD=reliability.leave_one_out(cells).astype(np.float32),
        reliability=reliability.reliability_table(stories, cells, samples=reliability_samples, seed=seed),
        norm=float(stories["norm"].to_numpy().mean(dtype=np.float64)),
        n_removed=len(components_KD),
    )
