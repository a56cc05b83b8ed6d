"""Figures of texts of others: own words in top snippets, and how well labels are found."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

NAMED = 15  # concepts that are written beside their dots


def draw_own_words(axes: Axes, table: pd.DataFrame, summary: dict) -> None:
    """Words of each concept per top snippet: of its own vector, the highest first, of the others, of random ones."""
    ordered = table.sort_values(["own", "concept"], ascending=[False, True], kind="stable")
    place = np.arange(1, len(ordered) + 1)
    axes.plot(place, ordered["own"], marker="o", markersize=3, linewidth=1, label="own vector")
    axes.plot(
        place, ordered["others"], color="0.35", linestyle="-.", linewidth=1, label="the others' vectors"
    )
    axes.plot(place, ordered["random"], color="0.35", linestyle="--", linewidth=1, label="random directions")
    for x, y, name in zip(place[:NAMED], ordered["own"], ordered["concept"], strict=False):
        axes.annotate(name, (x, y), xytext=(3, 2), textcoords="offset points", fontsize=6, rotation=45)
    axes.set(
        xlabel=f"concepts, by own words (layer {summary['layer']})",
        ylabel=f"concept's words per top snippet ({summary['corpus']})", ylim=(0, None),
    )  # fmt: skip
    axes.legend(loc="upper right")


def draw_labels(axes: Axes, table: pd.DataFrame) -> None:
    """AUROC of each label with its interval, the highest first, beside word counts, length and random directions."""
    ordered = table.sort_values("auroc", kind="stable").reset_index(drop=True)
    place = np.arange(len(ordered))
    axes.barh(
        place, ordered["random_high"] - ordered["random_low"], left=ordered["random_low"], height=0.8,
        color="0.9", label="random directions, 95%",
    )  # fmt: skip
    axes.hlines(place, ordered["auroc_low"], ordered["auroc_high"], linewidth=1)
    axes.plot(ordered["auroc"], place, "o", markersize=4, label="vectors")
    axes.plot(
        ordered["tfidf_auroc"], place, "x", color="0.35", markersize=4, label="word counts, trained on labels"
    )
    axes.plot(ordered["length_auroc"], place, "|", color="0.35", markersize=6, label="text length alone")
    axes.axvline(0.5, color="0.6", linestyle=":", linewidth=1)
    names = [f"{label} ({n})" for label, n in zip(ordered["label"], ordered["n"], strict=True)]
    axes.set_yticks(place, names, fontsize=7)
    axes.set(xlabel="AUROC (n texts with the label in brackets)", xlim=(0, 1))
    axes.legend(loc="lower left")
