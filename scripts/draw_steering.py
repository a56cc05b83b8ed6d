"""Draw how steering changes the log-probability of emotion words, random directions beside it."""

from pathlib import Path

import numpy as np
import pandas as pd

from emotion_concepts.entry import run_script
from emotion_concepts.figures.canvas import saved_figure
from emotion_concepts.figures.steering import draw_word_changes
from emotion_concepts.files import read_json
from emotion_concepts.word_effects import change_matrix


def main(changes: Path, summary: Path, svg: Path, png: Path) -> None:
    """Concepts' vectors above, control directions below."""
    table, found = pd.read_csv(changes), read_json(summary)
    parts = [change_matrix(table, found["scored"], kind) for kind in ("concept", *found["controls"])]
    with saved_figure(svg, png, width=6.4, height=7.4) as axes:
        names = [name for part in parts for name in part.index]
        draw_word_changes(axes, np.concatenate([p.to_numpy() for p in parts]), names, list(parts[0].columns))


if __name__ == "__main__":
    run_script(main, globals())
