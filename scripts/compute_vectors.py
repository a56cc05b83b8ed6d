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
from emotion_concepts.shards import leave_one_out_file, read_layer, read_token_covariance
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


def main(
    manifest: Path, layers: Path, neutral: Path, vectors: Path, controls: Path, left_out: Path, reliable: Path,
    summary: Path, *, cfg: dict,
) -> None:  # fmt: skip
    """Vectors with `cfg`, the `vectors` section."""
    about = read_json(manifest)
    width, seed = about["width"], cfg["seed"]
    raw, denoised, shuffled, orthogonal, norms, removed, tables = [], [], [], [], {}, [], []
    # Which story a row is of is the same in every layer; the first one's values are not held on to.
    first = read_layer(layers, 0)
    emotions, topics = first.emotion, first.topic
    del first
    concepts = sorted(set(emotions.tolist()))
    labels = reliability.shuffled_labels(emotions, topics, seed)
    groups = cells.topic_groups(topics, seed)
    with leave_one_out_file(left_out) as keep:
        for layer in range(about["n_layers"]):
            stories = read_layer(layers, layer)
            vector_CD = centred(concept_means(stories.mean, emotions, concepts))
            components = leading_components(read_token_covariance(neutral, layer), cfg["denoise_variance"])
            raw.append(vector_CD.astype(np.float32))
            denoised.append(without_components(vector_CD, components).astype(np.float32))
            shuffled.append(centred(concept_means(stories.mean, labels, concepts)).astype(np.float32))
            orthogonal.append(reliability.orthogonal_directions(vector_CD, cfg["control_directions"], seed))
            norms[layer] = float(stories.norm.mean(dtype=np.float64))
            removed.append(len(components))
            sums, counts = cells.cell_sums(stories.mean, emotions, groups)
            keep(layer, np.unique(groups).tolist(), concepts, reliability.leave_one_out(sums, counts))
            table = reliability.reliability_table(
                emotions, stories.n_tokens, stories.norm, sums, counts, samples=cfg["reliability_samples"], seed=seed
            )  # fmt: skip
            table.insert(0, "layer", layer)
            tables.append(table)
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
    stories_of = {concept: int((emotions == concept).sum()) for concept in concepts}
    found = {"stories": stories_of, "dropped": about["dropped"], "components_removed": removed}
    write_json(summary, {**found, "residual_norm": list(norms.values()), "sha256": sha256_of(vectors)})


if __name__ == "__main__":
    run_script(main, globals())
