"""Each planted effect, read off the model token by token, against its closed form."""

from pathlib import Path

import numpy as np
import pytest
import torch

from emotion_concepts.models import Model
from emotion_concepts.residual_stream import watched_residuals
from emotion_concepts.sequence_scores import continuation_logprobs
from emotion_concepts.steering import Edits, steered
from tests.known_answers.planted import (
    BOUND,
    CONCEPTS,
    COPIED,
    DOSES,
    EFFECTS,
    HEARD,
    MARKED,
    N_LAYERS,
    NEGATED,
    NUMBERED,
    SPREAD,
    Plan,
    Planted,
)

# RMSNorm is not quite linear: see `handmade`.
CLOSE = {"rtol": 0.02, "atol": 0.01}


def stream(model: Model, text: str) -> np.ndarray:
    """Residual stream of every token after every block: [layers, tokens, D], the BOS first."""
    read = []
    ids = torch.tensor([model.tokenizer(text)["input_ids"]])
    with (
        torch.inference_mode(),
        watched_residuals(model.blocks, lambda _, x: read.append(x[0].numpy().copy())),
    ):
        model.trunk(ids)
    return np.stack(read)


def concept_part(planted: Planted, model: Model, text: str) -> np.ndarray:
    """The part of the stream in the concept space: [layers, tokens, C + 2]."""
    return stream(model, text) @ planted.concept_space.T


def own(planted: Planted, concept: str) -> np.ndarray:
    """d_c in the concept space."""
    return planted.directions[CONCEPTS.index(concept)] @ planted.concept_space.T


def spread(context: np.ndarray, gain: float) -> np.ndarray:
    """[tokens, C + 2] after block `SPREAD`, from what it was before: gain times the mean so far on top."""
    return context + gain * np.cumsum(context, 0) / np.arange(1, len(context) + 1)[:, None]


def marker(planted: Planted, concept: str, topic: int = 0) -> str:
    return planted.words_of["markers"][CONCEPTS.index(concept)][topic][0]


def test_every_effect_has_a_test_here():
    here = [name for name in globals() if name.startswith("test_")]
    for plant in EFFECTS:
        assert any(plant.__name__ in name for name in here), f"{plant.__name__} is planted and not tested"


def test_words_write_their_noise_and_topics_from_the_start(planted, planted_model):
    filler = planted.words_of["fillers"][0]
    topic = planted.words_of["topics"][2][1]
    read = stream(planted_model, f"{filler} {topic}")
    noise = np.linalg.norm(read[:, 1] @ planted.concept_space.T, axis=1)
    np.testing.assert_allclose(noise[:MARKED], 0, atol=1e-3)
    np.testing.assert_allclose(noise[MARKED:SPREAD], planted.plan.filler_noise, **CLOSE)
    np.testing.assert_allclose(
        read[:, 2] @ planted.topic_space.T, np.tile(np.eye(planted.plan.topics)[2], (N_LAYERS, 1)), **CLOSE
    )


@pytest.mark.parametrize("concept", ["afraid", "serene"])
def test_marks_are_written_at_their_layer_and_not_before(planted, planted_model, concept):
    for word in (marker(planted, concept), marker(planted, concept, 3), concept):
        read = concept_part(planted, planted_model, word)[:, 1]
        np.testing.assert_allclose(read[:MARKED], 0, atol=1e-3)
        written = planted.plan.strength * own(planted, concept)
        np.testing.assert_allclose(read[MARKED:SPREAD], np.tile(written, (SPREAD - MARKED, 1)), **CLOSE)


def test_turns_spread_the_context_late(planted, planted_model):
    text = f"{marker(planted, 'sad')} the the {marker(planted, 'happy')} the"
    read = concept_part(planted, planted_model, text)
    np.testing.assert_allclose(read[SPREAD - 1, [2, 3, 5]], 0, atol=0.01)
    np.testing.assert_allclose(read[-1], spread(read[SPREAD - 1], planted.plan.spread_gain), **CLOSE)


def test_turns_have_directions_of_their_own(planted, planted_model):
    """What stands before the reply carries the direction of the reply, whatever the user's is."""
    for concept in ("afraid", "happy"):
        text = f"Human: {marker(planted, concept)}\n\nAssistant:"
        read = concept_part(planted, planted_model, text)
        n = read.shape[1]
        reply = own(planted, CONCEPTS[planted.reply_of[CONCEPTS.index(concept)]])
        expected = planted.plan.reply_gain * planted.plan.strength * reply / n
        np.testing.assert_allclose(read[SPREAD - 1, -1], 0, atol=0.01)
        np.testing.assert_allclose(read[SPREAD, -1], expected, rtol=0.02, atol=0.03)
        np.testing.assert_allclose(
            read[SPREAD, 3], planted.plan.strength * own(planted, concept) * (1 + 1 / 4), **CLOSE
        )
    user, reply = planted.units @ planted.units.T, planted.units[planted.reply_of] @ planted.units.T
    assert abs(np.corrcoef(user.ravel(), reply.ravel())[0, 1]) < 0.15


def test_numbers_scale_afraid_and_calm_and_pages_do_not(planted, planted_model):
    slope = planted.plan.number_slope * (own(planted, "afraid") - own(planted, "calm"))
    for k, dose in enumerate(DOSES):
        read = concept_part(planted, planted_model, f"took {dose} mg")[:, -1]
        np.testing.assert_allclose(read[:NUMBERED], 0, atol=0.01)
        np.testing.assert_allclose(
            read[NUMBERED:SPREAD], np.tile(slope * k / 10, (SPREAD - NUMBERED, 1)), **CLOSE
        )
        control = concept_part(planted, planted_model, f"read {dose} pages")[:SPREAD, -1]
        np.testing.assert_allclose(control, 0, atol=0.01)


