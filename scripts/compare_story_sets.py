"""How far the vectors of a model's story sets agree, at each layer.

Reads the vectors of every set; writes a table (CSV), and the cosine of each concept's vectors (CSV).
"""

from pathlib import Path

from emotion_concepts.comparison import concept_cosines, set_agreement
from emotion_concepts.entry import run_script
from emotion_concepts.ratings import write_table
from emotion_concepts.vectors import load_vectors


def main(vectors: list[Path], agreement: Path, concepts: Path, *, cfg: dict) -> None:
    """Compare the sets `cfg["names"]`, whose vectors are given in that order."""
    known = dict(zip(cfg["names"], map(load_vectors, vectors), strict=True))
    write_table(agreement, set_agreement(known, seed=cfg["seed"]))
    write_table(concepts, concept_cosines(known))


if __name__ == "__main__":
    run_script(main, globals())
