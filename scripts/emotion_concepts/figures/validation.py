"""Figures of the vectors' checks: retrieval, similarity, components."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

ZERO = {"color": "0.6", "linewidth": 0.8, "zorder": 0}


def draw_retrieval(axes: Axes, table: pd.DataFrame, summary: dict) -> None:
    """Top-1 retrieval by layer with its interval, beside word counts, shuffled labels and chance."""
    if table.empty:
        axes.text(
            0.5, 0.5, "not applicable: no topics that concepts share", ha="center", transform=axes.transAxes
        )
        axes.set_axis_off()
        return
    axes.plot(table["layer"], table["top1"], label="activations")
    axes.fill_between(table["layer"], table["low"], table["high"], alpha=0.2, linewidth=0)
    references = (
        ("tfidf", "word counts (TF-IDF)", "--"),
        ("shuffled", "shuffled labels, best layer", "-."),
        ("chance", f"chance, 1 of {summary['n_concepts']}", ":"),
    )
    for key, label, style in references:
        if summary[key] is not None:
            axes.axhline(summary[key], color="0.35", linestyle=style, linewidth=1, label=label)
    axes.set(xlabel="layer", ylabel="concepts found again on held-out topics", ylim=(0, 1.02))
    axes.legend(loc="best")


def draw_cosines(axes: Axes, cosines_CC: np.ndarray, names: list[str]) -> None:
    """Cosine of every pair of vectors, in the order given."""
    image = axes.imshow(cosines_CC, cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest")
    axes.figure.colorbar(image, ax=axes, label="cosine", shrink=0.8)
    size = min(8.0, 420 / len(names))
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=size)
    axes.set_yticks(range(len(names)), names, fontsize=size)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def draw_plane(
    axes: Axes, scores_CK: np.ndarray, names: list[str], valence_C: np.ndarray, shares: list
) -> None:
    """Concepts on the first two components, coloured by human valence (grey where not rated)."""
    rated = np.isfinite(valence_C)
    axes.axhline(0, **ZERO)
    axes.axvline(0, **ZERO)
    axes.scatter(*scores_CK[~rated, :2].T, color="0.7", s=18)
    dots = axes.scatter(
        *scores_CK[rated, :2].T,
        c=valence_C[rated],
        cmap="RdYlBu",
        vmin=1,
        vmax=9,
        s=24,
        edgecolors="0.3",
        linewidths=0.4,
    )
    if rated.any():
        axes.figure.colorbar(dots, ax=axes, label="human valence (1 to 9)", shrink=0.8)
    for (x, y), name in zip(scores_CK[:, :2], names, strict=True):
        axes.annotate(
            name, (x, y), xytext=(3, 2), textcoords="offset points", fontsize=min(8.0, 420 / len(names))
        )
    axes.set(xlabel=f"PC1 ({shares[0]:.0%} of variance)", ylabel=f"PC2 ({shares[1]:.0%} of variance)")


def draw_components(
    axes: Axes, table: pd.DataFrame, regression: pd.DataFrame, dimension: str, paper: float
) -> None:
    """How strongly the leading components, and a regression with words held out, follow a rating, by layer."""
    for component, rows in table.groupby("component"):
        axes.plot(
            rows["layer"],
            rows[f"{dimension}_r"].abs(),
            label=f"PC{component}, magnitude",
            linewidth=2 if component <= 2 else 1,
        )
    if not regression.empty:
        axes.plot(
            regression["layer"], regression[f"{dimension}_r"], color="0.1", linewidth=2, linestyle=(0, (1, 1)),
            label="ridge, word held out",
        )  # fmt: skip
    axes.axhline(paper, color="0.35", linestyle="--", linewidth=1, label="paper, its model")
    axes.set(xlabel="layer", ylabel=f"Pearson r with human {dimension}", ylim=(min(0, axes.get_ylim()[0]), 1))
    axes.legend(ncols=2)
