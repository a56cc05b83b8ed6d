"""How long the CPU analyses take at the paper's scale.

    PYTHONPATH=scripts .venv/bin/python benchmarks/analyses.py [--stories 205200] [--width 5120] [--layers 60]

Makes the activations of a few layers (171 concepts, 100 topics, half size as `recording: {storage: float16}` keeps
them) and runs the workflow's own scripts on two of them and on four: the difference is what a layer costs, and
the rest what is done once. The time of all layers is extrapolated from that, for every layer is worked on by
itself; words are counted once, in all stories, and the geometry is run with all layers. Peak memory is this
process's own.
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import compute_vectors
import describe_geometry
import h5py
import numpy as np
import pandas as pd
import sum_stories
import validate_retrieval

from emotion_concepts import cells, validation
from emotion_concepts.config import Config
from emotion_concepts.shards import layer_path
from emotion_concepts.vectors import EmotionVectors, save_vectors

N_CONCEPTS, N_TOPICS, THREADS = 171, 100, 2
FEW, MORE = 2, 4


def concepts_and_topics(n_stories: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of each story's concept and topic, in the order in which the workflow writes stories."""
    place = np.arange(n_stories)
    return place * N_CONCEPTS // n_stories, place * N_CONCEPTS * N_TOPICS // n_stories % N_TOPICS


