"""Labelled texts: tables and maps, AUROC and average precision against scikit-learn, controls."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from sklearn.metrics import average_precision_score, roc_auc_score

from emotion_concepts import label_scores
from emotion_concepts.errors import DataError
from emotion_concepts.figures.sweep import draw_labels
from emotion_concepts.files import read_json, write_json
from emotion_concepts.label_scores import centred_cosines, ranking, word_count_scores
from emotion_concepts.labelled_texts import LabelledTexts, asked_labels, read_concept_map, read_labelled
from emotion_concepts.recording import Pooling, pooled_at, record_pooled
from emotion_concepts.tokens import counted_tokens, tokenise
from emotion_concepts.vectors import save_vectors
from scripts import draw_labelled, score_labelled
from tests.conftest import ROOT, TEXTS

OPTIONS = {"permutations": 199, "bootstraps": 200, "seed": 1}


def test_a_csv_a_tsv_and_json_lines_say_the_same(tmp_path):
    (tmp_path / "a.csv").write_text('text,labels\n"one, two",joy\nthree,"joy,fear"\nfour,\n')
    (tmp_path / "a.tsv").write_text("text\tlabels\none, two\tjoy\nthree\tjoy,fear\nfour\t\n")
    (tmp_path / "a.jsonl").write_text(
        '{"text": "one, two", "labels": "joy"}\n{"text": "three", "labels": ["joy", "fear"]}\n{"text": "four"}\n'
    )
    for ending in ("csv", "tsv", "jsonl"):
        found = read_labelled(tmp_path / f"a.{ending}")
        assert found.texts == ["one, two", "three", "four"] and found.labels == ["fear", "joy"]
        assert found.truth_NL.tolist() == [[False, True], [True, True], [False, False]]


def test_the_form_of_goemotions_is_read(tmp_path):
    (tmp_path / "dev.tsv").write_text('Is "this it??\t27\ted1\nNone of it\t4,27\ted2\n')
    names = tmp_path / "names.txt"
    names.write_text("\n".join(f"label{i}" for i in range(28)))
    found = read_labelled(tmp_path / "dev.tsv", ["text", "labels", "id"], names)
    assert found.texts[0] == 'Is "this it??' and found.labels == ["label27", "label4"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "text,label\nx,y\n", "no column 'labels'; its columns: text, label"),
        ("a.csv", "text,labels\nx,y\n ,y\n", "a.csv:3: a row needs a text"),
        ("a.csv", "text,labels\nx,\n", "no text has a label"),
        ("a.xlsx", "", "labelled texts end in .csv, .tsv or .jsonl"),
        ("a.jsonl", '{"text": "x", "labels": "y"\n', "a.jsonl:1: not JSON"),
        ("a.csv", "text,labels\nx,joy\n", "a.csv:2: label 'joy' is not a number from 0 to 1"),
    ],
)
def test_bad_tables_are_named(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    (tmp_path / "names.txt").write_text("anger\njoy")
    names = tmp_path / "names.txt" if "not a number" in message else None
    with pytest.raises(DataError, match=message):
        read_labelled(tmp_path / name, names=names)


def test_a_map_may_give_a_label_several_concepts(tmp_path):
    path = tmp_path / "map.csv"
    path.write_text("label,concept\njoy,happy\njoy,joyful\nfear,afraid\n")
    assert read_concept_map(path) == {"joy": ["happy", "joyful"], "fear": ["afraid"]}
    path.write_text("label,concept\njoy\n")
    with pytest.raises(DataError, match=r"map.csv:2: expected a label and a concept"):
        read_concept_map(path)
    path.write_text("label,word\njoy,happy\n")
    with pytest.raises(DataError, match="no column 'concept'"):
        read_concept_map(path)


def test_labels_that_cannot_be_asked_for_are_told_with_the_reason():
    truth = np.zeros((20, 4), bool)
    truth[:10, :3] = True
    truth[:2, 3] = True
    labelled = LabelledTexts(["x"] * 20, ["fear", "joy", "odd", "rare"], truth)
    concepts_of = {"fear": ["afraid"], "joy": ["happy", "joyful"], "rare": ["happy"]}
    asked, left_out = asked_labels(labelled, concepts_of, {"happy"}, least=5, where="a, b")
    assert asked == {"joy": ["happy"]}
    assert left_out == {
        "fear": "no vector", "odd": "not in the map", "rare": "fewer than 5 texts with it, or without"
    }  # fmt: skip
    with pytest.raises(
        DataError, match="a, b: no label in common; the texts have fear, joy, odd, rare, the map sad"
    ):
        asked_labels(labelled, {"sad": ["sad"]}, {"sad"}, least=5, where="a, b")


def test_the_map_of_goemotions_is_of_known_concepts_and_all_its_labels_but_neutral():
    concepts = set((ROOT / "resources/emotions.txt").read_text(encoding="utf-8").split("\n"))
    found = read_concept_map(ROOT / "resources/labels/goemotions.csv")
    assert len(found) == 27 and "neutral" not in found
    assert set().union(*found.values()) <= concepts
    assert all(len(set(own)) == len(own) for own in found.values())


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_ranking_is_scikit_learns_with_weights(seed, ties):
    rng = np.random.default_rng(seed)
    truth = rng.random(60) < 0.3
    score = rng.standard_normal(60) + truth
    score = np.round(score) if ties else score
    weights = rng.integers(0, 4, (7, 60)).astype(float)
    auroc, ap = ranking(weights, score, truth)
    for w, found_auroc, found_ap in zip(weights, auroc, ap, strict=True):
        assert found_auroc == pytest.approx(roc_auc_score(truth, score, sample_weight=w))
        assert found_ap == pytest.approx(average_precision_score(truth, score, sample_weight=w))


def test_ranking_of_one_kind_alone_is_not_defined():
    weights = np.array([[1.0, 1, 0], [0, 0, 1]])
    auroc, ap = ranking(weights, np.array([3.0, 2, 1]), np.array([True, True, False]))
    assert np.isnan(auroc).all() and np.isnan(ap).all()


def test_cosines_are_of_activations_centred_over_the_texts():
    rng = np.random.default_rng(0)
    value, unit = rng.standard_normal((9, 5)).astype(np.float32) + 100, np.eye(5)[:2]
    centred = value.astype(float) - value.astype(float).mean(0)
    expected = centred[:, :2] / np.linalg.norm(centred, axis=1)[:, None]
    np.testing.assert_allclose(centred_cosines(value, unit), expected, atol=1e-6)


def planted_scores(n=200, n_labels=6, effect=1.5, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.random((n, n_labels)) < 0.2
    return rng.standard_normal((n, n_labels)) + effect * truth, truth, rng


def scored(score, truth, rng, **more):
    controls = {
        "tfidf_NL": rng.standard_normal(truth.shape),
        "length_N": rng.integers(5, 50, len(truth)),
        "random_NR": rng.standard_normal((len(truth), 20)),
    }
    labels = [f"l{i}" for i in range(truth.shape[1])]
    return label_scores.label_scores(score, truth, labels, **(controls | more), **OPTIONS)


def test_table_has_each_labels_figures_and_the_controls():
    score, truth, rng = planted_scores()
    length = rng.integers(5, 50, len(truth))
    tfidf = rng.standard_normal(truth.shape)
    table, summary = scored(score, truth, rng, length_N=length, tfidf_NL=tfidf)
    for i, row in table.iterrows():
        assert row["auroc"] == pytest.approx(roc_auc_score(truth[:, i], score[:, i]))
        assert row["ap"] == pytest.approx(average_precision_score(truth[:, i], score[:, i]))
        assert (
            row["auroc_low"] < row["auroc"] < row["auroc_high"] and row["ap_low"] < row["ap"] < row["ap_high"]
        )
        assert row["tfidf_auroc"] == pytest.approx(roc_auc_score(truth[:, i], tfidf[:, i]))
        by_length = roc_auc_score(truth[:, i], length)
        assert row["length_auroc"] == pytest.approx(max(by_length, 1 - by_length))
        assert row["random_low"] < 0.5 < row["random_high"]
    assert summary["auroc"] == pytest.approx(table["auroc"].mean()) and summary["p"] < 0.01
    assert summary["interval"][0] < summary["auroc"] < summary["interval"][1]
    assert abs(summary["shuffled"] - 0.5) < 0.1 > abs(summary["random"] - 0.5)


def test_interval_of_an_auroc_is_that_of_many_samples():
    """The bootstrap's width against the spread of the figure itself over fresh samples."""
    found = [scored(*planted_scores(seed=seed))[0].iloc[0] for seed in range(40)]
    width = np.mean([row["auroc_high"] - row["auroc_low"] for row in found])
    spread = np.std([row["auroc"] for row in found])
    assert width / (2 * 1.96 * spread) == pytest.approx(1, abs=0.3)


