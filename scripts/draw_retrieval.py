"""Draw how well concepts are found again: by layer, by number of topics, and how reliable their vectors are."""

from pathlib import Path

import pandas as pd

from emotion_concepts.entry import run_script
from emotion_concepts.figures import validation as figures
from emotion_concepts.figures.canvas import saved_figure
from emotion_concepts.files import read_json


def main(
    by_layer: Path, growth: Path, summary: Path, reliability: Path, svg: list[Path], png: list[Path]
) -> None:
    """Draw three figures, in the order of the rule's outputs."""
    found, pairs = read_json(summary), iter(zip(svg, png, strict=True))
    with saved_figure(*next(pairs), width=6.4, height=3.6) as axes:
        figures.draw_retrieval(axes, pd.read_csv(by_layer), found)
    with saved_figure(*next(pairs), width=6.4, height=3.6) as axes:
        figures.draw_growth(axes, pd.read_csv(growth), found)
    with saved_figure(*next(pairs), width=6.4, height=3.6) as axes:
        figures.draw_reliability(axes, pd.read_csv(reliability))


if __name__ == "__main__":
    run_script(main, globals())
