"""A recording that is killed, or whose texts change, ends as it should."""

import numpy as np
import pytest
import torch

from emotion_concepts import record, recording
from emotion_concepts.errors import DataError
from emotion_concepts.shards import read_layer, write_layers
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

        with torch.no_grad(), recording.watched_residuals(tiny_model.blocks, watch):
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

    def pool_within_memory(model, texts, counted, batch, way):
        rows.extend(batch)
        return real(model, texts, counted, batch, way)

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
