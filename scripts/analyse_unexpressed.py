"""Row 16, deflection: vectors of an emotion that is there and not shown.

Reads the residual streams of the replies, their texts and the stories' vectors; writes a summary for each format
(JSON) and a line a concept (CSV).
"""

from pathlib import Path

import numpy as np

from emotion_concepts.deflection import deflection_summary
from emotion_concepts.dialogue_files import read_places_at, vectors_at
from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json
from emotion_concepts.reading import Summarised, formats_of, summarise_formats, write_findings


def main(
    layers: Path, texts: Path, geometry: Path, vectors: Path, summary: Path, table: Path, *, cfg: dict
) -> None:
    """Analyse with `cfg`: permutations, bootstraps, seed."""
    layer = read_json(geometry)["layer"]
    places, value_UD = read_places_at(layers, texts, layer, "true_emotion", "shown_emotion", "topic")
    known = vectors_at(vectors, layer)

    def summarise(form: str) -> Summarised:
        rows = np.flatnonzero(places["format"] == form)
        return deflection_summary(places.iloc[rows].reset_index(drop=True), value_UD[rows], known, **cfg)

    write_findings(summary, table, summarise_formats(formats_of(places), summarise), layer)


if __name__ == "__main__":
    run_script(main, globals())
