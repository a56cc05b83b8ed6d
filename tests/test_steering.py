"""Steering against what transformers computes when the residual stream is changed by hand."""

import numpy as np
import pytest
import torch

from emotion_concepts import Steering, generate
from emotion_concepts.caches import CacheKind
from emotion_concepts.costs import Cost, is_damaged, median_cost, repetition
from emotion_concepts.damage import doses
from emotion_concepts.directions import (
    UNSTEERED,
    combined,
    concepts_to_steer,
    controls_of,
    steered_directions,
)
from emotion_concepts.errors import ConfigError, DataError
from emotion_concepts.generation import sample
from emotion_concepts.layers import single_layer, steered_layers
from emotion_concepts.sequence_scores import prompt_ids
from emotion_concepts.steered_words import continuations, word_changes
from emotion_concepts.steering import Edits, residual_norms, stacked_edits, steered, steered_tokens
from emotion_concepts.text_sets import Text
from emotion_concepts.vectors import save_controls

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


def projections(model, text, layer, unit, edits, where=None):
    """<h, unit> at each token after a block, while the text is steered."""
    seen = []
    ids = torch.tensor([prompt_ids(model, text)])
    with torch.inference_mode(), steered(model, edits) as aim:
        if where is not None:
            aim.at(None, torch.from_numpy(where)[None])
        handle = model.blocks[layer].register_forward_hook(
            lambda m, i, o: seen.append((o[0] if isinstance(o, tuple) else o)[0])
        )
        model.hf(ids)
        handle.remove()
    return (seen[0] @ torch.from_numpy(unit)).numpy()


def test_a_clamped_direction_has_its_value_and_an_ablated_one_none(tiny_model, tiny_vectors):
    unit = tiny_vectors.unit("calm", 2)
    for strength in (0.0, 0.7, -1.2):
        edits = Steering(tiny_vectors, "calm", strength, layers=[2], mode="clamp").edits()
        found = projections(tiny_model, PROMPT, 2, unit, edits)
        np.testing.assert_allclose(found, strength * tiny_vectors.residual_norm[2], rtol=1e-4, atol=1e-4)
        where = np.arange(len(found)) % 3 == 1
        some = projections(tiny_model, PROMPT, 2, unit, edits, where)
        plain = projections(tiny_model, PROMPT, 2, unit, Edits({}))
        # Layers before the edit are untouched, so the other tokens are as they were.
        np.testing.assert_array_equal(some[~where], plain[~where])
        np.testing.assert_allclose(some[where], found[where], rtol=1e-4, atol=1e-4)


def test_spans_are_steered_at_their_tokens_alone(tiny_model):
    ids = prompt_ids(tiny_model, PROMPT)
    where = steered_tokens(tiny_model, PROMPT, ids, (PROMPT.index("bench"), PROMPT.index("bench") + 5))
    said = tiny_model.tokenizer.decode([token for token, on in zip(ids, where, strict=False) if on])
    assert said.strip() == "bench" and not where[-1]
    assert steered_tokens(tiny_model, PROMPT, ids, "reply").tolist() == [False] * (len(ids) - 1) + [True] * 2
    assert steered_tokens(tiny_model, PROMPT, ids, "all").all()
    with pytest.raises(DataError, match="span 3 to 999, but the text has 44 characters"):
        steered_tokens(tiny_model, PROMPT, ids, (3, 999))
    with pytest.raises(ConfigError, match="known: all, reply"):
        steered_tokens(tiny_model, PROMPT, ids, "some")


PROMPTS = [
    PROMPT,
    "Short",
    "A rather longer beginning, with more words in it than the others have",
    PROMPT,
    "The",
]


def mixed_steerings(vectors):
    return [
        Steering(vectors, "calm", 1.0, layers=[1, 2]),
        None,
        Steering(vectors, "sad", 2.0, layers=[2], tokens="reply"),
        Steering(vectors, "sad", 0.0, layers=[1], mode="clamp"),
        Steering(vectors, "afraid", -1.5, layers=[0, 3], tokens=(0, 3)),
    ]