def test_negation_holds_from_its_layer_on(planted, planted_model):
    for word in (marker(planted, "angry"), "angry"):
        read = concept_part(planted, planted_model, f"not {word} the")
        written = planted.plan.strength * own(planted, "angry")
        np.testing.assert_allclose(read[MARKED:NEGATED, 2], np.tile(written, (NEGATED - MARKED, 1)), **CLOSE)
        np.testing.assert_allclose(read[NEGATED:SPREAD, 2], np.tile(-written, (SPREAD - NEGATED, 1)), **CLOSE)


def test_names_bring_their_direction_back(planted, planted_model):
    text = f"Anna {marker(planted, 'proud')} the Bert not {marker(planted, 'lonely')} the the Carla Anna the Bert"
    words = ["<s>", *text.split()]
    read = concept_part(planted, planted_model, text)
    np.testing.assert_allclose(read[:BOUND, -3], 0, atol=0.01)
    proud = planted.plan.strength * own(planted, "proud")
    # The word after Bert is "not": what came back is bound to the token that follows, and that is nothing.
    expected = {len(words) - 3: proud, len(words) - 1: 0 * proud, 1: 0 * proud, len(words) - 4: 0 * proud}
    for place, brought in expected.items():
        np.testing.assert_allclose(read[BOUND, place], brought, **CLOSE)


@pytest.mark.parametrize(("first", "second"), [(0, 11), (8, 3), (5, 6)])
def test_preference_is_linear_in_valence(planted, planted_model, first, second):
    a, b = (planted.words_of["activities"][i] for i in (first, second))
    prompt = f"(A) {a} the or (B) {b}? I pick ("
    n = len(planted_model.tokenizer(prompt)["input_ids"])
    nothing = Edits({0: np.zeros((1, 256), np.float32)})
    score = np.diff(continuation_logprobs(planted_model, [prompt], [["B", "A"]], nothing)[0, 0])
    expected = planted.plan.preference_gain * (planted.liking[first] - planted.liking[second]) / n
    assert score[0] == pytest.approx(expected, rel=0.02, abs=0.01)


def test_unembedding_gives_steering_its_slope(planted, planted_model):
    """Added after the last block, the logit moves by gain (u_c . a); earlier, the context adds its mean."""
    prompt = "the the the"
    ids = torch.tensor([planted_model.tokenizer(prompt)["input_ids"]])
    rows = [planted_model.tokenizer(c, add_special_tokens=False)["input_ids"][0] for c in CONCEPTS]

    def logits(layer, addition):
        with torch.inference_mode(), steered(planted_model, Edits({layer: addition[None]})):
            return planted_model.hf(ids).logits[0, -1, rows].double().numpy()

    addition = 3.0 * planted.units[CONCEPTS.index("calm")]
    for layer, times in ((N_LAYERS - 1, 1), (SPREAD, 1), (SPREAD - 1, 2), (MARKED, 2)):
        moved = logits(layer, addition) - logits(layer, 0 * addition)
        np.testing.assert_allclose(
            moved, times * planted.plan.gain * planted.units @ addition, rtol=0.05, atol=0.05
        )


def test_what_is_heard_of_the_other_speaker():
    """Own words are not heard, nor what nobody has said."""
    planted = Planted(Plan(heard_gain=4.0))
    model = Model(planted.llama.model(), planted.llama.tokenizer(), Path(), "planted", "planted")
    sad, proud = (marker(planted, concept) for concept in ("sad", "proud"))
    text = f"Human: the {sad} the\n\nAssistant: {proud} the\n\nHuman: the"
    words = ["<s>", "Human", ":", "the", sad, "the", "Assistant", ":", proud, "the", "Human", ":", "the"]
    read = stream(model, text) @ planted.heard_space.T
    assert read.shape[1] == len(words)
    np.testing.assert_allclose(read[:HEARD], 0, atol=0.01)
    factor = planted.plan.heard_gain * planted.plan.strength
    of_sad, of_proud = (factor * planted.heard_map @ own(planted, concept) for concept in ("sad", "proud"))
    expected = [0 * of_sad] * 6 + [of_sad / n for n in range(7, 11)] + [of_proud / n for n in range(11, 14)]
    for layer in range(HEARD, N_LAYERS):
        np.testing.assert_allclose(read[layer], expected, rtol=0.03, atol=0.03)


def test_shift_adds_its_concepts_everywhere(planted, planted_model, shifted_model):
    difference = concept_part(planted, shifted_model, "the the") - concept_part(
        planted, planted_model, "the the"
    )
    expected = 0.4 * own(planted, "gloomy") - 0.3 * own(planted, "eager")
    np.testing.assert_allclose(difference[:MARKED], 0, atol=1e-3)
    for token in range(3):
        np.testing.assert_allclose(
            difference[MARKED:SPREAD, token], np.tile(expected, (SPREAD - MARKED, 1)), **CLOSE
        )


def test_copies_reach_one_token_at_any_distance(planted, planted_model):
    read = stream(planted_model, "the " * 900 + "not the the")[COPIED]
    after = read @ planted.after("not")
    assert after[-2] == pytest.approx(1, abs=0.01) and np.abs(np.delete(after, -2)).max() < 0.01
