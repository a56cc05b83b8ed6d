"""How far the vectors of several models, made from one story set, lie alike.

Reads the vectors of every model; writes a table (CSV).
"""

from pathlib import Path

from emotion_concepts.comparison import set_agreement
from emotion_concepts.entry import run_script
from emotion_concepts.ratings import write_table
from emotion_concepts.vectors import load_vectors


def main(vectors: list[Path], agreement: Path, *, cfg: dict) -> None:
    """Compare the models `cfg["names"]`, whose vectors are given in that order."""
    known = dict(zip(cfg["names"], map(load_vectors, vectors), strict=True))
    write_table(agreement, set_agreement(known, seed=cfg["seed"]))


if __name__ == "__main__":
    run_script(main, globals())