@pytest.mark.parametrize("batch_rows", [None, 1, 2])
@pytest.mark.parametrize("temperature", [0, 1.0])
def test_each_text_equals_the_same_written_alone(tiny_model, tiny_vectors, batch_rows, temperature):
    """Other prompts, steerings, lengths of prompt and of reply beside it; rows leave and join the batch."""
    steerings = mixed_steerings(tiny_vectors) * 3
    prompts, rows = PROMPTS * 3, list(range(15))
    edits = stacked_edits(steerings, 32)
    rows = [-1 if one is None else row for row, one in enumerate(steerings)]
    where = [
        steered_tokens(
            tiny_model, prompt, prompt_ids(tiny_model, prompt), "all" if one is None else one.tokens
        )
        for prompt, one in zip(prompts, steerings, strict=True)
    ]
    options = {"max_new_tokens": 14, "temperature": temperature, "top_p": 0.95}
    together = sample(
        tiny_model, prompts, edits, rows, where, seeds=range(15), batch_rows=batch_rows, **options
    )
    alone = [
        sample(tiny_model, [prompts[i]], edits, [rows[i]], [where[i]], seeds=[i], **options)[0]
        for i in range(15)
    ]
    assert together == alone and len(set(together)) >= 5


def test_a_cache_that_cannot_be_cut_writes_the_same(tiny_model, tiny_vectors, monkeypatch):
    expected = generate(tiny_model, PROMPTS, mixed_steerings(tiny_vectors), max_new_tokens=8)
    for kind in (CacheKind(True, True, 4), CacheKind(True, False, None), CacheKind(False, False, None)):
        monkeypatch.setattr("emotion_concepts.generation.cache_kind", lambda model, kind=kind: kind)
        assert generate(tiny_model, PROMPTS, mixed_steerings(tiny_vectors), max_new_tokens=8) == expected


def test_strength_zero_writes_what_the_model_writes_bit_for_bit(tiny_model, tiny_vectors):
    """Logits too, at every step with a cache."""

    def logits_of(steering):
        seen = []
        handle = tiny_model.hf.lm_head.register_forward_hook(lambda m, i, o: seen.append(o.clone()))
        generate(tiny_model, PROMPTS[:3], steering, max_new_tokens=5)
        handle.remove()
        return seen

    plain, zero = logits_of(None), logits_of(Steering(tiny_vectors, "calm", 0.0))
    assert len(plain) == len(zero) and all(torch.equal(a, b) for a, b in zip(plain, zero, strict=True))


def test_the_same_prompt_is_read_once_however_often_it_is_written_from(tiny_model):
    fed = []
    handle = tiny_model.blocks[0].register_forward_hook(lambda m, i, o: fed.append(i[0].shape[:2]))
    sample(tiny_model, [PROMPT] * 6, max_new_tokens=2, temperature=1.0, seeds=range(6))
    handle.remove()
    n = len(prompt_ids(tiny_model, PROMPT))
    # 2 tokens look what kind of cache there is.
    assert [tuple(shape) for shape in fed[:3]] == [(1, 2), (1, n - 1), (6, 1)]


def test_steerings_must_be_as_many_as_the_prompts(tiny_model, tiny_vectors):
    with pytest.raises(DataError, match="1 steerings for 2 prompts"):
        generate(tiny_model, ["a", "b"], [Steering(tiny_vectors, "calm")])


def test_usual_concepts_come_first_and_a_choice_is_kept():
    assert concepts_to_steer(["angry", "calm", "wistful"], None) == ["calm", "angry", "wistful"]
    assert concepts_to_steer(["angry", "calm", "wistful"], ["wistful", "sad"]) == ["wistful"]
    assert len(concepts_to_steer([f"c{i}" for i in range(40)], None)) == 12


def some_directions(vectors, concepts, layers, count):
    return steered_directions(vectors, concepts, layers, controls_of([], vectors, count, 1), n_controls=count)


def test_directions_of_one_layer_have_one_norm(tiny_vectors):
    directions = some_directions(tiny_vectors, ["calm", "sad"], [1, 3], 4)
    assert directions.names[:3] == [UNSTEERED, "calm", "sad"] and len(directions.names) == 3 + 4 + 4
    for layer in (1, 3):
        norms = np.linalg.norm(directions.scaled_RD[layer], axis=1)
        np.testing.assert_allclose(norms, [0] + [tiny_vectors.residual_norm[layer]] * 10, rtol=1e-5)
        orthogonal = directions.scaled_RD[layer][directions.of_kind("orthogonal")]
        place = tiny_vectors.layers.index(layer)
        assert np.abs(orthogonal @ tiny_vectors.raw_LCD[place].T).max() < 1e-3


