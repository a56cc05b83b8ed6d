"""Figures that set story sets, or models, side by side."""

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


def draw_likeness(axes: Axes, table: pd.DataFrame) -> None:
    """Do the concepts lie alike in two sets of vectors? Correlation of their cosines, with interval."""
    for (first, second), rows in table.groupby(["first", "second"], sort=False):
        n = rows["n_concepts"].iloc[0]
        axes.plot(rows["layer"], rows["rsa"], label=f"{first} and {second} ({n})")
        axes.fill_between(rows["layer"], rows["rsa_low"], rows["rsa_high"], alpha=0.2, linewidth=0)
    axes.axhline(0, color="0.6", linewidth=0.8, zorder=0)
    axes.set(
        xlabel="layer of the first", ylabel="correlation of cosines", ylim=(min(0, axes.get_ylim()[0]), 1.02)
    )
    if not table.empty:
        axes.legend(title="pair (concepts in common)")


def draw_procrustes(axes: Axes, table: pd.DataFrame) -> None:
    """Share of the leading components' variance that two sets share after the best rotation; shuffled, dashed."""
    for (first, second), rows in table.groupby(["first", "second"], sort=False):
        (line,) = axes.plot(rows["layer"], rows["procrustes"], label=f"{first} and {second}")
        axes.plot(
            rows["layer"], rows["procrustes_shuffled"], linestyle="--", color=line.get_color(), linewidth=1
        )
    axes.set(xlabel="layer of the first", ylabel="shared after rotation (Procrustes)", ylim=(0, 1.02))
    if not table.empty:
        axes.legend(title="dashed: concepts shuffled", loc="lower left")
