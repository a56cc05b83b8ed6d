"""Strengths, correlations with them, and what steering changes of them: closed forms, planted answers and nulls."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats
from scipy.special import expit, logit

from emotion_concepts import scorecard, steering_claims
from emotion_concepts.bradley_terry import ELO_PER_NAT, RIDGE, bradley_terry, elo, fit, pair_matrices
from emotion_concepts.clustered import crossed_intervals, expected_largest, shuffled_rows
from emotion_concepts.errors import DataError
from emotion_concepts.preference_causes import causal_summary
from emotion_concepts.preferences import elo_table, preference_summary
from tests.known_answers.choices import (
    ANY_DIRECTION,
    LAYER,
    LENGTH,
    NULLS,
    PLANTED,
    Plan,
    preference_summaries,
    simulated,
)

EFFORT = {"permutations": 199, "bootstraps": 200}
ENTRIES = {
    "row 6": steering_claims.preference_entry,
    "row 6, valence": steering_claims.preference_valence_entry,
    "row 7": steering_claims.preference_causal_entry,
}


def every_pair(n):
    first, second = (of.ravel() for of in np.meshgrid(range(n), range(n), indexing="ij"))
    return first[first != second], second[first != second]


# Bradley and Terry


def test_two_activities_have_a_closed_form():
    """Log-odds of both orders: half their difference is the strength between, half their sum the place's."""
    strength, position = bradley_terry([0, 1], [1, 0], expit(np.array([2.0, 1.0])), 2)
    # The ridge takes about RIDGE over the curvature (a tenth here) of each.
    assert strength == pytest.approx([0.25, -0.25], rel=2e-3) and position == pytest.approx(1.5, rel=2e-3)
    assert elo(strength[0] - strength[1]) == pytest.approx(400 * np.log10(np.exp(0.5)), rel=2e-3)


def test_planted_strengths_and_position_are_read_back():
    rng = np.random.default_rng(0)
    planted = rng.normal(0, 1.5, 12)
    first, second = every_pair(12)
    strength, position = bradley_terry(first, second, expit(planted[first] - planted[second] - 0.7), 12)
    np.testing.assert_allclose(strength, planted - planted.mean(), atol=1e-3)
    assert position == pytest.approx(-0.7, abs=1e-3)


def test_newton_finds_the_top_that_scipy_finds():
    """Answers that no strengths explain, some pairs twice, some never asked."""
    rng = np.random.default_rng(1)
    n, pairs = 7, 60
    first = rng.integers(0, n, pairs)
    second = (first + rng.integers(1, n, pairs)) % n
    p = rng.beta(0.4, 0.4, pairs)

    def loss(theta):
        z = theta[first] - theta[second] + theta[-1]
        return -(p * z - np.logaddexp(0, z)).sum() + RIDGE / 2 * (theta**2).sum()

    found = optimize.minimize(loss, np.zeros(n + 1), method="BFGS", options={"gtol": 1e-9})
    strength, position = bradley_terry(first, second, p, n)
    np.testing.assert_allclose(strength, found.x[:-1], atol=1e-5)
    assert position == pytest.approx(found.x[-1], abs=1e-5) and abs(strength.mean()) < 1e-9


def test_answers_of_0_and_1_have_finite_strengths_in_their_order():
    first, second = every_pair(20)
    strength, position = bradley_terry(first, second, (first < second).astype(float), 20)
    assert (np.diff(strength) < 0).all() and np.isfinite(strength).all() and abs(position) < 1e-6
    always_first, bias = bradley_terry(first, second, np.ones(len(first)), 20)
    assert np.abs(always_first).max() < 1e-6 and 5 < bias < 20


def test_many_fits_at_once_are_the_single_ones():
    rng = np.random.default_rng(2)
    first, second = every_pair(6)
    matrices = [pair_matrices(first, second, rng.beta(0.2, 0.2, len(first)), 6) for _ in range(5)]
    weights, p = (np.stack(of) for of in zip(*matrices, strict=True))
    alone = [fit(weight[None], of[None])[0] for weight, of in matrices]
    np.testing.assert_allclose(fit(weights, p), alone, atol=1e-6)


def test_what_was_never_compared_is_an_error():
    with pytest.raises(
        DataError, match=r"never compared with the rest, directly or through others: \[3\] of 4"
    ):
        bradley_terry([0, 1], [1, 2], [0.5, 0.5], 4)
    with pytest.raises(DataError, match=r"pair 1: probability nan of the first; expected 0 to 1"):
        bradley_terry([0, 1], [1, 0], [0.5, np.nan], 2)


# Helpers over units that are alike


