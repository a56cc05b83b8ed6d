"""Row 11, negation: from which layer on a negated concept is read as negated.

Reads the experiment's residual streams and texts, and the vectors; writes a summary for each
format (JSON) and the table behind the figure (CSV).
"""

from pathlib import Path

from emotion_concepts.entry import run_script
from emotion_concepts.positions import negation_summary
from emotion_concepts.reading import formats_of, read_scores, summarise_formats, write_findings


def main(
    layers: Path, texts: Path, vectors: Path, summary: Path, table: Path, *, cfg: dict
) -> None:  # fmt: skip
    """Analyse with `cfg`: permutations, bootstraps, seed."""
    scores = read_scores(layers, texts, vectors, seed=cfg["seed"])
    found = summarise_formats(formats_of(scores.places), lambda form: negation_summary(scores, form, **cfg))
    write_findings(summary, table, found)


if __name__ == "__main__":
    run_script(main, globals())
