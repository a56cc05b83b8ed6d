"""Do the vectors follow how people rate the words? (method.md, row 8)

Principal components against human valence and arousal, regression with the word held out, and what is left
when story length and activation norm are taken out. Shape letters: L layers, C concepts, K components.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from emotion_concepts import statistics
from emotion_concepts.geometry import held_out_operator, principal_components

N_COMPONENTS = 5
DIMENSIONS = ("valence", "arousal")
# Words for each thing that is taken out, at least: with fewer, what is left is mostly the fit's own doing.
WORDS_PER_COVARIATE = 5
# Correlation of two human norms with each other on these words (method.md, section 4).
HUMAN_CEILING = {"valence": 0.95, "arousal": 0.75}


def read_covariates(path: Path, layers: list[int], concepts: list[str]) -> np.ndarray:
    """What might explain a correlation as well, from a table of reliability: float64 [L, C, 3].

    Each concept's story length, the logarithm of that, and its activations' norm.
    """
    table = pd.read_csv(path).set_index(["layer", "concept"])[["n_tokens", "log_tokens", "norm"]]
    return np.stack([table.loc[layer].loc[concepts].to_numpy() for layer in layers])


def components_by_layer(vectors_LCD: np.ndarray, concepts: list[str], ratings: pd.DataFrame) -> pd.DataFrame:
    """Principal components of the vectors against human ratings, at each layer.

    Returns
    -------
    DataFrame
        layer, component (1 to 5), share of variance, and for valence and arousal Pearson's and
        Spearman's correlation over the rated concepts (their sign is arbitrary, as a component's is).
    """
    rated = ratings.set_index("emotion").reindex(concepts)
    has = rated["valence"].notna().to_numpy()
    rows = []
    for layer, vectors_CD in enumerate(vectors_LCD):
        scores, shares = principal_components(vectors_CD, N_COMPONENTS)
        for k, share in enumerate(shares):
            row = {"layer": layer, "component": k + 1, "share": share}
            for dimension in DIMENSIONS:
                human = rated[dimension].to_numpy()[has]
                row[f"{dimension}_r"] = statistics.pearson(scores[has][:, [k]], human)[0]
                row[f"{dimension}_rho"] = statistics.spearman(scores[has][:, [k]], human)[0]
            rows.append(row)
    return pd.DataFrame(rows)


def held_out_ratings(
    vectors_LCD: np.ndarray,
    concepts: list[str],
    ratings: pd.DataFrame,
    covariates_LCM: np.ndarray | None = None,
    *,
    permutations: int,
    bootstraps: int,
    seed: int,
) -> tuple[pd.DataFrame, dict]:
    """Can human ratings of a word be read off its vector, by a regression made on the other words?

    Returns
    -------
    table : DataFrame
        layer, and for valence and arousal Pearson's correlation of rating and leave-one-out prediction.
    summary : dict
        n_rated; for each dimension best_layer, r and its interval (bootstrap over concepts), p against
        shuffled ratings (`p_below`: that r is less), where the best layer is picked in each shuffle too, and
        `shuffled`, their mean. With covariates (each concept's story length, its logarithm, and activation
        norm, at each layer) also given_r and given_interval, at the best layer: the same after they were
        taken out of ratings and vectors, where there are words enough.
    """
    rated = ratings.set_index("emotion").reindex(concepts)
    has = rated["valence"].notna().to_numpy()
    columns = ["layer", *(f"{dimension}_r" for dimension in DIMENSIONS)]
    if has.sum() < 4:
        return pd.DataFrame(columns=columns), {"n_rated": int(has.sum())}
    operators = [held_out_operator(vectors_CD[has]) for vectors_CD in vectors_LCD.astype(np.float64)]
    table, summary = {"layer": range(len(operators))}, {"n_rated": int(has.sum())}
    rng = np.random.default_rng(seed)
    for dimension in DIMENSIONS:
        human = rated[dimension].to_numpy()[has]
        correlations = np.array([_prediction_r(operator, human[:, None])[0] for operator in operators])
        shuffled = np.stack([rng.permutation(human) for _ in range(permutations)], axis=1)
        null = np.max([_prediction_r(operator, shuffled) for operator in operators], axis=0)
        best = int(correlations.argmax())
        pairs = np.stack([operators[best] @ human, human], axis=1)
        interval = _correlation_interval(pairs[:, :1], human, bootstraps=bootstraps, seed=seed)
        table[f"{dimension}_r"] = correlations
        summary[dimension] = {
            "best_layer": best,
            "r": float(correlations[best]),
            "interval": list(interval),
            "p": statistics.permutation_p(float(correlations[best]), null),
            "p_below": statistics.permutation_p(-float(correlations[best]), -null),
            "shuffled": float(null.mean()),
        }
        if covariates_LCM is not None and _enough(len(human), covariates_LCM):
            vectors, rating = (
                statistics.without_covariates(x, covariates_LCM[best][has])
                for x in (vectors_LCD[best][has], human[:, None])
            )
            predicted = held_out_operator(vectors) @ rating
            given = _correlation_interval(predicted, rating[:, 0], bootstraps=bootstraps, seed=seed)
            summary[dimension] |= {
                "given_r": float(statistics.pearson(predicted, rating[:, 0])[0]),
                "given_interval": list(given),
            }
    return pd.DataFrame(table), summary


def _prediction_r(operator_CC: np.ndarray, ratings_CK: np.ndarray) -> np.ndarray:
    """Pearson's correlation of each column of ratings with its own leave-one-out prediction: [K]."""
    predicted = operator_CC @ ratings_CK
    predicted = predicted - predicted.mean(0)
    given = ratings_CK - ratings_CK.mean(0)
    return (predicted * given).sum(0) / np.sqrt((predicted**2).sum(0) * (given**2).sum(0))