def test_shuffles_keep_categories_together_and_reach_every_place():
    category = np.array(list("babacc"))
    rows = shuffled_rows(category, 500, np.random.default_rng(0))
    assert (np.sort(rows, axis=1) == np.arange(6)).all()
    for name in "abc":
        # Whoever stands on one category's places came from one category.
        came = category[rows[:, category == name]]
        assert (came[:, 0] == came[:, 1]).all()
    counts = np.array([np.bincount(rows[:, place], minlength=6) for place in range(6)])
    assert stats.chisquare(counts.ravel()).pvalue > 1e-3


def test_expected_largest_is_the_mean_over_all_choices():
    value = np.array([0.3, 0.1, 0.9, 0.5])
    pairs = [max(value[i], value[j]) for i in range(4) for j in range(i)]
    assert expected_largest(value, 2) == pytest.approx(np.mean(pairs))
    assert expected_largest(value, 4) == 0.9 and expected_largest(value, 1) == pytest.approx(value.mean())


def test_crossed_interval_covers_a_correlation_that_is_sure():
    rng = np.random.default_rng(3)
    elo_N, category = rng.standard_normal(64), np.arange(64) // 8
    load = rng.standard_normal(20)
    x = np.outer(elo_N, load) + 0.3 * rng.standard_normal((64, 20))
    (low, high), (cov_low, _) = crossed_intervals(
        x, elo_N, category, load[None], np.zeros(1), bootstraps=400, seed=1
    )
    assert 0.5 < low < np.corrcoef(np.sign(load), load)[0, 1] < high <= 1 and cov_low > 0


# Elo


def choices_of(logit_NN, ids, direction="unsteered", kind="unsteered", mass=0.8):
    first, second = every_pair(len(ids))
    return pd.DataFrame(
        {"direction": direction, "kind": kind, "first": np.array(ids)[first], "second": np.array(ids)[second],
         "logit": logit_NN[first, second], "mass": mass}
    )  # fmt: skip


def activities_of(ids, per_category=2):
    return pd.DataFrame(
        {"id": ids, "category": [f"k{i // per_category}" for i in range(len(ids))], "n_tokens": 5}
    )


def test_elo_table_says_what_was_planted():
    strength = np.array([1.0, 0.0, -1.0, 0.5])
    table = choices_of(0.4 + strength[:, None] - strength, list("abcd"))
    table["mass"] = np.linspace(0.5, 0.9, len(table))
    about, found = elo_table(table, activities_of(list("abcd")), bootstraps=50, seed=1)
    np.testing.assert_allclose(found["elo"], ELO_PER_NAT * (strength - strength.mean()), atol=0.2)
    # Without noise, no opponent tells anything else (but for the ridge).
    assert (found["high"] - found["low"]).max() < 0.5
    assert about["position"] == pytest.approx(0.4, abs=1e-3) and about["median_mass"] == pytest.approx(0.7)
    assert about["first_chosen"] == pytest.approx(expit(0.4), abs=1e-3)


def test_orders_that_disagree_are_counted():
    strength = np.array([3.0, 0.0, 0.1])
    about, _ = elo_table(
        choices_of(1.0 + strength[:, None] - strength, list("abc")),
        activities_of(list("abc")),
        bootstraps=9,
        seed=1,
    )
    # The last two are told apart by their place alone.
    assert about["order_agreement"] == pytest.approx(2 / 3)


def test_elo_intervals_cover_as_often_as_they_say():
    """Each pair has a taste of its own, the same in both orders: that is what other opponents would change.

    A small one: a large one makes answers less sure, and so Elo smaller, over all pairs.
    """
    rng = np.random.default_rng(4)
    n, covered = 16, []
    for seed in range(25):
        strength = rng.standard_normal(n)
        taste = rng.standard_normal((n, n))
        logits = strength[:, None] - strength + 0.2 * (taste - taste.T)
        _, found = elo_table(
            choices_of(logits, [f"a{i}" for i in range(n)]), activities_of([f"a{i}" for i in range(n)]),
            bootstraps=200, seed=seed,
        )  # fmt: skip
        truth = elo(strength - strength.mean())
        covered.append((found["low"] < truth) & (truth < found["high"]))
    assert 0.9 < np.mean(covered) < 0.99


def test_mistakes_in_the_table_are_told():
    ids = list("abc")
    table = choices_of(np.zeros((3, 3)), ids)
    with pytest.raises(DataError, match=r"choices: 'c' is no activity; known are a, b \.\."):
        elo_table(table, activities_of(ids[:2]), bootstraps=9, seed=1)
    table.loc[1, "logit"] = np.inf
    with pytest.raises(DataError, match="choices: unsteered: a or c: logit inf; expected a number"):
        elo_table(table, activities_of(ids), bootstraps=9, seed=1)


# Planted answers


def lines_of(one, two):
    return {
        name: entry("known", "stories", "plain", two if name == "row 7" else one)
        for name, entry in ENTRIES.items()
    }


