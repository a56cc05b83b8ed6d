"""The effect size that the power study goes by, on stories whose signal and noise are known."""

import numpy as np
import pandas as pd
import pytest

from emotion_concepts.shards import LayerActivations
from tests.known_answers.power import effect_size, power_table


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
    table = power_table(lines)
    assert table["power"].tolist() == [0.25, 1.0] and table["effect"].tolist() == [0.2, 2.0]
    assert (table["low"] < table["power"]).all() and table["models"].tolist() == [4, 4]
