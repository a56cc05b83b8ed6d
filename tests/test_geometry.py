"""The shape of vectors in which it was planted, and of vectors without one."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from emotion_concepts.geometry import (
    adjusted_rand_indices,
    clusterings,
    cosines,
    held_out_operator,
    hierarchical_order,
    layer_similarity,
    principal_components,
    profile_correlation,
    similarity_profile,
)
from emotion_concepts.planes import neighbour_plane
from emotion_concepts.scorecard import component_entry
from emotion_concepts.valence_arousal import (
    components_by_layer,
    components_summary,
    held_out_ratings,
    plane_table,
)

CONCEPTS = [f"c{i:02d}" for i in range(30)]


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


def test_what_length_explains_is_not_a_finding():
    """A component that is the stories' length, and ratings that go with it: nothing is left without length."""
    rng = np.random.default_rng(12)
    length = rng.standard_normal(30)
    valence = length + 0.3 * rng.standard_normal(30)
    ratings = pd.DataFrame(
        {"emotion": CONCEPTS, "valence": valence, "arousal": rng.standard_normal(30), "match": "exact"}
    )
    vectors = np.outer(length, rng.standard_normal(16)) * 3 + 0.3 * rng.standard_normal((30, 16))
    found = components_summary(
        vectors[None], CONCEPTS, ratings, 0, length[:, None], permutations=99, bootstraps=300, seed=1
    )
    assert found["valence"]["r"] > 0.9 and found["valence"]["partial_interval"][0] <= 0
    assert component_entry("m", "s", found, "valence", 0.8)["verdict"] == "explained by length"
    # A covariate that has nothing to do with it takes nothing away.
    other = components_summary(
        vectors[None],
        CONCEPTS,
        ratings,
        0,
        rng.standard_normal((30, 1)),
        permutations=99,
        bootstraps=300,
        seed=1,
    )
    assert component_entry("m", "s", other, "valence", 0.8)["verdict"] == "reproduced"


def test_partial_correlation_is_that_of_the_residuals():
    rng = np.random.default_rng(13)
    vectors, covariates = rng.standard_normal((1, 30, 16)), rng.standard_normal((30, 2))
    ratings, valence, _ = planted_ratings()
    found = components_summary(
        vectors, CONCEPTS, ratings, 0, covariates, permutations=99, bootstraps=200, seed=1
    )
    score = principal_components(vectors[0], 1)[0][:, 0]
    left = [y - LinearRegression().fit(covariates, y).predict(covariates) for y in (score, valence)]
    assert found["valence"]["partial_r"] == pytest.approx(abs(stats.pearsonr(*left).statistic))


def test_planted_clusters_are_found_and_their_number_is_the_best():
    rng = np.random.default_rng(14)
    centres = rng.standard_normal((4, 20))
    member = np.arange(40) % 4
    table, labels = clusterings(
        centres[member] + 0.2 * rng.standard_normal((40, 20)), range(2, 9), starts=8, seed=0
    )
    assert table["k"][table["silhouette"].argmax()] == 4
    assert labels[4].tolist() == member.tolist()
    noise, _ = clusterings(rng.standard_normal((40, 20)), range(2, 9), starts=8, seed=0)
    assert noise["stability"].max() < 0.5 and noise["silhouette"].max() < 0.2


def test_more_clusters_than_concepts_are_not_asked_for():
    table, labels = clusterings(
        np.random.default_rng(0).standard_normal((4, 5)), range(2, 21), starts=2, seed=0
    )
    assert table["k"].tolist() == [2, 3] == list(labels)


def test_layers_that_are_turned_lie_alike_and_noise_does_not():
    rng = np.random.default_rng(15)
    vectors = rng.standard_normal((40, 12))
    turn = np.linalg.qr(rng.standard_normal((12, 12)))[0]
    layers = np.stack([vectors, 2 * vectors @ turn, rng.standard_normal((40, 12))])
    likeness = layer_similarity(layers)
    assert likeness[0, 1] == pytest.approx(1) and abs(likeness[0, 2]) < 0.2
    r, (low, high) = profile_correlation(layers[0], layers[2], samples=400, seed=0)
    assert r == pytest.approx(likeness[0, 2]) and low < 0 < high
    # Another width is no obstacle.
    assert profile_correlation(vectors, vectors @ rng.standard_normal((12, 40)), samples=50, seed=0)[0] > 0.3
    expected = [cosines(vectors)[i, j] for i in range(40) for j in range(i + 1, 40)]
    np.testing.assert_allclose(similarity_profile(vectors), expected)


def test_maps_keep_planted_neighbours_together():
    rng = np.random.default_rng(16)
    member = np.arange(40) % 4
    plane, axes = neighbour_plane(
        rng.standard_normal((4, 20))[member] + 0.1 * rng.standard_normal((40, 20)), seed=1
    )
    assert axes == "UMAP"
    distance = np.linalg.norm(plane[:, None] - plane, axis=-1)
    np.fill_diagonal(distance, np.inf)
    assert (member[distance.argmin(1)] == member).all()


def test_length_is_not_taken_out_of_a_handful_of_words():
    """Of eight words three covariates leave a fit that is perfect by itself: no figure is better than that one."""
    ratings, *_ = planted_ratings()
    rng = np.random.default_rng(17)
    vectors, covariates = rng.standard_normal((2, 30, 16)), rng.standard_normal((2, 30, 3))
    options = {"permutations": 99, "bootstraps": 100, "seed": 1}
    few = components_summary(vectors, CONCEPTS, ratings[:8], 0, covariates[0], **options)
    assert "partial_r" not in few["valence"]
    assert (
        "given_r" not in held_out_ratings(vectors, CONCEPTS, ratings[:8], covariates, **options)[1]["valence"]
    )
    enough = held_out_ratings(vectors, CONCEPTS, ratings[:20], covariates, **options)[1]
    assert "given_r" in enough["valence"]


@pytest.mark.parametrize("n_concepts", [2, 3, 5])
def test_maps_of_a_handful_of_concepts_are_finite(n_concepts):
    plane, axes = neighbour_plane(np.random.default_rng(18).standard_normal((n_concepts, 20)), seed=1)
    assert axes == "PC"
    assert plane.shape == (n_concepts, 2) and np.isfinite(plane).all()


def test_adjusted_rand_indices_are_scikit_learns():
    rng = np.random.default_rng(0)
    labels = np.stack([*rng.integers(0, 4, (5, 30)), np.zeros(30, int), np.zeros(30, int), np.arange(30)])
    expected = [[adjusted_rand_score(a, b) for b in labels] for a in labels]
    np.testing.assert_allclose(adjusted_rand_indices(labels), expected, atol=1e-12)


def test_components_of_few_and_of_many_concepts_are_those_of_the_singular_values():
    for shape in ((6, 40), (40, 6)):
        values = np.random.default_rng(0).standard_normal(shape) * np.arange(1, shape[1] + 1)
        scores, shares = principal_components(values, 10)
        left, singular, _ = np.linalg.svd(values - values.mean(0), full_matrices=False)
        np.testing.assert_allclose(np.abs(scores), np.abs(left * singular)[:, :10], atol=1e-6)
        np.testing.assert_allclose(shares, (singular**2 / (singular**2).sum())[:10], atol=1e-12)
