"""Checks of the vectors of one model and story set, at every layer (method.md, rows 1 and 8)."""

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer

from emotion_concepts import retrieval, statistics
from emotion_concepts.geometry import held_out_operator, principal_components
from emotion_concepts.shards import LayerActivations

N_COMPONENTS = 5
DIMENSIONS = ("valence", "arousal")


def retrieval_by_layer(
    layers: Callable[[], Iterable[LayerActivations]],
    texts: list[str],
    *,
    max_splits: int,
    shuffles: int,
    bootstraps: int,
    seed: int,
) -> tuple[pd.DataFrame, dict]:
    """Retrieval of concepts on held-out topics, at each layer, with its controls.

    Parameters
    ----------
    layers : callable
        Gives the layers of a story set, first to last, each time it is called.
    texts : list of str
        The same stories' texts in the same order, for the word-count (TF-IDF) control.

    Returns
    -------
    table : DataFrame
        layer, top1, low, high: share of (split, concept) pairs found, 95% interval from a bootstrap
        over concepts; top5: the same where the own concept is among the nearest five; story: share of
        single stories whose nearest vector, made from the other topics, is their own concept's.
    summary : dict
        best_layer, its values and interval; p against shuffled labels, where the best layer is
        picked in each shuffle too; `shuffled`, the mean of those best values; the same figures for word
        counts (tfidf, tfidf_top5, tfidf_story); chance; found_at_best by concept. Only
        counts, and an empty table, where fewer than two concepts have stories in every half.
    """
    first = next(iter(layers()))
    topics = retrieval.topic_groups(first.topic, seed)
    _, counts = retrieval.topic_gram(first.mean, first.emotion, topics)
    first_SP = retrieval.topic_halves(len(counts), max_splits, seed)
    whole = retrieval.concepts_in_every_half(counts, first_SP)
    n_concepts = int(whole.sum())
    summary = {
        "n_concepts": n_concepts,
        "n_topics": len(np.unique(first.topic)),
        "n_splits": 2 * len(first_SP),
        "n_stories": len(texts),
    }
    columns = ["layer", "top1", "low", "high", "top5", "story"]
    if len(counts) < 2 or n_concepts < 2:
        return pd.DataFrame(columns=columns), summary
    orders = _label_orders(shuffles, len(counts), n_concepts, seed)
    null = np.zeros(shuffles)
    rows, found_LC = [], []
    concepts = np.unique(first.emotion)[whole]
    asked = np.isin(first.emotion, concepts)
    for layer, activations in enumerate(layers()):
        gram, counts = _whole_gram(activations.mean, first.emotion, topics, whole)
        ranks = retrieval.retrieval_ranks(gram, counts, first_SP)
        found_C = (ranks == 0).mean(0)
        story = retrieval.story_hits(activations.mean[asked], first.emotion[asked], topics[asked], first_SP)
        interval = statistics.bootstrap_interval(
            lambda chosen, found_C=found_C: found_C[chosen].mean(), n_concepts, samples=bootstraps, seed=seed
        )
        rows.append((layer, found_C.mean(), *interval, (ranks < 5).mean(), story.mean()))
        found_LC.append(found_C)
        # Which of 171 is nearest takes no more than float32 to tell, in half the time.
        gram = gram.astype(np.float32)
        for i, order in enumerate(orders):
            shuffled = retrieval.shuffled_gram(gram, counts, order)
            # Where concepts have different topics, a shuffle can leave one without a story in a half.
            possible = retrieval.concepts_in_every_half(shuffled[1], first_SP).all()
            best_of_shuffle = (
                (retrieval.retrieval_ranks(*shuffled, first_SP) == 0).mean() if possible else np.nan
            )
            null[i] = np.maximum(null[i], best_of_shuffle)
    null = null[~np.isnan(null)]
    table = pd.DataFrame(rows, columns=columns)
    best = int(table["top1"].argmax())
    # Words of one letter count too: "I" tells the person that a story is written in.
    counted = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\w+").fit_transform(texts).toarray()
    lexical = retrieval.retrieval_ranks(*_whole_gram(counted, first.emotion, topics, whole), first_SP)
    lexical_story = retrieval.story_hits(counted[asked], first.emotion[asked], topics[asked], first_SP)
    return table, summary | {
        "best_layer": best,
        **{name: float(table[name][best]) for name in ("top1", "top5", "story")},
        "interval": [float(table["low"][best]), float(table["high"][best])],
        "p": statistics.permutation_p(float(table["top1"][best]), null),
        "shuffled": float(null.mean()) if len(null) else None,
        "n_shuffles": len(null),
        "tfidf": float((lexical == 0).mean()),
        "tfidf_top5": float((lexical < 5).mean()),
        "tfidf_story": float(lexical_story.mean()),
        "chance": 1 / n_concepts,
        "found_at_best": dict(zip(concepts.tolist(), found_LC[best].tolist(), strict=True)),
    }


