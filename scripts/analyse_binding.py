"""Row 12, persons: whether a person's own concept is read where the person is mentioned again.

Reads the experiment's residual streams and texts, the vectors and vectors of shuffled labels; writes a summary for
each format (JSON) and the table behind the figure (CSV).
"""

from pathlib import Path

from emotion_concepts.entry import run_script
from emotion_concepts.positions import binding_summary
from emotion_concepts.reading import formats_of, read_scores, summarise_formats, write_findings


def main(
    layers: Path, texts: Path, vectors: Path, controls: list[Path], summary: Path, table: Path, *, cfg: dict
) -> None:  # fmt: skip
    """Analyse with `cfg`: permutations, bootstraps, seed."""
    scores = read_scores(layers, texts, vectors, shuffled=controls, seed=cfg["seed"])
    found = summarise_formats(formats_of(scores.places), lambda form: binding_summary(scores, form, **cfg))
    write_findings(summary, table, found)


if __name__ == "__main__":
    run_script(main, globals())
