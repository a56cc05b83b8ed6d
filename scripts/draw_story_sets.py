"""Draw how the story set moves what is found: retrieval, valence and agreement, by layer."""

from pathlib import Path

import pandas as pd

from emotion_concepts.entry import run_script
from emotion_concepts.figures.canvas import saved_panels
from emotion_concepts.figures.comparison import draw_agreement, draw_by_set, draw_likeness, draw_procrustes


def main(
    retrieval: list[Path],
    regression: list[Path],
    agreement: Path,
    svg: list[Path],
    png: list[Path],
    *,
    cfg: dict,
) -> None:
    """Two figures, of what each set gives and of how far they agree; sets `cfg["names"]`, in that order."""
    names, pairs, table = cfg["names"], iter(zip(svg, png, strict=True)), pd.read_csv(agreement)
    with saved_panels(*next(pairs), width=11, height=3.6, count=3) as (left, middle, right):
        tables = dict(zip(names, map(pd.read_csv, retrieval), strict=True))
        draw_by_set(left, tables, "top1", "concepts found again on held-out topics")
        tables = dict(zip(names, map(pd.read_csv, regression), strict=True))
        draw_by_set(middle, tables, "valence_r", "r, human valence and prediction (word held out)")
        draw_agreement(right, table)
    with saved_panels(*next(pairs), width=9.6, height=3.8, count=2) as (left, right):
        draw_likeness(left, table)
        draw_procrustes(right, table)


if __name__ == "__main__":
    run_script(main, globals())
