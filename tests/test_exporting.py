"""Exported vectors, read by the programs that they are for."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import pytest

from emotion_concepts import Steering
from emotion_concepts.errors import DataError
from emotion_concepts.exporting import (
    directions,
    file_name,
    model_hint,
    read_reliability,
    render_card,
    write_control_vector,
    write_control_vectors,
)
from emotion_concepts.files import sha256_of
from emotion_concepts.vectors import save_vectors
from scripts.export_vectors import main
from tests.conftest import ROOT

TEMPLATE = ROOT / "resources/report/card.md.jinja"


def text_of(reader: gguf.GGUFReader, key: str) -> str:
    return bytes(reader.get_field(key).parts[-1]).decode()


def test_a_control_vector_holds_each_layer_at_its_own_number(tmp_path, tiny_vectors):
    write_control_vector(tmp_path / "calm.gguf", tiny_vectors, "calm", hint="llama")
    reader = gguf.GGUFReader(tmp_path / "calm.gguf")
    assert text_of(reader, "general.architecture") == "controlvector"
    assert text_of(reader, "controlvector.model_hint") == "llama"
    assert text_of(reader, "general.name") == "calm"
    assert reader.get_field("controlvector.layer_count").parts[-1][0] == 3
    # llama.cpp: direction.N goes after block N, from 0, and there is no direction.0.
    assert [tensor.name for tensor in reader.tensors] == ["direction.1", "direction.2", "direction.3"]
    for tensor, layer in zip(reader.tensors, (1, 2, 3), strict=True):
        assert tensor.tensor_type == gguf.GGMLQuantizationType.F32 and list(tensor.shape) == [32]
        np.testing.assert_array_equal(tensor.data, directions(tiny_vectors, "calm")[layer])
        vector = tiny_vectors.denoised_LCD[layer, 1].astype(np.float64)
        np.testing.assert_allclose(tensor.data, (2 + layer) * vector / np.linalg.norm(vector), rtol=1e-6)


def test_a_strength_adds_what_our_own_steering_adds(tiny_vectors):
    added = Steering(tiny_vectors, "sad", 0.25, layers=[1, 3]).additions()
    exported = directions(tiny_vectors, "sad")
    for layer in (1, 3):
        np.testing.assert_allclose(np.float32(0.25) * exported[layer], added[layer], rtol=1e-6)


def test_equal_vectors_give_equal_files_and_old_ones_go(tmp_path, tiny_vectors):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/wistful.gguf").write_bytes(b"of a concept that is no more")
    for folder in ("a", "b"):
        write_control_vectors(tmp_path / folder, tiny_vectors, hint="llama")
    digests = [{p.name: sha256_of(p) for p in (tmp_path / folder).iterdir()} for folder in ("a", "b")]
    assert digests[0] == digests[1]
    assert sorted(digests[0]) == ["afraid.gguf", "calm.gguf", "sad.gguf"]


def test_what_cannot_steer_is_told(tiny_vectors):
    unknown = replace(tiny_vectors, residual_norm=dict.fromkeys(range(4), float("nan")))
    with pytest.raises(DataError, match="'calm' at layer 1: residual norm nan and vector give no finite"):
        directions(unknown, "calm")
    flat = replace(tiny_vectors, denoised_LCD=tiny_vectors.denoised_LCD * np.float32(0))
    with pytest.raises(DataError, match=r"'calm' at layer 1: .* a length above 0"):
        directions(flat, "calm")
    with pytest.raises(DataError, match="only layer 0 has vectors"):
        directions(replace(tiny_vectors, layers=[0]), "calm")


def test_file_names_are_safe_and_never_shared():
    assert file_name("at ease") == "at_ease.gguf"
    assert file_name("self-confident") == "self-confident.gguf"
    names = [
        "at ease",
        "at_ease",
        "at-ease",
        "at  ease",
        "At ease",
        "AT EASE",
        "at.ease",
        "at/ease",
        "../ease",
    ]
    names += [
        "état",
        "etat",
        "平静",
        "悲しい",
        "",
        " ",
        "a:b,c",
        "x" * 61,
        "x" * 200,
        "-calm",
        "calm",
        "calm\n",
    ]
    files = [file_name(name).lower() for name in names]
    assert Counter(files).most_common(1)[0][1] == 1
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9_.-]*\.gguf", file) and len(file) < 80 for file in files)


@pytest.mark.parametrize(
    ("architecture", "hint"),
    [("LlamaForCausalLM", "llama"), ("Qwen2ForCausalLM", "qwen2"), ("GPT2LMHeadModel", "gpt2"),
     ("Gemma3ForConditionalGeneration", "gemma3"), ("unknown", "unknown")],
)  # fmt: skip
def test_the_hint_is_the_models_family(architecture, hint):
    assert model_hint(architecture) == hint


def exported(folder: Path, vectors, *, source="bundled", story_set="mine", model="pypi:x==1") -> Path:
    """Everything that the script leaves, with a card beside the vectors."""
    vectors = replace(vectors, model=model)
    save_vectors(folder / "vectors.safetensors", vectors)
    (folder / "model.json").write_text(json.dumps({"architecture": "LlamaForCausalLM"}))
    (folder / "summary.json").write_text(json.dumps({"stories": {"afraid": 7, "calm": 8, "sad": 9}}))
    (folder / "retrieval.json").write_text(json.dumps({"recommended_layer": 2}))
    rows = [f"{c},{k},0.{k}{i},0.9{i}" for k in range(4) for i, c in enumerate(vectors.concepts)]
    rows[-4] = "sad,2,,0.92"  # of one story only, there are no halves
    (folder / "reliability.csv").write_text("\n".join(["concept,layer,split_half,bootstrap", *rows]) + "\n")
    main(
        *(folder / name for name in ("model.json", "vectors.safetensors", "summary.json", "reliability.csv")),
        folder / "retrieval.json", TEMPLATE, folder / "export/gguf", folder / "README.md",
        cfg={"story_set": story_set, "source": source, "strength": 0.3},
    )  # fmt: skip
    return folder / "README.md"


def test_the_card_says_what_was_found(tmp_path, tiny_vectors):
    card = exported(tmp_path, tiny_vectors).read_text(encoding="utf-8")
    assert "# Emotion vectors of `pypi:x==1`, stories `mine`" in card
    assert "| revision | `r1` |" in card and "| stories | `mine`, 24 of them |" in card
    assert "| licence of the stories | CC BY 4.0" in card
    assert "each [4 layers, 3 concepts, 32], float32" in card
    rows = [line for line in card.split("\n") if ".gguf` |" in line]
    assert rows == [
        "| `afraid` | 7 | 0.20 | 0.90 | `afraid.gguf` |",
        "| `calm` | 8 | 0.21 | 0.91 | `calm.gguf` |",
        "| `sad` | 9 | – | 0.92 | `sad.gguf` |",
    ]
    assert {path.name for path in (tmp_path / "export/gguf").iterdir()} == {
        "afraid.gguf",
        "calm.gguf",
        "sad.gguf",
    }


def test_the_card_does_not_vouch_for_others_stories(tmp_path, tiny_vectors):
    card = exported(tmp_path, tiny_vectors, source="hub").read_text(encoding="utf-8")
    assert "| licence of the stories | of whoever made them;" in card and "CC BY" not in card


def test_what_users_name_stays_text(tmp_path, tiny_vectors):
    vectors = replace(tiny_vectors, concepts=["<b>`a|b`</b>", "'; import os", "sad"])
    model = "./a|b`](http://x) <script>"
    card = exported(tmp_path, vectors, story_set="my_own_set", model=model).read_text(encoding="utf-8")
    assert r"| model | `` ./a\|b`](http://x) <script> `` |" in card
    assert r"| `` <b>`a\|b`</b> `` | – |" in card
    assert "`my_own_set`" in card
    for snippet in re.findall("```python\n(.*?)```", card, re.DOTALL):
        compile(snippet, "card", "exec")


def test_a_table_that_does_not_fit_is_told(tmp_path):
    path = tmp_path / "reliability.csv"
    path.write_text("concept,layer,split_half\nsad,1,0.5\n")
    with pytest.raises(DataError, match="no column 'bootstrap'; its columns: concept, layer, split_half"):
        read_reliability(path, 1)
    path.write_text("concept,layer,split_half,bootstrap\nsad,1,0.5,0.5\n")
    with pytest.raises(DataError, match="nothing at layer 2"):
        read_reliability(path, 2)


def test_the_card_of_every_depth_names_layers_that_are_exported(tiny_vectors):
    for depth in (2, 3, 4):
        vectors = replace(tiny_vectors, layers=list(range(depth)))
        card = render_card(
            TEMPLATE, vectors, story_set="s", story_source="file", stories={}, reliability={}, layer=0, strength=0.1
        )  # fmt: skip
        first, last = map(int, re.search(r"layer-range (\d+) (\d+)", card).groups())
        assert 1 <= first <= last < depth and f"range({first}, {last + 1})" in card


# The card's own lines, in a process of its own that sees the packages in PACKAGES.
OF_THE_CARD = """
import json, pathlib, re, sys
import torch
import emotion_concepts
from emotion_concepts import Steering, load_vectors
from transformers import AutoModelForCausalLM

