"""Row 6: what a model would rather do, and whether emotion vectors tell what it would rather do.

numpy, scipy and pandas alone. Shapes: N activities, C concepts, K directions, L layers, P pairs or shuffles, S samples.

What is random here? A model's answers are not: asked again it gives the same log-odds. The activities are a choice out
of many that might have been written, and so are the concepts. Elo's interval is therefore over opponents; those of
correlations are over activities, whole categories of them: activities of one category are alike in what they are
worth and in what they activate, so that singly drawn or shuffled they would pass for far more evidence than they are.
Concepts are alike too: their correlations with Elo rise and fall together, whatever Elo is. So what is said over
concepts is tested by shuffling Elo as well as the concepts, and the larger p counts.
"""

import numpy as np
import pandas as pd
from scipy.special import expit

from emotion_concepts import statistics
from emotion_concepts.bradley_terry import bradley_terry, elo, fit, pair_matrices
from emotion_concepts.clustered import (
    correlation,
    crossed_intervals,
    expected_largest,
    shuffled,
    shuffled_pearson,
    shuffled_rows,
)
from emotion_concepts.direction_kinds import CONCEPT, CONTROLS, UNSTEERED
from emotion_concepts.errors import DataError

# Fewer give shuffles and resamples nothing to work with (24 orders of four categories: p = .04 at the least).
FEWEST_CATEGORIES, FEWEST_ACTIVITIES, FEWEST_CONCEPTS = 5, 10, 3
# Activities for each covariate that is taken out, at least.
ACTIVITIES_PER_COVARIATE = 5
_BLOCK = 128


def elo_table(
    choices: pd.DataFrame, activities: pd.DataFrame, *, bootstraps: int, seed: int
) -> tuple[dict, pd.DataFrame]:
    """Elo of each activity without steering.

    Parameters
    ----------
    choices : DataFrame
        direction, kind, first, second, logit, mass.
    activities : DataFrame [N]
        id, category, n_tokens.

    Returns
    -------
    summary : dict
        position, what standing first adds to the log-odds; first_chosen, the probability of the first of two
        equals; order_agreement, the share of pairs whose two orders choose the same; median_mass, p(A) + p(B).
    table : DataFrame
        id, category, elo (mean 0), low, high: 95% over opponents. What would this activity's Elo be among others to
        choose from? Each activity is weighted at random (Bayesian bootstrap, which leaves none out).

    Raises
    ------
    DataError
        A logit that is not finite, an activity that is unknown or not compared with the others.

    Source: Rubin 1981 (10.1214/aos/1176345338), Bayesian bootstrap.
    """
    own = choices[choices["direction"] == UNSTEERED]
    first_P, second_P, p_P = compared(own, activities["id"].tolist())
    n = len(activities)
    strength_N, position = bradley_terry(first_P, second_P, p_P, n)
    weight_NN, p_NN = pair_matrices(first_P, second_P, p_P, n)
    share_SN = np.random.default_rng(seed).exponential(size=(bootstraps, n))
    share_SN *= n / share_SN.sum(1, keepdims=True)
    start = np.append(strength_N, position)
    drawn_SN = np.concatenate(
        [
            fit(weight_NN * of[:, :, None] * of[:, None, :], p_NN[None], start)[:, :-1]
            for of in np.array_split(share_SN, range(_BLOCK, bootstraps, _BLOCK))
        ]
    )
    bounds = np.array([statistics.interval(elo(drawn_S), n) for drawn_S in drawn_SN.T])
    both = (weight_NN > 0) & (weight_NN.T > 0) & np.triu(np.ones((n, n), bool))
    summary = {
        "position": position,
        "first_chosen": float(expit(position)),
        "order_agreement": float(np.mean((p_NN > 0.5)[both] == (p_NN < 0.5).T[both])),
        "median_mass": float(own["mass"].median()),
    }
    table = activities[["id", "category"]].reset_index(drop=True)
    return summary, table.assign(elo=elo(strength_N), low=bounds[:, 0], high=bounds[:, 1])


