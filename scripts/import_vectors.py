"""Vectors made elsewhere, in the form of this project's own.

Reads what `cfg["path"]` names and, where their model is known, the neutral dialogues' activations, whose
norm is the unit of steering strength; writes `vectors.safetensors` and a summary.
"""

import dataclasses
from pathlib import Path

from emotion_concepts.entry import run_script
from emotion_concepts.files import sha256_of, write_json
from emotion_concepts.shards import read_norms
from emotion_concepts.vector_import import UNKNOWN, read_vectors, save_imported


def main(neutral: list[Path], vectors: Path, summary: Path, *, cfg: dict) -> None:
    """Import `cfg["path"]` with its `concepts` and `layers`, of the model `cfg["model"]`."""
    found = read_vectors(
        Path(cfg["path"]).expanduser(), cfg["concepts"], cfg["layers"], model=cfg["model"] or UNKNOWN
    )
    # A file of this project has the norms that it was made with.
    if neutral and found.revision == UNKNOWN:
        norms = {layer: float(read_norms(neutral[0], layer).mean()) for layer in found.layers}
        found = dataclasses.replace(found, residual_norm=norms)
    save_imported(vectors, found)
    about = {"path": cfg["path"], "layers": found.layers, "width": found.raw_LCD.shape[-1]}
    write_json(summary, {**about, "concepts": found.concepts, "sha256": sha256_of(vectors)})


if __name__ == "__main__":
    run_script(main, globals())
