"""Sums of a story set's activations by topic and concept, at every layer: all that vectors and retrieval need.

Reads the per-layer activations once; writes `sums.h5` and, beside it, its digest.
"""

from pathlib import Path

from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json, sha256_of, write_json
from emotion_concepts.story_sums import write_sums


def main(manifest: Path, layers: Path, sums: Path, digest: Path, *, cfg: dict, threads: int = 2) -> None:
    """Sum up with the `seed` in `cfg`."""
    write_sums(sums, layers, read_json(manifest)["n_layers"], seed=cfg["seed"], threads=threads)
    write_json(digest, {"sha256": sha256_of(sums)})


if __name__ == "__main__":
    run_script(main, globals())
