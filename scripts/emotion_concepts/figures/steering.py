"""Figures of steering."""

import numpy as np
from matplotlib.axes import Axes


def draw_word_changes(axes: Axes, change_RW: np.ndarray, directions: list[str], words: list[str]) -> None:
    """Change of each word's log-probability (columns) under each direction (rows)."""
    limit = float(np.abs(change_RW).max()) or 1.0
    image = axes.imshow(
        change_RW, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest", aspect="auto"
    )
    axes.figure.colorbar(image, ax=axes, label="change of log-probability (nats)", shrink=0.8)
    axes.set_xticks(range(len(words)), words, rotation=90)
    axes.set_yticks(range(len(directions)), directions)
    axes.set(xlabel="word that is scored", ylabel="direction that is added")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
