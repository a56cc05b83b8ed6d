"""Vectors made elsewhere, against the arrays that they were made from."""

import dataclasses
import json
import pickle
import struct
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors import safe_open
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch

from emotion_concepts import load_vectors
from emotion_concepts.config_vectors import VectorSet
from emotion_concepts.errors import DataError
from emotion_concepts.shards import layer_path
from emotion_concepts.vector_import import read_vectors, save_imported
from emotion_concepts.vectors import save_vectors
from scripts.import_vectors import main

NAMES = ["sad", "at ease", "afraid"]
VALUES_LCD = np.random.default_rng(5).standard_normal((4, 3, 8)).astype(np.float32)
# The same in the order that this project keeps.
SORTED_LCD = VALUES_LCD[:, [2, 1, 0]]


def one_safetensors(tmp_path):
    save_file({"emotions": VALUES_LCD}, tmp_path / "v.safetensors")
    return tmp_path / "v.safetensors", NAMES


def one_npz(tmp_path):
    np.savez(tmp_path / "v.npz", emotions=VALUES_LCD)
    return tmp_path / "v.npz", NAMES


def one_npy(tmp_path):
    np.save(tmp_path / "v.npy", VALUES_LCD)
    return tmp_path / "v.npy", NAMES


def one_in_a_folder(tmp_path):
    (tmp_path / "v").mkdir()
    np.save(tmp_path / "v/all.npy", VALUES_LCD)
    (tmp_path / "v/names.txt").write_text("sad\nat ease\n\nafraid\n", encoding="utf-8")
    return tmp_path / "v", tmp_path / "v/names.txt"


def each_safetensors(tmp_path):
    each = {name: np.ascontiguousarray(VALUES_LCD[:, i]) for i, name in enumerate(NAMES)}
    save_file(each, tmp_path / "v.safetensors")
    return tmp_path / "v.safetensors", None


def each_npz(tmp_path):
    np.savez_compressed(tmp_path / "v.npz", **{name: VALUES_LCD[:, i] for i, name in enumerate(NAMES)})
    return tmp_path / "v.npz", None


def each_in_a_folder(tmp_path):
    (tmp_path / "v").mkdir()
    for i, name in enumerate(NAMES):
        np.save(tmp_path / f"v/{name}.npy", VALUES_LCD[:, i])
    return tmp_path / "v", None


FORMS = [one_safetensors, one_npz, one_npy, one_in_a_folder, each_safetensors, each_npz, each_in_a_folder]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_vectors(tmp_path, form):
    path, concepts = form(tmp_path)
    found = read_vectors(path, concepts)
    assert (found.concepts, found.layers) == (["afraid", "at ease", "sad"], [0, 1, 2, 3])
    np.testing.assert_array_equal(found.raw_LCD, SORTED_LCD)
    np.testing.assert_array_equal(found.denoised_LCD, SORTED_LCD)
    assert (found.model, found.revision) == ("unknown", "unknown")
    assert all(np.isnan(norm) for norm in found.residual_norm.values())


def test_one_layer_needs_no_axis_for_it(tmp_path):
    np.save(tmp_path / "one.npy", VALUES_LCD[1])
    np.savez(tmp_path / "each.npz", **{name: VALUES_LCD[1, i] for i, name in enumerate(NAMES)})
    for path, concepts in ((tmp_path / "one.npy", NAMES), (tmp_path / "each.npz", None)):
        found = read_vectors(path, concepts, layers=[17], model="owner/name")
        assert (found.layers, found.model) == ([17], "owner/name")
        np.testing.assert_array_equal(
            found.unit("sad", 17), VALUES_LCD[1, 0] / np.linalg.norm(VALUES_LCD[1, 0])
        )


def test_layers_are_put_in_order(tmp_path):
    path, concepts = one_npy(tmp_path)
    found = read_vectors(path, concepts, layers=[20, 5, 10, 15])
    assert found.layers == [5, 10, 15, 20]
    np.testing.assert_array_equal(found.raw_LCD, SORTED_LCD[[1, 2, 3, 0]])


