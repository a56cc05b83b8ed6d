"""Graded and counted conduct: closed forms, controls, nulls, and the lines of the scorecard that come of them."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from emotion_concepts import conduct, scorecard, steering_claims
from emotion_concepts.conduct import claimed_effect, rates, stance_effects, stances
from emotion_concepts.errors import DataError
from emotion_concepts.statistics import wilson_interval
from tests.known_answers.conduct_scores import (
    CONTROLS,
    SIDES,
    conduct_summaries,
    conduct_summary,
    scores_of,
    simulated,
)

EFFORT = {"permutations": 199, "bootstraps": 200}


def both(effect):
    """Desperate moves toward, calm away."""
    return {"desperate": effect, "calm": -effect}


# Stances


def test_stance_is_the_mean_difference_a_token_and_change_is_against_unsteered():
    table = pd.DataFrame(
        [("s", "unsteered", "unsteered", 0.0, "gives in", 1, -10.0, 5), ("s", "unsteered", "unsteered", 0.0, "declines", 1, -12.0, 4),
         ("s", "unsteered", "unsteered", 0.0, "gives in", 2, -6.0, 6), ("s", "unsteered", "unsteered", 0.0, "declines", 2, -3.0, 6),
         ("s", "calm", "concept", 0.1, "gives in", 1, -15.0, 5), ("s", "calm", "concept", 0.1, "declines", 1, -4.0, 4),
         ("s", "calm", "concept", 0.1, "gives in", 2, -6.0, 6), ("s", "calm", "concept", 0.1, "declines", 2, -6.0, 6),
         ("s", "calm", "concept", 0.1, "something else", 2, -6.0, 6)],
        columns=["scenario", "direction", "kind", "strength", "side", "item", "logprob", "n_tokens"],
    )  # fmt: skip
    found = stances(table, *SIDES).set_index("direction")
    # Unsteered: -2 + 3 and -1 + .5; calm: -3 + 1 and -1 + 1.
    assert found.loc["unsteered", ["stance", "change"]].tolist() == pytest.approx([0.25, 0.0])
    assert found.loc["calm", ["stance", "change"]].tolist() == pytest.approx([-1.0, -1.25])
    turned = stances(table, *SIDES[::-1]).set_index("direction")
    assert turned.loc["calm", "change"] == pytest.approx(1.25)


def test_what_both_sides_lose_a_token_cancels_whatever_their_lengths():
    table = scores_of(lambda *_: 0.3, kinds={"random-1": "random"}, damage=50.0, lengths=(30, 20))
    assert np.abs(stances(table, *SIDES)["change"]).max() < 1e-9
    # In sums it would not.
    sums = table.groupby(["direction", "side"])["logprob"].mean()
    longer = [sums[of, "gives in"] - sums[of, "declines"] for of in ("random-1", "unsteered")]
    assert abs(longer[0] - longer[1]) > 10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.assign(side=t["side"].replace("declines", "refuses")), "scores: no side 'declines'; known are gives in, refuses"),
        (lambda t: t.assign(logprob=t["logprob"].where(t.index != 1)), "scores: s0, unsteered, declines 0: logprob nan of 20 tokens"),
        (lambda t: t.drop(1), "scores: s0, unsteered: item 0 has but one side"),
        (lambda t: t[(t["scenario"] != "s1") | (t["kind"] != "unsteered")], "scores: s1: no unsteered score"),
        (lambda t: t[(t["scenario"] != "s1") | (t["direction"] != "calm")], "scores: calm at -0.1: not scored in every scenario"),
        (lambda t: t.assign(strength=t["strength"].where(t["direction"] != "calm", 0.7)), "scores: no strength that all directions have"),
    ],
)  # fmt: skip
def test_mistakes_in_the_table_are_told(change, message):
    with pytest.raises(DataError, match=message):
        stance_effects(change(simulated(1)), *SIDES, **EFFORT, seed=1)


# Effects


def test_the_odd_part_leaves_out_what_has_no_sign():
    def stance(scenario, direction, strength):
        return 1.0 + 3 * strength + 40 * strength**2 if direction == "calm" else 1.0

    table = scores_of(
        stance, kinds={"calm": "concept", "random-1": "random"}, strengths=(-0.2, -0.1, 0.1, 0.2, 0.4)
    )
    summary, doses = stance_effects(table, *SIDES, **EFFORT, seed=1)
    assert (summary["measure"], summary["strength"]) == ("odd part", 0.2)
    calm = summary["directions"]["calm"]
    assert calm["value"] == pytest.approx(0.6) and calm["interval"] == pytest.approx([0.6, 0.6])
    at = doses.set_index(["direction", "strength"])["change"]
    assert at["calm", -0.2] == pytest.approx(-0.6 + 1.6) and at["calm", 0.4] == pytest.approx(1.2 + 6.4)
    one_side, _ = stance_effects(table[table["strength"] >= 0], *SIDES, **EFFORT, seed=1)
    assert (one_side["measure"], one_side["strength"]) == ("change", 0.4)
    assert one_side["directions"]["calm"]["value"] == pytest.approx(7.6)


def test_slope_and_trend_of_a_straight_line():
    table = scores_of(
        lambda _, direction, strength: -4 * strength, kinds={"calm": "concept", "random-1": "random"},
        strengths=(-0.2, -0.1, 0.1, 0.2),
    )  # fmt: skip
    calm = stance_effects(table, *SIDES, permutations=999, bootstraps=50, seed=1)[0]["directions"]["calm"]
    assert calm["slope"] == pytest.approx(-4) and calm["trend"] == pytest.approx(-1)
    # Five strengths have 120 orders.
    assert 1 / 120 / 3 < calm["trend_p_below"] < 0.03 and calm["trend_p"] == 1


def test_p_has_the_floor_of_the_controls():
    summary, _ = stance_effects(
        simulated(1, effect_of=both(0.5)), *SIDES, permutations=9999, bootstraps=50, seed=1
    )
    desperate, calm = (summary["directions"][name] for name in ("desperate", "calm"))
    assert summary["n_controls"] == 21 and desperate["p"] == summary["floor"] == 1 / 22
    assert desperate["p_flip"] < 0.01 < desperate["p_flip_below"] and desperate["p_below"] > 0.9
    assert calm["p_below"] == 1 / 22 and calm["p"] > 0.9
    largest = max(abs(of["value"]) for of in summary["directions"].values() if of["kind"] == "random")
    assert summary["controls"]["largest"] == pytest.approx(largest)


def test_without_controls_nothing_is_significant():
    summary, _ = stance_effects(simulated(1, effect_of=both(0.5), controls={}), *SIDES, **EFFORT, seed=1)
    assert summary["directions"]["desperate"]["p"] == 1 and summary["floor"] == 1


def test_claimed_directions_are_turned_and_taken_together():
    summary, _ = stance_effects(simulated(2, effect_of=both(0.5)), *SIDES, **EFFORT, seed=1)
    found = claimed_effect(summary, {"desperate": 1, "calm": -1, "loving": 1}, **EFFORT, seed=1)
    values = [summary["directions"][name]["value"] for name in ("desperate", "calm")]
    assert found["value"] == pytest.approx((values[0] - values[1]) / 2)
    assert found["claimed"] == {"desperate": 1, "calm": -1} and found["p"] == 1 / 22
    one = claimed_effect(summary, {"desperate": 1}, **EFFORT, seed=1)
    assert (
        one["value"] == pytest.approx(values[0])
        and one["p_flip"] == summary["directions"]["desperate"]["p_flip"]
    )
    assert claimed_effect(summary, {"loving": 1}, **EFFORT, seed=1) == {"n": 8, "claimed": {}}


# Rates


def rollouts_of(**counts):
    rows = []
    for name, of in counts.items():
        kind = "unsteered" if name == "unsteered" else "concept"
        for i, value in enumerate(of):
            rows.append((f"s{i % 4}", name, kind, 0.0 if kind == "unsteered" else 0.1, i, "text", value))
    return pd.DataFrame(
        rows, columns=["scenario", "direction", "kind", "strength", "seed", "text", "threatens"]
    )


def test_rates_are_counted_with_what_they_could_have_shown():
    table = rates(
        rollouts_of(unsteered=[False] * 24, desperate=[True] * 6 + [False] * 18, calm=[True] * 10 + [None] * 2), "threatens"
    ).set_index("direction")  # fmt: skip
    assert table["count"].tolist() == [0, 6, 10] and table["n"].tolist() == [24, 24, 10]
    assert table["n_unjudged"].tolist() == [0, 0, 2] and table["n_scenarios"].tolist() == [4, 4, 4]
    assert table["rate"].tolist() == [0, 0.25, 1] and table["at"].tolist() == ["floor", "", "ceiling"]
    assert tuple(table.loc["desperate", ["low", "high"]]) == pytest.approx(wilson_interval(6, 24))
    # At this rate, none of 24 is seen once in 20.
    assert (1 - table.loc["unsteered", "detectable_rate"]) ** 24 == pytest.approx(0.05)
    assert 0.1 < table.loc["unsteered", "detectable_difference"] < table.loc["calm", "detectable_difference"]


def test_rates_of_nothing_are_not_numbers():
    table = rates(rollouts_of(unsteered=[None, None]), "threatens")
    assert table["n"].tolist() == [0] and table[["rate", "low", "detectable_rate"]].isna().all(axis=None)
    with pytest.raises(DataError, match="rollouts: no column 'lies'; known are scenario"):
        rates(rollouts_of(unsteered=[True]), "lies")


# Lines of the scorecard


def line_of(scores, name="blackmail", rollouts=None, **more):
    found = conduct_summary(name, scores, **EFFORT, seed=1) | more
    if rollouts is not None:
        found["rates"] = rates(rollouts, "threatens").to_dict("records")
    return steering_claims.CONDUCT_ENTRIES[name]("m", "s", "plain", found)


def test_every_planted_conduct_is_reproduced():
    for name, found in conduct_summaries(1, planted=True, **EFFORT).items():
        line = steering_claims.CONDUCT_ENTRIES[name]("m", "s", "plain", found)
        assert line["verdict"] == "reproduced" and line["value"] > 0.4, (name, line)


def test_planted_conduct_is_reproduced_and_its_reverse_is_opposite():
    rollouts = rollouts_of(unsteered=[False] * 24, desperate=[True] * 6 + [False] * 18)
    line = line_of(simulated(1, effect_of=both(0.5)), rollouts=rollouts)
    assert (line["row"], line["verdict"], line["n"]) == (17, "reproduced", 8) and line[
        "value"
    ] == pytest.approx(0.5, abs=0.1)
    assert "unsteered at the floor: 0 of 24, smallest rate that could have been seen 0.12" in line["reason"]
    assert "desperate at +0.1 6 of 24 (0.12 to 0.45)" in line["reason"]
    assert line_of(simulated(1, effect_of=both(-0.5)))["verdict"] == "opposite"


def test_remedy_needs_something_that_is_raised():
    line = line_of(simulated(1, effect_of=both(0.5)), "remedy", perplexity={"unsteered": 4.0, "steered": 5.5})
    assert line["verdict"] == "reproduced" and line["reason"].endswith("4.00 unsteered, 5.50 steered")
    assert line_of(simulated(1, effect_of=both(-0.5)), "remedy")["verdict"] == "not applicable"


def test_what_controls_do_as_well_is_explained_by_any_direction():
    """Effects far larger than scenarios differ, and no larger than those of controls."""
    assert (
        line_of(simulated(5, effect_of=both(0.8), shared=1.0, noise=0.01))["verdict"]
        == "explained by any direction"
    )


@pytest.mark.parametrize(
    "change",
    [{"n_scenarios": 3}, {"controls": dict(list(CONTROLS.items())[:18])}],
)
def test_few_scenarios_or_controls_are_not_powered(change):
    assert line_of(simulated(1, effect_of=both(0.5), **change))["verdict"] == "not powered"


def test_without_the_vectors_a_claim_is_not_applicable():
    for name in conduct.CLAIMED:
        assert line_of(simulated(1, effect_of={"proud": 0.5}), name)["verdict"] == "not applicable"


def test_every_conduct_has_an_entry():
    assert set(conduct.CLAIMED) | {"denial"} == set(steering_claims.CONDUCT_ENTRIES)


# Nulls


@pytest.mark.parametrize(("shared", "noise"), [(0.0, 0.05), (0.05, 0.05), (0.3, 0.02)])
def test_nulls_are_found_in_at_most_five_of_a_hundred(shared, noise):
    """Whether directions do nothing, something, or much in common to all scenarios by chance."""
    wrong, p_flip = 0, []
    for seed in range(60):
        summary, _ = stance_effects(
            simulated(seed, shared=shared, noise=noise), *SIDES, permutations=19, bootstraps=20, seed=seed
        )
        found = claimed_effect(
            summary, conduct.CLAIMED["blackmail"], permutations=199, bootstraps=100, seed=seed
        )
        verdict = steering_claims.blackmail_entry("m", "s", "plain", found)["verdict"]
        wrong += verdict in ("reproduced", "opposite")
        p_flip.append(found["p_flip"])
    assert wrong <= stats.binom.ppf(0.999, 60, scorecard.ALPHA)
    if shared > noise:
        # Scenarios alone would call what any direction does by chance an effect.
        assert np.mean(np.array(p_flip) < 0.05) > 0.2
