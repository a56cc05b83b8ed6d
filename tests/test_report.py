"""The report and the figures: what a model wrote is escaped, the numbers are those of the stages."""

import dataclasses
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emotion_concepts.figures.canvas import saved_figure
from emotion_concepts.figures.comparison import draw_agreement, draw_by_set
from emotion_concepts.figures.geometry import (
    draw_components,
    draw_cosines,
    draw_layers,
    draw_maps,
    draw_plane,
)
from emotion_concepts.figures.steering import draw_word_changes
from emotion_concepts.figures.validation import draw_growth, draw_reliability, draw_retrieval
from emotion_concepts.reading_claims import implicit_entry
from emotion_concepts.report import Section, Swept, render_report, top_snippets
from emotion_concepts.scorecard import retrieval_entry
from tests.conftest import ROOT

EVIL = '<script>alert(1)</script> & "quotes" \u202e'
RETRIEVAL = {
    "best_layer": 2, "top1": 0.813, "top5": 0.95, "story": 0.52, "tfidf_top5": 0.7, "tfidf_story": 0.31, "interval": [0.7, 0.9], "p": 0.01, "shuffled": 0.2, "tfidf": 0.4, "chance": 0.25,
    "n_concepts": 4, "n_topics": 8, "n_splits": 70, "n_stories": 32, "n_shuffles": 99, "found_at_best": {},
    "length": 0.26, "recommended_layer": 1,
}  # fmt: skip


GEOMETRY = {
    "layer": 2, "recommended": True, "shares": [0.4, 0.2], "components": {"layer": 2, "n_rated": 2},
    "regression": {"n_rated": 2}, "clusters": [{"k": 10, "silhouette": 0.1, "stability": 0.4}],
}  # fmt: skip
LENS = {"n_concepts": 1, "top": 50, "layer": 2, "tokens": [{"concept": "calm", "top": [EVIL], "bottom": ["b"]}],
        "best_tokens": []}  # fmt: skip


SWEPT = Swept(
    {"n_tokens": 900, "n_documents": 3, "layer": 2},
    [
        {
            "vector": "calm",
            "score": 0.21,
            "document": EVIL,
            "tokens": [EVIL, " sea"],
            "highlighted": [False, True],
        }
    ],
)
IMPLICIT = {"value": 0.5, "interval": [0.4, 0.6], "p": 0.001, "n": 36, "layer": 3, "n_concepts": 12, "diagonal": 1.3,
            "controls": {"chance": 0.083, "word_counts": 0.47}}  # fmt: skip


class AnyFigure(dict):
    """A figure under every name."""

    def __missing__(self, name):
        return self["any"]


def section(tmp_path, retrieval=RETRIEVAL, imported=False):
    figure = tmp_path / "f.svg"
    figure.write_text("<svg/>")
    found = Section(
        model="m", story_set="s",
        checks={"read": 35, "dropped": 3, "dropped_by_reason": {"too short": 2, "heading": 1}, "warnings": [EVIL]},
        manifest={"n_texts": 32, "dropped": {"no token left": 1}, "dtype": "float32", "skip": 50},
        vectors={"stories": {"a": 8, "b": 8}, "components_removed": [3, 5]},
        retrieval=retrieval, confusion=[{"concept": "a", "found": 0.4, "nearest_other": "b", "share": 0.3}],
        geometry=GEOMETRY, lens=LENS,
        steering={"strength": 0.05, "layers": [1, 2], "dose": 0.05, "specificity": 1.5, "interval": [1, 2], "p": 0.01,
                  "perplexity_unsteered": 3.0, "perplexity_steered": 4.0, "perplexity_controls": 4.0, "n_concepts": 2,
                  "controls": {"random": {"n": 5}}, "scored": ["he"], "damaged": False},
        continuations=[{"prompt": "he", "direction": "calm", "kind": "concept", "text": EVIL, "perplexity": 2.0}],
        figures=AnyFigure(any=figure), experiments=["implicit", "turns"], sweeps={"plays": SWEPT},
        labelled={"people": {"n_labels": 1}}, pictures=[{"html": "<figure class='picture'></figure>"}],
    )  # fmt: skip
    if not imported:
        return found
    of_stories = (
        "checks",
        "manifest",
        "vectors",
        "retrieval",
        "confusion",
        "lens",
        "steering",
        "continuations",
        "pictures",
    )
    nothing = {"experiments": [], "sweeps": {}, "labelled": {}}
    return dataclasses.replace(found, **dict.fromkeys(of_stories), **nothing)