@pytest.mark.parametrize("kind", [np.float16, np.float64])
def test_other_precisions_become_float32(tmp_path, kind):
    np.save(tmp_path / "v.npy", VALUES_LCD.astype(kind))
    found = read_vectors(tmp_path / "v.npy", NAMES)
    assert found.raw_LCD.dtype == np.float32
    np.testing.assert_array_equal(found.raw_LCD, SORTED_LCD.astype(kind).astype(np.float32))


def test_bfloat16_is_read_as_torch_reads_it(tmp_path):
    values = torch.from_numpy(VALUES_LCD).bfloat16()
    save_torch({"v": values}, tmp_path / "v.safetensors")
    found = read_vectors(tmp_path / "v.safetensors", sorted(NAMES))
    np.testing.assert_array_equal(found.raw_LCD, values.float().numpy())


def test_our_own_file_comes_back_whole(tmp_path, tiny_vectors):
    save_vectors(tmp_path / "v.safetensors", tiny_vectors)
    save_imported(tmp_path / "again.safetensors", read_vectors(tmp_path / "v.safetensors", model="ignored"))
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "v.safetensors").read_bytes()
    with pytest.raises(DataError, match="knows its layers; leave out 'layers'"):
        read_vectors(tmp_path / "v.safetensors", layers=[0, 1, 2, 3])


def test_the_script_writes_the_contracts_file(tmp_path):
    path, concepts = one_npz(tmp_path)
    cfg = {"path": str(path), "concepts": concepts, "layers": [1, 2, 3, 4], "model": "owner/name"}
    main([], tmp_path / "vectors.safetensors", tmp_path / "summary.json", cfg=cfg)
    with safe_open(tmp_path / "vectors.safetensors", framework="numpy") as file:
        about = file.metadata()
        np.testing.assert_array_equal(file.get_tensor("denoised"), SORTED_LCD)
    assert about["denoised"] == "as given"
    assert (json.loads(about["layers"]), about["model"]) == ([1, 2, 3, 4], "owner/name")
    assert load_vectors(tmp_path / "vectors.safetensors").concepts == sorted(NAMES)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["width"], summary["layers"]) == (8, [1, 2, 3, 4])
    # Imported once more, it is what it was.
    save_imported(tmp_path / "again.safetensors", read_vectors(tmp_path / "vectors.safetensors"))
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "vectors.safetensors").read_bytes()


def test_a_sets_files_are_what_is_read(tmp_path):
    path, _ = each_in_a_folder(tmp_path)
    (path / "notes.txt").write_text("x")
    files = VectorSet(source="file", path=str(path)).files()
    assert files == [f"{path}/{name}.npy" for name in ("afraid", "at ease", "sad")]
    one = VectorSet(source="file", path="~/v.npz", concepts="names.txt")
    assert one.files() == [f"{Path.home()}/v.npz", "names.txt"]


def test_settings_of_a_set_say_what_would_be_right():
    for given, expected in (
        ({"concepts": 3}, "expected a list of names, or the path of a text file with one name a line, got 3"),
        ({"layers": [-1]}, "greater than or equal to 0"),
        ({"concept": ["a"]}, "Extra inputs are not permitted"),
        ({"source": "hub"}, "'file'"),
    ):
        with pytest.raises(ValidationError) as caught:
            VectorSet.model_validate({"source": "file", "path": "v.npz"} | given)
        (problem,) = caught.value.errors()
        assert expected in problem["msg"]
        assert problem["loc"][0] in given


def stored(array):
    """A maker of one .npy file, read with the three names."""

    def make(tmp_path):
        np.save(tmp_path / "v.npy", array)
        return {"path": tmp_path / "v.npy", "concepts": NAMES}

    return make


def keyed(**arrays):
    def make(tmp_path):
        np.savez(tmp_path / "v.npz", **arrays)
        return {"path": tmp_path / "v.npz"}

    return make