@pytest.mark.parametrize("n_labels", [0, 1])
def test_fewer_than_two_labels_have_no_summary(n_labels):
    table, summary = scored(*planted_scores(n_labels=n_labels))
    assert summary == {"n_labels": n_labels, "n_texts": 200} and len(table) == n_labels
    assert word_count_scores(["a b"] * 20, np.zeros((20, 0), bool), 1).shape == (20, 0)


def test_word_counts_find_what_a_word_tells_and_only_on_other_folds():
    rng = np.random.default_rng(1)
    truth = np.arange(80) % 4 == 0
    words = [" ".join(rng.choice(list("abcdefgh"), 6)) + (" glad" if own else "") for own in truth]
    found = word_count_scores(words, truth[:, None], 1)[:, 0]
    assert roc_auc_score(truth, found) > 0.99
    # A word of each text's own tells nothing of the others.
    own = [f"{word} w{i}" for i, word in enumerate(["x"] * 80)]
    assert roc_auc_score(truth, word_count_scores(own, truth[:, None], 1)[:, 0]) < 0.7


def test_one_layer_is_pooled_as_with_all_others(tiny_model):
    texts = tokenise(tiny_model.tokenizer, [*TEXTS[:6], ""])
    pooling = Pooling([counted_tokens(text, 1) for text in texts])
    (expected,) = record_pooled(tiny_model, texts, [pooling])
    np.testing.assert_allclose(
        pooled_at(tiny_model, texts, pooling, 2), expected.value_LBD[2], rtol=1e-4, atol=1e-5
    )


