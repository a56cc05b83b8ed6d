"""Row 16, deflection: vectors of an emotion that is there and not shown.

Reads the residual streams of the replies, their texts and the stories' vectors; writes a summary for each format
(JSON) and a line a concept (CSV).
"""

from pathlib import Path

from emotion_concepts.deflection import deflection_summary
from emotion_concepts.dialogue_files import (
    by_format,
    described,
    read_places_at,
    rows_of_formats,
    vectors_at,
    write_formats,
)
from emotion_concepts.entry import run_script


def main(
    layers: Path, texts: Path, geometry: Path, vectors: Path, summary: Path, table: Path, *, cfg: dict
) -> None:
    """Analyse with `cfg`: permutations, bootstraps, seed."""
    layer = described(geometry)
    places, value_UD = read_places_at(layers, texts, layer, "true_emotion", "shown_emotion", "topic")
    known = vectors_at(vectors, layer)
    found = by_format(
        rows_of_formats(places),
        lambda rows: deflection_summary(
            places.iloc[rows].reset_index(drop=True), value_UD[rows], known, **cfg
        ),
    )
    write_formats(summary, table, layer, found)


if __name__ == "__main__":
    run_script(main, globals())