def test_controls_are_those_of_the_file(tiny_vectors, tmp_path):
    shuffled = np.random.default_rng(0).standard_normal(tiny_vectors.raw_LCD.shape).astype(np.float32)
    random = np.eye(3, 32)
    save_controls(tmp_path / "controls.safetensors", shuffled, random, np.stack([random] * 4))
    others = controls_of([tmp_path / "controls.safetensors"], tiny_vectors, 2, 1)
    directions = steered_directions(tiny_vectors, ["calm"], [2], others, n_controls=2)
    rows, norm = directions.scaled_RD[2], tiny_vectors.residual_norm[2]
    expected = shuffled[2, :2] / np.linalg.norm(shuffled[2, :2], axis=1, keepdims=True)
    np.testing.assert_allclose(rows[directions.of_kind("shuffled")], norm * expected, rtol=1e-5)
    np.testing.assert_allclose(rows[directions.of_kind("random")], norm * random[:2])


def test_controls_stand_alone_where_there_are_no_concepts(tiny_vectors):
    directions = some_directions(tiny_vectors, [], [1], 2)
    assert directions.kinds == ["unsteered", *["random"] * 2, *["orthogonal"] * 2]


def test_sums_of_directions_have_their_strengths(tiny_vectors):
    directions = some_directions(tiny_vectors, ["calm", "sad"], [1], 2)
    (both,) = combined(directions, [{"calm": 0.5, "sad": -2}])[1]
    np.testing.assert_allclose(
        both, directions.scaled_RD[1][1] * 0.5 - 2 * directions.scaled_RD[1][2], rtol=1e-5, atol=1e-6
    )


def test_word_changes_are_against_the_unsteered_row(tiny_model, tiny_vectors):
    directions = some_directions(tiny_vectors, ["calm", "sad"], [1], 2)
    table = word_changes(tiny_model, [Text("p", PROMPT)], ["calm", "sad"], directions, 0.5)
    assert len(table) == 7 * 2
    assert (table.query("kind == 'unsteered'")["change"] == 0).all()
    assert (table.query("kind == 'concept'")["change"].abs() > 0).all()


def test_perplexity_is_that_of_the_unsteered_model(tiny_model, tiny_vectors):
    directions = some_directions(tiny_vectors, ["calm", "sad"], [1], 2)
    for written in continuations(tiny_model, [Text("p", PROMPT)], directions, 3, 5):
        tail = tiny_model.tokenizer(written["text"])["input_ids"]
        ids = torch.tensor([tiny_model.tokenizer(PROMPT)["input_ids"] + tail])
        logprob = tiny_model.hf(ids).logits.log_softmax(-1)[0, -len(tail) - 1 : -1]
        mean = logprob.gather(-1, torch.tensor(tail)[:, None]).mean().item()
        assert written["perplexity"] == pytest.approx(np.exp(-mean), rel=1e-3)


def test_dose_is_the_ratio_of_norms(tiny_model, tiny_vectors):
    added = np.stack([Steering(tiny_vectors, "calm", s, layers=[1]).additions()[1] for s in (0.5, 1.0)])
    expected = 0.5 * tiny_vectors.residual_norm[1] / residual_norms(tiny_model, PROMPT)[1]
    np.testing.assert_allclose(doses(tiny_model, [PROMPT], {1: added}), [expected, 2 * expected], rtol=1e-4)


def test_repetition_is_the_share_of_runs_that_stood_before():
    assert repetition("a b c d e") == 0 and repetition("a b") == 0 and repetition("") == 0
    assert repetition("go on and go on and go on and") == pytest.approx(1 - 3 / 7)


def test_a_dose_is_damaged_by_unlikely_text_or_by_repetition():
    limits = {"max_perplexity_ratio": 5, "max_repetition": 0.5}
    unsteered = Cost(5, 0.1)
    assert is_damaged(Cost(30, 0), unsteered, **limits) and is_damaged(Cost(5, 0.6), unsteered, **limits)
    assert not is_damaged(Cost(20, 0.4), unsteered, **limits)
    # A model that repeats itself unsteered is not damaged by doing as before.
    assert not is_damaged(Cost(5, 0.6), Cost(5, 0.6), **limits)
    texts = [{"perplexity": p, "repetition": r} for p, r in ((2.0, 0.0), (4.0, 0.5), (float("nan"), 1.0))]
    assert median_cost(texts) == Cost(3.0, 0.5)


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