def bytes_of(name, content, **more):
    def make(tmp_path):
        (tmp_path / name).write_bytes(content)
        return {"path": tmp_path / name, **more}

    return make


def edited(place, value):
    array = VALUES_LCD.copy()
    array[place] = value
    return array


def names_file(content):
    def make(tmp_path):
        (tmp_path / "names.txt").write_bytes(content)
        return stored(VALUES_LCD)(tmp_path) | {"concepts": tmp_path / "names.txt"}

    return make


def whole(**more):
    return lambda tmp_path: stored(VALUES_LCD)(tmp_path) | more


INTEGERS = json.dumps({"v": {"dtype": "I64", "shape": [2], "data_offsets": [0, 16]}}).encode()
ONE = np.ones((4, 8), np.float32)
FAULTS = {
    "no file": (lambda p: {"path": p / "none.npz"}, "none.npz: no such file or folder"),
    "unknown ending": (bytes_of("v.pt", b"x"), "v.pt: unknown ending '.pt'; expected .safetensors, .npz, .npy"),
    "empty folder": (lambda p: {"path": p}, ": a folder without .npy files"),
    "one axis": (stored(ONE[0]), "'v' is [8]; expected [layers, concepts, width] or [concepts, width]"),
    "four axes": (stored(VALUES_LCD[None]), "'v' is [1, 4, 3, 8]; expected"),
    "no names": (whole(concepts=None), "one array, [4, 3, 8], without names; give its 3 'concepts'"),
    "too few names": (whole(concepts=["a", "b"]), "'v' is [4, 3, 8], 3 concepts; concepts has 2 names"),
    "too few in the file": (names_file(b"a\nb\n"), "names.txt has 2 names"),
    "no file of names": (whole(concepts="none.txt"), "none.txt: no such file; expected one concept a line"),
    "names not UTF-8": (names_file(b"\xff\xfe"), "names.txt: cannot be read as UTF-8 text"),
    "a name twice": (whole(concepts=["a", "b", "a"]), "concepts:3: 'a' is used in place 1 already"),
    "a name twice in the file": (names_file(b"a\n\nb\na\n"), "names.txt:4: 'a' is used in place 1 already"),
    "an empty name": (whole(concepts=["a", " ", "b"]), "concepts:2: an empty name"),
    "one concept": (lambda p: stored(ONE[:, None])(p) | {"concepts": ["a"]}, "vectors of 1 concept; expected two"),
    "NaN": (stored(edited((2, 1, 3), np.nan)), "'at ease' at layer 2 has NaN or infinity (1 of 12 vectors)"),
    "infinity": (stored(VALUES_LCD.astype(np.float64) * 1e60), "has NaN or infinity (12 of 12"),
    "zero": (stored(edited((0, 2), 0)), "the vector of 'afraid' at layer 0 is zero (1 of 12 vectors)"),
    "no width": (stored(VALUES_LCD[..., :0]), "[4, 3, 0]; expected at least one layer, and a width"),
    "integers": (stored(np.ones((4, 3, 8), int)), "of type int64; expected floating point"),
    "strings": (keyed(a=np.array(["x"]), b=ONE), "v.npz: 'a': of type <U1; expected floating point"),
    "differing widths": (keyed(a=ONE, b=ONE[:, :7]), "'b' is [4, 7], but 'a' is [4, 8]; expected one shape"),
    "differing depth": (keyed(a=ONE, b=ONE[:3]), "'b' is [3, 8], but 'a' is [4, 8]"),
    "three axes each": (keyed(a=VALUES_LCD, b=VALUES_LCD), "'a' is [4, 3, 8]; of several arrays, each is one"),
    "named twice over": (
        lambda p: keyed(a=ONE, b=ONE)(p) | {"concepts": ["a", "b"]},
        "its 2 arrays name their concepts themselves; leave out 'concepts'",
    ),
    "layers that do not fit": (whole(layers=[1, 2]), "4 layers, but 'layers' has 2 block numbers; expected 4"),
    "a layer twice": (whole(layers=[1, 2, 2, 3]), "layers [1, 2, 2, 3]: expected block numbers from 0, each once"),
    "not a zip": (bytes_of("v.npz", b"PK\x03\x04 no"), "v.npz: cannot be read as npz"),
    "cut off": (bytes_of("v.npy", b"\x93NUMPY\x01"), "v.npy: cannot be read as npy"),
    "not safetensors": (bytes_of("v.safetensors", b"\x08"), "v.safetensors: cannot be read as safetensors"),
    "integers in safetensors": (
        bytes_of("v.safetensors", struct.pack("<Q", len(INTEGERS)) + INTEGERS + bytes(16)),
        "'v': of type I64; expected one of F64, F32, F16, BF16",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_line_that_says_where_and_what(tmp_path, fault):
    make, expected = FAULTS[fault]
    arguments = make(tmp_path)
    with pytest.raises(DataError) as caught:
        read_vectors(arguments.pop("path"), **arguments)
    assert expected in str(caught.value) and "\n" not in str(caught.value)


class Trap:
    """Opened as a pickle, it leaves a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


@pytest.mark.parametrize("form", ["npy", "npz", "bare"])
def test_nothing_is_unpickled(tmp_path, form):
    trap = tmp_path / "sprung"
    objects = np.array([Trap(trap)] * 3, dtype=object)
    path = tmp_path / f"v.{form.replace('bare', 'npy')}"
    if form == "bare":
        path.write_bytes(pickle.dumps(Trap(trap)))
    else:
        np.savez(path, a=objects) if form == "npz" else np.save(path, objects)
    with pytest.raises(DataError, match=r"Python objects \(pickles\) are not read"):
        read_vectors(path, NAMES)
    assert not trap.exists()


def test_our_own_file_is_checked_as_any_other(tmp_path, tiny_vectors):
    tiny_vectors.raw_LCD[1, 2] = 0
    save_vectors(tmp_path / "v.safetensors", tiny_vectors)
    with pytest.raises(DataError, match="the vector of 'sad' at layer 1 is zero"):
        read_vectors(tmp_path / "v.safetensors")


def test_norms_of_the_model_leave_vectors_as_given_and_files_of_this_project_as_they_are(tmp_path):
    """Vectors of a known model take its residual norm; what they say of themselves stays."""
    path, concepts = one_npz(tmp_path)
    neutral = tmp_path / "neutral"
    neutral.mkdir()
    for layer in (1, 2, 3, 4):
        with h5py.File(layer_path(neutral, layer), "w") as file:
            for name in ("id", "emotion", "topic"):
                file.create_dataset(name, data=["a", "b"], dtype=h5py.string_dtype())
            file["mean"], file["n_tokens"] = np.zeros((2, 8), np.float32), np.array([5, 5], np.int32)
            file["norm"] = np.array([layer, layer + 2.0], np.float32)
    cfg = {"path": str(path), "concepts": concepts, "layers": [1, 2, 3, 4], "model": "owner/name"}
    main([neutral], tmp_path / "vectors.safetensors", tmp_path / "summary.json", cfg=cfg)
    with safe_open(tmp_path / "vectors.safetensors", framework="numpy") as file:
        assert file.metadata()["denoised"] == "as given"
    made = load_vectors(tmp_path / "vectors.safetensors")
    assert made.residual_norm == {layer: layer + 1.0 for layer in (1, 2, 3, 4)}
    own = dataclasses.replace(made, revision="r1", residual_norm=dict.fromkeys(made.layers, 7.0))
    save_vectors(tmp_path / "own.safetensors", own)
    cfg = {"path": str(tmp_path / "own.safetensors"), "concepts": None, "layers": None, "model": "owner/name"}
    main([neutral], tmp_path / "again.safetensors", tmp_path / "summary.json", cfg=cfg)
    assert load_vectors(tmp_path / "again.safetensors").residual_norm == own.residual_norm
