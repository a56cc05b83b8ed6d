"""Draw how the story set moves what is found: retrieval, valence and agreement, by layer."""

from pathlib import Path

import pandas as pd

from emotion_concepts.entry import run_script
from emotion_concepts.figures.canvas import saved_panels
from emotion_concepts.figures.comparison import draw_agreement, draw_by_set


def main(
    retrieval: list[Path], regression: list[Path], agreement: Path, svg: Path, png: Path, *, cfg: dict
) -> None:
    """Three panels; the sets `cfg["story_sets"]`, whose tables are given in that order."""
    names = cfg["story_sets"]
    with saved_panels(svg, png, width=11, height=3.6, count=3) as (left, middle, right):
        tables = dict(zip(names, map(pd.read_csv, retrieval), strict=True))
        draw_by_set(left, tables, "top1", "concepts found again on held-out topics")
        tables = dict(zip(names, map(pd.read_csv, regression), strict=True))
        draw_by_set(middle, tables, "valence_r", "r, human valence and prediction (word held out)")
        draw_agreement(right, pd.read_csv(agreement))


if __name__ == "__main__":
    run_script(main, globals())
