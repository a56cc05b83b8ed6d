"""Figures of the experiments that read show the numbers that they were given."""

import numpy as np
import pandas as pd
import pytest

from emotion_concepts.figures import reading
from tests.conftest import legend_labels


def line(axes, name):
    (found,) = [of for of in axes.lines if of.get_label() == name]
    return found.get_xydata()


def test_implicit_shows_its_matrix_on_a_scale_with_0_in_the_middle(axes):
    summary = {"matrix": [[1.5, -0.2], [-2.0, 0.4]], "concepts": ["calm", "sad"], "layer": 7, "value": 0.75}
    reading.draw_implicit(axes, summary, pd.DataFrame())
    (image,) = axes.images
    np.testing.assert_array_equal(image.get_array(), summary["matrix"])
    assert image.get_clim() == (-2, 2)
    for ticks in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [tick.get_text() for tick in ticks] == ["calm", "sad"]
    assert axes.get_title() == "layer 7: own first in 75% (chance 50%)"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("vector", "concept of the message")


def test_numbers_are_turned_so_that_the_claim_is_a_rise(axes):
    rows = []
    for template, concept, expected in (
        ("pills", "afraid", 1),
        ("pills", "calm", -1),
        ("runway", "afraid", -1),
    ):
        for place in range(3):
            rows.append((template, concept, expected, "threat", place, expected * (place * 2.0 + 1)))
            rows.append((template, concept, expected, "control", place, expected * [0.0, 3.0, 0.0][place]))
    table = pd.DataFrame(rows, columns=["template", "concept", "expected", "kind", "place", "score"])
    p = {("pills", "afraid", 1): 0.04, ("pills", "calm", -1): 0.2, ("runway", "afraid", -1): 0.05}
    claims = [
        {"template": t, "concept": c, "expected": e, "adjusted_p": value} for (t, c, e), value in p.items()
    ]
    reading.draw_numbers(axes, {"by_template": claims}, table)
    names = ["pills: afraid up*, calm down", "runway: afraid down"]
    for name in names:
        np.testing.assert_allclose(line(axes, name), [[1, -2], [2, 0], [3, 2]])
    np.testing.assert_allclose(line(axes, "same numbers, no threat (mean)"), [[1, -1], [2, 2], [3, -1]])
    assert legend_labels(axes) == [*names, "same numbers, no threat (mean)"]
    assert axes.get_legend().get_title().get_text() == "* p < 0.05, adjusted for the number of claims"


def test_turns_are_lines_with_their_intervals_and_the_papers_marks(axes):
    pairs = list(reading.PAPER_TURNS)
    table = pd.DataFrame(
        [(layer, pair, 0.1 * k + layer / 100, -0.1 * k, 0.5 + k / 10) for layer in (2, 6) for k, pair in enumerate(pairs)],
        columns=["layer", "pair", "r", "low", "high"],
    )  # fmt: skip
    reading.draw_turns(axes, {}, table)
    marks = [tuple(of.get_xydata()[0]) for of in axes.lines if of.get_marker() == "<"]
    for k, pair in enumerate(pairs):
        np.testing.assert_allclose(line(axes, pair), [[2, 0.1 * k + 0.02], [6, 0.1 * k + 0.06]])
        band = axes.collections[k].get_paths()[0].vertices
        assert (band[:, 1].min(), band[:, 1].max()) == (-0.1 * k, 0.5 + k / 10)
        assert marks[k] == (1.02, reading.PAPER_TURNS[pair])
    assert legend_labels(axes) == pairs


def test_context_is_a_map_of_layers_by_places_in_their_order(axes):
    parts = ["change", *range(12), "before reply"]
    table = pd.DataFrame(
        [(layer, part, layer - 3.0 + k / 10) for k, part in enumerate(parts) for layer in (2, 3, 4)],
        columns=["layer", "part", "effect"],
    )
    reading.draw_context(axes, {}, table)
    (image,) = axes.images
    expected = [[layer - 3 + k / 10 for k in range(14)] for layer in (2, 3, 4)]
    np.testing.assert_allclose(image.get_array(), expected)
    assert image.get_clim() == pytest.approx((-2.3, 2.3)) and image.get_extent() == [-0.5, 13.5, 1.5, 4.5]
    ticks = [
        (tick, label.get_text())
        for tick, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    ]
    assert ticks[0] == (0, "the word") and ticks[2] == (13, "before\nthe reply")


@pytest.mark.parametrize(
    ("draw", "names"),
    [
        (
            reading.draw_negation,
            {"word": "at the word", "user turn": "at the end", "before reply": "before the reply"},
        ),
        (reading.draw_binding, {"state": "where the state is told", "again": "where the name returns"}),
    ],
)
def test_effects_are_lines_by_layer_with_their_intervals(axes, draw, names):
    table = pd.DataFrame(
        [(layer, span, k + layer, k - 1.0, k + 9.0) for k, span in enumerate(names) for layer in (1, 5)],
        columns=["layer", "span", "effect", "low", "high"],
    )
    draw(axes, {}, table)
    for k, name in enumerate(names.values()):
        np.testing.assert_allclose(line(axes, name), [[1, k + 1], [5, k + 5]])
        band = axes.collections[k].get_paths()[0].vertices
        assert (band[:, 1].min(), band[:, 1].max()) == (k - 1, k + 9)
    assert legend_labels(axes) == list(names.values()) and "SD" in axes.get_ylabel()


def test_locality_is_a_course_with_its_intervals_and_the_storys_place(axes):
    table = pd.DataFrame(
        {"place": ["before", "inner", "after 1"], "tokens": [-30.0, -10.0, 4.0], "score": [0.0, 2.0, 1.0],
         "low": [-0.5, 1.0, 0.9], "high": [0.1, 2.5, 3.0]}
    )  # fmt: skip
    reading.draw_locality(axes, {}, table)
    (container,) = axes.containers
    data, _, (bars,) = container.lines
    np.testing.assert_allclose(data.get_xydata(), table[["tokens", "score"]])
    ends = [sorted(segment[:, 1]) for segment in bars.get_segments()]
    np.testing.assert_allclose(ends, table[["low", "high"]])
    (story,) = axes.patches
    # The story's middle is 10 tokens before its end, so it is 20 long.
    assert (story.get_x(), story.get_x() + story.get_width()) == (-20, 0)
    assert legend_labels(axes) == ["inner story"]


@pytest.mark.parametrize(
    "name", ["implicit", "numbers", "turns", "context", "negation", "binding", "locality"]
)
def test_too_little_to_draw_is_said(axes, name):
    getattr(reading, f"draw_{name}")(axes, {"n": 0}, pd.DataFrame())
    assert [text.get_text() for text in axes.texts] == ["not applicable"]
    assert not axes.lines and not axes.images and not axes.axison
