"""Choices between activities against whole prompts read one by one, and steering on an activity's own tokens by hand."""

import numpy as np
import pandas as pd
import pytest
import torch

from emotion_concepts import load_model
from emotion_concepts.activity_choices import (
    activity_activations,
    balanced,
    choices,
    every_second,
    scored_choices,
)
from emotion_concepts.activity_tables import direction_projections
from emotion_concepts.errors import DataError
from emotion_concepts.steering import Edits
from emotion_concepts.text_sets import Text
from emotion_concepts.vectors import save_controls
from tests.test_steering import logits

SOME = [
    Text(f"{category}-{number}", f"{verb} the lamp {number}", labels={"category": category})
    for category, verb in (("calm", "look at"), ("odd", "mend"))
    for number in (1, 2, 3)
]


def test_activities_are_balanced_over_categories():
    assert [a.id for a in balanced(SOME, 4)] == ["calm-1", "calm-2", "odd-1", "odd-2"]
    assert balanced(SOME, None) == SOME
    assert every_second(SOME) == {"calm-1", "calm-3", "odd-1", "odd-3"}
    with pytest.raises(
        DataError, match="8 activities asked for: 4 of each category, but there are fewer of 'calm'"
    ):
        balanced(SOME, 8)
    with pytest.raises(DataError, match="activity x: needs a label 'category'"):
        balanced([Text("x", "rest")], 2)


def test_every_ordered_pair_is_offered_or_each_steered_one_with_each_that_is_not(tiny_model):
    offered = choices(tiny_model, SOME, chat=False)
    assert len({(c.first, c.second) for c in offered}) == len(offered) == 6 * 5
    half = every_second(SOME)
    crossed = choices(tiny_model, SOME, half, chat=False)
    assert len(crossed) == 2 * 4 * 2
    assert all((c.first in half) != (c.second in half) for c in crossed)
    for choice in offered[:5]:
        said = tiny_model.tokenizer.decode(choice.tokens.ids[choice.of_second])
        (text,) = [a.text for a in SOME if a.id == choice.second]
        assert text in said and len(said) <= len(text) + 2


def test_log_odds_match_one_prompt_at_a_time(tiny_model):
    """Unsteered, and with a direction on the tokens of the activity that is steered, where it stands second too."""
    half = every_second(SOME)
    offered = choices(tiny_model, SOME, half, chat=False)
    added = np.random.default_rng(1).standard_normal((2, 32)).astype(np.float32)
    table = scored_choices(
        tiny_model,
        offered,
        Edits({2: added}),
        ["unsteered", "up"],
        ["unsteered", "concept"],
        half,
        chat=False,
    )
    letters = [tiny_model.tokenizer(letter)["input_ids"][0] for letter in "AB"]
    for row, name in enumerate(("unsteered", "up")):
        rows = table[table["direction"] == name].reset_index(drop=True)
        for choice, of in zip(offered[:6], rows.itertuples(), strict=False):
            where = torch.from_numpy(choice.of_first if choice.first in half else choice.of_second)
            ids = torch.from_numpy(choice.tokens.ids)[None].long()
            handle = tiny_model.blocks[2].register_forward_hook(
                lambda m, i, o, w=where, r=row: (
                    (o[0] + w[None, :, None] * torch.from_numpy(added[r]) * r, *o[1:])
                    if isinstance(o, tuple)
                    else o + w[None, :, None] * torch.from_numpy(added[r]) * r
                )
            )
            logprob = logits(tiny_model, ids)[0, -1].log_softmax(-1)[letters].double()
            handle.remove()
            assert of.logit == pytest.approx((logprob[0] - logprob[1]).item(), rel=1e-3, abs=1e-3)
            assert of.mass == pytest.approx(logprob.exp().sum().item(), rel=1e-3)
            assert of.steered in half and of.steered in (of.first, of.second)


def test_activations_are_means_over_the_activitys_own_tokens(tiny_folder):
    # A model of its own: transformers leaves hooks in one that it was asked for hidden states.
    tiny_model = load_model(str(tiny_folder), dtype="float32")
    mean_NLD, n_tokens = activity_activations(tiny_model, SOME, chat=False)
    offered = {c.first: c for c in choices(tiny_model, SOME, chat=False)}
    for row, activity in enumerate(SOME):
        choice = offered[activity.id]
        assert n_tokens[row] == choice.of_first.sum()
        with torch.no_grad():
            states = tiny_model.hf(
                torch.from_numpy(choice.tokens.ids)[None].long(), output_hidden_states=True
            ).hidden_states
        # What stands second does not reach back; entry k + 1 is the output of block k.
        expected = states[2][0, choice.of_first].mean(0).numpy()
        np.testing.assert_allclose(mean_NLD[row, 1], expected, rtol=1e-4, atol=1e-5)


def test_projections_are_on_unit_vectors_of_concepts_and_controls(tiny_vectors, tmp_path):
    rng = np.random.default_rng(0)
    shuffled, random, orthogonal = (
        rng.standard_normal((4, 3, 32)),
        np.eye(5, 32),
        rng.standard_normal((4, 2, 32)),
    )
    save_controls(tmp_path / "c.safetensors", shuffled, random, orthogonal)
    mean_NLD = rng.standard_normal((6, 4, 32)).astype(np.float32)
    names, projection_LNK = direction_projections(mean_NLD, tiny_vectors, tmp_path / "c.safetensors")
    assert names["kind"].value_counts().to_dict() == {
        "random": 5,
        "concept": 3,
        "shuffled": 3,
        "orthogonal": 2,
    }
    column = pd.Index(names["direction"]).get_loc
    np.testing.assert_allclose(
        projection_LNK[2, :, column("calm")],
        mean_NLD[:, 2] @ tiny_vectors.unit("calm", 2),
        rtol=1e-4,
        atol=1e-5,
    )
    np.testing.assert_allclose(projection_LNK[3, :, column("random-2")], mean_NLD[:, 3, 1], rtol=1e-5)
