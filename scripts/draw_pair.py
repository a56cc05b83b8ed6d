"""Draw row 20: each concept's shift on ordinary and on challenging prompts; a panel for each format."""

from pathlib import Path

import pandas as pd

from emotion_concepts.entry import run_script
from emotion_concepts.figures.canvas import saved_panels
from emotion_concepts.figures.speakers import draw_shift
from emotion_concepts.files import read_json


def main(summary: Path, table: Path, svg: Path, png: Path) -> None:
    """Plain turns first."""
    found, rows = read_json(summary), pd.read_csv(table)
    formats = sorted(found, key=lambda form: (form != "plain", form))
    with saved_panels(svg, png, width=5.2 * len(formats), height=4.8, count=len(formats)) as panels:
        for axes, form in zip(panels, formats, strict=True):
            draw_shift(axes, found[form], rows[rows["format"] == form])
            axes.set_title(f"{form}, layer {found[form]['layer']}, {found[form]['n']} prompts")


if __name__ == "__main__":
    run_script(main, globals())
