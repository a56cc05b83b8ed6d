"""Lay out an experiment's text set: read what is kept under resources/text_sets, write every text of it."""

from pathlib import Path

from emotion_concepts.entry import run_script
from emotion_concepts.experiment_texts import experiment_texts
from emotion_concepts.text_sets import write_texts


def main(source: Path, texts: Path) -> None:
    """The experiment is named by the file that is written."""
    write_texts(texts, experiment_texts(texts.stem, source))


if __name__ == "__main__":
    run_script(main, globals())
