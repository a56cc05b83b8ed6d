"""Readouts at places are plain cosines, and places carry the labels of their texts."""

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from emotion_concepts.place_scores import (
    N_CONTROLS,
    labelled_places,
    score_places,
    shuffled_vectors,
    unit_rows,
    with_labels,
)
from emotion_concepts.shards import PartStore, read_values, write_places
from emotion_concepts.text_sets import Text, write_texts
from emotion_concepts.vectors import EmotionVectors

LAYERS = [2, 5]
PLACES = pd.DataFrame({"text": ["b", "a", "b"], "format": ["plain", "plain", "chat"], "span": "reply",
                       "token": ".", "n_tokens": [3, 1, 4]})  # fmt: skip
TEXTS = [
    Text("a", "A.", "sad", "rain", labels={"pair": 1, "format": "plain"}),
    Text("b", "B.", None, "sun", labels={"emotion": "proud", "expected": {"sad": -1}, "span": "x"}),
]


def vectors(n_concepts=3, width=12):
    raw = np.random.default_rng(0).standard_normal((2, n_concepts, width)).astype(np.float32)
    names = [f"c{k}" for k in range(n_concepts)]
    # What is read are the denoised vectors, of any length.
    return EmotionVectors(raw, raw[::-1] * 7, names, LAYERS, "tiny", "r1", {2: 1.0, 5: 1.0})


def values(layer, width=12):
    return np.random.default_rng(layer).standard_normal((3, width)).astype(np.float32) * 10**layer


def cosine(x, y):
    return float(x.astype(float) @ y.astype(float)) / np.sqrt(
        (x.astype(float) ** 2).sum() * (y.astype(float) ** 2).sum()
    )


def test_scores_are_cosines_with_the_denoised_vectors_of_the_same_layer():
    of, shuffled = vectors(), np.random.default_rng(1).standard_normal((2, 3, 12)).astype(np.float32)
    scores = score_places(PLACES, values, of, shuffled, seed=0)
    for k, layer in enumerate(LAYERS):
        for u in range(3):
            here = values(layer)[u]
            assert scores.norm_LU[k, u] == pytest.approx(np.sqrt((here.astype(float) ** 2).sum()), rel=1e-6)
            expected = [cosine(here, vector) for vector in of.denoised_LCD[k]]
            np.testing.assert_allclose(scores.cosine_LUC[k, u], expected, atol=1e-6)
            expected = [cosine(here, vector) for vector in shuffled[k]]
            np.testing.assert_allclose(scores.controls["shuffled"][k, u], expected, atol=1e-6)
    assert (scores.concepts, scores.layers) == (["c0", "c1", "c2"], LAYERS)


def test_controls_are_random_directions_and_such_that_no_vector_shares_anything_with():
    of = vectors()
    # At two places a vector itself is read.
    scores = score_places(PLACES, lambda layer: of.denoised_LCD[LAYERS.index(layer)], of, seed=0)
    assert "shuffled" not in scores.controls
    assert scores.controls["random"].shape == scores.controls["orthogonal"].shape == (2, 3, N_CONTROLS)
    np.testing.assert_allclose(scores.controls["orthogonal"], 0, atol=1e-6)
    assert (np.abs(scores.controls["random"]) <= 1).all() and np.abs(scores.controls["random"]).max() > 0.3
    # The same directions at every layer: read in themselves, the same values.
    same = score_places(PLACES, lambda layer: values(1), of, seed=0)
    np.testing.assert_array_equal(*same.controls["random"])
    other = score_places(PLACES, lambda layer: values(1), of, seed=1)
    assert not np.allclose(same.controls["random"], other.controls["random"])


def test_vectors_that_fill_the_width_leave_no_orthogonal_direction():
    scores = score_places(PLACES, lambda layer: values(layer, 4), vectors(6, 4), seed=0)
    assert scores.controls["orthogonal"].shape == (2, 3, 0)


def test_places_get_the_labels_of_their_texts_in_their_own_order():
    found = with_labels(PLACES, TEXTS)
    assert found["text"].tolist() == ["b", "a", "b"] and found.index.tolist() == [0, 1, 2]
    assert found["emotion"].tolist() == ["proud", "sad", "proud"]
    assert found["topic"].tolist() == ["sun", "rain", "sun"] and found["expected"][0] == {"sad": -1}
    # Where it was read is not what its text says of itself.
    assert found["format"].tolist() == PLACES["format"].tolist() and (found["span"] == "reply").all()


def test_two_texts_of_one_id_cannot_label_a_place():
    with pytest.raises(pd.errors.MergeError, match="not a many-to-one merge"):
        with_labels(PLACES, [*TEXTS, Text("a", "C.")])


def test_places_and_vectors_come_from_their_files(tmp_path):
    store = PartStore(tmp_path / "parts", {})
    value = np.stack([values(0), values(1)])
    digests = [f"{k:064d}" for k in range(3)]
    store.write_part(digests, value, np.ones((2, 3), np.float32), PLACES["n_tokens"].to_numpy())
    write_places(tmp_path / "layers", store, PLACES.assign(digest=digests), 2, {})
    write_texts(tmp_path / "t.jsonl", TEXTS)
    found = labelled_places(tmp_path / "layers", tmp_path / "t.jsonl")
    pd.testing.assert_frame_equal(found, with_labels(PLACES, TEXTS), check_dtype=False)
    np.testing.assert_array_equal(read_values(tmp_path / "layers", 1), value[1])
    save_file({"shuffled": value}, tmp_path / "controls.safetensors")
    np.testing.assert_array_equal(shuffled_vectors(tmp_path / "controls.safetensors"), value)


def test_unit_rows_have_length_1_in_their_own_direction():
    found = unit_rows(np.array([[3.0, 4.0], [0.0, -1e-20]], np.float32))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, [[0.6, 0.8], [0, -1]], rtol=1e-7)
