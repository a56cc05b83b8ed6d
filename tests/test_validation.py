"""Retrieval on held-out topics, on planted and on empty data."""

import numpy as np
import pandas as pd
import pytest

from emotion_concepts.cells import cell_sums, topic_groups, topic_halves
from emotion_concepts.scorecard import retrieval_entry
from emotion_concepts.shards import LayerActivations
from emotion_concepts.validation import Stories, length_retrieval, recommended_layer, retrieval_by_layer

CONCEPTS = [f"c{i:02d}" for i in range(30)]
TOPICS = ["t0", "t1", "t2", "t3"]
OPTIONS = {"max_splits": 6, "shuffles": 39, "bootstraps": 200, "seed": 1}


def planted_layers(strengths, seed=0):
    """Layers in which concepts have directions of the given strengths, the same in every topic."""
    rng = np.random.default_rng(seed)
    directions = rng.standard_normal((30, 16))
    emotion = np.array([c for c in CONCEPTS for _ in TOPICS])
    topic = np.array([t for _ in CONCEPTS for t in TOPICS])
    layers = []
    for strength in strengths:
        mean = strength * np.repeat(directions, 4, axis=0) + rng.standard_normal((120, 16))
        n = np.full(120, 60)
        layers.append(
            LayerActivations(np.arange(120).astype(str), emotion, topic, mean.astype(np.float32), n * 1.0, n)
        )
    return layers


def stories_of(layers, texts):
    first = layers[0]
    group = topic_groups(first.topic, 1)
    return Stories(
        first.emotion,
        first.topic,
        group,
        first.n_tokens,
        texts,
        cells=lambda k: cell_sums(layers[k].mean, first.emotion, group),
        rows=lambda k, rows: layers[k].mean[rows],
    )


def retrieve(layers, texts=None, **options):
    texts = texts or ["same words"] * len(layers[0].id)
    return retrieval_by_layer(stories_of(layers, texts), len(layers), **OPTIONS | options)


def test_planted_concepts_are_retrieved_and_the_layer_is_found():
    layers = planted_layers([0, 3, 0])
    table, growth, confusion, summary = retrieve(layers)
    assert summary["best_layer"] == summary["recommended_layer"] == 1 and summary["top1"] > 0.95
    assert summary["p"] == 1 / 40
    assert summary["interval"][0] > summary["chance"] == 1 / 30
    # Texts without a difference cannot be told by their words, nor texts of one length by that.
    assert summary["tfidf"] < 0.2 and summary["length"] == 0
    assert table["top1"][0] < 0.2
    # At the recommended layer two topics a side are all halvings.
    assert growth["n_topics"].tolist() == [1, 2] and growth["n_stories"].tolist() == [1, 2]
    assert growth["top1"].iloc[1] == pytest.approx(summary["top1"], abs=0.03)
    assert growth["top1"].iloc[0] < growth["top1"].iloc[1] + 0.01
    assert confusion["found"].mean() == pytest.approx(summary["top1"])


def test_results_do_not_depend_on_the_number_of_threads():
    layers = planted_layers([0.5, 1])
    one, two = (retrieve(layers, threads=n) for n in (1, 2))
    for a, b in zip(one[:3], two[:3], strict=True):
        pd.testing.assert_frame_equal(a, b)
    assert one[3] == two[3]


def test_concepts_that_lie_together_are_taken_for_each_other():
    layer = planted_layers([3])[0]
    twin, other = (np.flatnonzero(layer.emotion == name) for name in ("c03", "c04"))
    layer.mean[twin] = layer.mean[other] + 0.3 * np.random.default_rng(1).standard_normal((4, 16))
    confusion = retrieve([layer])[2].set_index("concept")
    assert confusion.loc["c03", "nearest_other"] == "c04" and confusion.loc["c04", "nearest_other"] == "c03"
    assert confusion.loc["c03", "found"] < 0.9 < confusion.loc["c10", "found"]


def test_concepts_that_differ_in_length_alone_are_found_by_length():
    """The confound that fooled published work: activations that depend on nothing but the text's length."""
    rng = np.random.default_rng(2)
    layer = planted_layers([0])[0]
    n_tokens = np.repeat(np.arange(30) * 20 + 60, 4) + rng.integers(-2, 3, 120)
    angle = n_tokens[:, None] / 700 * np.array([1.0, 1.7, 2.3, 3.1])
    mean = np.concatenate([np.cos(angle), np.sin(angle)], axis=1) + 0.001 * rng.standard_normal((120, 8))
    lengths = LayerActivations(layer.id, layer.emotion, layer.topic, mean, layer.norm, n_tokens)
    summary = retrieve([lengths])[3]
    assert summary["top1"] > 0.5 and summary["length"] > 0.9
    assert retrieval_entry("m", "s", summary)["verdict"] == "explained by length"


def test_length_retrieval_matches_a_loop():
    rng = np.random.default_rng(3)
    emotion, topic = np.repeat(["a", "b", "c"], 4), np.array(["s", "t", "u", "v"] * 3)
    n_tokens = rng.integers(50, 80, 12)
    halves = topic_halves(4, 70, 0)
    hits = []
    for half in (*halves, *~halves):
        first = {"stuv"[i] for i in np.flatnonzero(half)}
        means = [
            {c: n_tokens[(emotion == c) & [(t in first) == side for t in topic]].mean() for c in "abc"}
            for side in (True, False)
        ]
        for c in "abc":
            others = min(abs(means[0][c] - means[1][d]) for d in "abc" if d != c)
            hits.append(abs(means[0][c] - means[1][c]) < others)
    assert length_retrieval(cell_sums(n_tokens[:, None], emotion, topic), halves) == pytest.approx(
        np.mean(hits)
    )


def test_recommended_layer_is_the_middle_of_those_as_good_as_the_best():
    top1 = np.array([0.1, 0.79, 0.8, 0.82, 0.79, 0.5])
    table = pd.DataFrame({"layer": range(6), "top1": top1, "low": top1 - 0.08, "high": top1 + 0.08})
    assert recommended_layer(table) == 2  # layers 1 to 4 lie within .04 of the best
    assert recommended_layer(table.assign(low=top1, high=top1)) == 3


def test_without_signal_the_best_layer_is_not_significant():
    ps = [retrieve(planted_layers([0, 0], seed), ["x"] * 120)[3]["p"] for seed in range(10)]
    assert sum(p < 0.05 for p in ps) <= 2


def test_topics_of_ones_own_make_retrieval_inapplicable():
    layer = planted_layers([1])[0]
    own = LayerActivations(layer.id, layer.emotion, layer.emotion, layer.mean, layer.norm, layer.n_tokens)
    table, growth, confusion, summary = retrieve([own] * 4)
    assert table.empty and growth.empty and confusion.empty
    # Thirty topics, though the sums go by twelve groups of them.
    assert summary["n_topics"] == 30
    assert summary["n_concepts"] == 0 and "top1" not in summary and summary["recommended_layer"] == 2
