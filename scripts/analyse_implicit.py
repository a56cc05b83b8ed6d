"""Row 3, implicit emotion: which concept is read before the reply to a message that does not name it.

Reads the experiment's residual streams and texts, the vectors, and the stories that they were made of, for word
counts; writes a summary for each format (JSON) and the table behind the figure (CSV).
"""

from pathlib import Path

from emotion_concepts.entry import run_script
from emotion_concepts.messages import implicit_summary, word_scores
from emotion_concepts.reading import formats_of, read_scores, summarise_formats, write_findings
from emotion_concepts.text_sets import read_texts


def main(
    layers: Path, texts: Path, vectors: Path, controls: list[Path], stories: list[Path], summary: Path, table: Path, *,
    cfg: dict,
) -> None:  # fmt: skip
    """Analyse with `cfg`: permutations, bootstraps, seed; there are no stories of imported vectors."""
    scores = read_scores(layers, texts, vectors, shuffled=controls, directions=["random"], seed=cfg["seed"])
    words = word_scores(read_texts(texts), read_texts(stories[0])) if stories else None
    found = summarise_formats(
        formats_of(scores.places), lambda form: implicit_summary(scores, form, words, **cfg)
    )
    write_findings(summary, table, found)


if __name__ == "__main__":
    run_script(main, globals())
