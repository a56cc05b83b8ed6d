"""Row 14, states: whether a stated emotion is still read in a reply, by what the dialogue is about.

Reads the residual streams of the replies, their texts, and those of the stories where they were recorded here;
writes a summary for each format (JSON) and the accuracies behind the figure (CSV).
"""

from pathlib import Path

from emotion_concepts.dialogue_files import (
    by_format,
    described,
    read_places_at,
    replies_of,
    rows_of_formats,
    stories_at,
    write_formats,
)
from emotion_concepts.entry import run_script
from emotion_concepts.states import SHUFFLES, states_summary


def main(
    layers: Path, texts: Path, geometry: Path, stories: list[Path], summary: Path, table: Path, *, cfg: dict
) -> None:
    """Analyse with `cfg`: permutations, bootstraps, seed; `stories` has the folder of their layers, or nothing."""
    layer = described(geometry)
    places, value_UD = read_places_at(layers, texts, layer, "emotion", "condition", "topic")
    said, told = replies_of(texts), None
    if stories:
        told = stories_at(stories[0], layer, set(places["emotion"]))
    found = by_format(
        rows_of_formats(places),
        lambda rows: states_summary(
            places.iloc[rows].reset_index(drop=True), value_UD[rows], [said[text] for text in places["text"].iloc[rows]],
            told, shuffles=SHUFFLES, **cfg,
        ),
    )  # fmt: skip
    write_formats(summary, table, layer, found)


if __name__ == "__main__":
    run_script(main, globals())
