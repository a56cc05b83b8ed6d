"""What steering did to emotion words, from the table that `steered_words` left. No torch.

Shape letters: R directions, W words, C concepts.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from emotion_concepts import statistics
from emotion_concepts.direction_kinds import CONTROLS


def change_matrix(changes: pd.DataFrame, prompts: Sequence[str], kind: str) -> pd.DataFrame:
    """Mean change over some prompts: directions of one kind in rows, words in columns."""
    chosen = changes[changes["prompt"].isin(prompts) & (changes["kind"] == kind)]
    table = chosen.pivot_table(index="direction", columns="word", values="change", aggfunc="mean")
    order = list(dict.fromkeys(chosen["direction"]))
    return table.loc[order, list(dict.fromkeys(chosen["word"]))]


def own_change(changes: pd.DataFrame, prompts: Sequence[str]) -> float:
    """Mean change of a concept's own word under its own vector, over some prompts; NaN without a prompt."""
    own = changes[(changes["kind"] == "concept") & (changes["direction"] == changes["word"])]
    return float(own[own["prompt"].isin(prompts)]["change"].mean())


def specificity(change_RW: np.ndarray) -> np.ndarray:
    """For each concept: how much more its own vector raises its word than the others' do, in nats: [C]."""
    n = len(change_RW)
    own = np.diag(change_RW)
    others = (change_RW.sum(0) - own) / (n - 1)
    return own - others


def words_summary(
    changes: pd.DataFrame, prompts: Sequence[str], *, permutations: int, bootstraps: int, seed: int
) -> dict:
    """Mean specificity with interval, p, and the control directions' effect on the same words.

    The p-values (`p_below`: of the other side) are against vectors handed to the wrong words; the controls are what other
    directions of the same norm do to a word, by kind: mean change, its spread, and how many directions.
    """
    change_RW = change_matrix(changes, prompts, "concept").to_numpy()
    controls = {
        kind: change_matrix(changes, prompts, kind).to_numpy()
        for kind in CONTROLS
        if (changes["kind"] == kind).any()
    }
    per_concept = specificity(change_RW)
    n = len(per_concept)
    rng = np.random.default_rng(seed)
    null = np.array([specificity(change_RW[rng.permutation(n)]).mean() for _ in range(permutations)])
    interval = statistics.bootstrap_interval(
        lambda weights: weights @ per_concept / n, n, samples=bootstraps, seed=seed
    )
    return {
        "specificity": float(per_concept.mean()),
        "interval": list(interval),
        "p": statistics.permutation_p(float(per_concept.mean()), null),
        "p_below": statistics.permutation_p(-float(per_concept.mean()), -null),
        "n_concepts": n,
        "own_change": float(np.diag(change_RW).mean()),
        "controls": {
            kind: {"change": float(of.mean()), "spread": float(of.std(ddof=1)), "n": len(of)}
            for kind, of in controls.items()
        },
        "concepts": dict(zip(changes["word"].unique().tolist(), per_concept.tolist(), strict=True)),
    }
