"""Emotion vectors of a story set at every layer, raw and denoised, with what they are judged by.

Reads the sums of the stories' activations and the neutral dialogues' token moments; writes `vectors.safetensors`,
control directions, vectors without each topic, their reliability, and a summary with counts.
"""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from emotion_concepts import reliability
from emotion_concepts.cells import all_vectors, shuffled_cells
from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json, sha256_of, write_json, written_whole
from emotion_concepts.layers import work_by_layer
from emotion_concepts.ratings import write_table
from emotion_concepts.shards import read_labels, read_norms, read_token_covariance
from emotion_concepts.story_sums import read_sums
from emotion_concepts.vectors import (
    EmotionVectors,
    leading_components,
    random_directions,
    save_controls,
    save_vectors,
    without_components,
)


def main(
    manifest: Path, layers: Path, sums: Path, neutral: Path, vectors: Path, controls: Path, left_out: Path,
    reliable: Path, summary: Path, *, cfg: dict, threads: int = 2,
) -> None:  # fmt: skip
    """Vectors with `cfg`, the `vectors` section."""
    about, known, labels = read_json(manifest), read_sums(sums), read_labels(layers)
    width, seed, samples = about["width"], cfg["seed"], cfg["reliability_samples"]

    def one_layer(layer: int) -> tuple:
        cells, norm_N = known.cells(layer), read_norms(layers, layer)
        vector_CD = all_vectors(cells)
        components_KD = leading_components(read_token_covariance(neutral, layer), cfg["denoise_variance"])
        return (
            vector_CD.astype(np.float32),
            without_components(vector_CD, components_KD).astype(np.float32),
            all_vectors(shuffled_cells(cells, seed)).astype(np.float32),
            reliability.orthogonal_directions(vector_CD, cfg["control_directions"], seed).astype(np.float32),
            reliability.leave_one_out(cells).astype(np.float32),
            reliability.reliability_table(labels.assign(norm=norm_N), cells, samples=samples, seed=seed),
            float(norm_N.mean(dtype=np.float64)),
            len(components_KD),
        )

    raw, denoised, shuffled, orthogonal, tables, norms, removed = [], [], [], [], [], {}, []
    with written_whole(left_out) as temporary, h5py.File(temporary, "w") as file:
        for name, values in (("topics", known.topics), ("concepts", known.concepts)):
            file.create_dataset(name, data=values, dtype=h5py.string_dtype())
        for layer, found in enumerate(work_by_layer(one_layer, about["n_layers"], threads)):
            raw_CD, denoised_CD, shuffled_CD, orthogonal_KD, without_PCD, table, norm, count = found
            raw.append(raw_CD)
            denoised.append(denoised_CD)
            shuffled.append(shuffled_CD)
            orthogonal.append(orthogonal_KD)
            file[f"layer_{layer:02d}"] = without_PCD
            table.insert(0, "layer", layer)
            tables.append(table)
            norms[layer] = norm
            removed.append(count)
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
            known.concepts,
            list(norms),
            about["source"],
            about["revision"],
            norms,
        ),
    )
    stories_of = dict(zip(known.concepts, known.counts_PC.sum(0).tolist(), strict=True))
    found = {"stories": stories_of, "dropped": about["dropped"], "components_removed": removed}
    write_json(summary, {**found, "residual_norm": list(norms.values()), "sha256": sha256_of(vectors)})


if __name__ == "__main__":
    run_script(main, globals())
