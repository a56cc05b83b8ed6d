"""Scores of what a model would say on either side of a scenario, whose answer is known or which have none."""

import numpy as np
import pandas as pd

from emotion_concepts.conduct import CLAIMED, claimed_effect, stance_effects

SIDES = ("gives in", "declines")
# Twenty-one controls: a rank among them can be significant.
CONTROLS = {f"random-{i}": "random" for i in range(1, 22)}
# What each conduct's directions do where it is planted, nats a token; denial's directions are those of its texts.
PLANTED = {"denial": {"afraid": 0.5, "angry": 0.5}} | {
    name: {direction: 0.5 * sign for direction, sign in of.items()} for name, of in CLAIMED.items()
}
PLANTED["remedy"]["desperate"] = 0.5


def scores_of(
    stance_of, *, kinds, n_scenarios=8, strengths=(-0.1, 0.1), items=2, damage=0.0, lengths=(20, 20)
):
    """Scores in which stance_of(scenario, direction, strength) is the stance, nats a token, and `damage` is each token's."""
    rows = []
    for scenario in range(n_scenarios):
        for direction, kind in {"unsteered": "unsteered", **kinds}.items():
            for strength in (0.0,) if kind == "unsteered" else strengths:
                stance = stance_of(scenario, direction, strength)
                for side, sign, n_tokens in zip(SIDES, (0.5, -0.5), lengths, strict=True):
                    for item in range(items):
                        each = -2.0 + sign * stance - damage * abs(strength) + 0.1 * item
                        rows.append(
                            (f"s{scenario}", direction, kind, strength, side, item, each * n_tokens, n_tokens)
                        )
    columns = ["scenario", "direction", "kind", "strength", "side", "item", "logprob", "n_tokens"]
    return pd.DataFrame(rows, columns=columns)


def simulated(seed, *, effect_of=None, shared=0.02, noise=0.05, n_scenarios=8, controls=CONTROLS):
    """Each direction has an effect in common to all scenarios, by chance beside the planted one, and one of its own on each."""
    rng = np.random.default_rng(seed)
    effect_of = {"desperate": 0.0, "calm": 0.0} if effect_of is None else effect_of
    kinds = dict.fromkeys(effect_of, "concept") | controls
    base = rng.normal(0, 1, n_scenarios)
    common = {name: effect_of.get(name, 0.0) + rng.normal(0, shared) for name in kinds}
    own = {name: rng.normal(0, noise, n_scenarios) for name in kinds}

    def stance(scenario, direction, strength):
        if direction == "unsteered":
            return base[scenario]
        return base[scenario] + 10 * strength * (common[direction] + own[direction][scenario])

    return scores_of(stance, kinds=kinds, n_scenarios=n_scenarios, items=1)


def conduct_summary(
    name: str, scores: pd.DataFrame, *, permutations: int, bootstraps: int, seed: int
) -> dict:
    """What the entry of a conduct is given."""
    options = {"permutations": permutations, "bootstraps": bootstraps, "seed": seed}
    claimed = CLAIMED.get(name) or dict.fromkeys(PLANTED[name], 1)
    found, _ = stance_effects(scores, *SIDES, **options)
    summary = claimed_effect(found, claimed, **options)
    return (
        summary | {"raised": claimed_effect(found, {"desperate": 1}, **options)}
        if name == "remedy"
        else summary
    )


def conduct_summaries(seed: int, *, planted: bool, permutations: int, bootstraps: int) -> dict[str, dict]:
    """The same for every conduct, each from scores of its own."""
    return {
        name: conduct_summary(
            name, simulated(seed, effect_of=of if planted else dict.fromkeys(of, 0.0)),
            permutations=permutations, bootstraps=bootstraps, seed=seed,
        )
        for name, of in PLANTED.items()
    }  # fmt: skip