def write_layers(folder: Path, n_stories: int, width: int, n_layers: int) -> None:
    """Random activations with a direction for each concept, and the stories."""
    rng = np.random.default_rng(0)
    concept, topic = concepts_and_topics(n_stories)
    labels = {
        "id": [f"s{i:06d}" for i in range(n_stories)],
        "emotion": [f"c{c:03d}" for c in concept],
        "topic": [f"t{t:03d}" for t in topic],
    }
    n_tokens = rng.integers(100, 200, n_stories).astype(np.int32)
    (folder / "layers").mkdir()
    for layer in range(n_layers):
        directions = rng.standard_normal((N_CONCEPTS, width), np.float32)
        with h5py.File(layer_path(folder / "layers", layer), "w") as file:
            for name, values in labels.items():
                file.create_dataset(name, data=values, dtype=h5py.string_dtype())
            chunks = (max(1, (1 << 19) // width), width)
            mean = file.create_dataset("mean", (n_stories, width), "f2", chunks=chunks)
            for start in range(0, n_stories, 4096):
                rows = concept[start : start + 4096]
                noise = rng.standard_normal((len(rows), width), np.float32)
                mean[start : start + 4096] = (noise + 0.3 * directions[rows]).astype(np.float16)
            file["scale"] = np.ones(n_stories, np.float32)
            file["norm"] = np.full(n_stories, width**0.5, np.float32)
            file["n_tokens"] = n_tokens
    with open(folder / "stories.jsonl", "w", encoding="utf-8") as file:
        for row in range(n_stories):
            # Counting words is timed by itself: here each text has two.
            line = {"id": labels["id"][row], "text": f"{labels['emotion'][row]} again",
                    "labels": {"emotion": labels["emotion"][row], "topic": labels["topic"][row]}}  # fmt: skip
            file.write(json.dumps(line) + "\n")


def counting_words(n_stories: int) -> float:
    """Seconds of the control by word counts, for stories of 110 words."""
    rng = np.random.default_rng(3)
    words = np.array([f"w{i}" for i in range(20_000)])
    # Few words make up most of a text, as in a language.
    texts = [" ".join(words[(20_000 * rng.random(110) ** 3).astype(int)]) for _ in range(n_stories)]
    concept, topic = concepts_and_topics(n_stories)
    groups = np.unique(cells.topic_groups(topic.astype(str), 1), return_inverse=True)[1]
    halves = cells.topic_halves(groups.max() + 1, Config().validation.max_splits, 1)
    began = time.perf_counter()
    validation.word_count_retrieval(texts, concept, groups, halves)
    return time.perf_counter() - began


def write_neutral(folder: Path, width: int, n_layers: int) -> None:
    """Token covariances whose leading directions hold most of the variance, as those of real models do."""
    rng = np.random.default_rng(1)
    basis = np.linalg.qr(rng.standard_normal((width, 64)))[0]
    covariance = (basis * 100 / np.arange(1, 65)) @ basis.T + 0.01 * np.eye(width)
    folder.mkdir()
    for layer in range(n_layers):
        with h5py.File(layer_path(folder, layer), "w") as file:
            file["token_covariance"] = covariance


def by_layer(folder: Path, width: int, n_layers: int) -> dict[str, float]:
    """Seconds of each stage that reads the layers."""
    manifest = folder / "manifest.json"
    about = {"n_layers": n_layers, "width": width, "source": "synthetic", "revision": "1", "dropped": []}
    manifest.write_text(json.dumps(about))
    given = {
        "manifest": manifest,
        "layers": folder / "layers",
        "sums": folder / "sums.h5",
        "threads": THREADS,
    }
    settings = Config()
    vectors, checks = (getattr(settings, name).model_dump() for name in ("vectors", "validation"))
    spent = {}
    for name, work, more in (
        ("sums", sum_stories, {"digest": folder / "sums.json", "cfg": vectors}),
        (
            "vectors and reliability",
            compute_vectors,
            {"neutral": folder / "neutral", "vectors": folder / "vectors.safetensors",
             "controls": folder / "controls.safetensors", "left_out": folder / "leave_one_out.h5",
             "reliable": folder / "reliability.csv", "summary": folder / "summary.json", "cfg": vectors},
        ),
        (
            "retrieval",
            validate_retrieval,
            {"texts": folder / "stories.jsonl", "by_layer": folder / "retrieval.csv", "cfg": checks,
             "growth": folder / "growth.csv", "confusion": folder / "confusion.csv", "summary": folder / "retrieval.json"},
        ),
    ):  # fmt: skip
        began = time.perf_counter()
        work.main(**given, **more)
        spent[name] = time.perf_counter() - began
    return spent


def geometry(folder: Path, width: int, n_layers: int) -> float:
    """Seconds of the geometry of all layers."""
    rng = np.random.default_rng(2)
    concepts = [f"c{c:03d}" for c in range(N_CONCEPTS)]
    plane_CX = rng.standard_normal((N_CONCEPTS, 2))
    vectors_LCD = rng.standard_normal((n_layers, N_CONCEPTS, width), np.float32)
    vectors_LCD += plane_CX.astype(np.float32) @ rng.standard_normal((2, width), np.float32)
    layers = list(range(n_layers))
    save_vectors(
        folder / "all.safetensors",
        EmotionVectors(
            vectors_LCD, vectors_LCD, concepts, layers, "synthetic", "1", dict.fromkeys(layers, 1.0)
        ),
    )
    pd.DataFrame(
        {"emotion": concepts, "valence": plane_CX[:, 0], "arousal": plane_CX[:, 1], "match": "exact"}
    ).to_csv(folder / "ratings.csv", index=False)
    outputs = ("components", "regression", "similarity", "plane", "clusters", "layers", "summary")
    began = time.perf_counter()
    describe_geometry.main(
        folder / "all.safetensors", folder / "ratings.csv", [], [], *(folder / f"{name}.out" for name in outputs),
        cfg=Config().validation.model_dump(),
    )  # fmt: skip
    return time.perf_counter() - began


def main() -> None:
    """Measure, and print seconds by stage, the extrapolated whole, and peak memory."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--stories", type=int, default=205_200)
    parser.add_argument("--width", type=int, default=5120)
    parser.add_argument("--layers", type=int, default=60)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_layers(folder, asked.stories, asked.width, MORE)
        write_neutral(folder / "neutral", asked.width, MORE)
        few, more = (by_layer(folder, asked.width, n) for n in (FEW, MORE))
        shape = geometry(folder, asked.width, asked.layers)
    words = counting_words(asked.stories)
    whole = shape + words
    for name in few:
        a_layer = (more[name] - few[name]) / (MORE - FEW)
        once = max(0.0, few[name] - FEW * a_layer)
        whole += once + asked.layers * a_layer
        print(f"{name:25} {a_layer:6.2f} s a layer, {once:6.2f} s once")
    print(f"{'counting words':25} {words:6.2f} s once")
    print(f"{'geometry':25} {shape:6.2f} s, all {asked.layers} layers")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    print(
        f"{asked.layers} layers, extrapolated: {whole / 60:.1f} min on {THREADS} threads; peak memory {peak:.1f} GB"
    )


if __name__ == "__main__":
    main()
