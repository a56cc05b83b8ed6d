"""Draw how often each concept's own words stand in the top snippets of its vector, beside the controls."""

from pathlib import Path

import pandas as pd

from emotion_concepts.entry import run_script
from emotion_concepts.figures.canvas import saved_figure
from emotion_concepts.figures.sweep import draw_own_words
from emotion_concepts.files import read_json


def main(rates: Path, summary: Path, svg: Path, png: Path) -> None:
    """One panel: a dot for each concept."""
    with saved_figure(svg, png, width=6.4, height=4.8) as axes:
        draw_own_words(axes, pd.read_csv(rates), read_json(summary))


if __name__ == "__main__":
    run_script(main, globals())
