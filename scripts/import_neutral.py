"""Bring the neutral dialogues into a text set, written out as plain turns."""

from pathlib import Path

from emotion_concepts.entry import run_script
from emotion_concepts.text_sets import every_nth, read_texts, write_texts


def main(source: Path, texts: Path, *, cfg: dict) -> None:
    """Keep `cfg["limit"]` dialogues, spread over the set, or all."""
    write_texts(texts, every_nth(read_texts(source), cfg["limit"]))


if __name__ == "__main__":
    run_script(main, globals())
