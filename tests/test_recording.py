"""Recording against transformers' own hidden states, one text at a time, without padding."""

import numpy as np
import pytest
import torch
from accelerate import dispatch_model

from emotion_concepts import load_model, record, recording
from emotion_concepts.errors import ConfigError, NonFiniteError
from emotion_concepts.models import needs_several
from emotion_concepts.recording import Pooling, plan_batches, record_pooled
from emotion_concepts.residual_stream import watched_residuals
from emotion_concepts.sequence_scores import continuation_logprobs
from emotion_concepts.steering import Edits
from emotion_concepts.tokens import counted_tokens, tokenise
from tests.conftest import TEXTS, make_model_folder

VARIANTS = {
    "llama": {},
    "llama with a BOS": {"bos": True},
    "llama padding left": {"padding_side": "left"},
    "gpt2": {"family": "gpt2"},
}


def reference_means(model, text, skip):
    """Plain loop over layers and tokens; the last layer by a hook, as transformers norms that entry."""
    encoded = model.tokenizer(text, return_special_tokens_mask=True)
    ids, special = encoded["input_ids"], encoded["special_tokens_mask"]
    own = [t for t in range(len(ids)) if not special[t]][skip:]
    last = {}
    handle = model.blocks[-1].register_forward_hook(
        lambda m, i, o: last.update(h=o[0] if isinstance(o, tuple) else o)
    )
    with torch.no_grad():
        states = model.hf(torch.tensor([ids]), output_hidden_states=True).hidden_states
    handle.remove()
    layers = [*states[1:-1], last["h"]]
    return np.stack([np.mean([h[0, t].double().numpy() for t in own], axis=0) for h in layers])


@pytest.mark.parametrize("variant", VARIANTS)
def test_means_match_one_text_at_a_time(tmp_path, variant):
    model = load_model(str(make_model_folder(tmp_path / "m", **VARIANTS[variant])), dtype="float32")
    texts = TEXTS[:7]
    means = record(model, texts, skip=20)
    expected = np.stack([reference_means(model, text, 20) for text in texts])
    assert means.dtype == np.float32 and means.shape == expected.shape
    # Raw means agree even where padding is counted; centred ones do not (method.md, trap 1).
    centred, centred_expected = means - means.mean(0), expected - expected.mean(0)
    error = np.linalg.norm(centred - centred_expected) / np.linalg.norm(centred_expected)
    assert error < 1e-4


def test_a_text_does_not_depend_on_its_batch(tiny_model):
    together = record(tiny_model, TEXTS[:6], skip=10)
    alone = np.concatenate([record(tiny_model, [text], skip=10) for text in TEXTS[:6]])
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-5)


def test_order_of_texts_is_kept(tiny_model):
    forwards, backwards = (record(tiny_model, t, skip=10) for t in (TEXTS[:5], TEXTS[4::-1]))
    np.testing.assert_allclose(forwards, backwards[::-1], rtol=1e-4, atol=1e-5)


def test_short_and_empty_texts_become_nan(tiny_model):
    means = record(tiny_model, ["", "Too short.", TEXTS[0], "🙂" * 40], skip=50)
    assert np.isnan(means[:2]).all() and np.isfinite(means[2:]).all()


def test_skip_counts_own_tokens_and_not_the_bos(tmp_path):
    plain = load_model(str(make_model_folder(tmp_path / "a")), dtype="float32")
    with_bos = load_model(str(make_model_folder(tmp_path / "b", bos=True)), dtype="float32")
    own = {}
    for name, model in (("plain", plain), ("bos", with_bos)):
        (text,) = tokenise(model.tokenizer, [TEXTS[0]])
        own[name] = np.array(text.ids)[counted_tokens(text, 50)]
    np.testing.assert_array_equal(own["plain"], own["bos"])


def test_last_pools_the_last_own_token(tiny_model):
    states = []
    ids = torch.tensor([tiny_model.tokenizer(TEXTS[0])["input_ids"]])
    with torch.no_grad(), watched_residuals(tiny_model.blocks, lambda _, h: states.append(h[0, -1].numpy())):
        tiny_model.hf(ids)
    np.testing.assert_allclose(
        record(tiny_model, [TEXTS[0]], pool="last")[0], np.stack(states), rtol=1e-4, atol=1e-5
    )


