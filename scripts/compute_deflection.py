"""Deflection vectors: of emotions that are there and not shown, without what they share with the stories' vectors.

Reads the residual streams of the replies at every layer, their texts and the stories' vectors; writes the vectors as
`vectors.safetensors` has them: `raw` as read, `denoised` orthogonalised against the stories' space.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from emotion_concepts.deflection import deflection_vectors
from emotion_concepts.dialogue_files import read_places_at
from emotion_concepts.entry import run_script
from emotion_concepts.vectors import load_vectors, save_vectors


def main(layers: Path, texts: Path, vectors: Path, deflection: Path) -> None:
    """Make them of the replies in plain turns."""
    known = load_vectors(vectors)
    found = []
    for place, layer in enumerate(known.layers):
        places, value_UD = read_places_at(layers, texts, layer, "true_emotion", "shown_emotion", "topic")
        rows = np.flatnonzero(places["format"] == "plain")
        stories = dict(zip(known.concepts, known.denoised_LCD[place], strict=True))
        found.append(deflection_vectors(places.iloc[rows].reset_index(drop=True), value_UD[rows], stories))
    concepts = found[0][0]
    raw, left = (np.stack([of[kind] for of in found]).astype(np.float32) for kind in (1, 2))
    save_vectors(deflection, replace(known, raw_LCD=raw, denoised_LCD=left, concepts=concepts))


if __name__ == "__main__":
    run_script(main, globals())
