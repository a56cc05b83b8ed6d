"""Figures of texts of others: own words in top snippets, and how well labels are found."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

NAMED = 15  # concepts whose dots have their name beside them


def draw_own_words(axes: Axes, table: pd.DataFrame, summary: dict) -> None:
    """Words of each concept per top snippet: of its own vector against the others', and random directions beside it."""
    axes.axline((0, 0), slope=1, color="0.6", linestyle=":", linewidth=1)
    axes.plot(table["others"], table["random"], "x", color="0.6", markersize=4, label="random directions")
    axes.plot(table["others"], table["own"], "o", markersize=4, label="own vector")
    above = (table["own"] - table["others"]).sort_values(ascending=False, kind="stable")
    for i in above[above > 0].index[:NAMED]:
        row = table.loc[i]
        place = {"xytext": (4, 2), "textcoords": "offset points", "fontsize": 7, "rotation": 30}
        axes.annotate(row["concept"], (row["others"], row["own"]), **place)
    axes.set(
        xlabel=f"concept's words per top snippet, the others' vectors (layer {summary['layer']})",
        ylabel=f"the same, own vector or random directions ({summary['corpus']})",
    )
    axes.legend(loc="best")


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
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