def rendered(tmp_path, **options):
    models = {"m": {"source": EVIL, "revision": "abc" * 20, "architecture": "X", "n_layers": 4, "width": 8}}
    scorecard = [
        retrieval_entry("m", "s", options.get("retrieval", RETRIEVAL)),
        implicit_entry("m", "s", "plain", IMPLICIT),
    ]
    template = ROOT / "resources/report/report.html.jinja"
    sections = [section(tmp_path, **options)]
    figure = sections[0].figures["any"]
    return render_report(template, scorecard, models, sections, {"m": (figure, figure)}, {"s": figure})


def test_what_a_model_wrote_is_escaped(tmp_path):
    page = rendered(tmp_path)
    assert "<script" not in page and page.count("&lt;script&gt;") == 6


def test_numbers_and_verdict_stand_in_the_page(tmp_path):
    text = re.sub(r"<[^>]+>", " ", rendered(tmp_path))
    for expected in (
        "0.81",
        "0.70 to 0.90",
        "reproduced",
        "81.3%",
        "1 (no token left)",
        "95.0%",
        "explained by word counts",
        "0.40 to 0.60",
        "900 tokens of 3 documents",
        "heading 1, too short 2",
    ):
        assert expected in text


def test_controls_that_are_intervals_or_missing_are_shown_too(tmp_path):
    controls = {"shuffled_labels": [-0.06, 0.07], "random_directions": None, "word_counts": 0.4,
                "controls": {"spread": 0.2, "largest": None}}  # fmt: skip
    line = retrieval_entry("m", "s", RETRIEVAL) | {"control": controls}
    page = render_report(ROOT / "resources/report/report.html.jinja", [line], {}, [], {}, {})
    assert (
        "shuffled labels: -0.060 to 0.070, random directions: –, word counts: 0.40, controls: (spread 0.20, largest –)"
        in page
    )


def test_page_needs_no_network(tmp_path):
    page = rendered(tmp_path)
    assert (
        not re.findall(r"""(?:src|href)=["'](?!data:|#)""", page)
        and "@import" not in page
        and "url(" not in page
    )


def test_page_is_written_without_retrieval_too(tmp_path):
    assert "Not applicable" in rendered(tmp_path, retrieval={"n_concepts": 0, "n_topics": 2})


def test_imported_vectors_have_a_section_without_what_needs_stories_or_a_model(tmp_path):
    page = rendered(tmp_path, imported=True)
    assert "made elsewhere" in page and "found again on other topics" not in page
    assert "read as their own words" not in page and "steering show" not in page


def test_top_snippets_are_the_first_of_every_concept():
    found = [
        {"vector": v, "kind": kind, "rank": rank}
        for rank in (1, 0)
        for v, kind in (("sad", "concept"), ("calm", "concept"), ("random-0", "random"))
    ]
    assert [(s["vector"], s["rank"]) for s in top_snippets(found)] == [("calm", 0), ("sad", 0)]


def axes():
    return Figure().add_subplot()


def test_retrieval_figure_draws_the_tables_numbers():
    table = pd.DataFrame({"layer": [0, 1], "top1": [0.2, 0.8], "low": [0.1, 0.7], "high": [0.3, 0.9]})
    drawn = axes()
    draw_retrieval(drawn, table, RETRIEVAL)
    lines = {line.get_label(): line.get_ydata() for line in drawn.lines}
    np.testing.assert_array_equal(lines["activations"], [0.2, 0.8])
    assert set(lines["chance, 1 of 4"]) == {0.25} and set(lines["word counts (TF-IDF)"]) == {0.4}
    assert drawn.get_xlabel() and drawn.get_ylabel()


def test_growth_and_reliability_figures_draw_the_tables_numbers():
    growth = pd.DataFrame({"n_stories": [1, 2], "top1": [0.2, 0.6], "low": [0.1, 0.5], "high": [0.3, 0.7]})
    drawn = axes()
    draw_growth(drawn, growth, RETRIEVAL)
    np.testing.assert_array_equal(drawn.lines[0].get_xydata(), [[1, 0.2], [2, 0.6]])
    table = pd.DataFrame(
        {"layer": [0, 0, 0, 1, 1, 1], "split_half": [0.1, 0.3, 0.9, 0.2, 0.4, 0.6], "bootstrap": np.nan}
    )
    drawn = axes()
    draw_reliability(drawn, table)
    assert len(drawn.lines) == 1
    np.testing.assert_array_equal(drawn.lines[0].get_ydata(), [0.3, 0.4])


