"""Figures that set story sets side by side."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes


def draw_by_set(axes: Axes, tables: Mapping[str, pd.DataFrame], column: str, label: str) -> None:
    """One quantity by layer, a line for each story set."""
    for name, table in tables.items():
        axes.plot(table["layer"], table[column], label=name)
    axes.axhline(0, color="0.6", linewidth=0.8, zorder=0)
    axes.set(xlabel="layer", ylabel=label, ylim=(min(0, axes.get_ylim()[0]), 1.02))
    axes.legend()


def draw_agreement(axes: Axes, table: pd.DataFrame) -> None:
    """Mean cosine of a concept's vectors from two sets, by layer, a line for each pair of sets."""
    for (first, second), rows in table.groupby(["first", "second"], sort=False):
        n = rows["n_concepts"].iloc[0]
        axes.plot(rows["layer"], rows["cosine"], label=f"{first} and {second} ({n})")
    axes.axhline(0, color="0.6", linewidth=0.8, zorder=0)
    axes.set(xlabel="layer", ylabel="mean cosine of a concept's two vectors", ylim=(-0.2, 1.02))
    if not table.empty:
        axes.legend(title="sets (concepts in common)")
