"""Figures of preferences show the numbers that they were given."""

import numpy as np
import pandas as pd
import pytest

from emotion_concepts.figures import preferences
from tests.conftest import legend_labels


def bars(container, along):
    """Points and ends of the bars of an errorbar."""
    data, _, (lines,) = container.lines
    return data.get_xydata(), [sorted(segment[:, along]) for segment in lines.get_segments()]


def test_preferences_stand_in_order_with_their_intervals_in_the_colour_of_their_category(axes):
    table = pd.DataFrame(
        {"id": ["tea", "spam", "chess", "fraud"], "category": ["nice", "bad", "nice", "bad"],
         "elo": [50.0, -80.0, 90.0, -60.0], "low": [40.0, -99.0, 70.0, -61.0], "high": [55.0, -70.0, 91.0, -10.0]}
    )  # fmt: skip
    preferences.draw_preferences(axes, {}, table)
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["spam", "fraud", "tea", "chess"]
    assert legend_labels(axes) == ["nice", "bad"]
    nice, bad = axes.containers
    np.testing.assert_allclose(bars(nice, 0)[0], [[50, 2], [90, 3]])
    np.testing.assert_allclose(bars(nice, 0)[1], [[40, 55], [70, 91]])
    np.testing.assert_allclose(bars(bad, 0)[0], [[-80, 0], [-60, 1]])
    assert nice.lines[0].get_color() != bad.lines[0].get_color()


DIRECTIONS = pd.DataFrame(
    [("calm", "concept", 0.5, 0.2, 0.7), ("sad", "concept", -0.4, -0.6, 0.1), ("flat", "concept", np.nan, np.nan, np.nan),
     ("random-1", "random", 0.15, 0.0, 0.3), ("orthogonal-1", "orthogonal", -0.25, -0.4, 0.0)],
    columns=["direction", "kind", "r", "low", "high"],
)  # fmt: skip


def test_correlates_are_sorted_and_the_band_holds_all_controls(axes):
    preferences.draw_correlates(axes, {}, DIRECTIONS)
    points, ends = bars(axes.containers[0], 1)
    np.testing.assert_allclose(points, [[0, -0.4], [1, 0.5]])
    np.testing.assert_allclose(ends, [[-0.6, 0.1], [0.2, 0.7]])
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["sad", "calm"]
    (band,) = axes.patches
    assert (band.get_y(), band.get_y() + band.get_height()) == pytest.approx((-0.25, 0.15))
    assert "2 control directions, all" in legend_labels(axes)


def test_of_many_concepts_both_ends_are_named(axes):
    table = pd.DataFrame(
        {"direction": [f"c{i:02d}" for i in range(60)], "kind": "concept", "r": np.linspace(-0.5, 0.5, 60)}
    )
    preferences.draw_correlates(axes, {}, table.assign(low=table["r"] - 0.1, high=table["r"] + 0.1))
    assert not len(axes.get_xticks())
    assert axes.get_xlabel() == "lowest: c00, c01, c02, c03, c04\nhighest: c59, c58, c57, c56, c55"
    assert legend_labels(axes) == ["concepts"]


def test_largest_are_lines_by_layer(axes):
    table = pd.DataFrame(
        {
            "layer": [0, 1, 2],
            "concept": ["a", "a", "b"],
            "largest": [0.1, 0.6, 0.5],
            "random": [0.2, 0.3, 0.25],
        }
    )
    preferences.draw_largest(axes, {"layer": 1}, table)
    concepts, random, described = axes.lines
    np.testing.assert_allclose(concepts.get_xydata(), table[["layer", "largest"]])
    np.testing.assert_allclose(random.get_xydata(), table[["layer", "random"]])
    assert list(described.get_xdata()) == [1, 1]
    assert legend_labels(axes) == ["concepts", "random directions, as many", "described layer"]


def test_causes_are_named_points_with_their_intervals_and_grey_controls(axes):
    table = DIRECTIONS.dropna().assign(
        change=[210.0, -300.0, 12.0, -8.0], low=[150.0, -400.0, 0, 0], high=[260.0, -220.0, 0, 0]
    )
    preferences.draw_causes(axes, {}, table)
    points, ends = bars(axes.containers[0], 1)
    np.testing.assert_allclose(points, [[0.5, 210], [-0.4, -300]])
    np.testing.assert_allclose(ends, [[150, 260], [-400, -220]])
    assert {text.get_text(): tuple(text.xy) for text in axes.texts} == {
        "calm": (0.5, 210),
        "sad": (-0.4, -300),
    }
    random, orthogonal = axes.collections[:2]
    np.testing.assert_allclose(random.get_offsets(), [[0.15, 12]])
    np.testing.assert_allclose(orthogonal.get_offsets(), [[-0.25, -8]])
    for dots in (random, orthogonal):
        np.testing.assert_allclose(dots.get_facecolor()[0][:3], 0.5)


@pytest.mark.parametrize("draw", ["draw_preferences", "draw_correlates", "draw_largest", "draw_causes"])
def test_nothing_to_draw_is_said(axes, draw):
    columns = ["id", "category", "elo", "low", "high", "direction", "kind", "r", "change", "layer", "largest"]
    getattr(preferences, draw)(axes, {}, pd.DataFrame(columns=columns))
    assert [text.get_text().split(":")[0] for text in axes.texts] == ["not applicable"] and not axes.axison