def test_layers_and_maps_draw_the_tables_numbers():
    table = pd.DataFrame(
        {"layer": [4, 7], "layer_4": [1, 0.5], "layer_7": [0.5, 1], "low": [1, 0.3], "high": [1, 0.6]}
    )
    left, right = axes(), axes()
    draw_layers(left, right, table, 4)
    np.testing.assert_array_equal(left.images[0].get_array(), [[1, 0.5], [0.5, 1]])
    np.testing.assert_array_equal(right.lines[0].get_xydata(), [[4, 1], [7, 0.5]])
    mapped = pd.DataFrame(
        {
            "layer": [4, 4, 7, 7],
            "concept": list("abab"),
            "axes": "UMAP",
            "x": range(4),
            "y": range(4),
            "valence": [1, np.nan] * 2,
        }
    )
    panels = [axes(), axes()]
    draw_maps(panels, mapped)
    for panel in panels:
        assert [t.get_text() for t in panel.texts] == ["a", "b"]
        assert [len(c.get_offsets()) for c in panel.collections] == [1, 1]


def test_heat_maps_draw_the_matrix_with_its_names():
    matrix = np.array([[1, -0.5], [-0.5, 1]])
    drawn = axes()
    draw_cosines(drawn, matrix, ["x", "y"])
    np.testing.assert_array_equal(drawn.images[0].get_array(), matrix)
    assert [t.get_text() for t in drawn.get_yticklabels()] == ["x", "y"]
    drawn = axes()
    draw_word_changes(drawn, matrix, ["x", "random-1"], ["x", "y"])
    # The colours are symmetric about no change.
    assert drawn.images[0].get_clim() == (-1, 1)


def test_plane_shows_every_concept_and_greys_the_unrated():
    drawn = axes()
    draw_plane(drawn, np.arange(6.0).reshape(3, 2), ["x", "y", "z"], np.array([2.0, np.nan, 8]), [0.5, 0.2])
    assert {t.get_text() for t in drawn.texts} == {"x", "y", "z"}
    assert [len(c.get_offsets()) for c in drawn.collections] == [1, 2]
    assert "50%" in drawn.get_xlabel()


def test_components_figure_shows_magnitudes_and_the_papers_value():
    table = pd.DataFrame(
        {"layer": [0, 1] * 2, "component": [1, 1, 2, 2], "valence_r": [-0.5, 0.4, 0.1, -0.2]}
    )
    drawn = axes()
    regression = pd.DataFrame({"layer": [0, 1], "valence_r": [0.6, -0.7]})
    draw_components(drawn, table, regression, "valence", 0.81, 0.95)
    lines = {line.get_label(): list(line.get_ydata()) for line in drawn.lines}
    assert lines["PC1, magnitude"] == [0.5, 0.4] and lines["paper, its model"] == [0.81, 0.81]
    # A prediction has a sign, a component has none.
    assert lines["ridge, word held out"] == [0.6, -0.7]


def test_story_sets_are_drawn_with_their_own_numbers():
    tables = {
        name: pd.DataFrame({"layer": [0, 1], "top1": values})
        for name, values in (("a", [0.1, 0.2]), ("b", [0.3, 0.4]))
    }
    drawn = axes()
    draw_by_set(drawn, tables, "top1", "found")
    assert {line.get_label(): list(line.get_ydata()) for line in drawn.lines[:2]} == {
        "a": [0.1, 0.2],
        "b": [0.3, 0.4],
    }
    agreement = pd.DataFrame(
        {"first": "a", "second": "b", "layer": [0, 1], "n_concepts": 5, "cosine": [0.5, 0.6]}
    )
    drawn = axes()
    draw_agreement(drawn, agreement)
    assert list(drawn.lines[0].get_ydata()) == [0.5, 0.6] and drawn.lines[0].get_label() == "a and b (5)"


def test_saved_figures_are_the_same_bytes_twice(tmp_path):
    for name in ("a", "b"):
        with saved_figure(tmp_path / f"{name}.svg", tmp_path / f"{name}.png", width=3, height=2) as drawn:
            drawn.plot([0, 1], [1, 0])
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert ElementTree.parse(tmp_path / "a.svg").getroot().tag.endswith("svg")
