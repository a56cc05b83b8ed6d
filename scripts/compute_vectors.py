"""Emotion vectors of a story set, raw and denoised, at every layer.

Reads the per-layer activations of the stories and of the neutral dialogues; writes
`vectors.safetensors` and a summary with counts and what denoising took away.
"""

from pathlib import Path

import numpy as np

from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json, sha256_of, write_json
from emotion_concepts.shards import read_layer, read_token_covariance
from emotion_concepts.vectors import (
    EmotionVectors,
    centred,
    concept_means,
    leading_components,
    save_vectors,
    without_components,
)


def main(manifest: Path, layers: Path, neutral: Path, vectors: Path, summary: Path, *, cfg: dict) -> None:
    """Vectors with `cfg["denoise_variance"]` of the neutral variance projected out."""
    about = read_json(manifest)
    raw, denoised, norms, removed = [], [], {}, []
    for layer in range(about["n_layers"]):
        stories = read_layer(layers, layer)
        concepts = sorted(set(stories.emotion.tolist()))
        vector_CD = centred(concept_means(stories.mean, stories.emotion, concepts))
        components = leading_components(read_token_covariance(neutral, layer), cfg["denoise_variance"])
        raw.append(vector_CD)
        denoised.append(without_components(vector_CD, components))
        norms[layer] = float(stories.norm.mean(dtype=np.float64))
        removed.append(len(components))
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


if __name__ == "__main__":
    run_script(main, globals())
