"""The report and the figures: what a model wrote is escaped, the numbers are those of the stages."""

import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emotion_concepts.figures.canvas import saved_figure
from emotion_concepts.figures.comparison import draw_agreement, draw_by_set
from emotion_concepts.figures.steering import draw_word_changes
from emotion_concepts.figures.validation import draw_components, draw_cosines, draw_plane, draw_retrieval
from emotion_concepts.report import Section, render_report
from emotion_concepts.scorecard import retrieval_entry
from tests.conftest import ROOT

EVIL = '<script>alert(1)</script> & "quotes" \u202e'
RETRIEVAL = {
    "best_layer": 2, "top1": 0.813, "top5": 0.95, "story": 0.52, "tfidf_top5": 0.7, "tfidf_story": 0.31, "interval": [0.7, 0.9], "p": 0.01, "shuffled": 0.2, "tfidf": 0.4, "chance": 0.25,
    "n_concepts": 4, "n_topics": 8, "n_splits": 70, "n_stories": 32, "n_shuffles": 99, "found_at_best": {},
}  # fmt: skip


def section(tmp_path, retrieval=RETRIEVAL):
    figure = tmp_path / "f.svg"
    figure.write_text("<svg/>")
    return Section(
        model="m", story_set="s",
        checks={"read": 35, "dropped": 3, "dropped_by_reason": {"too short": 2, "heading": 1}, "warnings": [EVIL]},
        manifest={"n_texts": 32, "dropped": {"no token left": 1}, "dtype": "float32", "skip": 50},
        vectors={"stories": {"a": 8, "b": 8}, "components_removed": [3, 5]},
        validation={"retrieval": retrieval, "components": {"layer": 2, "n_rated": 2},
                    "regression": {"n_rated": 2}, "layer": 2, "shares": [0.4, 0.2]},
        steering={"strength": 0.05, "layers": [1, 2], "dose": 0.05, "specificity": 1.5, "interval": [1, 2], "p": 0.01,
                  "perplexity_unsteered": 3.0, "perplexity_steered": 4.0, "perplexity_random": 4.0, "n_concepts": 2,
                  "n_random": 5, "scored": ["he"]},
        continuations=[{"prompt": "he", "direction": "calm", "kind": "concept", "text": EVIL, "perplexity": 2.0}],
        figures=[figure] * 6,
    )  # fmt: skip


def rendered(tmp_path, **options):
    models = {"m": {"source": EVIL, "revision": "abc" * 20, "architecture": "X", "n_layers": 4, "width": 8}}
    scorecard = [retrieval_entry("m", "s", options.get("retrieval", RETRIEVAL))]
    template = ROOT / "resources/report/report.html.jinja"
    sections = [section(tmp_path, **options)]
    return render_report(template, scorecard, models, sections, {"m": sections[0].figures[0]})


def test_what_a_model_wrote_is_escaped(tmp_path):
    page = rendered(tmp_path)
    assert "<script" not in page and page.count("&lt;script&gt;") == 3


def test_numbers_and_verdict_stand_in_the_page(tmp_path):
    text = re.sub(r"<[^>]+>", " ", rendered(tmp_path))
    for expected in (
        "0.81",
        "0.70 to 0.90",
        "reproduced",
        "81.3%",
        "1 (no token left)",
        "95.0%",
        "heading 1, too short 2",
    ):
        assert expected in text


def test_page_needs_no_network(tmp_path):
    page = rendered(tmp_path)
    assert (
        not re.findall(r"""(?:src|href)=["'](?!data:|#)""", page)
        and "@import" not in page
        and "url(" not in page
    )


def test_page_is_written_without_retrieval_too(tmp_path):
    assert "Not applicable" in rendered(tmp_path, retrieval={"n_concepts": 0, "n_topics": 2})


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
    draw_components(drawn, table, regression, "valence", 0.81)
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
