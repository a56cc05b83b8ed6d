"""Draw how alike several models' vectors lie, by layer."""

from pathlib import Path

import pandas as pd

from emotion_concepts.entry import run_script
from emotion_concepts.figures.canvas import saved_panels
from emotion_concepts.figures.comparison import draw_likeness, draw_procrustes


def main(agreement: Path, svg: Path, png: Path) -> None:
    """Two panels: likeness of the cosines, and of the leading components turned onto each other."""
    table = pd.read_csv(agreement)
    with saved_panels(svg, png, width=9.6, height=3.8, count=2) as (left, right):
        draw_likeness(left, table)
        draw_procrustes(right, table)


if __name__ == "__main__":
    run_script(main, globals())
