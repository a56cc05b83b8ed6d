"""Are concepts found again on topics that their vectors were not made from? (method.md, row 1)

At every layer, with what word counts, story length and shuffled labels give; how it grows with the number
of stories; which concepts are taken for which; and the layer that later stages use.
Shape letters: N stories, P topics, C concepts, S splits, L layers.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfVectorizer

from emotion_concepts import retrieval, statistics
from emotion_concepts.cells import CellSums, cell_sums, concepts_in_every_half, topic_gram, topic_halves
from emotion_concepts.layers import single_layer, work_by_layer

# Pairs of topic sets behind each point of the growth curve.
GROWTH_SPLITS = 40


@dataclass(frozen=True)
class Stories:
    """A story set as retrieval reads it.

    emotion, topic : str arrays [N]; group : str array [N], the topic, or group of topics, that the sums go by;
    n_tokens : int [N]; text : list of N; cells : gives the sums of a layer; rows : gives some stories' values at a layer,
    float32 [asked, D].
    """

    emotion: np.ndarray
    topic: np.ndarray
    group: np.ndarray
    n_tokens: np.ndarray
    text: list[str]
    cells: Callable[[int], CellSums]
    rows: Callable[[int, np.ndarray], np.ndarray]


def retrieval_by_layer(
    stories: Stories,
    n_layers: int,
    *,
    max_splits: int,
    shuffles: int,
    bootstraps: int,
    seed: int,
    threads: int = 1,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, dict]:
    """Retrieval of concepts on held-out topics, at each layer, with its controls.

    Parameters
    ----------
    threads : int
        Layers looked at side by side; the results do not depend on it.

    Returns
    -------
    table : DataFrame
        layer, top1, low, high: share of (split, concept) pairs found, 95% interval from a bootstrap
        over concepts; top5: the same where the own concept is among the nearest five; story: share of
        single stories whose nearest vector, made from the other topics, is their own concept's.
    growth : DataFrame
        n_topics on a side, n_stories a concept on a side, top1, low, high, at the recommended layer.
    confusion : DataFrame
        concept, found, nearest_other (the concept it is most often taken for), share, at that layer.
    summary : dict
        best_layer, its values and interval; p against shuffled labels, where the best layer is picked in
        each shuffle too; `shuffled`, the mean of those best values; the same figures for word counts
        (tfidf, tfidf_top5, tfidf_story) and for the number of tokens (length); chance; found_at_best by
        concept; recommended_layer. Only counts and the layer, and empty tables, where fewer than two
        concepts have stories in every half.
    """
    lengths = cell_sums(stories.n_tokens[:, None], stories.emotion, stories.group)
    first_SP = topic_halves(len(lengths.counts_PC), max_splits, seed)
    whole_C = concepts_in_every_half(lengths.counts_PC, first_SP)
    concepts = np.unique(stories.emotion)[whole_C]
    summary = {
        "n_concepts": len(concepts),
        "n_topics": len(np.unique(stories.topic)),
        "n_splits": 2 * len(first_SP),
        "n_stories": len(stories.text),
    }
    if len(lengths.counts_PC) < 2 or len(concepts) < 2:
        return *_empty_tables(), summary | {"recommended_layer": single_layer(n_layers, None)}
    counts = lengths.counts_PC[:, whole_C]
    kept = np.flatnonzero(np.isin(stories.emotion, concepts))
    places = [np.unique(labels[kept], return_inverse=True)[1] for labels in (stories.emotion, stories.group)]
    singly = retrieval.asked_stories(len(kept))
    orders = _label_orders(shuffles, len(counts), len(concepts), seed)
    weights = statistics.bootstrap_weights(len(concepts), samples=bootstraps, seed=seed) / len(concepts)

    def one_layer(layer: int) -> tuple[tuple, np.ndarray, np.ndarray]:
        cells = stories.cells(layer).of_concepts(whole_C)
        gram = topic_gram(cells.sums_PCD)
        ranks = retrieval.retrieval_ranks(gram, counts, first_SP)
        found_C = (ranks == 0).mean(0)
        low, high = statistics.interval(weights @ found_C, len(concepts))
        values = stories.rows(layer, kept[singly])
        hits = retrieval.story_hits(values, *(place[singly] for place in places), cells, gram, first_SP)
        row = layer, found_C.mean(), low, high, (ranks < 5).mean(), hits.mean()
        # Which of 171 is nearest takes no more than float32 to tell, in half the time.
        return row, found_C, _shuffled_shares(gram.astype(np.float32), counts, orders, first_SP)

    rows, found_LC, null_LS = zip(*work_by_layer(one_layer, n_layers, threads), strict=True)
    table = pd.DataFrame(rows, columns=["layer", "top1", "low", "high", "top5", "story"])
    best = int(table["top1"].argmax())
    recommended = recommended_layer(table)
    null = np.max(null_LS, axis=0)
    null = null[~np.isnan(null)]
    gram = topic_gram(stories.cells(recommended).sums_PCD[:, whole_C])
    summary |= {
        "best_layer": best,
        "recommended_layer": recommended,
        **{name: float(table[name][best]) for name in ("top1", "top5", "story")},
        "interval": [float(table["low"][best]), float(table["high"][best])],
        "p": statistics.permutation_p(float(table["top1"][best]), null),
        "shuffled": float(null.mean()) if len(null) else None,
        "n_shuffles": len(null),
        **word_count_retrieval([stories.text[i] for i in kept], *places, first_SP),
        "length": length_retrieval(lengths.of_concepts(whole_C), first_SP),
        "chance": 1 / len(concepts),
        "found_at_best": dict(zip(concepts.tolist(), found_LC[best].tolist(), strict=True)),
    }
    growth = _growth(gram, counts, weights, seed=seed)
    return table, growth, _confusion(retrieval.nearest_concepts(gram, counts, first_SP), concepts), summary


def recommended_layer(table: pd.DataFrame) -> int:
    """The layer that later stages use: the middle one of those that the best is not clearly better than.

    Those are the layers whose held-out retrieval is within one standard error of the best one's (a quarter
    of its 95% interval). A single best of many layers is chance; the middle of a plateau is not.
    """
    best = table.loc[table["top1"].argmax()]
    as_good = table["layer"][table["top1"] >= best["top1"] - (best["high"] - best["low"]) / 4]
    return int(as_good.iloc[(len(as_good) - 1) // 2])


def length_retrieval(lengths: CellSums, first_SP: np.ndarray) -> float:
    """The same by the stories' length alone: the concept of the other half with the nearest mean length.

    `lengths` are the sums of the stories' numbers of tokens.
    """
    sums, counts = lengths.sums_PCD, lengths.counts_PC
    hits = []
    for half in (*first_SP, *~first_SP):
        asked_C, found_C = ((side @ sums[..., 0]) / (side @ counts) for side in (half, ~half))
        distance_CC = np.abs(asked_C[:, None] - found_C)
        own_C = distance_CC.diagonal().copy()
        np.fill_diagonal(distance_CC, np.inf)
        hits.append((own_C < distance_CC.min(1)).mean())
    return float(np.mean(hits))


def _shuffled_shares(gram, counts, orders, first_SP) -> np.ndarray:
    """Share found under each shuffle of the labels; NaN where one leaves a concept without a story in a half."""
    shares = np.full(len(orders), np.nan)
    for i, order in enumerate(orders):
        shuffled = retrieval.shuffled_gram(gram, counts, order)
        if concepts_in_every_half(shuffled[1], first_SP).all():
            shares[i] = retrieval.share_found(*shuffled, first_SP, ~first_SP).mean()
    return shares


def _label_orders(shuffles: int, n_topics: int, n_concepts: int, seed: int) -> np.ndarray:
    """Shuffled labels, within each topic, the same for all layers: int [shuffles, P, C]."""
    rng = np.random.default_rng(seed)
    order = np.broadcast_to(np.arange(n_concepts), (shuffles, n_topics, n_concepts))
    return rng.permuted(order, axis=2)


def word_count_retrieval(
    texts: list[str], concept_N: np.ndarray, topic_N: np.ndarray, first_SP: np.ndarray
) -> dict:
    """The same by word counts (TF-IDF) instead of activations: tfidf, tfidf_top5, tfidf_story."""
    # Words of one letter count too: "I" tells the person that a story is written in.
    counted = csr_array(TfidfVectorizer(sublinear_tf=True, token_pattern=r"\w+").fit_transform(texts))
    cells = cell_sums(counted, concept_N, topic_N)
    gram = topic_gram(cells.sums_PCD)
    ranks = retrieval.retrieval_ranks(gram, cells.counts_PC, first_SP)
    singly = retrieval.asked_stories(len(texts))
    values = counted[singly].toarray()
    hits = retrieval.story_hits(values, concept_N[singly], topic_N[singly], cells, gram, first_SP)
    return {
        "tfidf": float((ranks == 0).mean()),
        "tfidf_top5": float((ranks < 5).mean()),
        "tfidf_story": float(hits.mean()),
    }


def _growth(gram, counts, weights_SC, *, seed: int) -> pd.DataFrame:
    """Share found by the number of topics on each side; interval from these resamples of the concepts."""
    n_topics, n_concepts = counts.shape
    rng = np.random.default_rng(seed)
    rows = []
    for size in range(1, n_topics // 2 + 1):
        drawn = np.array([rng.permutation(n_topics)[: 2 * size] for _ in range(GROWTH_SPLITS)])
        sides = [np.zeros((GROWTH_SPLITS, n_topics), bool) for _ in range(2)]
        for side, topics in zip(sides, np.split(drawn, 2, axis=1), strict=True):
            np.put_along_axis(side, topics, True, axis=1)
        usable = np.all([(side @ counts > 0).all(1) for side in sides], axis=0)
        if usable.any():
            left, right = (side[usable] for side in sides)
            found_C = retrieval.share_found(gram, counts, left, right)
            low, high = statistics.interval(weights_SC @ found_C, n_concepts)
            n_stories = np.mean([side @ counts for side in (left, right)])
            rows.append((size, n_stories, found_C.mean(), low, high))
    return pd.DataFrame(rows, columns=["n_topics", "n_stories", "top1", "low", "high"])


def _confusion(nearest_CC: np.ndarray, concepts: np.ndarray) -> pd.DataFrame:
    """Each concept, how often it is found, and what it is most often taken for."""
    others_CC = nearest_CC.copy()
    np.fill_diagonal(others_CC, -1)
    other_C = others_CC.argmax(1)
    table = {
        "concept": concepts,
        "found": nearest_CC.diagonal(),
        "nearest_other": concepts[other_C],
        "share": others_CC.max(1),
    }
    return pd.DataFrame(table).sort_values(["found", "concept"], kind="stable").reset_index(drop=True)


def _empty_tables() -> list[pd.DataFrame]:
    columns = (
        ["layer", "top1", "low", "high", "top5", "story"],
        ["n_topics", "n_stories", "top1", "low", "high"],
        ["concept", "found", "nearest_other", "share"],
    )
    return [pd.DataFrame(columns=names) for names in columns]
