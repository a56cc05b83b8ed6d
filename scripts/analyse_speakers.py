"""Row 15, speakers: vectors of the present and of the other speaker's emotion.

Reads the residual streams of the messages, their texts, the stories' vectors and the ratings; writes a summary for
each format, the scripts of two named people among them (JSON), and a line a concept (CSV).
"""

from pathlib import Path

import pandas as pd

from emotion_concepts.dialogue_files import (
    by_format,
    described,
    read_places_at,
    rows_of_formats,
    vectors_at,
    write_formats,
)
from emotion_concepts.entry import run_script
from emotion_concepts.speakers import message_table, speakers_summary


def main(
    layers: Path, texts: Path, geometry: Path, vectors: Path, ratings: Path, summary: Path, table: Path, *, cfg: dict
) -> None:  # fmt: skip
    """Analyse with `cfg`: permutations, bootstraps, seed."""
    layer = described(geometry)
    places, value_UD = read_places_at(layers, texts, layer, "first_emotion", "second_emotion", "topic")
    messages, known, rated = message_table(places), vectors_at(vectors, layer), pd.read_csv(ratings)
    found = by_format(
        rows_of_formats(messages),
        lambda rows: speakers_summary(
            messages.iloc[rows].reset_index(drop=True), value_UD[messages.index[rows]], known, rated, **cfg
        ),
    )
    write_formats(summary, table, layer, found)


if __name__ == "__main__":
    run_script(main, globals())