def test_recording_leaves_the_model_as_found(tiny_model):
    ids = torch.tensor([[5, 6, 7]])
    before = tiny_model.hf(ids).logits
    record(tiny_model, TEXTS[:2], skip=10)
    assert torch.equal(before, tiny_model.hf(ids).logits)
    assert not any(block._forward_hooks for block in tiny_model.blocks)


def test_infinite_activations_are_named(tmp_path):
    model = load_model(str(make_model_folder(tmp_path / "m")), dtype="float32")
    model.blocks[2].mlp.down_proj.weight[0, 0] = float("inf")
    with pytest.raises(NonFiniteError, match="after layer 2"):
        record(model, [TEXTS[0]], skip=10)


def test_bad_arguments_are_refused(tiny_model):
    with pytest.raises(ConfigError, match="pool: 'median' is not one of"):
        record(tiny_model, ["a"], pool="median")
    with pytest.raises(ConfigError, match="skip: must be 0 or more"):
        record(tiny_model, ["a"], skip=-1)


def test_batches_hold_every_wanted_text_once_and_stay_in_the_budget():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 300, 100).tolist()
    wanted = (rng.random(100) < 0.8).tolist()
    batches = plan_batches(lengths, wanted, 900)
    assert sorted(i for batch in batches for i in batch) == [i for i in range(100) if wanted[i]]
    assert all(len(batch) * max(lengths[i] for i in batch) <= 900 for batch in batches)


def test_a_text_longer_than_the_budget_goes_alone():
    assert plan_batches([5000, 10], [True, True], 2000) == [[0], [1]]


def test_max_takes_the_largest_value_of_each_coordinate(tiny_model):
    states = []
    ids = torch.tensor([tiny_model.tokenizer(TEXTS[0])["input_ids"]])
    with torch.no_grad(), watched_residuals(tiny_model.blocks, lambda _, h: states.append(h[0, 20:].numpy())):
        tiny_model.hf(ids)
    found = record(tiny_model, [TEXTS[0], TEXTS[1]], pool="max", skip=20)[0]
    np.testing.assert_allclose(found, [h.max(0) for h in states], rtol=1e-4, atol=1e-5)


def test_many_poolings_take_one_pass_and_give_what_each_gives_alone(tiny_model, monkeypatch):
    texts = tokenise(tiny_model.tokenizer, TEXTS[:6])
    poolings = [
        Pooling([counted_tokens(text, 20) for text in texts]),
        Pooling([counted_tokens(text, 20, last_only=True) for text in texts]),
        Pooling([counted_tokens(text, 40) for text in texts], "max"),
    ]
    passes = []
    real = recording.pool_batch
    monkeypatch.setattr(recording, "pool_batch", lambda *a: passes.append(a[1]) or real(*a))
    together = record_pooled(tiny_model, texts, poolings)
    assert sorted(i for rows in passes[-1:] for i in rows) == list(range(6))
    for pooling, found in zip(poolings, together, strict=True):
        (alone,) = record_pooled(tiny_model, texts, [pooling])
        np.testing.assert_array_equal(found.value_LBD, alone.value_LBD)
        np.testing.assert_array_equal(found.norm_LB, alone.norm_LB)
        assert found.n_tokens_B.tolist() == [int(c.sum()) for c in pooling.counted]


def test_a_pass_ends_after_the_last_layer_that_is_asked_for(tiny_model):
    texts = tokenise(tiny_model.tokenizer, TEXTS[:3])
    pooling = Pooling([counted_tokens(text, 20) for text in texts])
    (whole,) = record_pooled(tiny_model, texts, [pooling])
    reached = []
    handle = tiny_model.blocks[2].register_forward_hook(lambda *_: reached.append(2))
    (short,) = record_pooled(tiny_model, texts, [pooling], last_layer=1)
    handle.remove()
    assert not reached
    np.testing.assert_array_equal(short.value_LBD, whole.value_LBD[:2])


def test_a_batch_that_does_not_fit_is_halved_until_it_does(tiny_model, monkeypatch, caplog):
    texts = tokenise(tiny_model.tokenizer, TEXTS[:7])
    pooling = Pooling([counted_tokens(text, 20) for text in texts])
    (expected,) = record_pooled(tiny_model, texts, [pooling])
    real = recording.pool_batch

    def small_memory(reading, rows):
        if len(rows) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(reading, rows)

    monkeypatch.setattr(recording, "pool_batch", small_memory)
    (found,) = record_pooled(tiny_model, texts, [pooling])
    np.testing.assert_allclose(found.value_LBD, expected.value_LBD, rtol=1e-4, atol=1e-5)
    assert "do not fit in the device's memory together" in caplog.text


