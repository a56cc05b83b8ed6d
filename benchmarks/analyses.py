"""How long the CPU analyses take at the paper's scale, from one layer that is measured.

    .venv/bin/python benchmarks/analyses.py [--stories 205200] [--width 5120] [--layers 60]

Makes activations of one layer (171 concepts, 100 topics, half size as `recording: {storage: float16}` keeps
them), runs all that vectors, reliability and retrieval do with a layer, and multiplies by the number of
layers: an extrapolation, for every layer is worked on by itself. Peak memory is this process's own.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from emotion_concepts import cells, reliability, retrieval
from emotion_concepts.shards import layer_path, read_layer
from emotion_concepts.validation import _label_orders, _shuffled_shares
from emotion_concepts.vectors import centred, concept_means, leading_components

N_CONCEPTS, N_TOPICS = 171, 100


def write_synthetic_layer(folder: Path, n_stories: int, width: int) -> None:
    """One layer of random activations with a direction for each concept."""
    rng = np.random.default_rng(0)
    concept, topic = np.arange(n_stories) % N_CONCEPTS, np.arange(n_stories) // N_CONCEPTS % N_TOPICS
    directions = rng.standard_normal((N_CONCEPTS, width), np.float32)
    text = h5py.string_dtype()
    with h5py.File(layer_path(folder, 0), "w") as file:
        file.create_dataset("id", data=[f"s{i:06d}" for i in range(n_stories)], dtype=text)
        file.create_dataset("emotion", data=[f"c{c:03d}" for c in concept], dtype=text)
        file.create_dataset("topic", data=[f"t{t:03d}" for t in topic], dtype=text)
        mean = file.create_dataset(
            "mean", (n_stories, width), "f2", chunks=(max(1, (1 << 19) // width), width)
        )
        for start in range(0, n_stories, 4096):
            rows = concept[start : start + 4096]
            noise = rng.standard_normal((len(rows), width), np.float32)
            mean[start : start + 4096] = (noise + 0.3 * directions[rows]).astype(np.float16)
        file["scale"], file["norm"] = (
            np.ones(n_stories, np.float32),
            np.full(n_stories, width**0.5, np.float32),
        )
        file["n_tokens"] = np.full(n_stories, 150, np.int32)


def timed(name: str, work: Callable[[], object], spent: dict[str, float]) -> object:
    """Run a step and keep its seconds."""
    began = time.perf_counter()
    result = work()
    spent[name] = time.perf_counter() - began
    return result


def one_layer(folder: Path, covariance: np.ndarray, spent: dict[str, float]) -> None:
    """All that is done with a layer's activations."""
    layer = timed("read", lambda: read_layer(folder, 0), spent)
    names = sorted(set(layer.emotion.tolist()))
    topics = cells.topic_groups(layer.topic, 1)
    halves = cells.topic_halves(len(np.unique(topics)), 70, 1)
    timed("vectors", lambda: centred(concept_means(layer.mean, layer.emotion, names)), spent)
    labels = reliability.shuffled_labels(layer.emotion, layer.topic, 1)
    timed("vectors of shuffled labels", lambda: centred(concept_means(layer.mean, labels, names)), spent)
    timed("neutral components", lambda: leading_components(covariance, 0.5), spent)
    sums, counts = timed(
        "sums by topic and concept", lambda: cells.cell_sums(layer.mean, layer.emotion, topics), spent
    )
    timed("without each topic", lambda: reliability.leave_one_out(sums, counts), spent)
    timed("split halves", lambda: reliability.split_half(sums, counts, halves), spent)
    timed("bootstrap", lambda: reliability.bootstrap_cosine(sums, counts, samples=100, seed=1), spent)
    gram, counts = timed("gram", lambda: retrieval.topic_gram(layer.mean, layer.emotion, topics), spent)
    timed("retrieval", lambda: retrieval.retrieval_ranks(gram, counts, halves), spent)
    timed("single stories", lambda: retrieval.story_hits(layer.mean, layer.emotion, topics, halves), spent)
    orders = _label_orders(49, len(counts), len(names), 1)
    timed("49 shuffles", lambda: _shuffled_shares(gram.astype(np.float32), counts, orders, halves), spent)


def main() -> None:
    """Measure a layer and print seconds by step, the extrapolated whole, and peak memory."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--stories", type=int, default=205_200)
    parser.add_argument("--width", type=int, default=5120)
    parser.add_argument("--layers", type=int, default=60)
    asked = parser.parse_args()
    # A neutral covariance whose leading directions hold most of the variance, as those of real models do.
    rng = np.random.default_rng(1)
    basis = np.linalg.qr(rng.standard_normal((asked.width, 64)))[0]
    covariance = (basis * 100 / np.arange(1, 65)) @ basis.T + 0.01 * np.eye(asked.width)
    spent: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        write_synthetic_layer(Path(folder), asked.stories, asked.width)
        one_layer(Path(folder), covariance, spent)
    for name, seconds in spent.items():
        print(f"{name:30} {seconds:7.2f} s")
    a_layer = sum(spent.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    print(f"one layer {a_layer:.1f} s; {asked.layers} layers, extrapolated: {a_layer * asked.layers / 60:.1f} min; "
          f"peak memory {peak:.1f} GB")  # fmt: skip
    words = [f"w{i}" for i in range(20_000)]
    texts = [" ".join(rng.choice(words, 110)) for _ in range(4000)]
    began = time.perf_counter()
    TfidfVectorizer(sublinear_tf=True).fit_transform(texts)
    print(f"counting words of {len(texts)} stories: {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
