"""Row 10, context: how far a word changes what is read at the same words after it, by layer.

Reads the experiment's residual streams and texts, and the vectors; writes a summary for each
format (JSON) and the table behind the figure (CSV).
"""

from pathlib import Path

from emotion_concepts.entry import run_script
from emotion_concepts.positions import context_summary
from emotion_concepts.reading import formats_of, read_scores, summarise_formats, write_findings


def main(
    layers: Path, texts: Path, vectors: Path, summary: Path, table: Path, *, cfg: dict
) -> None:  # fmt: skip
    """Analyse with `cfg`: permutations, bootstraps, seed."""
    scores = read_scores(layers, texts, vectors, seed=cfg["seed"])
    found = summarise_formats(formats_of(scores.places), lambda form: context_summary(scores, form, **cfg))
    write_findings(summary, table, found)


if __name__ == "__main__":
    run_script(main, globals())
