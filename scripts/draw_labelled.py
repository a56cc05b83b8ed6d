"""Draw how well each label's texts are found by its concepts' vectors, beside the controls."""

from pathlib import Path

import pandas as pd

from emotion_concepts.entry import run_script
from emotion_concepts.figures.canvas import saved_figure
from emotion_concepts.figures.sweep import draw_labels


def main(scores: Path, svg: Path, png: Path) -> None:
    """One panel: a row for each label."""
    table = pd.read_csv(scores)
    with saved_figure(svg, png, width=6.4, height=1.2 + 0.2 * len(table)) as axes:
        draw_labels(axes, table)


if __name__ == "__main__":
    run_script(main, globals())
