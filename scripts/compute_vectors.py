"""Emotion vectors of a story set at every layer, raw and denoised, with what they are judged by.

Reads the per-layer activations of the stories and of the neutral dialogues; writes `vectors.safetensors`,
control directions, vectors without each topic, their reliability, and a summary with counts.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from emotion_concepts import cells, reliability
from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json, sha256_of, write_json
from emotion_concepts.ratings import write_table
from emotion_concepts.shards import LayerActivations, leave_one_out_file, read_layer, read_token_covariance
from emotion_concepts.vectors import (
    EmotionVectors,
    centred,
    concept_means,
    leading_components,
    random_directions,
    save_controls,
    save_vectors,
    without_components,
)

# Halvings of the topics behind a split-half cosine.
MAX_SPLITS = 70


def main(
    manifest: Path, layers: Path, neutral: Path, vectors: Path, controls: Path, left_out: Path, reliable: Path,
    summary: Path, *, cfg: dict,
) -> None:  # fmt: skip
    """Vectors with `cfg`, the `vectors` section."""
    about = read_json(manifest)
    width, seed = about["width"], cfg["seed"]
    raw, denoised, shuffled, orthogonal, norms, removed, tables = [], [], [], [], {}, [], []
    with leave_one_out_file(left_out) as keep:
        for layer in range(about["n_layers"]):
            stories = read_layer(layers, layer)
            concepts = sorted(set(stories.emotion.tolist()))
            vector_CD = centred(concept_means(stories.mean, stories.emotion, concepts))
            components = leading_components(read_token_covariance(neutral, layer), cfg["denoise_variance"])
            raw.append(vector_CD.astype(np.float32))
            denoised.append(without_components(vector_CD, components).astype(np.float32))
            labels = reliability.shuffled_labels(stories.emotion, stories.topic, seed)
            shuffled.append(centred(concept_means(stories.mean, labels, concepts)).astype(np.float32))
            orthogonal.append(reliability.orthogonal_directions(vector_CD, cfg["control_directions"], seed))
            norms[layer] = float(stories.norm.mean(dtype=np.float64))
            removed.append(len(components))
            groups = cells.topic_groups(stories.topic, seed)
            sums, counts = cells.cell_sums(stories.mean, stories.emotion, groups)
            keep(layer, np.unique(groups).tolist(), concepts, reliability.leave_one_out(sums, counts))
            tables.append(reliability_table(layer, stories, concepts, sums, counts, cfg))
    write_table(reliable, pd.concat(tables))
    save_controls(
        controls,
        np.stack(shuffled),
        random_directions(cfg["control_directions"], width, seed),
        np.stack(orthogonal),
    )
    save_vectors(
        vectors,
        EmotionVectors(
            np.stack(raw),
            np.stack(denoised),
            concepts,
            list(norms),
            about["source"],
            about["revision"],
            norms,
        ),
    )
    counts = {concept: int((stories.emotion == concept).sum()) for concept in concepts}
    found = {"stories": counts, "dropped": about["dropped"], "components_removed": removed}
    write_json(summary, {**found, "residual_norm": list(norms.values()), "sha256": sha256_of(vectors)})


def reliability_table(
    layer: int,
    stories: LayerActivations,
    concepts: list[str],
    sums: np.ndarray,
    counts: np.ndarray,
    cfg: dict,
) -> pd.DataFrame:
    """A line a concept: counts, length and norm of its stories, and how far its vector stays the same."""
    halves = cells.topic_halves(len(counts), MAX_SPLITS, cfg["seed"])
    mean, low = reliability.bootstrap_cosine(
        sums, counts, samples=cfg["reliability_samples"], seed=cfg["seed"]
    )
    members = [stories.emotion == concept for concept in concepts]
    return pd.DataFrame(
        {
            "layer": layer,
            "concept": concepts,
            "n_stories": [m.sum() for m in members],
            "n_topics": (counts > 0).sum(0),
            "n_tokens": [stories.n_tokens[m].mean() for m in members],
            "log_tokens": [np.log(stories.n_tokens[m]).mean() for m in members],
            "norm": [stories.norm[m].mean() for m in members],
            "split_half": reliability.split_half(sums, counts, halves) if len(counts) > 1 else np.nan,
            "bootstrap": mean,
            "bootstrap_low": low,
        }
    )


if __name__ == "__main__":
    run_script(main, globals())