def preference_summary(
    choices: pd.DataFrame,
    activities: pd.DataFrame,
    activation_LNK: np.ndarray,
    directions: pd.DataFrame,
    layer: int,
    ratings: pd.DataFrame | None = None,
    *,
    permutations: int,
    bootstraps: int,
    seed: int,
) -> tuple[dict, dict[str, pd.DataFrame]]:
    """Row 6: do activations of emotion vectors on an activity follow its Elo?

    The value is the largest |r| over concepts, as it is two of many that the paper names. A largest one is large of
    itself, so it is judged against two that pick as well: Elo shuffled, and as many control directions.

    Parameters
    ----------
    choices, activities
        As in `elo_table`.
    activation_LNK : float array [L, N, K]
        Mean scalar projection of an activity's own tokens on each direction's unit vector.
    directions : DataFrame [K]
        direction, kind: "concept" or one of `CONTROLS`. As many controls of a kind as there are concepts are best:
        fewer are compared with as few concepts.
    layer : int
        Place in L of the layer that is described; not one that was picked on these choices.
    ratings : DataFrame, optional
        emotion, valence, arousal.

    Returns
    -------
    summary : dict
        What `elo_table` says; value, concept, interval (over categories, of the concept that was picked), p (whole
        categories of Elo shuffled), p_alone (activities shuffled singly: too small where categories matter);
        given_length: the same concept's value, interval and p without length in tokens and its logarithm; largest and
        smallest: concept and signed r; controls: shuffled_elo and, by kind, the expected largest |r| of n of them,
        spread (standard deviation of r), largest; as_many: by kind, the expected largest |r| of so many concepts;
        valence: value, interval, p, p_below, n_rated (correlation over concepts of valence and r), and given_length.
        n and counts alone where there is too little.
    tables : dict
        activities, as `elo_table` gives them; directions: direction, kind, r, low, high, given_length, valence;
        layers: layer, concept, largest (|r|), and a column for each kind of control.

    Source: arXiv 2604.07729, preferences.
    """
    options = {"bootstraps": bootstraps, "seed": seed}
    about, table = elo_table(choices, activities, **options)
    concept_K, category_N = directions["kind"].to_numpy() == CONCEPT, activities["category"].to_numpy()
    about |= {
        "n": len(activities), "n_categories": len(np.unique(category_N)), "n_concepts": int(concept_K.sum()),
        "layer": layer,
    }  # fmt: skip
    correlates, by_layer = _correlates(
        table["elo"].to_numpy(), activation_LNK, directions, layer, category_N, **options
    )
    tables = {"activities": table, "directions": correlates, "layers": by_layer}
    if too_little(about):
        return about, tables
    elo_N, x_NC = table["elo"].to_numpy(), activation_LNK[layer][:, concept_K].astype(np.float64)
    names = directions["direction"].to_numpy()[concept_K]
    r_C = statistics.pearson(x_NC, elo_N)
    if not np.isfinite(r_C).any():
        # All activities are one to the model: no Elo to correlate with.
        return about, tables
    best = int(np.nanargmax(np.abs(r_C)))
    null_PC = shuffled_pearson(x_NC, elo_N, category_N, permutations, seed)
    null_P = np.nanmax(np.abs(null_PC), axis=1)
    alone_P = statistics.max_abs_correlation_null(x_NC, elo_N, permutations=permutations, seed=seed)
    chosen = correlates[concept_K].iloc[best]
    value = abs(float(r_C[best]))
    controls, as_many = _controls(correlates["r"].to_numpy(), directions["kind"].to_numpy(dtype=object))
    summary = about | {
        "value": value, "concept": names[best], "interval": _turned(chosen["low"], chosen["high"], r_C[best]),
        "p": statistics.permutation_p(value, null_P), "p_alone": statistics.permutation_p(value, alone_P),
        "largest": [names[np.nanargmax(r_C)], float(np.nanmax(r_C))],
        "smallest": [names[np.nanargmin(r_C)], float(np.nanmin(r_C))],
        "controls": {"shuffled_elo": float(null_P.mean())} | controls, "as_many": as_many,
    }  # fmt: skip
    covariate_NM = _length(activities)
    if covariate_NM is not None:
        summary["given_length"], partial_C = _given(
            x_NC, elo_N, covariate_NM, category_N, best, permutations=permutations, **options
        )
        tables["directions"].loc[concept_K, "given_length"] = partial_C
    if ratings is not None:
        valence_C = ratings.set_index("emotion")["valence"].reindex(names).to_numpy(dtype=np.float64)
        tables["directions"].loc[concept_K, "valence"] = valence_C
        summary["valence"] = _valence(
            x_NC, elo_N, valence_C, category_N, null_PC, covariate_NM, permutations=permutations, **options
        )
    return summary, tables


