"""Draw what the vectors read in texts of our own: a figure for each experiment, a panel for each format."""

from pathlib import Path

import pandas as pd

from emotion_concepts.entry import run_script
from emotion_concepts.figures import reading as figures
from emotion_concepts.figures import speakers
from emotion_concepts.figures.canvas import saved_panels
from emotion_concepts.files import read_json

DRAWN = {
    "implicit": figures.draw_implicit,
    "numbers": figures.draw_numbers,
    "turns": figures.draw_turns,
    "context": figures.draw_context,
    "negation": figures.draw_negation,
    "binding": figures.draw_binding,
    "locality": figures.draw_locality,
    "states": speakers.draw_states,
    "speakers": speakers.draw_speakers,
    "unexpressed": speakers.draw_unexpressed,
}


def main(summaries: list[Path], tables: list[Path], svg: list[Path], png: list[Path]) -> None:
    """All in one order, each file named by its experiment."""
    for summary, table, *pair in zip(summaries, tables, svg, png, strict=True):
        found_in, rows = read_json(summary), pd.read_csv(table)
        by_format = {
            name: found_in[name] for name in sorted(found_in, key=lambda name: (name != "plain", name))
        }
        with saved_panels(*pair, width=5.2 * len(by_format), height=3.8, count=len(by_format)) as panels:
            for axes, (form, found) in zip(panels, by_format.items(), strict=True):
                of_format = rows[rows["format"] == form] if len(rows) else rows
                DRAWN[summary.stem](axes, found, of_format)
                axes.set_title(f"{form}: {axes.get_title()}" if axes.get_title() else form)


if __name__ == "__main__":
    run_script(main, globals())
