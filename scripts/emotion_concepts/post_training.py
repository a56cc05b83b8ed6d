"""Row 20: what post-training does to the activity of a base model's vectors before the reply.

numpy and pandas alone. Shapes: U prompts, D width, C concepts, K control directions, S samples.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from emotion_concepts import statistics
from emotion_concepts.errors import DataError
from emotion_concepts.vectors import random_directions

KINDS = ("ordinary", "challenging")
# Concepts that the paper found to go up, and down.
UP, DOWN = ("brooding", "reflective", "gloomy"), ("enthusiastic", "exuberant", "playful")
N_CONTROLS = 200
FEWEST_PROMPTS = 5
SHOWN = 5


def check_pair(base: Mapping, post: Mapping, words: Mapping[str, int], post_words: Mapping[str, int]) -> None:
    """Can one model's vectors be read in the other?

    Parameters
    ----------
    base, post : mapping
        The two `model.json`.
    words, post_words : mapping
        Their tokenizers' vocabularies; words that the post-trained one adds at its end do no harm.

    Raises
    ------
    DataError
        Depth, width or vocabulary differ; says how.
    """
    pair = f"{base['source']} and {post['source']}"
    for key, name in (("n_layers", "layers"), ("width", "width")):
        if base[key] != post[key]:
            raise DataError(f"{pair}: {name} {base[key]} and {post[key]}; a pair needs the same in both")
    other = [word for word, number in words.items() if post_words.get(word) != number]
    if other:
        raise DataError(
            f"{pair}: {len(other)} of {len(words)} tokens differ, {other[0]!r} for one; a pair needs the same tokenizer"
        )


# By kind of prompt: the places that were read, and the residual stream there.
Read = Mapping[str, tuple[pd.DataFrame, np.ndarray]]


def prompts_by_format(
    base: Read, post: Read
) -> dict[str, tuple[dict[str, np.ndarray], dict[str, np.ndarray]]]:
    """Residual streams of both models by format and kind of prompt, of the prompts that both read, in one order."""
    found: dict[str, tuple[dict, dict]] = {}
    for kind, (places, value_UD) in base.items():
        other_places, other_UD = post[kind]
        keys = ["text", "format"]
        pairs = places[keys].assign(row=range(len(places))).merge(
            other_places[keys].assign(other=range(len(other_places))), on=keys, validate="one_to_one"
        )  # fmt: skip
        for form, rows in pairs.groupby("format"):
            sides = found.setdefault(form, ({}, {}))
            sides[0][kind], sides[1][kind] = value_UD[rows["row"]], other_UD[rows["other"]]
    return found


def shift_summary(
    base: Mapping[str, np.ndarray],
    post: Mapping[str, np.ndarray],
    unit_CD: np.ndarray,
    concepts: list[str],
    *,
    permutations: int,
    bootstraps: int,
    seed: int,
) -> tuple[dict, pd.DataFrame]:
    """How far each vector's activity moves, on ordinary and on challenging prompts.

    Parameters
    ----------
    base, post : mapping
        Residual stream before the reply at one layer by kind of prompt: float [U, D], the same prompts in both.
    unit_CD : float array [C, D]
        The base model's vectors, of length 1.

    Returns
    -------
    summary : dict
        value: mean shift of `UP` less that of `DOWN`, in units of the base's norm, over both kinds; interval over
        prompts; p and p_below, against the same from as many other concepts, drawn at random; up, down: those
        that have vectors; kinds: for each n, r (base and post, over concepts), n_significant; between: r of the two
        shifts over concepts, interval, and the same of random directions; risen, fallen: the largest
        shifts, mean over kinds; controls: spread of random directions' shifts, and of the concepts'. n and counts
        alone where the prompts allow no answer.
    table : DataFrame
        kind, concept, base, post (mean projections), shift, low, high, p, adjusted_p, all but p in units of the base's norm.

    Source: arXiv 2604.07729, effects of post-training.
    """
    kinds = [kind for kind in KINDS if kind in base]
    about = {"n": sum(len(base[kind]) for kind in kinds), "n_concepts": len(concepts)}
    if len(kinds) < len(KINDS) or min(len(base[kind]) for kind in kinds) < FEWEST_PROMPTS:
        return about, pd.DataFrame()
    norm = np.mean([np.linalg.norm(base[kind], axis=1).mean(dtype=np.float64) for kind in kinds])
    random_KD = random_directions(N_CONTROLS, unit_CD.shape[1], seed)
    before, moved, chance = {}, {}, {}
    for kind in kinds:
        step_UD = post[kind].astype(np.float64) - base[kind]
        before[kind] = base[kind].astype(np.float64) @ unit_CD.T / norm
        moved[kind], chance[kind] = step_UD @ unit_CD.T / norm, step_UD @ random_KD.T / norm
    options = {"permutations": permutations, "bootstraps": bootstraps, "seed": seed}
    table = pd.concat(
        [_shifts(kind, before[kind], moved[kind], concepts, **options) for kind in kinds], ignore_index=True
    )
    mean_C = np.mean([moved[kind].mean(0) for kind in kinds], axis=0)
    order = mean_C.argsort()
    summary = {
        **about,
        "kinds": {kind: _of_kind(table[table["kind"] == kind]) for kind in kinds},
        "between": {
            **_between([moved[kind] for kind in kinds], bootstraps=bootstraps, seed=seed),
            "random_directions": _correlation(*(chance[kind].mean(0) for kind in kinds)),
        },
        "risen": [[concepts[c], float(mean_C[c])] for c in order[::-1][:SHOWN]],
        "fallen": [[concepts[c], float(mean_C[c])] for c in order[:SHOWN]],
        "controls": {
            "random_spread": float(np.mean([chance[kind].mean(0).std() for kind in kinds])),
            "concept_spread": float(np.mean([moved[kind].mean(0).std() for kind in kinds])),
        },
    }
    return summary | _as_claimed(moved, mean_C, concepts, **options), table


def _shifts(
    kind: str, before_UC: np.ndarray, moved_UC: np.ndarray, concepts: list[str], *,
    permutations: int, bootstraps: int, seed: int,
) -> pd.DataFrame:  # fmt: skip
    """Each concept's mean shift, its interval over prompts, and its two-sided p by flipping the prompts' signs."""
    n = len(moved_UC)
    value_C = moved_UC.mean(0)
    drawn_SC = statistics.bootstrap_weights(n, samples=bootstraps, seed=seed) @ moved_UC / n
    low_high = np.array([statistics.interval(drawn_S, n) for drawn_S in drawn_SC.T])
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (permutations, n))
    null_SC = np.abs(signs @ moved_UC / n)
    p = [statistics.permutation_p(abs(value), null) for value, null in zip(value_C, null_SC.T, strict=True)]
    base_C = before_UC.mean(0)
    return pd.DataFrame(
        {"kind": kind, "concept": concepts, "base": base_C, "post": base_C + value_C, "shift": value_C,
         "low": low_high[:, 0], "high": low_high[:, 1], "p": p, "adjusted_p": statistics.adjusted_p(np.array(p)),
         "n": n}
    )  # fmt: skip


def _of_kind(table: pd.DataFrame) -> dict:
    return {
        "n": int(table["n"].iloc[0]), "r": _correlation(table["base"], table["post"]),
        "n_significant": int((table["adjusted_p"] < 0.05).sum()),
    }  # fmt: skip


def _correlation(x_C: np.ndarray, y_C: np.ndarray) -> float:
    return float(statistics.pearson(np.asarray(x_C)[:, None], np.asarray(y_C))[0])


def _between(moved: list[np.ndarray], *, bootstraps: int, seed: int) -> dict:
    """Correlation over concepts of the shifts on the two kinds of prompts; interval over the prompts of both."""
    weights = [
        statistics.bootstrap_weights(len(of), samples=bootstraps, seed=seed + k) for k, of in enumerate(moved)
    ]
    one_SC, other_SC = (w @ of for w, of in zip(weights, moved, strict=True))
    drawn = np.array([_correlation(one, other) for one, other in zip(one_SC, other_SC, strict=True)])
    r = _correlation(*(of.mean(0) for of in moved))
    return {"r": r, "interval": list(statistics.interval(drawn, min(map(len, moved))))}


def _as_claimed(
    moved: Mapping[str, np.ndarray], mean_C: np.ndarray, concepts: list[str], *,
    permutations: int, bootstraps: int, seed: int,
) -> dict:  # fmt: skip
    """Do the paper's concepts move as they did there? Nothing but their names where one side has no vector."""
    up, down = ([name for name in names if name in concepts] for names in (UP, DOWN))
    if not up or not down:
        return {"up": up, "down": down}
    rows = [[concepts.index(name) for name in names] for names in (up, down)]
    value = float(mean_C[rows[0]].mean() - mean_C[rows[1]].mean())
    rng, null = np.random.default_rng(seed), np.empty(permutations)
    for i in range(permutations):
        drawn = rng.permutation(len(concepts))
        null[i] = mean_C[drawn[: len(up)]].mean() - mean_C[drawn[len(up) : len(up) + len(down)]].mean()
    effects = [of[:, rows[0]].mean(1) - of[:, rows[1]].mean(1) for of in moved.values()]
    sampled = [
        statistics.bootstrap_weights(len(of), samples=bootstraps, seed=seed + k) @ of / len(of)
        for k, of in enumerate(effects)
    ]
    low, high = statistics.interval(np.mean(sampled, axis=0), min(map(len, effects)))
    return {
        "value": value, "interval": [low, high], "up": up, "down": down,
        "p": statistics.permutation_p(value, null), "p_below": statistics.permutation_p(-value, -null),
    }  # fmt: skip
