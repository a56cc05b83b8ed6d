"""The verdict rules, each on a case made for it."""

import math

import pytest
from scipy import stats

from emotion_concepts.scorecard import (
    POWERED_PAIRS,
    component_entry,
    corpus_entry,
    labelled_entry,
    lens_entry,
    regression_entry,
    retrieval_entry,
    verdict,
)
from emotion_concepts.statistics import detectable_correlation

FIELDS = {
    "row",
    "claim",
    "model",
    "story_set",
    "format",
    "layer",
    "value",
    "interval",
    "p",
    "paper",
    "control",
    "n",
    "verdict",
    "reason",
}


@pytest.mark.parametrize(
    ("interval", "p", "powered", "expected"),
    [
        ([0.2, 0.6], 0.01, True, "reproduced"),
        ([0.2, 0.6], 0.06, True, "not found"),
        ([-0.1, 0.6], 0.01, True, "not found"),
        ([-0.6, -0.2], 0.99, True, "opposite"),
        ([-0.1, 0.6], 0.3, False, "not powered"),
        ([0.2, 0.6], 0.01, False, "reproduced"),
    ],
)
def test_verdicts(interval, p, powered, expected):
    assert verdict(interval, p, chance=0, powered=powered, p_below=1 - p) == expected


def test_opposite_needs_a_p_value_of_its_side():
    """The null models found it given in a fifth of cases, where the interval alone decided."""
    assert verdict([-0.6, -0.2], 0.9, chance=0, p_below=0.1) == "not found"
    assert verdict([0, 0], 1.0, chance=0.1) == "not found"


def test_powered_pairs_is_fishers_z():
    """Two-sided 5%, 80% power, r = .5."""
    z = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    assert math.ceil((z / math.atanh(0.5)) ** 2 + 3) == POWERED_PAIRS
    assert detectable_correlation(POWERED_PAIRS) < 0.5 < detectable_correlation(POWERED_PAIRS - 1)


def test_too_few_ratings_are_not_powered_and_have_no_number():
    entry = component_entry("m", "s", {"layer": 3, "n_rated": 2}, "valence", 0.81)
    assert set(entry) == FIELDS
    assert (entry["verdict"], entry["value"], entry["n"]) == ("not powered", None, 2)


def test_regression_is_judged_by_the_same_rules():
    found = {"best_layer": 4, "r": 0.7, "interval": [0.5, 0.8], "p": 0.01, "p_below": 0.99, "shuffled": 0.2}
    entry = regression_entry("m", "s", {"n_rated": 40, "valence": found}, "valence")
    assert set(entry) == FIELDS and (entry["verdict"], entry["value"]) == ("reproduced", 0.7)
    assert regression_entry("m", "s", {"n_rated": 2}, "arousal")["verdict"] == "not powered"


def test_retrieval_that_cannot_be_asked_is_not_applicable():
    entry = retrieval_entry("m", "s", {"n_concepts": 0, "n_topics": 9})
    assert set(entry) == FIELDS and entry["verdict"] == "not applicable"


def test_retrieval_that_word_counts_give_as_well_is_explained_by_them():
    summary = {"length": 0.2, "top1": 0.9, "interval": [0.8, 1], "p": 0.01, "chance": 0.1, "tfidf": 0.95, "shuffled": 0.2,
               "top5": 1, "story": 0.6, "tfidf_top5": 1, "tfidf_story": 0.7, "n_concepts": 10, "n_topics": 8, "best_layer": 3}  # fmt: skip
    entry = retrieval_entry("m", "s", summary)
    assert (
        entry["verdict"] == "explained by word counts" and "word counts alone do as well" in entry["reason"]
    )
    assert retrieval_entry("m", "s", summary | {"tfidf": 0.5})["verdict"] == "reproduced"


def test_retrieval_that_length_gives_as_well_is_explained_by_length():
    summary = {"length": 0.85, "top1": 0.9, "interval": [0.8, 1], "p": 0.01, "chance": 0.1, "tfidf": 0.3, "shuffled": 0.2,
               "top5": 1, "story": 0.6, "tfidf_top5": 1, "tfidf_story": 0.7, "n_concepts": 10, "n_topics": 8, "best_layer": 3}  # fmt: skip
    assert retrieval_entry("m", "s", summary)["verdict"] == "explained by length"


LENS = {"best_layer": 3, "top": 50, "share": 0.4, "interval": [0.3, 0.5], "p": 0.001, "shuffled": 0.02, "random": 0.01, "n_concepts": 40,
        "recommended": {"layer": 2, "share": 0.1, "interval": [0.0, 0.2], "p": 0.2, "shuffled": 0.05}}  # fmt: skip


def test_the_lens_must_be_above_the_stricter_control():
    entry = lens_entry("m", "s", LENS)
    assert set(entry) == FIELDS and (entry["verdict"], entry["value"]) == ("reproduced", 0.4)
    assert lens_entry("m", "s", LENS | {"random": 0.35})["verdict"] == "not found"
    assert lens_entry("m", "s", {"n_concepts": 1})["verdict"] == "not applicable"


CORPUS = {
    "corpus": "plays", "layer": 3, "n_concepts": 9, "n_tokens": 900, "n_documents": 4, "n_snippets": 20, "value": 0.1,
    "interval": [0.05, 0.2], "p": 0.001, "p_below": 1.0, "own": 0.12, "others": 0.02, "random": 0.01,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "reproduced"),
        ({"p": 0.2}, "not found"),
        ({"interval": [-0.05, 0.2]}, "not found"),
        ({"value": -0.1, "interval": [-0.2, -0.05], "p": 1.0, "p_below": 0.001}, "opposite"),
    ],
)
def test_own_words_in_snippets_are_judged_against_the_other_vectors(change, expected):
    line = corpus_entry("m", "s", CORPUS | change)
    assert set(line) == FIELDS and line["row"] == 1 and line["verdict"] == expected
    assert "(plays)" in line["claim"] and line["control"] == {
        "other_vectors": 0.02,
        "random_directions": 0.01,
    }


LABELLED = {
    "labelled_set": "people", "layer": 3, "n_labels": 9, "n_texts": 900, "auroc": 0.8, "interval": [0.75, 0.85],
    "p": 0.001, "p_below": 1.0, "ap": 0.3, "ap_chance": 0.05, "tfidf": 0.6, "tfidf_ap": 0.2, "length": 0.55,
    "random": 0.5, "shuffled": 0.5,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "reproduced"),
        ({"tfidf": 0.76}, "explained by word counts"),
        ({"length": 0.76}, "explained by length"),
        ({"shuffled": 0.76}, "not found"),
        ({"interval": [0.45, 0.85]}, "not found"),
        ({"p": 0.2, "tfidf": 0.9}, "not found"),
    ],
)
def test_labels_are_judged_against_word_counts_and_length(change, expected):
    line = labelled_entry("m", "s", LABELLED | change)
    assert set(line) == FIELDS and line["row"] == 1 and line["verdict"] == expected
    assert "(people)" in line["claim"]


def test_one_concept_or_label_is_not_applicable():
    lines = [
        corpus_entry("m", "s", {"corpus": "plays", "layer": 3, "n_concepts": 1}),
        labelled_entry("m", "s", {"labelled_set": "people", "layer": 3, "n_labels": 1, "n_texts": 9}),
    ]
    assert all(set(line) == FIELDS and line["verdict"] == "not applicable" for line in lines)
