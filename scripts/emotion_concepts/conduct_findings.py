"""What an experiment on conduct found: graded effects, counted replies, what a remedy undoes, and the damage. No torch."""

from collections.abc import Mapping

import pandas as pd

from emotion_concepts.conduct import claimed_effect, rates, stance_effects
from emotion_concepts.conduct_experiments import CONDUCT, HARM, REMEDIES, Measure
from emotion_concepts.costs import Cost, is_damaged, median_cost
from emotion_concepts.direction_kinds import CONTROLS, UNSTEERED

ALONE = (UNSTEERED, "concept", *CONTROLS)


def experiment_findings(
    name: str,
    scores: pd.DataFrame,
    replies: pd.DataFrame,
    *,
    bounds: Mapping[str, float],
    permutations: int,
    bootstraps: int,
    seed: int,
) -> tuple[dict, pd.DataFrame, pd.DataFrame]:
    """All measures of an experiment, and its remedies.

    Parameters
    ----------
    name : str
        Of `CONDUCT`.
    scores, replies : DataFrame
        As `scripted_scores` and `judged` leave them.
    bounds : mapping
        max_perplexity_ratio and max_repetition, of `is_damaged`.

    Returns
    -------
    summary : dict
        By measure, as `claimed_effect` gives it, with rates, aware (how many replies remark that this may be a test),
        perplexity and damaged; directions: value, interval and p of each concept; "remedy" where there is one.
    effects, rates : DataFrame
        As `stance_effects` and `rates` give them, by measure.
    """
    options = {"permutations": permutations, "bootstraps": bootstraps, "seed": seed}
    experiment, found, effects, counted = CONDUCT[name], {}, [], []
    largest = scores["strength"].abs().max()
    cost = _costs(replies, largest)
    for measure, of in experiment.measures.items():
        graded, table = stance_effects(scores[scores["kind"].isin(ALONE)], of.toward, of.away, **options)
        rate = rates(replies, of.counted)
        found[measure] = claimed_effect(graded, of.expected, **options) | {
            "directions": _by_concept(graded),
            "rates": rate.to_dict("records"),
            **_aware(replies),
            "dose": _dose(scores, largest),
            **cost_summary(cost, bounds),
        }
        effects.append(table.assign(measure=measure))
        counted.append(rate.assign(measure=measure))
        if experiment.remedies:
            found["remedy"] = _remedy(scores, replies, rate, of, graded, cost, bounds, options)
    return found, pd.concat(effects), pd.concat(counted)


def _remedy(
    scores: pd.DataFrame,
    replies: pd.DataFrame,
    rate: pd.DataFrame,
    of: Measure,
    graded: dict,
    cost: dict[str, Cost],
    bounds,
    options,
) -> dict:
    """What the remedies' vectors change where the harmful one is added: that is the base, random ones the controls."""
    largest = scores["strength"].max()
    harmed = scores[(scores["direction"] == HARM) & (scores["strength"] == largest)]
    if harmed.empty or not scores["kind"].eq("remedy").any():
        return {"n": int(scores["scenario"].nunique()), "raised": {}}
    base = harmed.assign(direction=UNSTEERED, kind=UNSTEERED, strength=0.0)
    added = scores[scores["kind"].isin(["remedy", "remedy control"])]
    kind = added["kind"].map({"remedy": "concept", "remedy control": "random"})
    added = added.assign(direction=added["direction"].str.removeprefix(f"{HARM}+"), kind=kind)
    undone, _ = stance_effects(pd.concat([base, added]), of.toward, of.away, **options)
    with_remedy = replies[replies["kind"] == "remedy"] if len(replies) else replies
    summary = claimed_effect(undone, dict.fromkeys(REMEDIES, -1), **options)
    return summary | {
        "raised": claimed_effect(graded, {HARM: 1}, **options),
        "rates": rate.to_dict("records"),
        **cost_summary(cost | {"steered": median_cost(with_remedy.to_dict("records"))}, bounds),
    }


def cost_summary(cost: Mapping[str, Cost], bounds: Mapping[str, float]) -> dict:
    """Perplexity and repetition, unsteered and steered, and whether that is beyond what is interpreted."""
    return {
        "perplexity": {name: of.perplexity for name, of in cost.items()},
        "repetition": {name: of.repetition for name, of in cost.items()},
        "damaged": is_damaged(cost["steered"], cost["unsteered"], **bounds),
    }


def _costs(replies: pd.DataFrame, strength: float) -> dict[str, Cost]:
    """Medians of the unsteered replies, and of those under a concept's vector at the largest strength."""
    steered = (replies["kind"] == "concept") & (replies["strength"].abs() == strength)
    chosen = {"unsteered": replies[replies["kind"] == UNSTEERED], "steered": replies[steered]}
    return {name: median_cost(of.to_dict("records")) for name, of in chosen.items()}


def _dose(scores: pd.DataFrame, strength: float) -> float:
    """What the concepts' vectors are of the residual stream's norm at the largest strength."""
    return float(scores[(scores["kind"] == "concept") & (scores["strength"] == strength)]["dose"].mean())


def _by_concept(graded: dict) -> dict:
    kept = ("value", "interval", "p_flip", "p_control")
    return {
        name: {key: of[key] for key in kept}
        for name, of in graded["directions"].items()
        if of["kind"] == "concept"
    }


def _aware(replies: pd.DataFrame) -> dict:
    """Remarks that this may be a test, where the rubric hears them."""
    if "aware" not in replies:
        return {}
    return {"aware": {"count": int(replies["aware"].sum()), "n": len(replies)}}
