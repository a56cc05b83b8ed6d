"""A recording that is killed, or whose texts change, ends as it should."""

import time

import h5py
import numpy as np
import pytest
import torch

from emotion_concepts import batch_budget, record, recording
from emotion_concepts.errors import DataError
from emotion_concepts.residual_stream import watched_residuals
from emotion_concepts.shards import PartStore, halved, read_layer, read_token_covariance, write_layers
from emotion_concepts.text_recording import record_into
from emotion_concepts.text_sets import Text
from tests.conftest import TEXTS

STORIES = [Text(f"s{i}", text, f"e{i % 3}", f"t{i % 2}") for i, text in enumerate(TEXTS[:12])]
OPTIONS = {"skip": 20, "max_tokens": 512, "batch_tokens": 700}


def layers_of(folder, model, stories=STORIES):
    store, kept, _ = record_into(folder / "parts", model, stories, **OPTIONS)
    digest = write_layers(folder / "layers", store, kept, len(model.blocks), {"source": "tiny"})
    return digest, [read_layer(folder / "layers", k) for k in range(len(model.blocks))]


def test_layers_on_disk_hold_what_record_returns(tmp_path, tiny_model):
    _, layers = layers_of(tmp_path, tiny_model)
    means = record(tiny_model, [s.text for s in STORIES], skip=20)
    for k, layer in enumerate(layers):
        np.testing.assert_allclose(layer.mean, means[:, k], rtol=1e-4, atol=1e-5)
        assert layer.id.tolist() == [s.id for s in STORIES]
        assert layer.emotion.tolist() == [s.emotion for s in STORIES]
        assert layer.topic.tolist() == [s.topic for s in STORIES]


def test_norms_and_counts_match_a_loop_over_tokens(tmp_path, tiny_model):
    _, layers = layers_of(tmp_path, tiny_model)
    for row in (0, 5):
        norms: list[float] = []
        ids = tiny_model.tokenizer(STORIES[row].text)["input_ids"]

        def watch(_layer, residual, norms=norms):
            norms.append(np.linalg.norm(residual[0].numpy(), axis=1)[20:].mean())

        with torch.no_grad(), watched_residuals(tiny_model.blocks, watch):
            tiny_model.hf(torch.tensor([ids]))
        np.testing.assert_allclose([layer.norm[row] for layer in layers], norms, rtol=1e-4)
        assert all(layer.n_tokens[row] == len(ids) - 20 for layer in layers)


class Killed(BaseException):
    """Stands for the process's end: nothing in the code may catch it."""


@pytest.mark.parametrize("after", [0, 1, 3])
def test_killed_recording_ends_in_same_bytes(tmp_path, tiny_model, monkeypatch, after):
    whole, _ = layers_of(tmp_path / "whole", tiny_model)
    monkeypatch.setitem(OPTIONS, "part_seconds", -1)
    calls = []
    real = recording.pool_within_memory

    def pool_within_memory(*arguments):
        if len(calls) == after:
            raise Killed
        calls.append(1)
        return real(*arguments)

    monkeypatch.setattr(recording, "pool_within_memory", pool_within_memory)
    with pytest.raises(Killed):
        layers_of(tmp_path / "cut", tiny_model)
    monkeypatch.setattr(recording, "pool_within_memory", real)
    # Another budget now: what was planned keeps its batches.
    resumed, _ = layers_of(tmp_path / "cut", tiny_model)
    assert resumed == whole


