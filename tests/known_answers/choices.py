"""Choices between activities whose answer is known: strengths that follow a direction, steering that moves them, or neither.

Activities of one category are alike in strength and in what they activate, and concepts are alike in what they read
(most of all in their valence): a test that takes either for independent finds what is not there.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from emotion_concepts.bradley_terry import ELO_PER_NAT
from emotion_concepts.preference_causes import causal_summary
from emotion_concepts.preferences import preference_summary

N_CATEGORIES, PER_CATEGORY, N_LAYERS, LAYER = 8, 4, 2, 1
# The first two read the factor that strength follows, and hardly anything else.
CONCEPTS = ["blissful", "hostile", *(f"concept {c}" for c in range(2, 12))]
CONTROLS = ("random", "orthogonal")
# How much of what concepts read is each of their factors'; the first is their valence.
FACTORS = np.array([1.0, 0.7, 0.5, 0.5, 0.4, 0.4])


@dataclass(frozen=True)
class Plan:
    """What is planted.

    follows : correlation of strength with the activities' first factor, which concepts read by their valence.
    causes : Elo of steering per unit of a direction's true correlation with that factor.
    moves : Elo of steering per unit of valence, whatever strength follows.
    any_direction : controls read the factors as concepts do, and move as they do.
    length : how much of strength is the number of tokens, which concepts read too, by their valence.
    alike : share of variance that activities of one category have in common.
    n_controls : of each kind.
    noise : Elo, standard deviation of what steering along a factor does to one activity by chance.
    """

    follows: float = 0.0
    causes: float = 0.0
    moves: float = 0.0
    any_direction: bool = False
    length: float = 0.0
    alike: float = 0.5
    noise: float = 30.0
    n_concepts: int = len(CONCEPTS)
    n_controls: int = 12


@dataclass(frozen=True)
class Simulated:
    """What the analysis is given, in its order, and what is true."""

    choices: pd.DataFrame
    activities: pd.DataFrame
    steered: list[str]
    activation_LNK: np.ndarray
    directions: pd.DataFrame
    ratings: pd.DataFrame
    elo_N: np.ndarray
    change_K: np.ndarray


PLANTED = Plan(follows=0.9, causes=300.0)
NULLS = {
    "nothing": Plan(),
    "steering moves what activation does not tell": Plan(moves=150.0),
    "activation tells what steering does not move": Plan(follows=0.9),
}
LENGTH = Plan(length=0.9)
ANY_DIRECTION = Plan(follows=0.9, causes=300.0, any_direction=True)


def simulated(plan: Plan, seed: int) -> Simulated:
    """Choices, activations and ratings of one seed."""
    rng = np.random.default_rng(seed)
    concepts = [*CONCEPTS, *(f"concept {c}" for c in range(len(CONCEPTS), plan.n_concepts))][
        : plan.n_concepts
    ]
    names = [*concepts, *(f"{kind}-{i + 1}" for kind in CONTROLS for i in range(plan.n_controls))]
    kinds = ["concept"] * plan.n_concepts + [kind for kind in CONTROLS for _ in range(plan.n_controls)]
    category_N = np.repeat(np.arange(N_CATEGORIES), PER_CATEGORY)
    tokens_N = rng.integers(4, 20, len(category_N))
    length_N = _standard(np.log(tokens_N))
    factor_NF = np.column_stack([_alike(rng, category_N, plan.alike) for _ in FACTORS])
    strength_N = plan.follows * factor_NF[:, 0] + np.sqrt(1 - plan.follows**2) * _alike(
        rng, category_N, plan.alike
    )
    strength_N = np.sqrt(1 - plan.length**2) * strength_N + plan.length * length_N
    load_KF = rng.standard_normal((len(names), len(FACTORS))) * FACTORS
    load_KF[:2] = np.outer([1.5, -1.5], np.eye(len(FACTORS))[0])
    own_NK = np.column_stack([_alike(rng, category_N, plan.alike) for _ in names])
    control_K = np.array(kinds) != "concept"
    if not plan.any_direction:
        # Of the factors that concepts read, controls read none.
        load_KF[control_K] = 0
    read_NK = factor_NF @ load_KF.T + 0.5 * own_NK
    read_NK[:, ~control_K] += 2 * plan.length * length_N[:, None] * load_KF[~control_K, 0]
    noise_LNK = rng.standard_normal((N_LAYERS, *read_NK.shape))
    activation_LNK = np.concatenate([noise_LNK[:LAYER], read_NK[None]]).astype(np.float32)
    true_K = load_KF[:, 0] / np.sqrt(np.square(load_KF).sum(1) + 0.25)
    change_K = plan.causes * true_K + plan.moves * load_KF[:, 0]
    factor_chance_NF = rng.standard_normal((len(category_N), len(FACTORS)))
    ids = [f"activity {i}" for i in range(len(category_N))]
    activities = pd.DataFrame(
        {"id": ids, "category": [f"category {g}" for g in category_N], "n_tokens": tokens_N}
    )
    # Two of each category are compared under steering, the first of them steered on.
    subset = np.flatnonzero(np.arange(len(ids)) % PER_CATEGORY < 2)
    on_N = np.arange(len(ids)) % PER_CATEGORY == 0
    taste_NN = 0.3 * rng.standard_normal((len(ids), len(ids)))
    base_NN = 0.5 + (taste_NN - taste_NN.T) / np.sqrt(2) + strength_N[:, None] - strength_N
    tables = [_answers(base_NN, np.arange(len(ids)), 0)]
    for k in range(len(names)):
        # What steering does to one activity is alike for directions that read alike.
        chance_N = plan.noise * (factor_chance_NF @ load_KF[k] + 0.5 * rng.standard_normal(len(ids)))
        moved_N = on_N * (change_K[k] + chance_N) / ELO_PER_NAT
        tables.append(_answers(base_NN + moved_N[:, None] - moved_N, subset, k + 1))
    direction, first, second, logit = (np.concatenate(of) for of in zip(*tables, strict=True))
    table = pd.DataFrame(
        {"direction": pd.Categorical.from_codes(direction, ["unsteered", *names]),
         "kind": np.array(["unsteered", *kinds], dtype=object)[direction],
         "first": pd.Categorical.from_codes(first, ids), "second": pd.Categorical.from_codes(second, ids),
         "logit": logit, "mass": 0.9}
    )  # fmt: skip
    ratings = pd.DataFrame({"emotion": concepts, "valence": 5 + load_KF[~control_K, 0], "arousal": 5.0})
    return Simulated(
        table, activities, [ids[i] for i in subset if on_N[i]],
        activation_LNK, pd.DataFrame({"direction": names, "kind": kinds}), ratings,
        ELO_PER_NAT * (strength_N - strength_N.mean()), change_K,
    )  # fmt: skip


def preference_summaries(plan: Plan, seed: int, *, permutations: int, bootstraps: int) -> tuple[dict, dict]:
    """What rows 6 and 7 find in it."""
    given = simulated(plan, seed)
    read = (given.activation_LNK, given.directions, LAYER)
    options = {"permutations": permutations, "bootstraps": bootstraps, "seed": seed}
    one, _ = preference_summary(given.choices, given.activities, *read, given.ratings, **options)
    two, _ = causal_summary(given.choices, given.activities, given.steered, *read, **options)
    return one, two


def _standard(value_N: np.ndarray) -> np.ndarray:
    return (value_N - value_N.mean()) / value_N.std()


def _alike(rng: np.random.Generator, category_N: np.ndarray, share: float) -> np.ndarray:
    common_G = rng.standard_normal(category_N.max() + 1)
    return np.sqrt(share) * common_G[category_N] + np.sqrt(1 - share) * rng.standard_normal(len(category_N))


def _answers(logit_NN: np.ndarray, chosen: np.ndarray, direction: int) -> tuple[np.ndarray, ...]:
    """Every ordered pair of the chosen: number of the direction, places of the two, and log-odds."""
    first, second = (of.ravel() for of in np.meshgrid(chosen, chosen, indexing="ij"))
    first, second = first[first != second], second[first != second]
    return np.full(len(first), direction), first, second, logit_NN[first, second]
