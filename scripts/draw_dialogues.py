"""Draw rows 14 to 16: states, speakers, unexpressed emotions; a panel for each format."""

from pathlib import Path

import pandas as pd

from emotion_concepts.entry import run_script
from emotion_concepts.figures.canvas import saved_panels
from emotion_concepts.figures.speakers import draw_speakers, draw_states, draw_unexpressed
from emotion_concepts.files import read_json

DRAW = {"states": draw_states, "speakers": draw_speakers, "unexpressed": draw_unexpressed}


def main(summaries: list[Path], tables: list[Path], svg: list[Path], png: list[Path]) -> None:
    """All files are in the same order, named by their experiment."""
    for summary, table, *files in zip(summaries, tables, svg, png, strict=True):
        found, rows = read_json(summary), _read_table(table)
        formats = found["formats"]
        with saved_panels(*files, width=5.2 * len(formats), height=4.2, count=len(formats)) as panels:
            for axes, (form, of) in zip(panels, sorted(formats.items(), key=_plain_first), strict=True):
                DRAW[summary.stem](axes, rows[rows["format"] == form], of)
                axes.set_title(f"{form}, layer {found['layer']}, n = {of['n']}")


def _plain_first(item: tuple[str, dict]) -> tuple[bool, str]:
    return item[0] != "plain", item[0]


def _read_table(path: Path) -> pd.DataFrame:
    """A table that may have no row at all."""
    return pd.read_csv(path) if path.read_text(encoding="utf-8").strip() else pd.DataFrame({"format": []})


if __name__ == "__main__":
    run_script(main, globals())