card, folder, package = sys.argv[1:]
snippets = re.findall("```python\\n(.*?)```", pathlib.Path(card).read_text(encoding="utf-8"), re.DOTALL)
(snippet,) = [text for text in snippets if f"from {package} import" in text]
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
plain = emotion_concepts.load_model(folder, dtype="float32")
ids = torch.tensor([[5, 60, 7, 300, 42]])
from emotion_concepts.steering import steered
vectors = load_vectors("vectors.safetensors")
rows = Steering(vectors, "calm", 0.3).edits()
with torch.no_grad():
    untouched = plain.hf(ids).logits
    with steered(plain, rows):
        ours = plain.hf(ids).logits
    exec(snippet)
    theirs = model(ids).logits
print(json.dumps({"ours": (ours - untouched).abs().max().item(), "apart": (ours - theirs).abs().max().item()}))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("package", "requirements"),
    [
        # repeng names np.float_, which numpy 2 no longer has.
        ("repeng", ["repeng==0.4.0", "numpy==1.26.4"]),
        ("steering_vectors", ["steering-vectors==0.12.2"]),
    ],
)
def test_the_cards_lines_steer_in_other_packages(tmp_path, tiny_folder, tiny_vectors, package, requirements):
    """The same logits as our own steering, from the package's own code."""
    card = exported(tmp_path, tiny_vectors)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", "packages"]
    subprocess.run([*command, *requirements], cwd=tmp_path, check=True)
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}/packages{os.pathsep}{ROOT}/scripts"}
    done = subprocess.run(
        [sys.executable, "-c", OF_THE_CARD, str(card), str(tiny_folder), package],
        cwd=tmp_path, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.split("\n")[-2])
    assert found["ours"] > 0.1
    # float32 logits of the same sums in another order.
    assert found["apart"] < 1e-4
