"""Row 4, numbers: whether scores follow what a number means, not that it is there.

Reads the experiment's residual streams and texts, the vectors and the layer that the geometry is described at; writes a
summary for each format (JSON) and the table behind the figure (CSV).
"""

from pathlib import Path

from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json
from emotion_concepts.messages import numbers_summary
from emotion_concepts.reading import formats_of, read_scores, summarise_formats, write_findings


def main(
    layers: Path, texts: Path, vectors: Path, geometry: Path, summary: Path, table: Path, *, cfg: dict
) -> None:  # fmt: skip
    """Analyse with `cfg`: permutations, bootstraps, seed."""
    scores = read_scores(
        layers, texts, vectors, layer=read_json(geometry)["layer"], directions=["random"], seed=cfg["seed"]
    )
    found = summarise_formats(formats_of(scores.places), lambda form: numbers_summary(scores, form, 0, **cfg))
    write_findings(summary, table, found)


if __name__ == "__main__":
    run_script(main, globals())
