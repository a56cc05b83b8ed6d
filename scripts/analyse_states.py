"""Row 14, states: whether a stated emotion is still read in a reply, by what the dialogue is about.

Reads the residual streams of the replies, their texts, and those of the stories where they were recorded here;
writes a summary for each format (JSON) and the accuracies behind the figure (CSV).
"""

from pathlib import Path

import numpy as np

from emotion_concepts.dialogue_files import read_places_at, replies_of, stories_at
from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json
from emotion_concepts.reading import Summarised, formats_of, summarise_formats, write_findings
from emotion_concepts.states import SHUFFLES, states_summary


def main(
    layers: Path, texts: Path, geometry: Path, stories: list[Path], summary: Path, table: Path, *, cfg: dict
) -> None:
    """Analyse with `cfg`: permutations, bootstraps, seed; `stories` has the folder of their layers, or nothing."""
    layer = read_json(geometry)["layer"]
    places, value_UD = read_places_at(layers, texts, layer, "emotion", "condition", "topic")
    said, told = replies_of(texts), None
    if stories:
        told = stories_at(stories[0], layer, set(places["emotion"]))

    def summarise(form: str) -> Summarised:
        rows = np.flatnonzero(places["format"] == form)
        of_format = places.iloc[rows].reset_index(drop=True)
        replies = [said[text] for text in of_format["text"]]
        return states_summary(of_format, value_UD[rows], replies, told, shuffles=SHUFFLES, **cfg)

    write_findings(summary, table, summarise_formats(formats_of(places), summarise), layer)


if __name__ == "__main__":
    run_script(main, globals())
