"""Figures of retrieval on held-out topics and of the vectors' reliability."""

import pandas as pd
from matplotlib.axes import Axes

from emotion_concepts.figures.canvas import not_applicable

NO_TOPICS = ": no topics that concepts share"


def draw_retrieval(axes: Axes, table: pd.DataFrame, summary: dict) -> None:
    """Top-1 retrieval by layer with its interval, beside word counts, shuffled labels and chance."""
    if table.empty:
        return not_applicable(axes, NO_TOPICS)
    axes.plot(table["layer"], table["top1"], label="activations")
    axes.fill_between(table["layer"], table["low"], table["high"], alpha=0.2, linewidth=0)
    axes.axvline(
        summary["recommended_layer"], color="0.6", linestyle=":", linewidth=1, label="recommended layer"
    )
    references = (
        ("tfidf", "word counts (TF-IDF)", "--"),
        ("length", "story length alone", (0, (1, 2))),
        ("shuffled", "shuffled labels, best layer", "-."),
        ("chance", f"chance, 1 of {summary['n_concepts']}", ":"),
    )
    for key, label, style in references:
        if summary[key] is not None:
            axes.axhline(summary[key], color="0.35", linestyle=style, linewidth=1, label=label)
    axes.set(xlabel="layer", ylabel="concepts found again on held-out topics", ylim=(0, 1.02))
    axes.legend(loc="best")


def draw_growth(axes: Axes, table: pd.DataFrame, summary: dict) -> None:
    """How retrieval grows with the stories behind a vector: are there enough?"""
    if table.empty:
        return not_applicable(axes, NO_TOPICS)
    axes.plot(table["n_stories"], table["top1"], marker="o", label=f"layer {summary['recommended_layer']}")
    axes.fill_between(table["n_stories"], table["low"], table["high"], alpha=0.2, linewidth=0)
    axes.axhline(summary["chance"], color="0.35", linestyle=":", linewidth=1, label="chance")
    axes.set(
        xlabel="stories behind each vector", ylabel="concepts found again on other topics", ylim=(0, 1.02)
    )
    axes.set_xlim(left=0)
    axes.legend(loc="best")


def draw_reliability(axes: Axes, table: pd.DataFrame) -> None:
    """How far a vector is the same from other topics, by layer: median concept and the middle half."""
    for column, label in (
        ("split_half", "vectors of two halves of the topics"),
        ("bootstrap", "resampled topics and all"),
    ):
        by_layer = table.groupby("layer")[column]
        if not table[column].notna().any():
            continue
        axes.plot(by_layer.median().index, by_layer.median(), label=label)
        axes.fill_between(
            by_layer.median().index, by_layer.quantile(0.25), by_layer.quantile(0.75), alpha=0.2, linewidth=0
        )
    axes.set(xlabel="layer", ylabel="cosine", ylim=(0, 1.02))
    if axes.lines:
        axes.legend(loc="best")
