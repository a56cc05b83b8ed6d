"""Figures of the vectors' shape: similarity, components, clusters, layers, maps."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

ZERO = {"color": "0.6", "linewidth": 0.8, "zorder": 0}
# Of Warriner's scale, on which people rated the words.
VALENCE = {"cmap": "RdYlBu", "vmin": 1, "vmax": 9, "edgecolors": "0.3", "linewidths": 0.4}


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
        s=24,
        **VALENCE,
    )
    if rated.any():
        axes.figure.colorbar(dots, ax=axes, label="human valence (1 to 9)", shrink=0.8)
    for (x, y), name in zip(scores_CK[:, :2], names, strict=True):
        axes.annotate(
            name, (x, y), xytext=(3, 2), textcoords="offset points", fontsize=min(8.0, 420 / len(names))
        )
    axes.set(xlabel=f"PC1 ({shares[0]:.0%} of variance)", ylabel=f"PC2 ({shares[1]:.0%} of variance)")


def draw_components(
    axes: Axes, table: pd.DataFrame, regression: pd.DataFrame, dimension: str, paper: float, ceiling: float
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
    axes.axhline(ceiling, color="0.35", linestyle=":", linewidth=1, label="two human norms with each other")
    axes.set(xlabel="layer", ylabel=f"Pearson r with human {dimension}", ylim=(min(0, axes.get_ylim()[0]), 1))
    axes.legend(ncols=2)


def draw_clusters(axes: Axes, table: pd.DataFrame) -> None:
    """How well apart, and how stable, k-means clusters are, by their number."""
    for column, label in (("silhouette", "silhouette"), ("stability", "agreement of starts (adjusted Rand)")):
        axes.plot(table["k"], table[column], marker="o", markersize=3, label=label)
    axes.axvline(10, color="0.6", linestyle=":", linewidth=1, label="the paper's k")
    axes.set(xlabel="number of clusters", ylabel="", ylim=(min(0, axes.get_ylim()[0]), 1.02))
    axes.legend(loc="best")


def draw_layers(axes: Axes, profile: Axes, table: pd.DataFrame, layer: int) -> None:
    """Likeness of the geometry between layers: every pair, and one layer with all, with its interval."""
    likeness_LL = table.filter(regex=r"^layer_").to_numpy()
    extent = [table["layer"].min() - 0.5, table["layer"].max() + 0.5] * 2
    image = axes.imshow(likeness_LL, cmap="viridis", vmin=0, vmax=1, origin="lower", extent=extent)
    axes.figure.colorbar(image, ax=axes, label="correlation of cosines", shrink=0.8)
    axes.set(xlabel="layer", ylabel="layer")
    profile.plot(table["layer"], table[f"layer_{layer}"])
    profile.fill_between(table["layer"], table["low"], table["high"], alpha=0.2, linewidth=0)
    profile.axvline(layer, **ZERO)
    profile.set(
        xlabel="layer",
        ylabel=f"correlation of cosines with layer {layer}",
        ylim=(min(0, profile.get_ylim()[0]), 1.02),
    )


def draw_maps(panels: Sequence[Axes], table: pd.DataFrame) -> None:
    """Concepts on the plane that `neighbour_plane` gives, a panel a layer, coloured by human valence (grey where not rated)."""
    for axes, (layer, points) in zip(panels, table.groupby("layer"), strict=False):
        rated = points["valence"].notna()
        axes.scatter(points["x"][~rated], points["y"][~rated], color="0.7", s=12)
        axes.scatter(points["x"][rated], points["y"][rated], c=points["valence"][rated], s=16, **VALENCE)
        size = min(7.0, 420 / len(points))
        for x, y, name in zip(points["x"], points["y"], points["concept"], strict=True):
            axes.annotate(name, (x, y), xytext=(2, 1), textcoords="offset points", fontsize=size)
        name = points["axes"].iloc[0]
        axes.set(title=f"layer {layer}", xticks=[], yticks=[], xlabel=f"{name} 1", ylabel=f"{name} 2")
    for axes in panels[table["layer"].nunique() :]:
        axes.set_axis_off()