def plane_table(scores_CK: np.ndarray, concepts: list[str], ratings: pd.DataFrame) -> pd.DataFrame:
    """Concepts on the first two components beside their human ratings (NaN where not rated)."""
    rated = ratings.set_index("emotion").reindex(concepts)
    table = pd.DataFrame({"concept": concepts, "pc1": scores_CK[:, 0], "pc2": scores_CK[:, 1]})
    return table.assign(**{column: rated[column].to_numpy() for column in (*DIMENSIONS, "match")})


def components_summary(
    vectors_LCD: np.ndarray,
    concepts: list[str],
    ratings: pd.DataFrame,
    layer: int,
    covariates_CM: np.ndarray | None = None,
    *,
    permutations: int,
    bootstraps: int,
    seed: int,
) -> dict:
    """For valence and arousal: the component that follows it best, with selection paid for.

    At `layer`: PC1 (valence) or PC2 (arousal), as the paper pairs them, with interval and plain
    permutation p; and over all layers and five components: the best one, with the p-value of a
    shuffle that picks its best too, and where it was.

    Parameters
    ----------
    covariates_CM : ndarray, optional
        What might explain it as well, for each concept: its stories' length in tokens, the logarithm
        of that, and their activations' norm at `layer`. `partial_r` and its interval are what is left
        without them, where there are words enough.
    """
    rated = ratings.set_index("emotion").reindex(concepts)
    has = rated["valence"].notna().to_numpy()
    summary: dict = {"layer": layer, "n_rated": int(has.sum())}
    if has.sum() < 4:
        return summary
    scores_LCK = np.stack([principal_components(v, N_COMPONENTS)[0][has] for v in vectors_LCD])
    for component, dimension in enumerate(DIMENSIONS):
        human = rated[dimension].to_numpy()[has]
        summary[dimension] = {
            "component": component + 1,
            **_paired_correlation(
                scores_LCK[layer, :, component],
                human,
                permutations=permutations,
                bootstraps=bootstraps,
                seed=seed,
            ),
            **_best_correlation(scores_LCK, human, permutations=permutations, seed=seed),
        }
        if covariates_CM is not None and _enough(len(human), covariates_CM):
            summary[dimension] |= _partial_correlation(
                scores_LCK[layer, :, component], human, covariates_CM[has], bootstraps=bootstraps, seed=seed
            )
    return summary


def _paired_correlation(
    scores_C: np.ndarray, human_C: np.ndarray, *, permutations: int, bootstraps: int, seed: int
) -> dict:
    """One component against one rating: |r| with interval and two-sided permutation p."""
    signed = float(statistics.pearson(scores_C[:, None], human_C)[0])
    # A component's sign is arbitrary: it is turned once, on all words, and not in each sample, or
    # every interval would lie above zero.
    turned = scores_C[:, None] * np.sign(signed)
    null = statistics.max_abs_correlation_null(turned, human_C, permutations=permutations, seed=seed)
    interval = _correlation_interval(turned, human_C, bootstraps=bootstraps, seed=seed)
    return {"r": abs(signed), "interval": list(interval), "p": statistics.permutation_p(abs(signed), null)}


def _partial_correlation(
    scores_C: np.ndarray, human_C: np.ndarray, covariates_CM: np.ndarray, *, bootstraps: int, seed: int
) -> dict:
    """The same correlation given the covariates: |r| and interval, from what they leave of both sides."""
    score_C, rating_C = statistics.without_covariates(np.column_stack([scores_C, human_C]), covariates_CM).T
    signed = float(statistics.pearson(score_C[:, None], rating_C)[0])
    turned = score_C[:, None] * np.sign(signed)
    interval = _correlation_interval(turned, rating_C, bootstraps=bootstraps, seed=seed)
    return {"partial_r": abs(signed), "partial_interval": list(interval)}


def _enough(n_words: int, covariates: np.ndarray) -> bool:
    return n_words >= WORDS_PER_COVARIATE * (covariates.shape[-1] + 1)


def _best_correlation(scores_LCK: np.ndarray, human_C: np.ndarray, *, permutations: int, seed: int) -> dict:
    """The best of all layers and components, against shuffles that pick their best too."""
    columns = scores_LCK.transpose(1, 0, 2).reshape(len(human_C), -1)
    all_r = np.abs(statistics.pearson(columns, human_C))
    best = int(np.nanargmax(all_r))
    rank_r = abs(float(statistics.spearman(columns[:, [best]], human_C)[0]))
    null = statistics.max_abs_correlation_null(columns, human_C, permutations=permutations, seed=seed)
    return {
        "best_r": float(all_r[best]),
        "best_rho": rank_r,
        "best_layer": best // scores_LCK.shape[2],
        "best_component": best % scores_LCK.shape[2] + 1,
        "best_p": statistics.permutation_p(float(all_r[best]), null),
        "shuffled_best": float(null.mean()),
    }


def _correlation_interval(
    x_C1: np.ndarray, y_C: np.ndarray, *, bootstraps: int, seed: int
) -> tuple[float, float]:
    """95% interval of a correlation, from a bootstrap over concepts."""
    return statistics.bootstrap_interval(
        lambda weights: statistics.weighted_pearson(weights, x_C1, y_C)[:, 0],
        len(y_C),
        samples=bootstraps,
        seed=seed,
    )
