"""Row 7: does steering move what a model would rather do as row 6's correlations say? See `preferences`.

Shapes: N activities, C concepts, K directions, L layers, P pairs or shuffles, I steered activities.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd

from emotion_concepts import statistics
from emotion_concepts.bradley_terry import bradley_terry, elo, fit, pair_matrices
from emotion_concepts.clustered import correlation, covariance, crossed_intervals, shuffled, shuffled_pearson
from emotion_concepts.direction_kinds import CONCEPT, CONTROLS, UNSTEERED
from emotion_concepts.errors import DataError
from emotion_concepts.preferences import FEWEST_CONCEPTS, compared, too_little


def causal_summary(
    choices: pd.DataFrame,
    activities: pd.DataFrame,
    steered: Collection[str],
    activation_LNK: np.ndarray,
    directions: pd.DataFrame,
    layer: int,
    *,
    permutations: int,
    bootstraps: int,
    seed: int,
) -> tuple[dict, pd.DataFrame]:
    """Row 7: does steering on an activity's tokens move its Elo as the vector's correlation with Elo says?

    A direction's change is the mean over steered activities of Elo under it less Elo without, both among the activities
    that were compared under it, less the same mean over those of them that were not steered.

    Parameters
    ----------
    choices, activities, activation_LNK, directions, layer
        As in `preference_summary`; choices have steered directions too, each of which is one of `directions`.
    steered : collection of str
        Activities that the directions were added on.

    Returns
    -------
    summary : dict
        value: correlation over concepts of change and r; its interval, over categories, steered activities and
        concepts together; p and p_below, each the largest of three, `p_of` and `p_below_of`: Elo shuffled (r might be
        noise), signs of the steered activities' changes flipped (the change might be), concepts shuffled (they
        might be few). All three of the covariance, which unlike the correlation is small where either is;
        covariance: value and interval; largest and smallest: concept and change; beyond_controls: how many concepts
        change more, or less, than every control; controls: by kind r of change and r, covariance, spread (standard
        deviation of change), n. n and counts alone where there is too little.
    table : DataFrame
        direction, kind, r, change, low, high (over steered activities).

    Raises
    ------
    DataError
        A steered direction without activations, or a half of the activities without any.

    Source: arXiv 2604.07729, steering preferences.
    """
    change_KI, used, category_I = _changes(choices, activities, set(steered), directions)
    category_N = activities["category"].to_numpy()
    (first_P, second_P, p_P) = compared(choices[choices["direction"] == UNSTEERED], activities["id"].tolist())
    elo_N = elo(bradley_terry(first_P, second_P, p_P, len(activities))[0])
    kinds = directions["kind"].to_numpy()[used]
    x_NK = activation_LNK[layer][:, used].astype(np.float64)
    bounds = statistics.mean_intervals(change_KI.T, samples=bootstraps, seed=seed, clusters=category_I)
    table = pd.DataFrame(
        {"direction": directions["direction"].to_numpy()[used], "kind": kinds, "r": statistics.pearson(x_NK, elo_N),
         "change": change_KI.mean(1), "low": bounds[:, 0], "high": bounds[:, 1]}
    )  # fmt: skip
    known = ((kinds == CONCEPT) & table["r"].notna()).to_numpy()
    concepts = table[known].reset_index(drop=True)
    about = {
        "n": len(concepts), "n_concepts": len(concepts), "n_activities": len(activities), "n_steered": len(category_I),
        "n_categories": min(len(np.unique(category_N)), len(np.unique(category_I))), "layer": layer,
    }  # fmt: skip
    if too_little(about):
        return about, table
    change_CI, x_NC = change_KI[known], x_NK[:, known]
    p_of, p_below_of = _causal_p(x_NC, elo_N, change_CI, category_N, category_I, permutations, seed)
    low_high, covariance_bounds = crossed_intervals(
        x_NC, elo_N, category_N, change_CI.T, category_I, bootstraps=bootstraps, seed=seed
    )
    controls = {
        kind: {"r": correlation(of["change"], of["r"]), "covariance": covariance(of["r"], of["change"]),
               "spread": float(of["change"].std()), "n": len(of)}
        for kind, of in table[table["kind"].isin(CONTROLS)].groupby("kind") if len(of) >= FEWEST_CONCEPTS
    }  # fmt: skip
    other = table.loc[table["kind"].isin(CONTROLS), "change"]
    order = concepts.sort_values("change")
    return about | {
        "value": correlation(concepts["change"], concepts["r"]), "interval": low_high,
        "p": max(p_of.values()), "p_below": max(p_below_of.values()), "p_of": p_of, "p_below_of": p_below_of,
        "covariance": {"value": covariance(concepts["r"], concepts["change"]), "interval": covariance_bounds},
        "largest": [order["direction"].iloc[-1], float(order["change"].iloc[-1])],
        "smallest": [order["direction"].iloc[0], float(order["change"].iloc[0])],
        "beyond_controls": int(((order["change"] > other.max()) | (order["change"] < other.min())).sum()),
        "n_controls": len(other), "controls": controls,
    }, table  # fmt: skip


def _changes(
    choices: pd.DataFrame, activities: pd.DataFrame, steered: set[str], directions: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Change of Elo of each steered activity under each steered direction: float64 [K, I].

    With the places of these K among the directions, and the categories of the I.
    """
    name_K, place = list(directions["direction"]), {UNSTEERED: -1}
    place |= {name: k for k, name in enumerate(name_K)}
    code_P, names = pd.factorize(choices["direction"].to_numpy(dtype=object))
    missing = [name for name in names if name not in place]
    if missing or UNSTEERED not in names:
        raise DataError(
            f"choices: no {'activations' if missing else 'choices'} of {[*missing, UNSTEERED][0]!r}"
        )
    first_P, second_P, p_P = compared(choices, activities["id"].tolist())
    unsteered_P = code_P == list(names).index(UNSTEERED)
    subset = np.unique(np.concatenate([first_P[~unsteered_P], second_P[~unsteered_P]]))
    on_N = activities["id"].isin(steered).to_numpy()[subset]
    if not on_N.any() or on_N.all():
        raise DataError(f"choices: {on_N.sum()} of {len(on_N)} activities were steered; expected a half")
    in_P = np.isin(first_P, subset) & np.isin(second_P, subset)
    within = np.searchsorted(subset, first_P), np.searchsorted(subset, second_P)
    used = [code for code, name in enumerate(names) if name != UNSTEERED]
    matrices = []
    for code in (list(names).index(UNSTEERED), *used):
        rows = np.flatnonzero(in_P & (code_P == code))
        matrices.append(pair_matrices(within[0][rows], within[1][rows], p_P[rows], len(subset)))
    strength_KN = fit(*(np.stack(of) for of in zip(*matrices, strict=True)))[:, :-1]
    change_KN = elo(strength_KN[1:] - strength_KN[0])
    change_KI = change_KN[:, on_N] - change_KN[:, ~on_N].mean(1, keepdims=True)
    category_I = activities["category"].to_numpy()[subset][on_N]
    return change_KI, np.array([place[names[code]] for code in used]), category_I


def _causal_p(
    x_NC: np.ndarray, elo_N: np.ndarray, change_CI: np.ndarray, category_N: np.ndarray, category_I: np.ndarray,
    permutations: int, seed: int,
) -> tuple[dict, dict]:  # fmt: skip
    """p-values of the covariance of r and change on either side, by what is shuffled."""
    r_C, change_C = statistics.pearson(x_NC, elo_N), change_CI.mean(1)
    centred_C = change_C - change_C.mean()
    value = float(r_C @ centred_C)
    # For each steered activity: how its changes follow r over the concepts.
    slope_I = (r_C - r_C.mean()) @ change_CI
    flipped = statistics.mean_effect(slope_I, category_I, permutations=permutations, bootstraps=1, seed=seed)
    nulls = {
        "shuffled_elo": shuffled_pearson(x_NC, elo_N, category_N, permutations, seed) @ centred_C,
        "shuffled_concepts": shuffled(r_C, permutations, seed) @ centred_C,
    }
    above = {name: statistics.permutation_p(value, null) for name, null in nulls.items()}
    below = {name: statistics.permutation_p(-value, -null) for name, null in nulls.items()}
    return above | {"flipped_changes": flipped["p"]}, below | {"flipped_changes": flipped["p_below"]}
