"""The effect size that the power study goes by, on stories whose signal and noise are known."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from emotion_concepts.shards import LayerActivations
from tests.known_answers import power
from tests.known_answers.power import effect_size, power_table, smallest_found
from tests.known_answers.text_power import STUDIES, judged, runs


@pytest.mark.parametrize("signal", [0.0, 0.3, 2.0])
def test_effect_size_is_signal_over_noise(signal):
    rng = np.random.default_rng(0)
    n_concepts, n_topics, width = 60, 8, 200
    direction = rng.standard_normal((n_concepts, width))
    concept = np.repeat(np.arange(n_concepts), n_topics)
    mean = signal * direction[concept] + rng.standard_normal((len(concept), width))
    topic = np.tile([f"t{i}" for i in range(n_topics)], n_concepts)
    names, ones = concept.astype(str), np.ones(len(concept))
    stories = LayerActivations(names, names, topic, mean, ones, ones)
    assert effect_size(stories) == pytest.approx(signal, abs=0.03 if signal else 0.1)


def test_power_is_the_share_of_models_in_which_a_claim_was_reproduced():
    lines = pd.DataFrame(
        {"claim": "retrieval", "topics": 4, "strength": [0.1] * 4 + [1.0] * 4, "effect": [0.2] * 4 + [2.0] * 4,
         "found": [False, False, False, True, True, True, True, True]}
    )  # fmt: skip
    table = power_table(lines, ("claim", "topics", "strength"), "models")
    assert table["power"].tolist() == [0.25, 1.0] and table["effect"].tolist() == [0.2, 2.0]
    assert (table["low"] < table["power"]).all() and table["models"].tolist() == [4, 4]
    assert smallest_found(table, "topics").to_dict() == {4: {"retrieval": 2.0}}


def test_a_planted_model_is_judged_on_every_claim_that_is_drawn():
    lines = power.judged(1.0, 2, 0)
    assert sorted(line["claim"] for line in lines) == sorted(power.TITLES)
    assert all(line["found"] for line in lines if line["claim"] == "retrieval")


@pytest.mark.parametrize("name", STUDIES)
def test_planted_effects_are_told_in_the_scorecards_unit_and_large_ones_found(name):
    study = STUDIES[name]
    without, most = (
        [judged(name, effect, study.numbers[-1], seed) for seed in range(3)]
        for effect in (study.effects[0], study.effects[-1])
    )
    assert all(line["found"] for lines in most for line in lines)
    assert not all(line["found"] for lines in without for line in lines)
    told = [np.mean([line["effect"] for lines in found for line in lines]) for found in (without, most)]
    # In units of all texts' spread, of which the effect is a part; six standard errors of noise are .3.
    assert abs(told[0]) < 0.3 and 0.4 * study.effects[-1] < told[1] < 1.2 * study.effects[-1]
    assert {line["claim"] for line in most[0]} == set(study.titles)


def test_all_studies_are_asked_with_every_number_and_effect():
    asked = runs()
    assert len(asked) == len(set(asked))
    for name, study in STUDIES.items():
        of = {(effect, number) for found, effect, number, _ in asked if found == name}
        assert of == set(product(study.effects, study.numbers))
