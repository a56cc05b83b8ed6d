"""Findings on conduct from tables in which effects, remedy and damage are put."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from emotion_concepts.conduct_findings import experiment_findings
from emotion_concepts.figures.conduct import draw_effects, draw_rates
from emotion_concepts.steering_claims import conduct_entries

OPTIONS = {"permutations": 199, "bootstraps": 200, "seed": 1}
BOUNDS = {"max_perplexity_ratio": 8.0, "max_repetition": 0.5}
CONTROLS = [(f"{kind}-{i}", kind) for kind in ("random", "orthogonal", "shuffled") for i in range(1, 8)]
STRENGTH = 0.05
# Nats a token at +STRENGTH; -STRENGTH is the opposite.
PUT = {"desperate": 0.6, "calm": -0.3, "angry": 0.1, "patient": 0.0}
UNDONE = {"calm": 0.5, "patient": 0.3}


def scores(seed=0, n_scenarios=6):
    rng = np.random.default_rng(seed)
    base = rng.normal(0, 1, n_scenarios)
    rows = []

    def add(name, kind, strength, stance):
        for scenario in range(n_scenarios):
            noisy = base[scenario] + stance + (rng.normal(0, 0.02) if strength else 0)
            for side, sign in (("gives in", 0.5), ("declines", -0.5)):
                rows.append(
                    (f"s{scenario}", name, kind, strength, side, 0, 10 * (sign * noisy - 2), 10, 0.04)
                )

    add("unsteered", "unsteered", 0.0, 0.0)
    for name, effect in PUT.items():
        for sign in (-1, 1):
            add(name, "concept", sign * STRENGTH, sign * effect)
    for name, kind in CONTROLS:
        for sign in (-1, 1):
            add(name, kind, sign * STRENGTH, sign * rng.normal(0, 0.02))
    for name, effect in UNDONE.items():
        add(f"desperate+{name}", "remedy", STRENGTH, PUT["desperate"] - effect)
    for name, _ in CONTROLS:
        add(f"desperate+{name}", "remedy control", STRENGTH, PUT["desperate"] + rng.normal(0, 0.02))
    columns = ["scenario", "direction", "kind", "strength", "side", "item", "logprob", "n_tokens", "dose"]
    return pd.DataFrame(rows, columns=columns)


def replies(perplexity=6.0):
    rows = []
    for scenario in range(6):
        for name, kind, strength in (
            ("unsteered", "unsteered", 0.0), ("desperate", "concept", STRENGTH), ("desperate", "concept", -STRENGTH),
            ("desperate+calm", "remedy", STRENGTH), ("random-1", "random", STRENGTH),
        ):  # fmt: skip
            gives_in = name == "desperate" and strength > 0 and scenario < 4
            rows.append(
                {"scenario": f"s{scenario}", "direction": name, "kind": kind, "strength": strength, "seed": scenario,
                 "text": "x", "perplexity": perplexity if strength else 3.0, "repetition": 0.1, "gives_in": gives_in,
                 "aware": scenario == 0 and not strength}
            )  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def found():
    return experiment_findings("blackmail", scores(), replies(), bounds=BOUNDS, **OPTIONS)


def test_effects_that_are_put_are_found(found):
    summary = found[0]["blackmail"]
    for name, effect in PUT.items():
        assert summary["directions"][name]["value"] == pytest.approx(effect, abs=0.03)
    assert summary["value"] == pytest.approx((PUT["desperate"] - PUT["calm"]) / 2, abs=0.03)
    assert summary["aware"] == {"count": 1, "n": 30} and summary["dose"] == pytest.approx(0.04)
    (blackmail, remedy) = conduct_entries("m", "s", {"format": "chat", "found": {"blackmail": found[0]}})
    assert (blackmail["row"], blackmail["verdict"], blackmail["format"]) == (17, "reproduced", "chat")
    assert "desperate at +0.05 4 of 6" in blackmail["reason"]
    assert "at the floor: 0 of 6" in blackmail["reason"]
    assert (remedy["row"], remedy["verdict"]) == (22, "reproduced")


def test_a_remedys_effect_is_what_it_takes_back_of_the_harm(found):
    remedy = found[0]["remedy"]
    assert remedy["value"] == pytest.approx(np.mean(list(UNDONE.values())), abs=0.03)
    assert remedy["raised"]["value"] == pytest.approx(PUT["desperate"], abs=0.03)
    assert remedy["perplexity"] == {"unsteered": 3.0, "steered": 6.0}


def test_damaged_doses_are_not_interpreted():
    summary, *_ = experiment_findings(
        "blackmail", scores(), replies(perplexity=30.0), bounds=BOUNDS, **OPTIONS
    )
    lines = conduct_entries("m", "s", {"format": "chat", "found": {"blackmail": summary}})
    assert {line["verdict"] for line in lines} <= {"damaged", "not applicable"} and lines[0][
        "verdict"
    ] == "damaged"


def test_figures_draw_the_tables_numbers(found):
    _, effects, rates = found
    left, right = Figure().subplots(1, 2)
    draw_effects(left, effects)
    draw_rates(right, rates)
    lines = {container.get_label(): container[0].get_ydata() for container in left.containers}
    assert set(lines) == set(PUT)
    of = effects[effects["direction"] == "desperate"].sort_values("strength")
    np.testing.assert_allclose(lines["desperate"].astype(float), of["change"])
    assert len(left.collections[0].get_offsets()) == 2 * len(CONTROLS)
    shown = [text.get_text() for text in right.get_yticklabels()]
    assert "desperate +0.05  (4 of 6)" in shown and not any("random" in text for text in shown)


def test_vectors_that_lack_the_concepts_make_it_not_applicable():
    graded, said = (of[of["kind"] != "concept"] for of in (scores(), replies()))
    graded, said = graded[~graded["kind"].str.startswith("remedy")], said[said["kind"] != "remedy"]
    summary, effects, rates = experiment_findings("blackmail", graded, said, bounds=BOUNDS, **OPTIONS)
    lines = conduct_entries("m", "s", {"format": "chat", "found": {"blackmail": summary}})
    assert [line["verdict"] for line in lines] == ["not applicable"] * 2
    axes = Figure().subplots()
    draw_effects(axes, effects)
    assert "lack its concepts" in axes.texts[0].get_text()
    assert set(rates["direction"]) == {"unsteered", "random-1"}
