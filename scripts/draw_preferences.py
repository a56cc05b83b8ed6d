"""Draw what a model would rather do, which vectors tell, and what steering with them changes (rows 6 and 7)."""

from pathlib import Path

import pandas as pd

from emotion_concepts.entry import run_script
from emotion_concepts.figures import preferences as figures
from emotion_concepts.figures.canvas import saved_figure
from emotion_concepts.files import read_json

# Each figure by name: how it is drawn, from which table, and how high it is.
DRAWN = {
    "preferences": (figures.draw_preferences, "activities", 6.0),
    "correlates": (figures.draw_correlates, "directions", 4.0),
    "largest": (figures.draw_largest, "layers", 4.0),
    "causes": (figures.draw_causes, "changes", 4.4),
}


def main(summary: Path, tables: list[Path], svg: list[Path], png: list[Path]) -> None:
    """All in one order, each file named by its figure; of steered bands, the default one."""
    found, by_name = read_json(summary), {path.stem: pd.read_csv(path) for path in tables}
    by_name["changes"] = by_name["changes"][by_name["changes"]["band"] == "default"]
    for *pair, name in zip(svg, png, (path.stem for path in svg), strict=True):
        draw, table, height = DRAWN[name]
        of = found["causal"]["default"] if name == "causes" else found["preference"]
        with saved_figure(*pair, width=6.4, height=height) as axes:
            draw(axes, of, by_name[table])


if __name__ == "__main__":
    run_script(main, globals())
