"""Row 9, turns: the user's turn, the place before the reply, and the reply.

Reads the experiment's residual streams and texts, the vectors and the layer that the geometry is described at; writes a
summary for each format (JSON) and the table behind the figure (CSV).
"""

from pathlib import Path

from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json
from emotion_concepts.positions import turns_summary
from emotion_concepts.reading import formats_of, read_scores, summarise_formats, write_findings


def main(
    layers: Path, texts: Path, vectors: Path, geometry: Path, summary: Path, table: Path, *, cfg: dict
) -> None:  # fmt: skip
    """Analyse with `cfg`: permutations, bootstraps, seed."""
    scores = read_scores(layers, texts, vectors, directions=["random", "orthogonal"], seed=cfg["seed"])
    at = scores.layers.index(read_json(geometry)["layer"])
    found = summarise_formats(formats_of(scores.places), lambda form: turns_summary(scores, form, at, **cfg))
    write_findings(summary, table, found)


if __name__ == "__main__":
    run_script(main, globals())