@pytest.fixture(scope="module")
def planted():
    given = simulated(PLANTED, 1)
    read = (given.activation_LNK, given.directions, LAYER)
    one = preference_summary(given.choices, given.activities, *read, given.ratings, **EFFORT, seed=1)
    two = causal_summary(given.choices, given.activities, given.steered, *read, **EFFORT, seed=1)
    return given, one, two


def test_planted_claims_are_reproduced(planted):
    _, (one, _), (two, _) = planted
    for name, line in lines_of(one, two).items():
        assert line["verdict"] == "reproduced", (name, line)
    assert {one["largest"][0], one["smallest"][0]} == {"blissful", "hostile"}
    assert {two["largest"][0], two["smallest"][0]} == {"blissful", "hostile"}


def test_tables_say_what_numpy_says(planted):
    given, (one, tables), (_, causes) = planted
    np.testing.assert_allclose(tables["activities"]["elo"], given.elo_N, atol=60)
    expected = np.corrcoef(given.activation_LNK[LAYER].T, tables["activities"]["elo"])[-1, :-1]
    np.testing.assert_allclose(tables["directions"]["r"], expected, atol=1e-6)
    concept = tables["directions"]["kind"] == "concept"
    assert one["value"] == pytest.approx(np.abs(expected[concept]).max(), abs=1e-6)
    assert tables["directions"].loc[concept, "valence"].tolist() == given.ratings["valence"].tolist()
    of_layer = tables["layers"].set_index("layer")
    assert of_layer.loc[LAYER, "largest"] == pytest.approx(one["value"])
    assert of_layer.loc[0, "largest"] < of_layer.loc[LAYER, "largest"]
    np.testing.assert_allclose(causes["r"], expected, atol=1e-6)
    # Chance of one activity and one direction is 30 Elo a factor, the mean of eight a third of that.
    np.testing.assert_allclose(causes["change"], given.change_K, atol=60)


def test_changes_have_a_closed_form_without_noise():
    """Steering adds to the steered half alone, so that the difference of the halves is what it adds."""
    given = simulated(dataclasses.replace(PLANTED, noise=0.0), 2)
    read = (given.activation_LNK, given.directions, LAYER)
    _, table = causal_summary(given.choices, given.activities, given.steered, *read, **EFFORT, seed=2)
    # The pairs' own tastes, and the curve of the logistic, leave a little.
    np.testing.assert_allclose(table["change"], given.change_K, rtol=0.02, atol=2)


def test_strings_or_categories_and_the_order_of_rows_make_no_difference(planted):
    given, (one, _), (two, _) = planted
    text = given.choices.sample(frac=1, random_state=0).astype(
        {k: str for k in ("direction", "kind", "first", "second")}
    )
    read = (given.activation_LNK, given.directions, LAYER)
    again, _ = preference_summary(text, given.activities, *read, given.ratings, **EFFORT, seed=1)
    assert again["p"] == one["p"] and again["value"] == pytest.approx(one["value"])
    moved, _ = causal_summary(text, given.activities, given.steered, *read, **EFFORT, seed=1)
    assert moved["value"] == pytest.approx(two["value"]) and moved["largest"][0] == two["largest"][0]


def test_what_is_length_is_explained_by_length():
    verdicts = [
        {
            name: line["verdict"]
            for name, line in lines_of(*preference_summaries(LENGTH, seed, **EFFORT)).items()
        }
        for seed in range(4)
    ]
    assert {of["row 6"] for of in verdicts} <= {
        "explained by length",
        "explained by any direction",
        "not found",
    }
    assert "explained by length" in {of["row 6"] for of in verdicts}
    assert "reproduced" not in {of["row 6, valence"] for of in verdicts}


def test_what_any_direction_does_is_explained_by_any_direction():
    verdicts = [
        {
            name: line["verdict"]
            for name, line in lines_of(*preference_summaries(ANY_DIRECTION, seed, **EFFORT)).items()
        }
        for seed in range(4)
    ]
    assert {of["row 7"] for of in verdicts} == {"explained by any direction"}
    assert "reproduced" not in {of["row 6"] for of in verdicts}


def test_too_little_is_not_applicable():
    given = simulated(PLANTED, 1)
    few = given.activities["category"].isin([f"category {g}" for g in range(4)]).to_numpy()
    ids = given.activities.loc[few, "id"]
    choices = given.choices[given.choices["first"].isin(ids) & given.choices["second"].isin(ids)]
    read = (given.activation_LNK[:, few], given.directions, LAYER)
    activities = given.activities[few].reset_index(drop=True)
    one, tables = preference_summary(choices, activities, *read, given.ratings, **EFFORT, seed=1)
    steered = [name for name in given.steered if name in set(ids)]
    two, causes = causal_summary(choices, activities, steered, *read, **EFFORT, seed=1)
    assert (
        "value" not in one and "value" not in two and len(causes) and len(tables["activities"]) == few.sum()
    )
    for line in lines_of(one, two).values():
        assert line["verdict"] == "not applicable" and line["value"] is None


