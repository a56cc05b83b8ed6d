"""Figures of the logit lens."""

import pandas as pd
from matplotlib.axes import Axes

from emotion_concepts.figures.canvas import not_applicable


def draw_shares(axes: Axes, table: pd.DataFrame, summary: dict) -> None:
    """Share of concepts whose vector reads as their own words, by layer, with its interval and controls."""
    if table.empty:
        return not_applicable(axes, ": fewer than two concepts have words that the tokenizer knows")
    axes.plot(table["layer"], table["share"], label="concepts' vectors")
    axes.fill_between(table["layer"], table["low"], table["high"], alpha=0.2, linewidth=0)
    axes.plot(
        table["layer"], table["shuffled"], color="0.35", linestyle="-.", linewidth=1, label="shuffled labels"
    )
    axes.plot(
        table["layer"], table["random"], color="0.35", linestyle="--", linewidth=1, label="random directions"
    )
    axes.axvline(summary["layer"], color="0.6", linestyle=":", linewidth=1, label="recommended layer")
    axes.set(
        xlabel="layer", ylabel=f"concepts with an own word among the top {summary['top']}", ylim=(0, None)
    )
    axes.legend(loc="best")