def test_a_text_that_does_not_fit_alone_is_an_error(tiny_model, monkeypatch):
    def no_memory(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    texts = tokenise(tiny_model.tokenizer, TEXTS[:2])
    record(tiny_model, TEXTS[:2], skip=10)
    monkeypatch.setattr(recording, "pool_batch", no_memory)
    with pytest.raises(torch.OutOfMemoryError):
        record_pooled(tiny_model, texts, [Pooling([counted_tokens(text, 5) for text in texts])])


@pytest.mark.parametrize("variant", ["llama", "gpt2"])
def test_bfloat16_keeps_the_directions_whatever_the_batch(tmp_path, variant):
    """In half size the sums round differently in a batch; concept vectors must not turn."""
    model = load_model(str(make_model_folder(tmp_path / "m", **VARIANTS[variant])), dtype="bfloat16")
    together = record(model, TEXTS[:24], skip=20)
    alone = np.concatenate([record(model, [text], skip=20) for text in TEXTS[:24]])
    concepts = np.arange(24) % 4
    vectors = []
    for means in (together, alone):
        by_concept = np.stack([means[concepts == c].mean(0) for c in range(4)])
        vectors.append(by_concept - by_concept.mean(0))
    cosine = (vectors[0] * vectors[1]).sum(-1) / np.prod(
        [np.linalg.norm(v, axis=-1) for v in vectors], axis=0
    )
    assert cosine.min() >= 0.999


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_embedding_comes_first_where_it_is_asked_for(tmp_path, variant):
    model = load_model(str(make_model_folder(tmp_path / "m", **VARIANTS[variant])), dtype="float32")
    texts = tokenise(model.tokenizer, TEXTS[:4])
    pooling = Pooling([counted_tokens(text, 20) for text in texts])
    (found,) = record_pooled(model, texts, [pooling], embedding=True)
    (blocks,) = record_pooled(model, texts, [pooling])
    np.testing.assert_array_equal(found.value_LBD[1:], blocks.value_LBD)
    for row, text in enumerate(texts):
        with torch.no_grad():
            states = model.hf(torch.from_numpy(text.ids[None].astype(np.int64)), output_hidden_states=True)
        expected = states.hidden_states[0][0].numpy()[pooling.counted[row]].mean(0)
        np.testing.assert_allclose(found.value_LBD[0, row], expected, rtol=1e-4, atol=1e-5)


def test_a_model_that_is_spread_by_accelerate_is_recorded_and_steered_the_same(
    tiny_model, tiny_folder, tmp_path
):
    """Blocks whose weights come in only when they run, as accelerate dispatches a model to several places."""
    expected = record(tiny_model, TEXTS[:6], skip=20)
    spread = load_model(str(tiny_folder), dtype="float32")
    places = {"model.embed_tokens": "cpu", "model.norm": "cpu", "model.rotary_emb": "cpu", "lm_head": "cpu"}
    places |= {f"model.layers.{k}": "disk" if k % 2 else "cpu" for k in range(4)}
    dispatch_model(spread.hf, places, main_device="cpu", offload_dir=tmp_path)
    assert spread.blocks[1].self_attn.q_proj.weight.device.type == "meta"
    np.testing.assert_allclose(record(spread, TEXTS[:6], skip=20), expected, rtol=1e-5, atol=1e-6)
    edits, words = Edits({1: np.full((1, 32), 0.5, np.float32)}), [[" a", " the one"]]
    found = [continuation_logprobs(model, ["He says that"], words, edits) for model in (tiny_model, spread)]
    np.testing.assert_allclose(found[1], found[0], rtol=1e-5)


def test_weights_beyond_their_share_of_a_device_want_several(tiny_folder, tiny_model):
    n_bytes = 4 * sum(p.numel() for p in tiny_model.hf.parameters())
    assert needs_several(tiny_folder, torch.float32, n_bytes)
    assert not needs_several(tiny_folder, torch.float32, 2 * n_bytes)
    assert not needs_several(tiny_folder, torch.bfloat16, n_bytes)
