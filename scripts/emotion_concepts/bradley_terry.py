"""Strengths from choices between two: Bradley and Terry's model with a term for the place, and Elo.

numpy and scipy alone, float64. Shapes: N what is chosen from, P pairs, S samples or directions, each with its own fit.
"""

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from emotion_concepts.errors import DataError

# Elo points for a factor e of the odds: ten to one is 400 points.
ELO_PER_NAT = 400 / np.log(10)
# Curvature that the penalty adds to every parameter, in comparisons: no answer is certain to more than about one
# in 10,000, so that answers of 0 and 1 have finite strengths. Others are moved by a ten-thousandth or less.
RIDGE = 1e-4
_STEPS = 200


def bradley_terry(
    first_P: np.ndarray, second_P: np.ndarray, p_P: np.ndarray, n: int
) -> tuple[np.ndarray, float]:
    """Most likely strengths where the first of a pair is chosen with log-odds strength - strength + position.

    Parameters
    ----------
    first_P, second_P : int arrays
        Places, 0 to n - 1, of the two that were compared.
    p_P : float array
        How probable it was that the first was chosen, 0 to 1: soft outcomes.
    n : int
        How many there are to choose from.

    Returns
    -------
    strength_N : float64
        In nats, mean 0.
    position : float
        What standing first adds, in nats.

    Raises
    ------
    DataError
        A probability that is none, or something never compared with the rest, directly or through others.
    """
    weight_NN, p_NN = pair_matrices(first_P, second_P, p_P, n)
    theta_SM = fit(weight_NN[None], p_NN[None])
    return theta_SM[0, :-1], float(theta_SM[0, -1])


def elo(strength: np.ndarray) -> np.ndarray:
    """Strengths in nats as Elo points."""
    return np.asarray(strength) * ELO_PER_NAT


def pair_matrices(
    first_P: np.ndarray, second_P: np.ndarray, p_P: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """How often each ordered pair was compared, and the mean probability of the first: float64 [N, N] each.

    For a soft outcome these two say as much as the single answers. Errors as in `bradley_terry`.
    """
    p_P = np.asarray(p_P, dtype=np.float64)
    if not ((p_P >= 0) & (p_P <= 1)).all():
        bad = int(np.argmin((p_P >= 0) & (p_P <= 1)))
        raise DataError(f"pair {bad}: probability {p_P[bad]} of the first; expected 0 to 1")
    if (np.asarray(first_P) == np.asarray(second_P)).any():
        raise DataError("a pair of one and the same; expected two different activities")
    weight_NN, sum_NN = np.zeros((n, n)), np.zeros((n, n))
    np.add.at(weight_NN, (first_P, second_P), 1)
    np.add.at(sum_NN, (first_P, second_P), p_P)
    if not (weight_NN + weight_NN.T + np.eye(n)).all():
        count, group_N = connected_components(weight_NN, directed=False)
        if count > 1:
            apart = np.flatnonzero(group_N != np.bincount(group_N).argmax()).tolist()
            raise DataError(f"never compared with the rest, directly or through others: {apart[:5]} of {n}")
    return weight_NN, np.divide(sum_NN, weight_NN, out=np.full((n, n), 0.5), where=weight_NN > 0)


def fit(weight_SNN: np.ndarray, p_SNN: np.ndarray, start_M: np.ndarray | None = None) -> np.ndarray:
    """Many fits at once by Newton's method: strengths (mean 0) and, last, position: float64 [S, N + 1].

    Parameters
    ----------
    weight_SNN, p_SNN : float64
        As `pair_matrices` gives them; either may have one sample for all.
    start_M : float64 [N + 1], optional
        Where to start: the fit of all pairs, where these are resamples of it.

    The likelihood with its ridge is strictly concave, and a step that would lower it is halved: it always ends.
    """
    n_samples, n = max(len(weight_SNN), len(p_SNN)), weight_SNN.shape[-1]
    theta = np.zeros((n_samples, n + 1)) if start_M is None else np.tile(start_M, (n_samples, 1))
    enough = 1e-9 * np.maximum(1, weight_SNN.sum((1, 2)))
    place = np.arange(n)
    for _ in range(_STEPS):
        sigma_SNN = expit(_logits(theta))
        rising_SM = _both_sides(weight_SNN * (p_SNN - sigma_SNN), n_samples) - RIDGE * theta
        if (np.abs(rising_SM).max(1) <= enough).all():
            return theta
        curve_SNN = weight_SNN * sigma_SNN * (1 - sigma_SNN)
        bend_SMM = np.zeros((n_samples, n + 1, n + 1))
        bend_SMM[:, :n, :n] = -(curve_SNN + curve_SNN.transpose(0, 2, 1))
        bend_SMM[:, place, place] += curve_SNN.sum(2) + curve_SNN.sum(1)
        bend_SMM[:, -1, :] = bend_SMM[:, :, -1] = _both_sides(curve_SNN, n_samples)
        bend_SMM += RIDGE * np.eye(n + 1)
        step_SM = np.linalg.solve(bend_SMM, rising_SM[..., None])[..., 0]
        theta = _uphill(theta, step_SM, weight_SNN, p_SNN)
    raise AssertionError("no convergence")


def _logits(theta_SM: np.ndarray) -> np.ndarray:
    return theta_SM[:, :-1, None] - theta_SM[:, None, :-1] + theta_SM[:, -1, None, None]


def _both_sides(value_SNN: np.ndarray, n_samples: int) -> np.ndarray:
    """Sum over pairs in which each stands first, less those in which it is second; last, over all: [S, N + 1]."""
    sides_SN = value_SNN.sum(2) - value_SNN.sum(1)
    return np.broadcast_to(
        np.column_stack([sides_SN, value_SNN.sum((1, 2))]), (n_samples, sides_SN.shape[1] + 1)
    )


def _uphill(
    theta_SM: np.ndarray, step_SM: np.ndarray, weight_SNN: np.ndarray, p_SNN: np.ndarray
) -> np.ndarray:
    """Newton's step, halved in the samples where it would lower the likelihood.

    One that moves no log-odds by more than 1.5 never does: the curvature changes by a factor of e^1.5 at most (Bach
    2010, 10.1214/09-EJS521, proposition 1).
    """
    if np.abs(step_SM).max() <= 0.5:
        return theta_SM + step_SM
    before_S = _likelihood(theta_SM, weight_SNN, p_SNN)
    size_S = np.ones(len(theta_SM))
    while True:
        trial_SM = theta_SM + size_S[:, None] * step_SM
        # Rounding alone may lower a likelihood that is at its top.
        worse_S = _likelihood(trial_SM, weight_SNN, p_SNN) < before_S - 1e-9 * (1 + np.abs(before_S))
        if not worse_S.any():
            return trial_SM
        size_S[worse_S] /= 2


def _likelihood(theta_SM: np.ndarray, weight_SNN: np.ndarray, p_SNN: np.ndarray) -> np.ndarray:
    z_SNN = _logits(theta_SM)
    each_SNN = weight_SNN * (p_SNN * z_SNN - np.logaddexp(0, z_SNN))
    return each_SNN.sum((1, 2)) - RIDGE / 2 * np.square(theta_SM).sum(1)
