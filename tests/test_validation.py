"""The checks of the vectors on planted and on empty data."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from emotion_concepts.geometry import cosines, held_out_operator, hierarchical_order, principal_components
from emotion_concepts.shards import LayerActivations
from emotion_concepts.validation import (
    components_by_layer,
    components_summary,
    held_out_ratings,
    plane_table,
    retrieval_by_layer,
)

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


def test_planted_concepts_are_retrieved_and_the_layer_is_found():
    layers = planted_layers([0, 3, 0])
    table, summary = retrieval_by_layer(lambda: layers, ["same words"] * 120, **OPTIONS)
    assert summary["best_layer"] == 1 and summary["top1"] > 0.95
    assert summary["p"] == 1 / 40
    assert summary["interval"][0] > summary["chance"] == 1 / 30
    # Texts without a difference cannot be told by their words.
    assert summary["tfidf"] < 0.2
    assert table["top1"][0] < 0.2


def test_without_signal_the_best_layer_is_not_significant():
    ps = []
    for seed in range(10):
        layers = planted_layers([0, 0], seed)
        ps.append(retrieval_by_layer(lambda layers=layers: layers, ["x"] * 120, **OPTIONS)[1]["p"])
    assert sum(p < 0.05 for p in ps) <= 2


def test_topics_of_ones_own_make_retrieval_inapplicable():
    layer = planted_layers([1])[0]
    own = LayerActivations(layer.id, layer.emotion, layer.emotion, layer.mean, layer.norm, layer.n_tokens)
    table, summary = retrieval_by_layer(lambda: [own], ["x"] * 120, **OPTIONS)
    assert table.empty and summary["n_concepts"] == 0 and "top1" not in summary


def planted_ratings():
    rng = np.random.default_rng(4)
    valence, arousal = rng.standard_normal((2, 30))
    ratings = pd.DataFrame({"emotion": CONCEPTS, "valence": valence, "arousal": arousal, "match": "exact"})
    return ratings, valence, arousal


def test_planted_valence_and_arousal_are_found_on_their_components():
    ratings, valence, arousal = planted_ratings()
    rng = np.random.default_rng(5)
    plane = np.linalg.qr(rng.standard_normal((16, 2)))[0].T
    signal = np.outer(valence, 5 * plane[0]) + np.outer(arousal, 3 * plane[1])
    vectors = np.stack([rng.standard_normal((30, 16)), signal + 0.2 * rng.standard_normal((30, 16))])
    found = components_summary(vectors, CONCEPTS, ratings, 1, permutations=99, bootstraps=200, seed=1)
    for dimension, component in (("valence", 1), ("arousal", 2)):
        assert found[dimension]["r"] > 0.9 and found[dimension]["p"] == 0.01
        assert found[dimension]["interval"][0] > 0.8
        assert (found[dimension]["best_layer"], found[dimension]["best_component"]) == (1, component)
    table = components_by_layer(vectors, CONCEPTS, ratings)
    assert len(table) == 10 and table.query("layer == 1 and component == 1")["valence_r"].abs().item() > 0.9


def test_interval_of_a_chance_correlation_reaches_below_zero():
    ratings, *_ = planted_ratings()
    vectors = np.random.default_rng(6).standard_normal((1, 30, 16))
    found = components_summary(vectors, CONCEPTS, ratings, 0, permutations=99, bootstraps=400, seed=1)
    assert found["valence"]["interval"][0] < 0


def test_unrated_concepts_are_left_out_and_counted():
    ratings, *_ = planted_ratings()
    vectors = np.random.default_rng(7).standard_normal((1, 30, 16))
    assert components_summary(vectors, CONCEPTS, ratings[:3], 0, permutations=99, bootstraps=100, seed=1) == {
        "layer": 0,
        "n_rated": 3,
    }
    scores, _ = principal_components(vectors[0], 2)
    assert plane_table(scores, CONCEPTS, ratings[:20])["valence"].isna().sum() == 10


def test_components_match_an_eigendecomposition():
    values = np.random.default_rng(8).standard_normal((12, 6)) * [5, 3, 1, 1, 1, 1]
    scores, shares = principal_components(values, 3)
    eigen, basis = np.linalg.eigh(np.cov(values.T))
    np.testing.assert_allclose(shares, eigen[::-1][:3] / eigen.sum())
    np.testing.assert_allclose(np.abs(scores), np.abs((values - values.mean(0)) @ basis[:, ::-1][:, :3]))


def test_cosines_and_order_put_like_beside_like():
    rng = np.random.default_rng(9)
    a, b = rng.standard_normal((2, 20))
    vectors = np.array([a, b, a + 0.1 * rng.standard_normal(20), b + 0.1 * rng.standard_normal(20)])
    matrix = cosines(vectors)
    assert matrix[0, 1] == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    order = hierarchical_order(matrix).tolist()
    assert abs(order.index(0) - order.index(2)) == 1 and abs(order.index(1) - order.index(3)) == 1


def test_held_out_operator_is_ridge_regression_with_one_left_out():
    """The penalty belongs to all words; everything else, scikit-learn fits anew for each."""
    rng = np.random.default_rng(10)
    vectors, rating = rng.standard_normal((20, 6)) + 3, rng.standard_normal(20)
    centred = vectors - vectors.mean(0)
    penalty = np.trace(centred @ centred.T) / 20
    expected = cross_val_predict(Ridge(alpha=penalty), vectors, rating, cv=LeaveOneOut())
    np.testing.assert_allclose(held_out_operator(vectors) @ rating, expected)


def test_planted_ratings_are_read_off_and_shuffled_ones_are_not():
    ratings, valence, _ = planted_ratings()
    rng = np.random.default_rng(11)
    noise = rng.standard_normal((2, 30, 40))
    vectors = noise + np.outer(valence, rng.standard_normal(40)) * np.array([0, 1])[:, None, None]
    options = {"permutations": 99, "bootstraps": 200, "seed": 1}
    table, found = held_out_ratings(vectors, CONCEPTS, ratings, **options)
    assert (
        found["valence"]["best_layer"] == 1 and found["valence"]["r"] > 0.8 and found["valence"]["p"] == 0.01
    )
    assert found["valence"]["interval"][0] > 0.5 and found["arousal"]["p"] > 0.05
    assert table["valence_r"].tolist()[1] == found["valence"]["r"]
    ps = []
    for seed in range(20):
        shuffled = ratings.assign(valence=np.random.default_rng(seed).permutation(valence))
        ps.append(held_out_ratings(vectors[1:], CONCEPTS, shuffled, **options)[1]["valence"]["p"])
    assert sum(p < 0.05 for p in ps) <= 3  # at most 3 of 20 at 5%: probability .98
    assert held_out_ratings(vectors, CONCEPTS, ratings[:3], **options)[1] == {"n_rated": 3}
