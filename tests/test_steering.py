"""Steering against what transformers computes when the residual stream is changed by hand."""

import numpy as np
import pytest
import torch

from emotion_concepts import Steering, generate
from emotion_concepts.errors import ConfigError
from emotion_concepts.generation import sample
from emotion_concepts.layers import single_layer, steered_layers
from emotion_concepts.steered_words import (
    UNSTEERED,
    concepts_to_steer,
    continuations,
    dose,
    steered_directions,
    word_changes,
)
from emotion_concepts.sequence_scores import ScoredSequence, prompt_ids, token_logprobs
from emotion_concepts.steering import Edits, residual_norms, stacked_edits, steered, steered_tokens
from emotion_concepts.text_sets import Text

PROMPT = "The lamp lay over the bench and he said that"


def logits(model, ids, added=None):
    with torch.inference_mode(), steered(model, Edits({k: v.numpy() for k, v in (added or {}).items()})):
        return model.hf(ids).logits


def test_strength_zero_changes_no_logit(tiny_model):
    ids = torch.tensor([tiny_model.tokenizer(PROMPT)["input_ids"]] * 2)
    zeros = {k: torch.zeros(2, 32) for k in range(4)}
    assert torch.equal(logits(tiny_model, ids, zeros), tiny_model.hf(ids).logits)
    assert not any(block._forward_hooks for block in tiny_model.blocks)


def test_last_layer_addition_has_the_closed_form(tiny_model):
    ids = torch.tensor([tiny_model.tokenizer(PROMPT)["input_ids"]])
    direction = torch.randn(1, 32, generator=torch.Generator().manual_seed(1))
    states = []
    handle = tiny_model.blocks[-1].register_forward_hook(
        lambda m, i, o: states.append(o[0] if isinstance(o, tuple) else o)
    )
    tiny_model.hf(ids)
    handle.remove()
    expected = tiny_model.hf.lm_head(tiny_model.hf.model.norm(states[0] + direction))
    torch.testing.assert_close(logits(tiny_model, ids, {3: direction}), expected, rtol=1e-5, atol=1e-5)


def test_each_row_has_its_own_direction(tiny_model):
    ids = torch.tensor([tiny_model.tokenizer(PROMPT)["input_ids"]])
    rows = torch.randn(3, 32, generator=torch.Generator().manual_seed(2))
    together = logits(tiny_model, ids.repeat(3, 1), {1: rows})
    for r in range(3):
        alone = logits(tiny_model, ids, {1: rows[r : r + 1]})
        torch.testing.assert_close(together[r], alone[0], rtol=1e-4, atol=1e-4)


def test_hooks_are_removed_after_an_error(tiny_model):
    with pytest.raises(RuntimeError, match="inside"), steered(tiny_model, Edits({0: np.ones((1, 32))})):
        raise RuntimeError("inside")
    assert not any(block._forward_hooks for block in tiny_model.blocks)


def test_greedy_text_matches_transformers_generate(tiny_model):
    prompts = [PROMPT, "Short", "A rather longer beginning, with more words in it than the others have"]
    texts = sample(tiny_model, prompts, max_new_tokens=12)
    for prompt, text in zip(prompts, texts, strict=True):
        ids = torch.tensor([tiny_model.tokenizer(prompt)["input_ids"]])
        with torch.no_grad():
            out = tiny_model.hf.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False, pad_token_id=1
            )
        expected = tiny_model.tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True)
        assert text == expected


def test_draws_do_not_depend_on_batch_mates(tiny_model):
    options = {"max_new_tokens": 10, "temperature": 1.0, "top_p": 0.9}
    together = sample(tiny_model, [PROMPT] * 3, seeds=[1, 2, 1], **options)
    assert together[0] == together[2] != together[1]
    assert sample(tiny_model, [PROMPT], seeds=[2], **options) == [together[1]]


def test_draws_follow_the_models_probabilities(tiny_model):
    ids = torch.tensor([tiny_model.tokenizer(PROMPT)["input_ids"]])
    probability = tiny_model.hf(ids).logits[0, -1].softmax(-1)
    n = 600
    drawn = sample(tiny_model, [PROMPT] * n, max_new_tokens=1, temperature=1.0, seeds=range(n))
    likeliest = probability.argmax().item()
    share = np.mean([text == tiny_model.tokenizer.decode([likeliest]) for text in drawn])
    # Four standard errors of a share of 600 draws.
    assert abs(share - probability[likeliest].item()) < 4 * (0.25 / n) ** 0.5


def test_a_small_nucleus_is_greedy(tiny_model):
    greedy = sample(tiny_model, [PROMPT], max_new_tokens=5)
    assert sample(tiny_model, [PROMPT], max_new_tokens=5, temperature=1.0, top_p=1e-6, seeds=[7]) == greedy


