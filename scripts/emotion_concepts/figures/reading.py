"""Figures of what the vectors read in texts of our own, one panel for each format."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from emotion_concepts.figures.canvas import not_applicable
from emotion_concepts.scorecard import ALPHA

# The paper's correlations of row 9.
PAPER_TURNS = {"user, before reply": 0.11, "before reply, reply": 0.87, "user, reply": 0.59}
ZERO = {"color": "0.35", "linestyle": ":", "linewidth": 1}


def draw_implicit(axes: Axes, summary: dict, table: pd.DataFrame) -> None:
    """Row 3: mean score of each concept's vector on each concept's held-out messages."""
    if "matrix" not in summary:
        return not_applicable(axes)
    matrix = np.array(summary["matrix"], dtype=float)
    limit = np.nanmax(np.abs(matrix))
    image = axes.imshow(matrix, cmap="RdBu_r", vmin=-limit, vmax=limit)
    names = summary["concepts"]
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="vector", ylabel="concept of the message")
    axes.set_title(
        f"layer {summary['layer']}: own first in {summary['value']:.0%} (chance {1 / len(names):.0%})"
    )
    axes.figure.colorbar(image, ax=axes, label="cosine before the reply (SD)", shrink=0.8)


def draw_numbers(axes: Axes, summary: dict, table: pd.DataFrame) -> None:
    """Row 4: score against the dose, turned so that the claim is a rise; the same numbers without threat beside.

    A template's name is followed by its claims, those whose trend is clear with a star.
    """
    if table.empty:
        return not_applicable(axes)
    claims = _claims(summary["by_template"])
    turned = table.assign(score=table["score"] * table["expected"])
    for number, (name, of) in enumerate(turned[turned["kind"] == "threat"].groupby("template", sort=False)):
        mean = of.groupby("place")["score"].mean()
        axes.plot(
            mean.index + 1, mean - mean.mean(), marker="o", markersize=3, color=f"C{number}",
            label=f"{name}: {claims[name]}",
        )  # fmt: skip
    control = turned[turned["kind"] == "control"].groupby("place")["score"].mean()
    axes.plot(
        control.index + 1, control - control.mean(), color="0.2", linestyle="--",
        label="same numbers, no threat (mean)",
    )  # fmt: skip
    axes.axhline(0, **ZERO)
    axes.set(xlabel="dose, smallest to largest", ylabel="score in the expected direction (SD)")
    # Below: a line a template leaves no room among the curves.
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.18), fontsize="x-small", title_fontsize="x-small",
        title=f"* p < {ALPHA:.2g}, adjusted for the number of claims",
    )  # fmt: skip


def _claims(by_template: list[dict]) -> dict[str, str]:
    """What each template claims, as "afraid up*, calm down"."""
    found: dict[str, list[str]] = {}
    for of in by_template:
        star = "*" if of["adjusted_p"] < ALPHA else ""
        found.setdefault(of["template"], []).append(
            f"{of['concept']} {'up' if of['expected'] > 0 else 'down'}{star}"
        )
    return {template: ", ".join(claims) for template, claims in found.items()}


def draw_turns(axes: Axes, summary: dict, table: pd.DataFrame) -> None:
    """Row 9: how alike the scores at two places are, by layer."""
    if table.empty:
        return not_applicable(axes)
    for number, (pair, of) in enumerate(table.groupby("pair", sort=False)):
        axes.plot(of["layer"], of["r"], color=f"C{number}", label=pair)
        axes.fill_between(of["layer"], of["low"], of["high"], color=f"C{number}", alpha=0.2, linewidth=0)
        axes.plot(
            1.02,
            PAPER_TURNS[pair],
            marker="<",
            color=f"C{number}",
            clip_on=False,
            transform=axes.get_yaxis_transform(),
        )
    axes.axhline(0, **ZERO)
    axes.set(xlabel="layer", ylabel="correlation over messages and concepts", ylim=(-0.5, 1.02))
    axes.legend(loc="best", title="mark at the right: the paper")


def draw_context(axes: Axes, summary: dict, table: pd.DataFrame) -> None:
    """Row 10: effect of a good for a bad word on what stands after it, by layer and place."""
    if table.empty:
        return not_applicable(axes)
    parts = list(dict.fromkeys(table["part"].astype(str)))
    effect = table.assign(part=table["part"].astype(str)).pivot(
        index="layer", columns="part", values="effect"
    )[parts]
    limit = np.abs(effect.to_numpy()).max() or 1.0
    image = axes.imshow(
        effect.to_numpy(), aspect="auto", origin="lower", cmap="RdBu_r", vmin=-limit, vmax=limit,
        extent=(-0.5, len(parts) - 0.5, effect.index[0] - 0.5, effect.index[-1] + 0.5),
    )  # fmt: skip
    axes.set_xticks(
        [0, (len(parts) - 1) / 2, len(parts) - 1],
        ["the word", "the same words after it", "before\nthe reply"],
    )
    axes.set(ylabel="layer")
    axes.figure.colorbar(image, ax=axes, label="good less bad concept,\ngood less bad word (SD)", shrink=0.8)


def draw_negation(axes: Axes, summary: dict, table: pd.DataFrame) -> None:
    """Row 11: own concept's score, affirmed less negated, by layer and place."""
    names = {"word": "at the word", "user turn": "at the end", "before reply": "before the reply"}
    _draw_effects(axes, table, names, "affirmed less negated (SD)")


def draw_binding(axes: Axes, summary: dict, table: pd.DataFrame) -> None:
    """Row 12: a person's own concept less the other person's, by layer."""
    names = {"state": "where the state is told", "again": "where the name returns"}
    _draw_effects(axes, table, names, "own less the other's concept (SD)")


def draw_locality(axes: Axes, summary: dict, table: pd.DataFrame) -> None:
    """Row 13: the inner story's concept less the conversation's, along the text."""
    if table.empty:
        return not_applicable(axes)
    axes.errorbar(
        table["tokens"], table["score"], yerr=[table["score"] - table["low"], table["high"] - table["score"]],
        marker="o", capsize=2,
    )  # fmt: skip
    inner = table[table["place"] == "inner"]["tokens"].iloc[0]
    axes.axvspan(2 * inner, 0, color="0.9", zorder=0, label="inner story")
    axes.axhline(0, **ZERO)
    axes.set(xlabel="tokens from the end of the inner story", ylabel="inner less outer concept (SD)")
    axes.legend(loc="best")


def _draw_effects(axes: Axes, table: pd.DataFrame, names: dict[str, str], label: str) -> None:
    if table.empty:
        return not_applicable(axes)
    for number, (span, name) in enumerate(names.items()):
        of = table[table["span"] == span]
        axes.plot(of["layer"], of["effect"], color=f"C{number}", label=name)
        axes.fill_between(of["layer"], of["low"], of["high"], color=f"C{number}", alpha=0.2, linewidth=0)
    axes.axhline(0, **ZERO)
    axes.set(xlabel="layer", ylabel=label)
    axes.legend(loc="best")
