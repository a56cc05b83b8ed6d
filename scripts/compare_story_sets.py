"""How far the vectors of a model's story sets agree, at each layer.

Reads the vectors of every set; writes a table (CSV).
"""

from pathlib import Path

from emotion_concepts.comparison import set_agreement
from emotion_concepts.entry import run_script
from emotion_concepts.ratings import write_table
from emotion_concepts.vectors import load_vectors


def main(vectors: list[Path], agreement: Path, *, cfg: dict) -> None:
    """Compare the sets `cfg["story_sets"]`, whose vectors are given in that order."""
    known = dict(zip(cfg["story_sets"], map(load_vectors, vectors), strict=True))
    write_table(agreement, set_agreement(known))


if __name__ == "__main__":
    run_script(main, globals())
