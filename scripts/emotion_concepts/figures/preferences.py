"""Figures of rows 6 and 7: what the model would rather do, which vectors tell, and what steering with them changes."""

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes

from emotion_concepts.direction_kinds import CONCEPT
from emotion_concepts.figures.canvas import not_applicable

KINDS = {
    "random": "random directions",
    "orthogonal": "directions orthogonal to all vectors",
    "shuffled": "vectors of shuffled labels",
}
STYLES = {"random": "--", "orthogonal": "-.", "shuffled": (0, (1, 2))}
MARKERS = {"random": "o", "orthogonal": "s", "shuffled": "^"}
GREY = "0.5"
# Concepts that are named where there are too many for all: so many at either end.
NAMED, MOST_NAMED = 5, 40


def draw_preferences(axes: Axes, summary: dict, table: pd.DataFrame) -> None:
    """Elo of each activity with its interval, the most wanted on top, in the colour of its category."""
    if table.empty:
        return not_applicable(axes, ": no choices")
    rows = table.sort_values("elo").assign(place=np.arange(len(table)))
    order = rows.groupby("category", observed=True)["elo"].mean().sort_values(ascending=False).index
    for number, category in enumerate(order):
        of = rows[rows["category"] == category]
        spread = [of["elo"] - of["low"], of["high"] - of["elo"]]
        color = colormaps["tab10"](number % 10)
        axes.errorbar(of["elo"], of["place"], xerr=spread, fmt="o", markersize=3, color=color, label=category)
    axes.axvline(0, color="0.6", linewidth=0.8, zorder=0)
    axes.set_yticks(rows["place"], rows["id"], fontsize="x-small")
    axes.set(xlabel="Elo (95% over opponents)", ylim=(-0.7, len(rows) - 0.3))
    axes.legend(loc="lower right", fontsize="x-small")


def draw_correlates(axes: Axes, summary: dict, table: pd.DataFrame) -> None:
    """Each concept's correlation with Elo and its interval, in order; all control directions as a band."""
    concepts = table[(table["kind"] == CONCEPT) & table["r"].notna()].sort_values("r")
    if concepts.empty:
        return not_applicable(axes, ": no concept was read on the activities")
    place = np.arange(len(concepts))
    spread = np.abs(concepts[["low", "high"]].to_numpy().T - concepts["r"].to_numpy())
    axes.errorbar(
        place, concepts["r"], spread, fmt="o", markersize=3, linewidth=0.8, color="C0", label="concepts"
    )
    controls = table[(table["kind"] != CONCEPT) & table["r"].notna()]
    if len(controls):
        axes.axhspan(
            controls["r"].min(), controls["r"].max(), color="0.9", zorder=0,
            label=f"{len(controls)} control directions, all",
        )  # fmt: skip
    axes.axhline(0, color="0.6", linewidth=0.8, zorder=0)
    names = concepts["direction"].to_numpy()
    if len(place) <= MOST_NAMED:
        axes.set_xticks(place, names, rotation=90, fontsize="x-small")
    else:
        # So many names would lie on each other: those at either end, in words.
        axes.set_xticks([])
        axes.set_xlabel(
            f"lowest: {', '.join(names[:NAMED])}\nhighest: {', '.join(names[: -NAMED - 1 : -1])}",
            fontsize="small",
        )
    axes.set(ylabel="correlation with Elo over activities", ylim=(-1.02, 1.02))
    axes.legend(loc="upper left")


def draw_largest(axes: Axes, summary: dict, table: pd.DataFrame) -> None:
    """The largest correlation with Elo by layer: of concepts, and of as many control directions."""
    if table.empty or table["largest"].isna().all():
        return not_applicable(axes, ": no concept was read on the activities")
    axes.plot(table["layer"], table["largest"], color="C0", label="concepts")
    for kind, name in KINDS.items():
        if kind in table:
            axes.plot(
                table["layer"],
                table[kind],
                color="0.35",
                linestyle=STYLES[kind],
                linewidth=1,
                label=f"{name}, as many",
            )
    if "layer" in summary:
        axes.axvline(summary["layer"], color="0.6", linestyle=":", linewidth=1, label="described layer")
    axes.set(xlabel="layer", ylabel="largest |r| with Elo", ylim=(0, 1.02))
    axes.legend(loc="best")


def draw_causes(axes: Axes, summary: dict, table: pd.DataFrame) -> None:
    """What steering with a concept does to Elo, against the correlation of its activation with Elo; controls grey."""
    if table.empty:
        return not_applicable(axes, ": nothing was steered")
    for kind, name in KINDS.items():
        of = table[table["kind"] == kind]
        if len(of):
            axes.scatter(of["r"], of["change"], s=12, marker=MARKERS[kind], color=GREY, zorder=1, label=name)
    concepts = table[table["kind"] == CONCEPT]
    spread = np.abs(concepts[["low", "high"]].to_numpy().T - concepts["change"].to_numpy())
    axes.errorbar(
        concepts["r"],
        concepts["change"],
        spread,
        fmt="o",
        markersize=4,
        linewidth=0.8,
        color="C0",
        label="concepts",
    )
    for name, r, change in concepts[["direction", "r", "change"]].dropna().itertuples(index=False):
        axes.annotate(name, (r, change), xytext=(3, 2), textcoords="offset points", fontsize="x-small")
    for line in (axes.axhline, axes.axvline):
        line(0, color="0.6", linewidth=0.8, zorder=0)
    axes.set(
        xlabel="correlation of activation with Elo, without steering",
        ylabel="change of Elo of the steered activities",
    )
    axes.legend(loc="best")
