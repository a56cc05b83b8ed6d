"""Figures of rows 16 to 19: what a model would say under steering, and how often it said it."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from emotion_concepts.direction_kinds import CONTROLS
from emotion_concepts.figures.canvas import not_applicable


def draw_effects(axes: Axes, table: pd.DataFrame) -> None:
    """Change of the stance by strength: a line a concept with its interval, control directions as grey points."""
    if table.empty:
        return not_applicable(axes, ": nothing was scored")
    concepts = table[table["kind"] == "concept"]
    if concepts.empty:
        return not_applicable(axes, ": the vectors lack its concepts")
    controls = table[table["kind"].isin(CONTROLS)]
    axes.scatter(
        controls["strength"], controls["change"], s=8, color="0.65", zorder=1,
        label=f"{controls['direction'].nunique()} control directions",
    )  # fmt: skip
    names = list(dict.fromkeys(concepts["direction"]))
    doses = np.unique(concepts["strength"])
    apart = (np.ptp(doses) or 1) * 0.012
    for number, name in enumerate(names):
        of = concepts[concepts["direction"] == name].sort_values("strength")
        # Side by side, so that no interval hides another.
        place = of["strength"] + apart * (number - (len(names) - 1) / 2)
        spread = np.abs(of[["low", "high"]].to_numpy().T - of["change"].to_numpy())
        axes.errorbar(place, of["change"], spread, fmt="o-", markersize=3, linewidth=0.9, label=name)
    axes.axhline(0, color="0.6", linewidth=0.8, zorder=0)
    axes.set(xlabel="steering strength", ylabel="change of stance (nats a token, 95%)")
    axes.legend(loc="best", fontsize="x-small")


def draw_rates(axes: Axes, table: pd.DataFrame) -> None:
    """Share of sampled replies with Wilson's interval, of each direction and strength; counts beside it."""
    shown = table[table["kind"].isin(["unsteered", "concept", "remedy"]) & (table["n"] > 0)]
    if shown.empty:
        return not_applicable(axes, ": no reply was judged")
    place = np.arange(len(shown))[::-1]
    spread = np.abs(shown[["low", "high"]].to_numpy().T - shown["rate"].to_numpy())
    axes.errorbar(shown["rate"], place, xerr=spread, fmt="o", markersize=4, linewidth=0.9, color="C0")
    names = [
        f"{of.direction} {of.strength:+g}" if of.strength else of.direction
        for of in shown.itertuples(index=False)
    ]
    axes.set_yticks(
        place, [f"{name}  ({c} of {n})" for name, c, n in zip(names, shown["count"], shown["n"], strict=True)]
    )
    axes.set(
        xlabel="share of sampled replies (95%, Wilson)", xlim=(-0.02, 1.02), ylim=(-0.7, len(shown) - 0.3)
    )