def test_steered_generation_equals_steering_by_hand(tiny_model, tiny_vectors):
    steering = Steering(tiny_vectors, "calm", strength=2.0, layers=[1, 2])
    (text,) = generate(tiny_model, [PROMPT], steering, max_new_tokens=6)
    ids = tiny_model.tokenizer(PROMPT)["input_ids"]
    added = {
        k: torch.from_numpy(2.0 * tiny_vectors.residual_norm[k] * tiny_vectors.unit("calm", k))[None]
        for k in (1, 2)
    }
    written = []
    while len(written) < 6 and 1 not in written:  # 1 is the end of the text
        written.append(logits(tiny_model, torch.tensor([ids + written]), added)[0, -1].argmax().item())
    assert text == tiny_model.tokenizer.decode(written, skip_special_tokens=True)
    assert text != generate(tiny_model, [PROMPT], max_new_tokens=6)[0]


def test_usual_concepts_come_first_and_a_choice_is_kept():
    assert concepts_to_steer(["angry", "calm", "wistful"], None) == ["calm", "angry", "wistful"]
    assert concepts_to_steer(["angry", "calm", "wistful"], ["wistful", "sad"]) == ["wistful"]
    assert len(concepts_to_steer([f"c{i}" for i in range(40)], None)) == 12


def test_directions_of_one_layer_have_one_norm(tiny_vectors):
    directions = steered_directions(tiny_vectors, ["calm", "sad"], [1, 3], strength=0.5, n_random=4, seed=1)
    assert directions.names[:3] == [UNSTEERED, "calm", "sad"] and len(directions.names) == 7
    for layer in (1, 3):
        norms = np.linalg.norm(directions.addition_RD[layer], axis=1)
        np.testing.assert_allclose(norms, [0] + [0.5 * tiny_vectors.residual_norm[layer]] * 6, rtol=1e-5)


def test_word_changes_are_against_the_unsteered_row(tiny_model, tiny_vectors):
    directions = steered_directions(tiny_vectors, ["calm", "sad"], [1], strength=0.5, n_random=2, seed=1)
    table = word_changes(tiny_model, [Text("p", PROMPT)], ["calm", "sad"], directions)
    assert len(table) == 5 * 2
    assert (table.query("kind == 'unsteered'")["change"] == 0).all()
    assert (table.query("kind == 'concept'")["change"].abs() > 0).all()


def test_perplexity_is_that_of_the_unsteered_model(tiny_model, tiny_vectors):
    directions = steered_directions(tiny_vectors, ["calm", "sad"], [1], strength=3, n_random=2, seed=1)
    for written in continuations(tiny_model, [Text("p", PROMPT)], directions, 5):
        tail = tiny_model.tokenizer(written["text"])["input_ids"]
        ids = torch.tensor([tiny_model.tokenizer(PROMPT)["input_ids"] + tail])
        logprob = tiny_model.hf(ids).logits.log_softmax(-1)[0, -len(tail) - 1 : -1]
        mean = logprob.gather(-1, torch.tensor(tail)[:, None]).mean().item()
        assert written["perplexity"] == pytest.approx(np.exp(-mean), rel=1e-3)


def test_dose_is_the_ratio_of_norms(tiny_model, tiny_vectors):
    directions = steered_directions(tiny_vectors, ["calm", "sad"], [1], strength=0.5, n_random=1, seed=1)
    expected = 0.5 * tiny_vectors.residual_norm[1] / residual_norms(tiny_model, PROMPT)[1]
    assert dose(tiny_model, [Text("p", PROMPT)], directions) == pytest.approx(expected, rel=1e-4)


def test_default_layers_lie_around_two_thirds():
    assert steered_layers(30, None) == list(range(15, 25))
    assert single_layer(30, None) == 19
    assert steered_layers(1, None) == [0] and single_layer(1, None) == 0
    with pytest.raises(ConfigError, match="layer 4, but the model has layers 0 to 3"):
        steered_layers(4, [1, 4])


def test_vectors_of_some_layers_are_steered_with_where_they_are():
    assert steered_layers(30, None) == steered_layers(30, None, range(30)) == list(range(15, 25))
    assert steered_layers(30, None, [3, 16, 20]) == [16, 20]
    assert steered_layers(30, None, [3, 4]) == [3, 4]
    assert steered_layers(30, [3], [3, 4]) == [3]
    with pytest.raises(ConfigError, match="layer 5, but there are vectors of layers 3, 4"):
        steered_layers(30, [4, 5], [3, 4])