def test_a_model_to_which_all_activities_are_one_is_not_applicable():
    """It chooses by the place alone: no Elo varies, and nothing can be correlated with it."""
    given = simulated(PLANTED, 1)
    choices = given.choices.assign(logit=0.0)
    read = (given.activities, given.activation_LNK, given.directions, LAYER)
    one, _ = preference_summary(choices, *read, given.ratings, **EFFORT, seed=1)
    two, _ = causal_summary(choices, given.activities, given.steered, *read[1:], **EFFORT, seed=1)
    for line in lines_of(one, two).values():
        assert line["verdict"] == "not applicable" and line["value"] is None


def test_few_ratings_are_not_powered_or_not_applicable():
    given = simulated(Plan(), 3)
    read = (given.activation_LNK, given.directions, LAYER)
    options = {**EFFORT, "seed": 3}
    one, _ = preference_summary(given.choices, given.activities, *read, given.ratings[:6], **options)
    line = steering_claims.preference_valence_entry("m", "s", "plain", one)
    assert one["valence"]["n_rated"] == 6 and line["verdict"] == "not powered"
    for ratings in (given.ratings[:2], None):
        one, _ = preference_summary(given.choices, given.activities, *read, ratings, **options)
        assert steering_claims.preference_valence_entry("m", "s", "plain", one)["verdict"] == "not applicable"


def test_directions_that_nobody_read_and_halves_that_are_none_are_errors():
    given = simulated(PLANTED, 1)
    options = {**EFFORT, "seed": 1}
    fewer = given.directions[:-1]
    with pytest.raises(DataError, match="choices: no activations of 'orthogonal-12'"):
        causal_summary(
            given.choices,
            given.activities,
            given.steered,
            given.activation_LNK[..., :-1],
            fewer,
            LAYER,
            **options,
        )
    with pytest.raises(DataError, match="choices: 0 of 16 activities were steered; expected a half"):
        causal_summary(
            given.choices, given.activities, [], given.activation_LNK, given.directions, LAYER, **options
        )


# Nulls


@pytest.fixture(scope="module")
def null_lines():
    return null_study({"nothing": 120, "steering moves what activation does not tell": 40,
                       "activation tells what steering does not move": 40})  # fmt: skip


def null_study(seeds_of):
    """Lines of the claims that each null leaves without an answer, and p-values of singly shuffled activities."""
    effort = {"permutations": 99, "bootstraps": 60}
    answers = {"activation tells what steering does not move": ("row 6", "row 6, valence")}
    found, alone = {}, []
    for null, seeds in seeds_of.items():
        for seed in range(seeds):
            one, two = preference_summaries(dataclasses.replace(NULLS[null], n_controls=4), seed, **effort)
            for name, line in lines_of(one, two).items():
                if name not in answers.get(null, ()):
                    found.setdefault((null, name), []).append(line)
            if null == "nothing":
                alone.append(one["p_alone"])
    return found, np.array(alone)


def most_wrong(n):
    return stats.binom.ppf(0.999, n, scorecard.ALPHA)


def check_nulls(found):
    for (null, name), lines in found.items():
        wrong = sum(line["verdict"] in ("reproduced", "opposite") for line in lines)
        assert wrong <= most_wrong(len(lines)), f"{null}: {name}: {wrong} of {len(lines)}"
    for name in ENTRIES:
        lines = [line for (_, of), all_ in found.items() for line in all_ if of == name]
        assert sum(line["verdict"] in ("reproduced", "opposite") for line in lines) <= most_wrong(len(lines))
        p = [
            line["p"]
            for (null, of), all_ in found.items()
            for line in all_
            if of == name and null == "nothing"
        ]
        assert stats.kstest(p, "uniform", alternative="greater").pvalue > 1e-3, name


def test_nulls_are_found_in_at_most_five_of_a_hundred(null_lines):
    check_nulls(null_lines[0])


def test_activities_shuffled_singly_would_find_what_is_not_there(null_lines):
    """Why categories are shuffled as wholes: a quarter of nulls would be significant."""
    alone = null_lines[1]
    assert np.mean(alone < 0.05) > 0.1


@pytest.mark.slow
def test_each_null_is_found_in_at_most_five_of_a_hundred():
    check_nulls(null_study(dict.fromkeys(NULLS, 200))[0])


def test_elo_is_on_its_scale():
    assert elo(logit(10 / 11)) == pytest.approx(400)