def test_plan_outlives_a_changed_budget(tmp_path, tiny_model, monkeypatch):
    whole, _ = layers_of(tmp_path / "whole", tiny_model)
    monkeypatch.setattr(recording, "pool_within_memory", lambda *a: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        layers_of(tmp_path / "cut", tiny_model)
    monkeypatch.undo()
    monkeypatch.setitem(OPTIONS, "batch_tokens", 5000)
    resumed, _ = layers_of(tmp_path / "cut", tiny_model)
    assert resumed == whole


def count_recorded(monkeypatch):
    rows = []
    real = recording.pool_within_memory

    def pool_within_memory(reading, batch):
        rows.extend(batch)
        return real(reading, batch)

    monkeypatch.setattr(recording, "pool_within_memory", pool_within_memory)
    return rows


def test_a_changed_story_costs_its_own_forward_pass(tmp_path, tiny_model, monkeypatch):
    _, before = layers_of(tmp_path, tiny_model)
    rows = count_recorded(monkeypatch)
    changed = [*STORIES[:4], Text("s4", TEXTS[20], "e1", "t0"), *STORIES[5:]]
    _, after = layers_of(tmp_path, tiny_model, changed)
    assert rows == [4]
    others = [i for i in range(12) if i != 4]
    np.testing.assert_array_equal(before[2].mean[others], after[2].mean[others])
    assert not np.allclose(before[2].mean[4], after[2].mean[4])


def test_a_story_that_comes_back_is_recorded_or_known(tmp_path, tiny_model, monkeypatch):
    """A batch that was planned with a story and recorded without it must not count as done for it."""
    monkeypatch.setattr(recording, "pool_within_memory", lambda *a: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        layers_of(tmp_path, tiny_model)
    monkeypatch.undo()
    layers_of(tmp_path, tiny_model, STORIES[1:])
    _, layers = layers_of(tmp_path, tiny_model)
    assert np.isfinite(layers[0].mean).all() and len(layers[0].mean) == 12


def test_other_settings_empty_the_store(tmp_path, tiny_model, monkeypatch):
    layers_of(tmp_path, tiny_model)
    rows = count_recorded(monkeypatch)
    monkeypatch.setitem(OPTIONS, "skip", 21)
    layers_of(tmp_path, tiny_model)
    assert sorted(rows) == list(range(12))


def test_the_same_text_twice_is_recorded_once(tmp_path, tiny_model, monkeypatch):
    rows = count_recorded(monkeypatch)
    _, layers = layers_of(tmp_path, tiny_model, [*STORIES[:2], Text("again", STORIES[0].text, "e2", "t1")])
    assert sorted(rows) == [0, 1]
    np.testing.assert_array_equal(layers[1].mean[0], layers[1].mean[2])


def test_short_texts_are_dropped_and_counted(tmp_path, tiny_model):
    _, kept, dropped = record_into(tmp_path, tiny_model, [*STORIES, Text("short", "Oh.")], **OPTIONS)
    assert kept == STORIES and dropped == {"no token left after the first 20": 1}


def test_nothing_long_enough_is_an_error(tmp_path, tiny_model):
    with pytest.raises(DataError, match=r"lower recording\.skip"):
        record_into(tmp_path, tiny_model, [Text("short", "Oh.")], **OPTIONS)


def test_a_damaged_layer_is_named(tmp_path, tiny_model):
    layers_of(tmp_path, tiny_model)
    path = tmp_path / "layers" / "layer_01.h5"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DataError, match=r"layer_01\.h5: is damaged .* delete"):
        read_layer(tmp_path / "layers", 1)
    path.unlink()
    with pytest.raises(DataError, match=r"layer_01\.h5: is missing"):
        read_layer(tmp_path / "layers", 1)


def test_half_size_keeps_what_float16_alone_would_lose(tmp_path, tiny_model):
    store, kept, _ = record_into(tmp_path / "parts", tiny_model, STORIES, **OPTIONS)
    n_layers = len(tiny_model.blocks)
    whole = write_layers(tmp_path / "whole", store, kept, n_layers, {})
    half = write_layers(tmp_path / "half", store, kept, n_layers, {}, storage="float16")
    assert whole != half
    for k in range(n_layers):
        expected, found = (read_layer(tmp_path / name, k) for name in ("whole", "half"))
        error = np.linalg.norm(found.mean - expected.mean) / np.linalg.norm(expected.mean)
        assert found.mean.dtype == np.float32 and 0 < error < 1e-3
    with h5py.File(tmp_path / "half/layer_00.h5") as file:
        assert file["mean"].dtype == np.float16 and file["scale"].dtype == np.float32


def test_rows_beyond_float16_survive_half_size():
    rows = np.array([[3e6, -1e3, 5.0], [1e-9, 2e-9, 0], [0, 0, 0]], np.float32)
    values, scale = halved(rows)
    assert np.isfinite(values).all() and values.dtype == np.float16
    np.testing.assert_allclose(values * scale[:, None], rows, rtol=2e-3)


def moments_of(folder, model, stories=STORIES):
    store, kept, _ = record_into(folder / "parts", model, stories, **OPTIONS, with_moments=True)
    found = store.moments(len(model.blocks), model.width)
    digest = write_layers(folder / "layers", store, kept, len(model.blocks), {}, moments=found)
    return digest, found


def test_moments_are_those_of_all_counted_tokens(tmp_path, tiny_model):
    _, found = moments_of(tmp_path, tiny_model)
    tokens = [[] for _ in tiny_model.blocks]
    for story in STORIES:
        ids = torch.tensor([tiny_model.tokenizer(story.text)["input_ids"]])
        with (
            torch.no_grad(),
            watched_residuals(
                tiny_model.blocks, lambda k, h, tokens=tokens: tokens[k].append(h[0, 20:].double().numpy())
            ),
        ):
            tiny_model.hf(ids)
    for k, parts in enumerate(tokens):
        values = np.concatenate(parts)
        assert found.n_tokens == len(values)
        np.testing.assert_allclose(found.mean(k), values.mean(0), rtol=1e-4, atol=1e-6)
        expected = np.cov(values.T, bias=True)
        np.testing.assert_allclose(
            found.covariance(k), expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max()
        )
        np.testing.assert_array_equal(read_token_covariance(tmp_path / "layers", k), found.covariance(k))


def test_moments_of_shards_add_up(tmp_path, tiny_model):
    _, whole = moments_of(tmp_path / "whole", tiny_model)
    _, first = moments_of(tmp_path / "first", tiny_model, STORIES[:5])
    _, second = moments_of(tmp_path / "second", tiny_model, STORIES[5:])
    first.merge(second)
    assert first.n_tokens == whole.n_tokens
    np.testing.assert_allclose(first.covariance(1), whole.covariance(1), rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("after", [0, 1, 3])
def test_killed_recording_with_moments_ends_in_same_bytes(tmp_path, tiny_model, monkeypatch, after):
    whole, _ = moments_of(tmp_path / "whole", tiny_model)
    monkeypatch.setitem(OPTIONS, "part_seconds", -1)
    real, calls = PartStore.write_part, []

    def write_part(*arguments):
        # Killed between the moments and the part that they belong to, at the worst moment.
        store, moments = arguments[0], arguments[-1]
        if len(calls) == after:
            moments.save(store._moments_path(store._last_number() + 1))
            raise Killed
        calls.append(1)
        return real(*arguments)

    monkeypatch.setattr(PartStore, "write_part", write_part)
    with pytest.raises(Killed):
        moments_of(tmp_path / "cut", tiny_model)
    monkeypatch.setattr(PartStore, "write_part", real)
    resumed, _ = moments_of(tmp_path / "cut", tiny_model)
    assert resumed == whole


def test_moments_forget_a_text_that_is_gone_and_learn_a_new_one(tmp_path, tiny_model, monkeypatch):
    moments_of(tmp_path / "a", tiny_model, STORIES[:6])
    rows = count_recorded(monkeypatch)
    _, grown = moments_of(tmp_path / "a", tiny_model, STORIES[:7])
    assert rows == [6]
    _, shrunk = moments_of(tmp_path / "a", tiny_model, STORIES[1:7])
    _, afresh = moments_of(tmp_path / "b", tiny_model, STORIES[1:7])
    assert shrunk.n_tokens == afresh.n_tokens < grown.n_tokens
    np.testing.assert_array_equal(shrunk.covariance(0), afresh.covariance(0))


def test_no_moments_are_kept_where_nobody_asks(tmp_path, tiny_model):
    layers_of(tmp_path, tiny_model)
    assert not list((tmp_path / "parts").glob("moments-*"))
    with h5py.File(tmp_path / "layers/layer_00.h5") as file:
        assert "token_covariance" not in file


def test_a_long_text_is_read_up_to_the_limit(tmp_path, tiny_model, monkeypatch):
    monkeypatch.setitem(OPTIONS, "max_tokens", 64)
    _, layers = layers_of(tmp_path, tiny_model, STORIES[:3])
    ids = torch.tensor([tiny_model.tokenizer(STORIES[0].text)["input_ids"][:64]])
    states = []
    with (
        torch.no_grad(),
        watched_residuals(tiny_model.blocks, lambda _, h: states.append(h[0, 20:].mean(0).numpy())),
    ):
        tiny_model.hf(ids)
    for layer, expected in zip(layers, states, strict=True):
        np.testing.assert_allclose(layer.mean[0], expected, rtol=1e-4, atol=1e-5)
        assert layer.n_tokens[0] == 44


def test_batches_of_a_large_recording_are_tried_and_kept(tmp_path, tiny_model, monkeypatch):
    """Every trial counts: nothing is read twice, and the size that was fastest is the plan's."""
    monkeypatch.setattr(batch_budget, "TUNED_FROM", 1000)
    monkeypatch.setattr(batch_budget, "CPU_SIZES", (300, 600, 900))
    options = OPTIONS | {"batch_tokens": None}
    real, read = recording.pool_within_memory, []

    def reading_them(reading, rows):
        read.extend(rows)
        return real(reading, rows)

    waits = iter([0.5, 0, 1.5])

    def fastest_the_second_time(reading, rows):
        time.sleep(next(waits))
        return reading_them(reading, rows)

    monkeypatch.setattr(batch_budget, "pool_within_memory", fastest_the_second_time)
    monkeypatch.setattr(recording, "pool_within_memory", reading_them)
    stories = [Text(f"s{i}", text, "e", "t") for i, text in enumerate(TEXTS)]
    store, kept, _ = record_into(tmp_path, tiny_model, stories, **options)
    assert sorted(read) == list(range(len(kept)))
    assert store.fixed("batch_tokens", None) == 600
    write_layers(tmp_path / "layers", store, kept, 4, {})
    means = record(tiny_model, [s.text for s in kept], skip=20)
    np.testing.assert_allclose(read_layer(tmp_path / "layers", 3).mean, means[:, 3], rtol=1e-4, atol=1e-5)


def test_small_recordings_are_not_tried(tmp_path, tiny_model):
    store, *_ = record_into(tmp_path, tiny_model, STORIES, **OPTIONS | {"batch_tokens": None})
    assert store.fixed("batch_tokens", None) == recording.BATCH_TOKENS


def test_predicted_peak_grows_with_the_tokens_alone():
    assert batch_budget.predicted_peak(1000, 1300, 2) == 1600
