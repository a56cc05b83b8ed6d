"""Draw how many vectors read as their concept's own words, by layer, with its controls."""

from pathlib import Path

import pandas as pd

from emotion_concepts.entry import run_script
from emotion_concepts.figures.canvas import saved_figure
from emotion_concepts.figures.lens import draw_shares
from emotion_concepts.files import read_json


def main(scores: Path, summary: Path, svg: Path, png: Path) -> None:
    """One panel: the share by layer, beside random directions and shuffled labels."""
    with saved_figure(svg, png, width=6.4, height=3.6) as axes:
        draw_shares(axes, pd.read_csv(scores), read_json(summary))


if __name__ == "__main__":
    run_script(main, globals())
