"""Bring stories that exist already (bundled, or a user's file) into a text set.

Reads JSON lines with emotion, topic, text; writes them sorted, with an id each.
"""

from pathlib import Path

from emotion_concepts.entry import run_script
from emotion_concepts.text_sets import read_stories, write_texts


def main(source: Path, stories: Path, *, cfg: dict) -> None:
    """Keep the stories of `cfg["emotions"]`, or all."""
    write_texts(stories, read_stories(source, cfg["emotions"]))


if __name__ == "__main__":
    run_script(main, globals())
