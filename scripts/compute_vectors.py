"""Emotion vectors of a story set at every layer, raw and denoised, with what they are judged by.

Reads the sums of the stories' activations and the neutral dialogues' token moments; writes `vectors.safetensors`,
control directions, vectors without each topic, their reliability, and a summary with counts.
"""

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json, sha256_of, write_json, written_whole
from emotion_concepts.layer_vectors import LayerVectors, layer_vectors
from emotion_concepts.layers import work_by_layer
from emotion_concepts.ratings import write_table
from emotion_concepts.shards import read_labels, read_norms, read_token_covariance
from emotion_concepts.story_sums import read_sums
from emotion_concepts.vectors import EmotionVectors, random_directions, save_controls, save_vectors


def main(
    manifest: Path, layers: Path, sums: Path, neutral: Path, vectors: Path, controls: Path, left_out: Path,
    reliable: Path, summary: Path, *, cfg: dict, threads: int = 2,
) -> None:  # fmt: skip
    """Vectors with `cfg`, the `vectors` section."""
    about, known, labels = read_json(manifest), read_sums(sums), read_labels(layers)

    def one_layer(layer: int) -> LayerVectors:
        stories = labels.assign(norm=read_norms(layers, layer))
        return layer_vectors(known.cells(layer), stories, read_token_covariance(neutral, layer), **cfg)

    found = []
    with written_whole(left_out) as temporary, h5py.File(temporary, "w") as file:
        for name, values in (("topics", known.topics), ("concepts", known.concepts)):
            file.create_dataset(name, data=values, dtype=h5py.string_dtype())
        for layer, made in enumerate(work_by_layer(one_layer, about["n_layers"], threads)):
            file[f"layer_{layer:02d}"] = made.without_PCD
            # Many times the size of all else: written, and not held until the last layer.
            found.append(replace(made, without_PCD=np.empty(0)))
    tables = pd.concat([made.reliability for made in found], keys=range(len(found)), names=["layer", None])
    write_table(reliable, tables.reset_index("layer"))
    save_controls(
        controls,
        np.stack([made.shuffled_CD for made in found]),
        random_directions(cfg["control_directions"], about["width"], cfg["seed"]),
        np.stack([made.orthogonal_KD for made in found]),
    )
    norms = [made.norm for made in found]
    save_vectors(
        vectors,
        EmotionVectors(
            np.stack([made.raw_CD for made in found]),
            np.stack([made.denoised_CD for made in found]),
            known.concepts,
            list(range(len(found))),
            about["source"],
            about["revision"],
            dict(enumerate(norms)),
        ),
    )
    stories_of = dict(zip(known.concepts, known.counts_PC.sum(0).tolist(), strict=True))
    counts = {
        "stories": stories_of,
        "dropped": about["dropped"],
        "components_removed": [made.n_removed for made in found],
    }
    write_json(summary, {**counts, "residual_norm": norms, "sha256": sha256_of(vectors)})


if __name__ == "__main__":
    run_script(main, globals())