def _whole_gram(values_ND, emotions, topics, whole_C) -> tuple[np.ndarray, np.ndarray]:
    """`topic_gram` reduced to the concepts that can be asked for."""
    gram, counts = retrieval.topic_gram(values_ND, emotions, topics)
    return gram[:, :, whole_C][..., whole_C], counts[:, whole_C]


def _label_orders(shuffles: int, n_topics: int, n_concepts: int, seed: int) -> np.ndarray:
    """Shuffled labels, within each topic, the same for all layers: int [shuffles, P, C]."""
    rng = np.random.default_rng(seed)
    order = np.broadcast_to(np.arange(n_concepts), (shuffles, n_topics, n_concepts))
    return rng.permuted(order, axis=2)


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
                row[f"{dimension}_rho"] = statistics.spearman(scores[has, k], human)
            rows.append(row)
    return pd.DataFrame(rows)


def held_out_ratings(
    vectors_LCD: np.ndarray,
    concepts: list[str],
    ratings: pd.DataFrame,
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
        shuffled ratings, where the best layer is picked in each shuffle too, and `shuffled`, their mean.
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
        interval = statistics.bootstrap_interval(
            lambda rows, pairs=pairs: statistics.pearson(pairs[rows, :1], pairs[rows, 1])[0],
            len(human), samples=bootstraps, seed=seed,
        )  # fmt: skip
        table[f"{dimension}_r"] = correlations
        summary[dimension] = {
            "best_layer": best,
            "r": float(correlations[best]),
            "interval": list(interval),
            "p": statistics.permutation_p(float(correlations[best]), null),
            "shuffled": float(null.mean()),
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
    *,
    permutations: int,
    bootstraps: int,
    seed: int,
) -> dict:
    """For valence and arousal: the component that follows it best, with selection paid for.

    At `layer`: PC1 (valence) or PC2 (arousal), as the paper pairs them, with interval and plain
    permutation p; and over all layers and five components: the best one, with the p-value of a
    shuffle that picks its best too, and where it was.
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
    interval = statistics.bootstrap_interval(
        lambda rows: statistics.pearson(turned[rows], human_C[rows])[0],
        len(human_C),
        samples=bootstraps,
        seed=seed,
    )
    return {"r": abs(signed), "interval": list(interval), "p": statistics.permutation_p(abs(signed), null)}


def _best_correlation(scores_LCK: np.ndarray, human_C: np.ndarray, *, permutations: int, seed: int) -> dict:
    """The best of all layers and components, against shuffles that pick their best too."""
    columns = scores_LCK.transpose(1, 0, 2).reshape(len(human_C), -1)
    all_r = np.abs(statistics.pearson(columns, human_C))
    best = int(np.nanargmax(all_r))
    null = statistics.max_abs_correlation_null(columns, human_C, permutations=permutations, seed=seed)
    return {
        "best_r": float(all_r[best]),
        "best_layer": best // scores_LCK.shape[2],
        "best_component": best % scores_LCK.shape[2] + 1,
        "best_p": statistics.permutation_p(float(all_r[best]), null),
        "shuffled_best": float(null.mean()),
    }