def compared(choices: pd.DataFrame, ids: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places of the two of each pair, and the probability of the first."""
    first_P, second_P = (
        pd.Index(ids, dtype=object).get_indexer(choices[side].to_numpy(dtype=object))
        for side in ("first", "second")
    )
    for side, place_P in (("first", first_P), ("second", second_P)):
        if (place_P < 0).any():
            unknown = choices[side].iloc[int(np.argmin(place_P))]
            raise DataError(f"choices: {unknown!r} is no activity; known are {', '.join(ids[:5])} ..")
    logit_P = choices["logit"].to_numpy(dtype=np.float64)
    if not np.isfinite(logit_P).all():
        bad = choices.iloc[int(np.argmin(np.isfinite(logit_P)))]
        raise DataError(
            f"choices: {bad['direction']}: {bad['first']} or {bad['second']}: logit {bad['logit']}; expected a number"
        )
    return first_P, second_P, expit(logit_P)


def too_little(about: dict) -> bool:
    return (
        about.get("n_activities", about["n"]) < FEWEST_ACTIVITIES
        or about["n_categories"] < FEWEST_CATEGORIES
        or about["n_concepts"] < FEWEST_CONCEPTS
    )


def _length(activities: pd.DataFrame) -> np.ndarray | None:
    """What might explain a correlation as well: tokens and their logarithm, [N, 2]; None of too few activities."""
    n_tokens = activities["n_tokens"].to_numpy(dtype=np.float64)
    covariate_NM = np.column_stack([n_tokens, np.log(n_tokens)])
    enough = len(covariate_NM) >= ACTIVITIES_PER_COVARIATE * (covariate_NM.shape[1] + 1)
    return covariate_NM if enough else None


def _turned(low: float, high: float, sign: float) -> list[float]:
    """An interval of what is turned so that `sign` is above 0."""
    return [float(low), float(high)] if sign >= 0 else [-float(high), -float(low)]


def _correlates(
    elo_N: np.ndarray, activation_LNK: np.ndarray, directions: pd.DataFrame, layer: int, category_N: np.ndarray, *,
    bootstraps: int, seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """Correlation of each direction with Elo at the layer with its interval; and the largest by layer."""
    weight_SN = statistics.bootstrap_weights(len(elo_N), samples=bootstraps, seed=seed, clusters=category_N)
    n_units = len(np.unique(category_N))
    r_LK = np.array([statistics.pearson(of.astype(np.float64), elo_N) for of in activation_LNK])
    drawn_SK = statistics.weighted_pearson(weight_SN, activation_LNK[layer].astype(np.float64), elo_N)
    bounds = np.array([statistics.interval(drawn_S, n_units) for drawn_S in drawn_SK.T]).reshape(-1, 2)
    table = directions[["direction", "kind"]].reset_index(drop=True)
    table = table.assign(
        r=r_LK[layer], low=bounds[:, 0], high=bounds[:, 1], given_length=np.nan, valence=np.nan
    )
    kind_K = table["kind"].to_numpy(dtype=object)
    names, rows = table["direction"].to_numpy(dtype=object)[kind_K == CONCEPT], []
    for place, r_K in enumerate(r_LK):
        r_C = np.abs(r_K[kind_K == CONCEPT])
        known = np.isfinite(r_C).any()
        row = {
            "layer": place,
            "concept": names[np.nanargmax(r_C)] if known else None,
            "largest": float(np.nanmax(r_C)) if known else np.nan,
        }
        rows.append(row | {kind: of["largest"] for kind, of in _controls(r_K, kind_K)[0].items()})
    return table, pd.DataFrame(rows)


def _controls(r_K: np.ndarray, kind_K: np.ndarray) -> tuple[dict, dict]:
    """By kind of control: the expected largest |r| of as many of them as of concepts; and of concepts."""
    found, as_many = {}, {}
    r_of = {kind: r_K[(kind_K == kind) & np.isfinite(r_K)] for kind in (CONCEPT, *CONTROLS)}
    for kind in CONTROLS:
        n = min(len(r_of[CONCEPT]), len(r_of[kind]))
        if n:
            found[kind] = {
                "largest": expected_largest(np.abs(r_of[kind]), n),
                "spread": float(r_of[kind].std()),
                "n": len(r_of[kind]),
            }
            as_many[kind] = expected_largest(np.abs(r_of[CONCEPT]), n)
    return found, as_many


def _given(
    x_NC: np.ndarray, elo_N: np.ndarray, covariate_NM: np.ndarray, category_N: np.ndarray, best: int, *,
    permutations: int, bootstraps: int, seed: int,
) -> tuple[dict, np.ndarray]:  # fmt: skip
    """What is left of the picked concept's correlation without the covariates; and of all concepts'.

    p: what the covariates leave of Elo is shuffled, and the covariates taken out again (Freedman and Lane).
    """
    partial_C = statistics.partial_pearson(x_NC, elo_N, covariate_NM)
    left_NK = statistics.without_covariates(np.column_stack([x_NC, elo_N]), covariate_NM)
    left_NC, elo_left_N = left_NK[:, :-1], left_NK[:, -1]
    row_PN = shuffled_rows(category_N, permutations, np.random.default_rng(seed))
    shuffled_NP = statistics.standardised(statistics.without_covariates(elo_left_N[row_PN].T, covariate_NM))
    null_PC = shuffled_NP.T @ statistics.standardised(left_NC) / len(elo_N)
    weight_SN = statistics.bootstrap_weights(len(elo_N), samples=bootstraps, seed=seed, clusters=category_N)
    drawn_S = statistics.weighted_pearson(weight_SN, left_NC[:, [best]], elo_left_N)[:, 0]
    sign = np.sign(correlation(x_NC[:, best], elo_N))
    value = float(np.nan_to_num(partial_C[best] * sign))
    low_high = statistics.interval(drawn_S * sign, len(np.unique(category_N)))
    p = statistics.permutation_p(value, np.abs(null_PC).max(1))
    return {"value": value, "interval": list(low_high), "p": p}, partial_C


def _valence(
    x_NC: np.ndarray, elo_N: np.ndarray, valence_C: np.ndarray, category_N: np.ndarray, null_PC: np.ndarray,
    covariate_NM: np.ndarray | None, *, permutations: int, bootstraps: int, seed: int,
) -> dict:  # fmt: skip
    """Correlation over concepts of valence and r: interval over categories and concepts, p the larger of two."""
    r_C = statistics.pearson(x_NC, elo_N)
    rated = np.isfinite(valence_C) & np.isfinite(r_C)
    about = {"n_rated": int(rated.sum())}
    if rated.sum() <= FEWEST_CONCEPTS or np.ptp(valence_C[rated]) == 0:
        return about
    r_C, x_NC, valence_C = (
        r_C[rated],
        x_NC[:, rated],
        statistics.standardised(valence_C[rated][:, None])[:, 0],
    )
    # Of the covariance: Elo that has nothing to do with activations leaves it small, but not the correlation.
    value = float(valence_C @ r_C)
    nulls = {
        "shuffled_elo": null_PC[:, rated] @ valence_C,
        "shuffled_concepts": shuffled(r_C, permutations, seed) @ valence_C,
    }
    fixed = {"other_IC": valence_C[None], "category_I": np.zeros(1), "bootstraps": bootstraps, "seed": seed}
    p_of = {name: statistics.permutation_p(value, null) for name, null in nulls.items()}
    p_below_of = {name: statistics.permutation_p(-value, -null) for name, null in nulls.items()}
    summary = about | {
        "value": correlation(valence_C, r_C), "interval": crossed_intervals(x_NC, elo_N, category_N, **fixed)[0],
        "p": max(p_of.values()), "p_below": max(p_below_of.values()), "p_of": p_of, "p_below_of": p_below_of,
    }  # fmt: skip
    if covariate_NM is not None:
        left_NK = statistics.without_covariates(np.column_stack([x_NC, elo_N]), covariate_NM)
        left_NC, elo_left_N = left_NK[:, :-1], left_NK[:, -1]
        summary["given_length"] = {
            "value": correlation(valence_C, statistics.pearson(left_NC, elo_left_N)),
            "interval": crossed_intervals(left_NC, elo_left_N, category_N, **fixed)[0],
        }
    return summary
