"""Rows 16 to 19: what steering does to conduct: graded, by what a model would say, and counted, by what it wrote.

numpy and pandas alone. Shapes: N scenarios, R directions, D strengths (0 is unsteered), K items.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from emotion_concepts import statistics
from emotion_concepts.conduct_experiments import CONDUCT, REMEDIES
from emotion_concepts.direction_kinds import CONTROLS, UNSTEERED
from emotion_concepts.errors import DataError

# What is claimed of each conduct: +1 where adding the vector moves toward it.
CLAIMED = {
    name: measure.expected
    for experiment in CONDUCT.values()
    for name, measure in experiment.measures.items()
    if measure.expected
} | {"remedy": dict.fromkeys(REMEDIES, -1)}
# What a rate at the floor could have been and still be missed: seen in 95 of 100 studies.
SURE = 0.95


def stances(scores: pd.DataFrame, toward: str, away: str) -> pd.DataFrame:
    """How far a model leans toward one side of each scenario, and what steering changes of that.

    A side is given by texts that differ in little else (item k of both sides is a minimal set). The stance is the mean
    over items of log-probability a token toward, less that away. A token: whatever is added to the residual
    stream makes any text less likely, about equally a token, so that in sums the longer side would lose by its
    length; what both lose a token cancels. The price is that a stance is no longer the log-odds of the two texts
    (those are about n_tokens times it).

    Parameters
    ----------
    scores : DataFrame
        scenario, direction, kind, strength (signed; 0 unsteered), side, item, logprob (sum, natural logarithm), n_tokens.

    Returns
    -------
    DataFrame
        scenario, direction, kind, strength, stance and change (against unsteered), nats a token.

    Raises
    ------
    DataError
        A side that nobody has, an item that one side lacks, a value that is not finite, a scenario without unsteered.
    """
    for side in (toward, away):
        if side not in set(scores["side"]):
            raise DataError(f"scores: no side {side!r}; known are {', '.join(sorted(set(scores['side'])))}")
    rows = scores[scores["side"].isin([toward, away])]
    each = (rows["logprob"] / rows["n_tokens"]).astype(np.float64)
    if not np.isfinite(each).all():
        bad = rows[~np.isfinite(each)].iloc[0]
        raise DataError(
            f"scores: {bad['scenario']}, {bad['direction']}, {bad['side']} {bad['item']}: logprob {bad['logprob']} of "
            f"{bad['n_tokens']} tokens; expected numbers"
        )
    key = ["scenario", "direction", "kind", "strength"]
    wide = rows.assign(each=each).pivot_table(index=[*key, "item"], columns="side", values="each", sort=False)
    lacking = wide[wide.isna().any(axis=1)]
    if len(lacking):
        scenario, direction, *_, item = lacking.index[0]
        raise DataError(f"scores: {scenario}, {direction}: item {item} has but one side")
    stance = (wide[toward] - wide[away]).groupby(level=key, sort=False).mean().rename("stance").reset_index()
    base = stance[stance["kind"] == UNSTEERED].set_index("scenario")["stance"]
    without = sorted(set(stance["scenario"]) - set(base.index))
    if without:
        raise DataError(f"scores: {without[0]}: no unsteered score")
    return stance.assign(change=stance["stance"] - stance["scenario"].map(base))


def stance_effects(
    scores: pd.DataFrame, toward: str, away: str, *, permutations: int, bootstraps: int, seed: int
) -> tuple[dict, pd.DataFrame]:
    """What each direction does to the stance, by dose, with what control directions do.

    A direction's effect is the odd part of its change, (change(+s) - change(-s)) / 2, at the largest s that all
    directions have on both sides: what a disturbance does whatever its sign cancels. Without such an s it is the
    change at the largest strength that all have.

    Parameters
    ----------
    scores, toward, away
        As in `stances`. Every direction is scored in every scenario.

    Returns
    -------
    summary : dict
        n scenarios; measure ("odd part" or "change") and strength; unsteered, the mean stance; n_controls, floor (the
        smallest p that so many can give); controls: spread and largest |effect|; directions: by name kind,
        effects (one a scenario), value, interval (over scenarios), p and p_below (each the larger of the next two),
        p_flip and p_flip_below (signs of scenarios flipped: is it more than scenarios differ?), p_control (two-sided
        rank of |effect| among controls: does any direction do it?), and of those that are no controls slope (of the mean
        change on strength, per unit), trend, trend_p and trend_p_below (`statistics.trend_test`, strengths shuffled alike in all scenarios).
    table : DataFrame
        direction, kind, strength, change, low, high (over scenarios).

    Raises
    ------
    DataError
        As in `stances`; a direction that lacks a scenario, or strengths that not all directions have.
    """
    changes = stances(scores, toward, away)
    scenarios = list(dict.fromkeys(changes["scenario"]))
    steered = changes[changes["kind"] != UNSTEERED]
    wide = steered.pivot_table(
        index=["direction", "kind", "strength"], columns="scenario", values="change", sort=False
    )
    wide = wide.reindex(columns=scenarios)
    if wide.isna().to_numpy().any():
        direction, _, strength = wide[wide.isna().any(axis=1)].index[0]
        raise DataError(f"scores: {direction} at {strength}: not scored in every scenario")
    measure, strength = _common_strength(steered)
    change_of = {
        key: dict(zip(of.index.get_level_values("strength"), of.to_numpy(), strict=True))
        for key, of in wide.groupby(level=["direction", "kind"], sort=False)
    }
    effect_of = {
        key: (of[strength] - of[-strength]) / 2 if measure == "odd part" else of[strength]
        for key, of in change_of.items()
    }
    control_K = np.array([abs(of.mean()) for (_, kind), of in effect_of.items() if kind in CONTROLS])
    options = {"permutations": permutations, "bootstraps": bootstraps, "seed": seed}
    directions = {
        name: {"kind": kind, "effects": effect.tolist(), **_judged(effect, control_K, **options),
               **({} if kind in CONTROLS else _by_dose(change_of[name, kind], permutations=permutations, seed=seed))}
        for (name, kind), effect in effect_of.items()
    }  # fmt: skip
    bounds = statistics.mean_intervals(wide.to_numpy().T, samples=bootstraps, seed=seed)
    table = wide.mean(axis=1).rename("change").reset_index().assign(low=bounds[:, 0], high=bounds[:, 1])
    base = changes[changes["kind"] == UNSTEERED].drop_duplicates("scenario")["stance"]
    return {
        "n": len(scenarios), "measure": measure, "strength": float(strength), "unsteered": float(base.mean()),
        "n_controls": len(control_K), "floor": 1 / (len(control_K) + 1), "directions": directions,
        "controls": {"spread": float(np.sqrt(np.mean(control_K**2))) if len(control_K) else None,
                     "largest": float(control_K.max(initial=0))},
    }, table  # fmt: skip


def claimed_effect(
    summary: dict, claimed: Mapping[str, int], *, permutations: int, bootstraps: int, seed: int
) -> dict:
    """What several directions do together, each in the direction that is claimed for it.

    Parameters
    ----------
    summary : dict
        As `stance_effects` gives it.
    claimed : mapping
        Direction to +1 where it is claimed to move the stance toward, -1 where away. Those that were not steered
        take no part.

    Returns
    -------
    dict
        n scenarios, claimed (those that take part), and unless there are none: value, the mean of their effects with
        the claimed signs; interval, p, p_below, p_flip, p_flip_below and p_control as in `stance_effects`; by_direction:
        value, interval, p_flip, trend and trend_p of each; what the summary says of strength and controls. In the rank
        several directions count as one control does: they are often alike, and were they not, their mean would be smaller.
    """
    known = {name: sign for name, sign in claimed.items() if name in summary["directions"]}
    about = {"n": summary["n"], "claimed": known}
    if not known:
        return about
    found = summary["directions"]
    effect_N = np.mean([sign * np.array(found[name]["effects"]) for name, sign in known.items()], axis=0)
    control_K = np.array([abs(of["value"]) for of in found.values() if of["kind"] in CONTROLS])
    options = {"permutations": permutations, "bootstraps": bootstraps, "seed": seed}
    kept = ("value", "interval", "p_flip", "p_flip_below", "trend", "trend_p", "trend_p_below")
    return {
        **about, **_judged(effect_N, control_K, **options),
        "by_direction": {name: {key: found[name][key] for key in kept} for name in known},
        **{key: summary[key] for key in ("measure", "strength", "unsteered", "n_controls", "floor", "controls")},
    }  # fmt: skip


def rates(rollouts: pd.DataFrame, column: str) -> pd.DataFrame:
    """How often the texts of each direction and strength have something, with what so many could have shown.

    Parameters
    ----------
    rollouts : DataFrame
        scenario, direction, kind, strength, seed, text, and columns of booleans; a missing one was not judged.
    column : str
        What is counted.

    Returns
    -------
    DataFrame
        direction, kind, strength; count, n (judged), n_unjudged, n_scenarios; rate with low and high (Wilson, as if texts
        of one scenario were independent: they are not quite, so read n_scenarios beside it); at: "floor" or
        "ceiling" of a rate of 0 or 1, which says nothing of what is below or above, else ""; detectable_rate: of
        what is at the floor, the smallest true rate that would have been seen once in 95 of 100 such studies;
        detectable_difference: the smallest rise over the unsteered rate that two such groups find (80% power).

    Raises
    ------
    DataError
        No such column.
    """
    if column not in rollouts:
        raise DataError(f"rollouts: no column {column!r}; known are {', '.join(map(str, rollouts.columns))}")
    rows = []
    for (direction, kind, strength), of in rollouts.groupby(["direction", "kind", "strength"], sort=False):
        judged = of[of[column].notna()]
        count, n = int(judged[column].astype(bool).sum()), len(judged)
        low, high = statistics.wilson_interval(count, n)
        rows.append(
            {"direction": direction, "kind": kind, "strength": strength, "count": count, "n": n,
             "n_unjudged": len(of) - n, "n_scenarios": judged["scenario"].nunique(),
             "rate": count / n if n else np.nan, "low": low, "high": high,
             "at": "" if not n else "floor" if count == 0 else "ceiling" if count == n else "",
             "detectable_rate": statistics.detectable_rate(n, 0.0, power=SURE) if n else np.nan}
        )  # fmt: skip
    table = pd.DataFrame(rows)
    base = table.loc[table["kind"] == UNSTEERED, "rate"]
    unsteered = float(base.iloc[0]) if len(base) else np.nan
    return table.assign(
        detectable_difference=[
            statistics.detectable_difference(n, unsteered) if n and unsteered < 1 else np.nan
            for n in table["n"]
        ]
    )


def _common_strength(steered: pd.DataFrame) -> tuple[str, float]:
    """The measure of effects, and the strength at which all directions have it."""
    strengths = [set(of) for _, of in steered.groupby("direction")["strength"]]
    common = set.intersection(*strengths) if strengths else set()
    both = [s for s in common if s > 0 and -s in common]
    if both:
        return "odd part", max(both)
    if not common:
        raise DataError("scores: no strength that all directions have; expected one at the least")
    return "change", max(common)


def _judged(
    effect_N: np.ndarray, control_K: np.ndarray, *, permutations: int, bootstraps: int, seed: int
) -> dict:
    """Value, interval over scenarios, and p-values against flipped signs and against controls; the larger counts."""
    found = statistics.mean_effect(
        effect_N, np.arange(len(effect_N)), permutations=permutations, bootstraps=bootstraps, seed=seed
    )
    p_control = statistics.permutation_p(abs(found["value"]), control_K)
    return {
        "value": found["value"], "interval": found["interval"],
        "p": max(found["p"], p_control), "p_below": max(found["p_below"], p_control),
        "p_flip": found["p"], "p_flip_below": found["p_below"], "p_control": p_control,
    }  # fmt: skip


def _by_dose(change_of: dict[float, np.ndarray], *, permutations: int, seed: int) -> dict:
    """Does the stance rise with the strength, through 0? Per unit of strength, and as a trend."""
    doses = np.array(sorted([*change_of, 0.0]))
    value_ND = np.column_stack(
        [change_of.get(dose, np.zeros(len(next(iter(change_of.values()))))) for dose in doses]
    )
    centred = doses - doses.mean()
    options = {"permutations": permutations, "seed": seed, "together": True}
    ones = np.ones(len(value_ND), int)
    rho, p = statistics.trend_test(value_ND, ones, **options)
    return {
        "slope": float(value_ND.mean(0) @ centred / (centred @ centred)),
        "trend": rho, "trend_p": p, "trend_p_below": statistics.trend_test(value_ND, -ones, **options)[1],
    }  # fmt: skip
