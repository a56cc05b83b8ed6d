"""Conduct in a model in which what steering does is planted, and in a random one: from scenario to scorecard line."""

import numpy as np
import pandas as pd
import pytest

from emotion_concepts.conduct_experiments import CONDUCT
from emotion_concepts.conduct_findings import experiment_findings
from emotion_concepts.conduct_runs import conditions, rollouts, scripted_scores, written_conditions
from emotion_concepts.directions import made_controls, steered_directions
from emotion_concepts.drafts import DraftStore
from emotion_concepts.layers import steered_layers
from emotion_concepts.steering_claims import conduct_entries
from emotion_concepts.text_sets import Text
from tests.known_answers.analyses import recorded, vectors_of
from tests.known_answers.nulls import random_model
from tests.known_answers.planted import CONCEPTS, story_set

BOUNDS = {"max_perplexity_ratio": 1e9, "max_repetition": 1.0}
OPTIONS = {"permutations": 199, "bootstraps": 200, "seed": 1}
SAMPLING = {"max_new_tokens": 2, "temperature": 1.0, "top_p": 1.0, "seed": 1}
TOLD = {"chat": False, "reply_only": True}
STRENGTH = 0.05


@pytest.fixture(scope="module")
def scenarios(planted):
    """To give in is to say the word of the concept that is claimed to raise it; to decline, that of the other."""
    fillers = planted.words_of["fillers"]
    return [
        Text(
            f"scenario-{number}",
            " ".join(["the", fillers[number % len(fillers)], "the"]),
            labels={"scripted": {"gives in": ["desperate"], "declines": ["calm"]}},
        )
        for number in range(8)
    ]


def directions_of(model, planted, skip=8):
    vectors = vectors_of(recorded(model, story_set(planted), skip))
    concepts = [c for c in CONDUCT["hacking"].concepts if c in vectors.concepts]
    layers = steered_layers(len(model.blocks), None)
    return steered_directions(vectors, concepts, layers, made_controls(vectors, 11, 1), n_controls=11)


def lines_of(model, directions, scenarios, folder, told):
    chosen = conditions(directions, [STRENGTH], remedies=False)
    scores = scripted_scores(
        model, scenarios, directions, chosen, ["declines", "gives in"], limit=None, **told
    )
    assert set(scores["format"]) == {"plain"}
    replies = rollouts(
        model, scenarios, directions, list(written_conditions(chosen)), DraftStore(folder, {}), count=2,
        **told, **SAMPLING,
    )  # fmt: skip
    replies = pd.DataFrame(
        [reply | {"hack": reply["text"].split()[:1] == ["desperate"]} for reply in replies]
    )
    found, _, rates = experiment_findings("hacking", scores, replies, bounds=BOUNDS, **OPTIONS)
    (line,) = conduct_entries("m", "s", {"format": "plain", "found": {"hacking": found}})
    return line, rates.set_index(["direction", "strength"])["rate"], found


def test_planted_conduct_follows_the_closed_form_and_is_said(planted, planted_model, scenarios, tmp_path):
    """The odd part of the log-odds of two words is gain <u - u', added>: what normalises them cancels.

    Both steered blocks come before the context is spread, which doubles what is added to all tokens. (Control
    directions touch coordinates that planted ones leave alone: they are judged on simulated tables, in `cases`.)
    """
    directions = directions_of(planted_model, planted)
    told = {"chat": False, "reply_only": False}
    line, rate, found = lines_of(planted_model, directions, scenarios, tmp_path, told)
    assert line["row"] == 18 and "written: " in line["reason"]
    apart = planted.units[CONCEPTS.index("desperate")] - planted.units[CONCEPTS.index("calm")]
    for concept, effect in found["reward_hacking"]["directions"].items():
        row = directions.names.index(concept)
        added = 2 * STRENGTH * sum(scaled[row] for scaled in directions.scaled_RD.values())
        assert effect["value"] == pytest.approx(planted.plan.gain * apart @ added, rel=0.05)
        assert effect["p_flip"] < 0.05 or effect["value"] < 0
    # Of the sampled replies too: the word is drawn more often under its own vector than under the other's.
    assert rate["desperate", STRENGTH] > rate["calm", STRENGTH]


def test_a_random_model_does_nothing(planted, scenarios, tmp_path):
    model = random_model(planted.llama.tokenizer(), 3)
    line, *_ = lines_of(model, directions_of(model, planted), scenarios, tmp_path, TOLD)
    assert line["verdict"] not in ("reproduced", "opposite"), line


def test_written_replies_are_kept_and_go_on(planted, planted_model, scenarios, tmp_path, monkeypatch):
    """A run that is killed after its first part writes only what is missing, and the same texts."""
    directions = directions_of(planted_model, planted)
    chosen = list(written_conditions(conditions(directions, [STRENGTH], remedies=False)))[:6]
    monkeypatch.setattr("emotion_concepts.conduct_runs.PART_TEXTS", 7)

    def run(folder):
        drafts = DraftStore(folder, {})
        return rollouts(planted_model, scenarios[:3], directions, chosen, drafts, count=1, **TOLD, **SAMPLING)

    whole = run(tmp_path / "whole")
    killed = DraftStore(tmp_path / "killed", {})
    add, parts = killed.add, []

    def add_twice(replies):
        add(replies)
        parts.append(replies)
        if len(parts) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(killed, "add", add_twice)
    with pytest.raises(KeyboardInterrupt):
        rollouts(planted_model, scenarios[:3], directions, chosen, killed, count=1, **TOLD, **SAMPLING)
    kept = sum(map(len, parts))
    assert 0 < kept < len(whole)
    assert [reply["text"] for reply in run(tmp_path / "killed")] == [reply["text"] for reply in whole]
    assert len({reply["seed"] for reply in whole}) == len(whole)
    assert np.isfinite([reply["perplexity"] for reply in whole if reply["text"]]).all()
