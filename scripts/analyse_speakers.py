"""Row 15, speakers: vectors of the present and of the other speaker's emotion.

Reads the residual streams of the messages, their texts, the stories' vectors and the ratings; writes a summary for
each format, the scripts of two named people among them (JSON), and a line a concept (CSV).
"""

from pathlib import Path

import pandas as pd

from emotion_concepts.dialogue_files import read_places_at, vectors_at
from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json
from emotion_concepts.reading import Summarised, formats_of, summarise_formats, write_findings
from emotion_concepts.speakers import message_table, speakers_summary


def main(
    layers: Path, texts: Path, geometry: Path, vectors: Path, ratings: Path, summary: Path, table: Path, *, cfg: dict
) -> None:  # fmt: skip
    """Analyse with `cfg`: permutations, bootstraps, seed."""
    layer = read_json(geometry)["layer"]
    places, value_UD = read_places_at(layers, texts, layer, "first_emotion", "second_emotion", "topic")
    messages, known, rated = message_table(places), vectors_at(vectors, layer), pd.read_csv(ratings)

    def summarise(form: str) -> Summarised:
        of_format = messages[messages["format"] == form]
        values = value_UD[of_format.index]
        return speakers_summary(of_format.reset_index(drop=True), values, known, rated, **cfg)

    write_findings(summary, table, summarise_formats(formats_of(messages), summarise), layer)


if __name__ == "__main__":
    run_script(main, globals())
