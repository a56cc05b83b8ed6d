"""Draw what steering does to conduct: what a model would say, by dose, and how often it said it (rows 16 to 19)."""

from pathlib import Path

import pandas as pd

from emotion_concepts.entry import run_script
from emotion_concepts.figures.canvas import saved_panels
from emotion_concepts.figures.conduct import draw_effects, draw_rates


def main(effects: Path, rates: Path, svg: list[Path], png: list[Path]) -> None:
    """A figure a measure, named by it."""
    graded, counted = pd.read_csv(effects), pd.read_csv(rates)
    for *pair, name in zip(svg, png, (path.stem for path in svg), strict=True):
        with saved_panels(*pair, width=9.6, height=3.8, count=2) as (left, right):
            draw_effects(left, graded[graded["measure"] == name])
            draw_rates(right, counted[counted["measure"] == name])
            left.set_title(name.replace("_", " "))


if __name__ == "__main__":
    run_script(main, globals())
