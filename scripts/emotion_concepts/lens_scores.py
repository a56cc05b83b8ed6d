"""Does a concept's vector read as the concept's own words? From the tokens that the logit lens left.

No torch. Shape letters: L layers, C concepts (rows: vectors, columns: words), K tokens kept.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from emotion_concepts import statistics
from emotion_concepts.concepts import USUAL_CONCEPTS
from emotion_concepts.files import written_whole

TOP = 50  # tokens among which a concept's own words are looked for (issue 6)
SHOWN = 5  # tokens kept at each end, as many as the paper shows
COLUMNS = ["layer", "share", "low", "high", "random", "shuffled", "n"]


def scored(
    top_LCK: np.ndarray,
    random_NK: np.ndarray,
    tokens: Mapping[str, set[int]],
    layers: Sequence[int],
    recommended_layer: int,
    *,
    permutations: int,
    bootstraps: int,
    seed: int,
) -> tuple[pd.DataFrame, dict]:
    """How many vectors read as their concept's own words: the table by layer, and its summary.

    Parameters
    ----------
    top_LCK, random_NK : ndarray
        Numbers of the tokens with the highest scores, of the concepts' vectors and of random directions.
    tokens : mapping
        Concept to the tokens of its words, in the order of the vectors. A concept without any is left out.
    recommended_layer : int
        One of `layers`, chosen by something else than this score.

    Returns
    -------
    table : DataFrame
        As in `shares_table`; empty where fewer than two concepts have tokens.
    summary : dict
        As in `shares_summary`; then only n_concepts and without_tokens.
    """
    assert recommended_layer in layers, f"no vectors at the recommended layer {recommended_layer}"
    has_tokens = np.array([bool(own) for own in tokens.values()])
    summary = {
        "n_concepts": int(has_tokens.sum()),
        "without_tokens": [c for c, own in tokens.items() if not own],
    }
    if has_tokens.sum() < 2:
        return pd.DataFrame(columns=COLUMNS), summary
    asked = [own for own in tokens.values() if own]
    hit_LCC, random_NC = hits(top_LCK[:, has_tokens], asked), hits(random_NK, asked)
    table = shares_table(layers, hit_LCC, random_NC, bootstraps=bootstraps, seed=seed)
    found = shares_summary(table, hit_LCC, recommended_layer, permutations=permutations, seed=seed)
    return table, {**summary, **found}


def hits(top_NK: np.ndarray, tokens: Sequence[set[int]]) -> np.ndarray:
    """Whether one of each concept's tokens is among each direction's top ones: bool [.., N, C]."""
    highest = max(int(top_NK.max()), *(max(own, default=0) for own in tokens))
    hit = np.empty((*top_NK.shape[:-1], len(tokens)), bool)
    for c, own in enumerate(tokens):
        own_V = np.zeros(highest + 1, bool)
        own_V[list(own)] = True
        hit[..., c] = own_V[top_NK].any(-1)
    return hit


def shares_table(
    layers: Sequence[int], hit_LCC: np.ndarray, random_NC: np.ndarray, *, bootstraps: int, seed: int
) -> pd.DataFrame:
    """Share of concepts whose vector reads as their own words, at each layer.

    Parameters
    ----------
    hit_LCC : ndarray
        Vectors in rows, words in columns, the same concepts in the same order.
    random_NC : ndarray
        The same of random directions; no layer's in particular, for the way to the logits is one.

    Returns
    -------
    DataFrame
        layer, share, low, high: 95% interval from a bootstrap over concepts; random: share of
        (random direction, concept's words) pairs; shuffled: share of (vector, another concept's
        words) pairs, exactly what shuffled labels without a fixed point give; n concepts.
    """
    n = hit_LCC.shape[1]
    own_LC = np.diagonal(hit_LCC, axis1=1, axis2=2)
    others_L = (hit_LCC.sum((1, 2)) - own_LC.sum(1)) / (n * (n - 1))
    rows = []
    for layer, own_C, others in zip(layers, own_LC, others_L, strict=True):
        low, high = _interval(own_C, bootstraps, seed)
        rows.append((layer, own_C.mean(), low, high, random_NC.mean(), others, n))
    return pd.DataFrame(rows, columns=COLUMNS)


def _interval(own_C: np.ndarray, samples: int, seed: int) -> tuple[float, float]:
    n = len(own_C)
    return statistics.bootstrap_interval(
        lambda weight_SN: weight_SN @ own_C.astype(float) / n, n, samples=samples, seed=seed
    )


def shares_summary(
    table: pd.DataFrame, hit_LCC: np.ndarray, recommended_layer: int, *, permutations: int, seed: int
) -> dict:
    """The best layer and the recommended one, each with interval, p and controls.

    The p-values are against the vectors' labels shuffled, all layers alike; for the best layer the
    best is picked in every shuffle too, and `shuffled` is the mean of those best values.
    """
    n = hit_LCC.shape[1]
    rng = np.random.default_rng(seed)
    orders = np.stack([rng.permutation(n) for _ in range(permutations)])
    null_PL = np.stack([hit_LCC[:, np.arange(n), order].mean(1) for order in orders])
    best, named = int(table["share"].argmax()), table["layer"].tolist().index(recommended_layer)

    def at(row: int) -> dict:
        found = table.iloc[row]
        return {
            "share": float(found["share"]),
            "interval": [float(found["low"]), float(found["high"])],
            "random": float(found["random"]),
        }

    return {
        **at(best),
        "best_layer": int(table["layer"].iloc[best]),
        "p": statistics.permutation_p(table["share"].max(), null_PL.max(1)),
        "shuffled": float(null_PL.max(1).mean()),
        "recommended": {
            **at(named),
            "layer": recommended_layer,
            "p": statistics.permutation_p(table["share"].iloc[named], null_PL[:, named]),
            "shuffled": float(table["shuffled"].iloc[named]),
        },
    }


def shown_concepts(known: Sequence[str]) -> list[str]:
    """The usual twelve as far as they are known; if none is, the first twelve."""
    return [concept for concept in USUAL_CONCEPTS if concept in known] or list(known[: len(USUAL_CONCEPTS)])


def tokens_of(table: pd.DataFrame, layer: int, concepts: Sequence[str]) -> list[dict]:
    """Top and bottom tokens of some concepts at a layer, without the space around them; a blank one escaped."""
    rows = table[table["layer"] == layer].sort_values("rank")
    found = []
    for concept in concepts:
        own = rows[rows["concept"] == concept]
        texts = {end: own.loc[own["end"] == end, "token"] for end in ("top", "bottom")}
        found.append(
            {"concept": concept, **{end: [t.strip() or repr(t) for t in texts[end]] for end in texts}}
        )
    return found


def write_tokens(path: Path, table: pd.DataFrame) -> None:
    """Write the table of tokens, every text in quotes: a token may be a line's end or a comma."""
    with written_whole(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)


def read_tokens(path: Path) -> pd.DataFrame:
    """Read the table of tokens; "null" and "NaN" are tokens like others."""
    return pd.read_csv(path, keep_default_na=False, dtype={"token": str})