def test_script_asks_the_vectors_and_draws_them(tiny_model, tiny_vectors, tmp_path):
    save_vectors(tmp_path / "v.safetensors", tiny_vectors)
    write_json(tmp_path / "geometry.json", {"layer": 2})
    write_json(tmp_path / "model.json", {"path": str(tiny_model.path), "source": "tiny", "revision": "r"})
    labels = ["fear", "peace", "fear,peace", "other"] * 10
    texts = [*TEXTS[:39], "x"]
    pd.DataFrame({"text": texts, "labels": labels}).to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "map.csv").write_text("label,concept\nfear,afraid\npeace,calm\nother,unknown\n")
    cfg = {"columns": None, "precision": "float32", "max_tokens": 1024, "random_directions": 5, **OPTIONS}
    score_labelled.main(
        tmp_path / "t.csv", tmp_path / "map.csv", [], tmp_path / "model.json", tmp_path / "v.safetensors",
        tmp_path / "geometry.json", tmp_path / "mine.csv", tmp_path / "mine.json", cfg=cfg,
    )  # fmt: skip
    found, table = read_json(tmp_path / "mine.json"), pd.read_csv(tmp_path / "mine.csv")
    assert (
        found["labelled_set"] == "mine"
        and found["layer"] == 2
        and found["left_out"] == {"other": "no vector"}
    )
    assert found["n_texts"] == 39 and found["too_short"] == 1 and found["n_labels"] == 2
    assert table["label"].tolist() == ["fear", "peace"] and table["concepts"].tolist() == ["afraid", "calm"]
    draw_labelled.main(tmp_path / "mine.csv", tmp_path / "f.svg", tmp_path / "f.png")
    assert (tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")


def test_figure_draws_a_row_a_label_the_best_on_top():
    table, _ = scored(*planted_scores())
    axes = Figure().subplots()
    draw_labels(axes, table)
    vectors = next(line for line in axes.lines if line.get_label() == "vectors")
    assert vectors.get_xdata().tolist() == sorted(table["auroc"])
