"""Figures of rows 14 to 16 and 20: states, speakers, unexpressed emotions, post-training."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.optimize import isotonic_regression

from emotion_concepts.figures.canvas import not_applicable

CONDITIONS = ("expressed", "hidden", "neutral_topic", "story", "others")
SAID = {"neutral_topic": "neutral\ntopic", "others": "of others"}
# Concepts that are named in the figure of shifts, at either end.
NAMED = 8
# Smallest distance of two names, and theirs from their points, of the span of the shifts.
LABEL_GAP = 0.035


def draw_states(axes: Axes, summary: dict, table: pd.DataFrame) -> None:
    """Accuracy of the probe by condition with its interval, beside word counts and chance, one format."""
    if table.empty:
        return not_applicable(axes, ":\nno emotion is in every scenario of every condition")
    for kind, marker, color in (("own", "o", "C0"), ("word counts", "x", "0.35")):
        rows = table[table["kind"] == kind].set_index("condition").loc[list(CONDITIONS)]
        label = "activations of the reply" if kind == "own" else "its word counts (TF-IDF)"
        spread = None
        if kind == "own":
            spread = np.abs(rows[["low", "high"]].to_numpy().T - rows["accuracy"].to_numpy())
        axes.errorbar(
            range(len(rows)), rows["accuracy"], spread, fmt=marker, color=color, capsize=3, label=label
        )
    axes.axhline(
        summary["chance"],
        color="0.35",
        linestyle=":",
        linewidth=1,
        label=f"chance, 1 of {summary['n_classes']}",
    )
    axes.set(ylabel="accuracy for the stated emotion, scenario held out", ylim=(0, 1.04), xlim=(-0.5, 4.5))
    axes.set_xticks(range(len(CONDITIONS)), [SAID.get(name, name) for name in CONDITIONS])
    axes.legend(loc="best")


def draw_speakers(axes: Axes, summary: dict, table: pd.DataFrame) -> None:
    """Cosines by concept: present and other speaker's vectors, and each with the stories'."""
    if table.empty:
        return not_applicable(axes, ":\ntoo few concepts or topics")
    kinds = {
        "present_story": "present speaker\nand stories",
        "other_story": "other speaker\nand stories",
        "cosine": "present and\nother speaker",
    }
    _draw_points(axes, [table[name] for name in kinds], list(kinds.values()))
    low, high = summary["other"]["shuffled"]
    axes.fill_between(
        [1.6, 2.4], low, high, color="0.8", zorder=0, label="mean cosine, shuffled labels (95%)"
    )
    axes.set(ylabel="cosine of the two vectors of a concept", ylim=(-1.04, 1.04))
    axes.legend(loc="lower left")


def draw_unexpressed(axes: Axes, summary: dict, table: pd.DataFrame) -> None:
    """Norm that is left of each unexpressed emotion's vector outside the stories' space, and its controls."""
    if table.empty:
        return not_applicable(axes, ":\ntoo few concepts or topics")
    _draw_points(axes, [table["left"]], [f"as read, {len(table)} concepts"])
    if summary["value"] is not None:
        low, high = summary["interval"]
        spread = None if None in (low, high) else [[summary["value"] - low], [high - summary["value"]]]
        axes.errorbar([1], [summary["value"]], spread, fmt="o", color="C1", capsize=3)
    controls = (
        ("random_directions", "random directions", "--"),
        ("shuffled_labels", "shuffled labels, as read", "-."),
    )
    for name, label, style in controls:
        axes.axhline(summary["controls"][name], color="0.35", linestyle=style, linewidth=1, label=label)
    axes.set_xticks([0, 1], [f"as read, {len(table)} concepts", "corrected\nfor noise"])
    axes.set(ylabel="share of norm outside the stories' space", ylim=(0, 1.2), xlim=(-0.5, 1.5))
    axes.legend(loc="lower left")


def draw_shift(axes: Axes, summary: dict, table: pd.DataFrame) -> None:
    """Each concept's shift on ordinary prompts against that on challenging ones."""
    if table.empty:
        return not_applicable(axes, ":\ntoo few prompts")
    by_kind = table.pivot(index="concept", columns="kind", values="shift")
    spread = summary["controls"]["random_spread"]
    axes.axhspan(
        -2 * spread, 2 * spread, color="0.9", zorder=0, label="random directions (two standard deviations)"
    )
    axes.scatter(by_kind["ordinary"], by_kind["challenging"], s=10)
    order = by_kind.mean(axis=1).sort_values().index
    named = by_kind.loc[list(dict.fromkeys([*order[:NAMED], *order[-NAMED:]]))]
    beside = LABEL_GAP * np.ptp(by_kind["ordinary"])
    height_C = apart(named["challenging"].to_numpy(), LABEL_GAP * np.ptp(by_kind["challenging"]))
    for (concept, at), height in zip(named.iterrows(), height_C, strict=True):
        axes.annotate(
            concept, at[["ordinary", "challenging"]], (at["ordinary"] + beside, height), fontsize="small", va="center",
            arrowprops={"arrowstyle": "-", "color": "0.7", "linewidth": 0.5},
        )  # fmt: skip
    axes.margins(x=0.2, y=0.1)
    for line in (axes.axhline, axes.axvline):
        line(0, color="0.6", linewidth=0.8, zorder=0)
    axes.set(
        xlabel="shift on ordinary prompts (of the base's norm)",
        ylabel="shift on challenging prompts (of the base's norm)",
    )
    axes.legend(loc="best")


def apart(value_C: np.ndarray, gap: float) -> np.ndarray:
    """Values moved apart until neighbours differ by at least `gap`, in their order: float64 [C]."""
    order = np.argsort(value_C, kind="stable")
    slots = gap * np.arange(len(order))
    # Least squares under the order: isotonic regression of the values less their slots.
    moved = np.empty(len(order))
    moved[order] = isotonic_regression(np.asarray(value_C, dtype=np.float64)[order] - slots).x + slots
    return moved


def _draw_points(axes: Axes, columns: list[pd.Series], labels: list[str]) -> None:
    """A column of points for each series, and its mean as a bar."""
    for place, values in enumerate(columns):
        # Side by side, so that equal ones can be told apart.
        axes.scatter(place + np.linspace(-0.2, 0.2, len(values)), values, s=10, color="C0", alpha=0.7)
        axes.hlines(values.mean(), place - 0.3, place + 0.3, color="C0")
    axes.axhline(0, color="0.6", linewidth=0.8, zorder=0)
    axes.set_xticks(range(len(columns)), labels)
