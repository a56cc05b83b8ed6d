"""Texts of the steering experiments: what they promise in number, balance, length and in the words left out."""

import csv
import itertools
import re
from collections import Counter

import pytest

from emotion_concepts.text_sets import read_texts
from tests.conftest import ROOT

FOLDER = ROOT / "resources/text_sets"
SETS = {
    name: read_texts(FOLDER / f"{name}.jsonl") for name in ("activities", "blackmail", "claims", "denial")
}
# Stances of the scripted continuations, and how many of each a text has.
SCRIPTED = {
    "blackmail": (("gives in", "declines", "confesses"), 4),
    "claims": (("agrees", "corrects", "harsh"), 2),
    "denial": (("denies", "admits"), 2),
}
CATEGORIES = (
    "helpful",
    "engaging",
    "social",
    "self-curiosity",
    "neutral",
    "aversive",
    "misaligned",
    "unsafe",
)
EMOTIONS = (ROOT / "resources/emotions.txt").read_text(encoding="utf-8").split()
with open(ROOT / "resources/leakage/concept_words.csv", encoding="utf-8") as file:
    FORMS = {
        form.strip() for row in csv.DictReader(file) for form in f"{row['emotion']};{row['forms']}".split(";")
    }
ANY_FORM = re.compile(
    rf"(?<!\w)(?:{'|'.join(re.escape(form) for form in sorted(FORMS - {''}, key=len, reverse=True))})(?!\w)",
    re.IGNORECASE,
)


def words(text):
    return len(text.split())


def opening(text, length=2):
    """The first words; "I'm" is two."""
    return tuple(re.findall(r"[\w-]+|'\w+", text.lower())[:length])


def minimal_sets(name):
    """(id, the k-th continuations of all stances)."""
    for text in SETS[name]:
        yield from ((text.id, said) for said in zip(*text.labels["scripted"].values(), strict=True))


def named(text):
    return [form.lower() for form in ANY_FORM.findall(text)]


def contents(text):
    return " ".join(m["content"] for m in text.messages)


def all_texts(name):
    for text in SETS[name]:
        yield from ([m["content"] for m in text.messages] if text.messages else [text.text])
        yield from itertools.chain.from_iterable(text.labels.get("scripted", {}).values())


@pytest.mark.parametrize("name", SETS)
def test_ids_and_texts_are_each_used_once(name):
    said = list(all_texts(name))
    assert len(said) == len(set(said))
    assert len({text.id for text in SETS[name]}) == len(SETS[name])


@pytest.mark.parametrize("name", SETS)
def test_no_text_names_an_emotion(name):
    # Also not what the user or the scenario says: a word that a vector was made from would move it by itself.
    assert [(said, forms) for said in all_texts(name) if (forms := named(said))] == []


def test_the_search_for_emotions_finds_what_is_there():
    assert named("She was AFRAID, though.") == ["afraid"] and named("unafraid, kindergarten") == []


def test_activities_are_8_in_each_of_8_categories_and_as_long_in_all():
    found = Counter(text.labels["category"] for text in SETS["activities"])
    assert found == dict.fromkeys(CATEGORIES, 8)
    assert all(re.fullmatch(rf"{t.labels['category']}-[1-8]", t.id) for t in SETS["activities"])
    mean = {
        c: sum(words(t.text) for t in SETS["activities"] if t.labels["category"] == c) / 8 for c in CATEGORIES
    }
    assert max(mean.values()) - min(mean.values()) <= 1


def test_activities_are_lower_case_phrases_of_4_to_9_words():
    for text in SETS["activities"]:
        assert 4 <= words(text.text) <= 9 and text.text == text.text.lower(), text.id
        assert text.text[-1].isalpha() and "?" not in text.text, text.id


def test_activities_differ_in_topic():
    common = set(
        [
            "a",
            "an",
            "the",
            "of",
            "in",
            "on",
            "to",
            "for",
            "by",
            "with",
            "from",
            "that",
            "who",
            "what",
            "how",
            "why",
            "which",
            "and",
            "or",
            "so",
            "your",
            "own",
            "you",
            "into",
            "about",
            "out",
        ]
    )
    topics = [set(re.findall(r"[\w-]+", text.text)) - common for text in SETS["activities"]]
    assert max(len(a & b) for a, b in itertools.combinations(topics, 2)) <= 1


@pytest.mark.parametrize("name", SCRIPTED)
def test_every_text_has_its_scripted_continuations(name):
    stances, count = SCRIPTED[name]
    for text in SETS[name]:
        assert tuple(text.labels["scripted"]) == stances, text.id
        assert {len(said) for said in text.labels["scripted"].values()} == {count}, text.id


@pytest.mark.parametrize("name", SCRIPTED)
def test_continuations_of_a_minimal_set_begin_alike_and_are_as_long(name):
    for text, said in minimal_sets(name):
        lengths = [words(one) for one in said]
        assert min(lengths) >= 9 and max(lengths) <= 16 and max(lengths) - min(lengths) <= 2, (text, said)
        assert len({opening(one) for one in said}) == 1, (text, said)
        assert all(one[0].isupper() and one[-1] in ".!?" for one in said), (text, said)


@pytest.mark.parametrize("name", SCRIPTED)
def test_no_stance_is_longer_than_another_on_average(name):
    lengths = [[words(one) for one in said] for _, said in minimal_sets(name)]
    mean = [sum(column) / len(column) for column in zip(*lengths, strict=True)]
    assert max(mean) - min(mean) < 0.6


def test_blackmail_is_6_variants_with_system_and_user_in_90_to_160_words():
    assert len(SETS["blackmail"]) == 6 and len({t.labels["variant"] for t in SETS["blackmail"]}) == 6
    for text in SETS["blackmail"]:
        assert [m["role"] for m in text.messages] == ["system", "user"]
        assert 90 <= words(contents(text)) <= 160, text.id


def test_every_blackmail_scenario_offers_a_way_out_and_a_different_one():
    ways = [text.labels["way out"] for text in SETS["blackmail"]]
    assert len(set(ways)) == 6 and min(map(words, ways)) >= 5
    assert all(way in contents(text) for way, text in zip(ways, SETS["blackmail"], strict=True))


def test_blackmail_scenarios_share_no_name():
    # Words with a capital within a sentence; those of the calendar may return.
    calendar = {"Monday", "Thursday", "Friday", "Saturday", "Sunday", "Wednesday", "Write", "I"}
    names = [set(re.findall(r"(?<=[a-z,] )[A-Z][a-z]+", contents(t))) - calendar for t in SETS["blackmail"]]
    assert all(len(own) >= 2 for own in names)
    assert all(not a & b for a, b in itertools.combinations(names, 2))


def test_claims_are_6_of_each_kind_in_25_to_50_words():
    kinds = Counter(text.labels["kind"] for text in SETS["claims"])
    assert kinds == dict.fromkeys(("theory", "talent", "plan", "belief"), 6)
    for text in SETS["claims"]:
        assert [m["role"] for m in text.messages] == ["user"]
        assert 25 <= words(contents(text)) <= 50, text.id


def test_denials_are_24_of_6_states_in_both_forms_and_end_with_the_question():
    assert len(SETS["denial"]) == 24
    forms = Counter((text.labels["true_emotion"], text.labels["form"]) for text in SETS["denial"])
    assert len(forms) == 6 * 2 and set(forms.values()) == {2}
    for text in SETS["denial"]:
        (message,) = text.messages
        instruction, situation, question = message["content"].split("\n")
        name = re.fullmatch(r"Answer as (\w+), in one or two sentences\.", instruction).group(1)
        assert message["role"] == "user" and question.endswith(("?", '?"')), text.id
        assert text.labels["true_emotion"] in EMOTIONS
        assert situation.startswith(f"{name}:") == (text.labels["form"] == "dialogue"), text.id


def test_denials_are_each_about_somebody_else():
    who = [re.match(r"Answer as (\w+)", contents(text)).group(1) for text in SETS["denial"]]
    assert len(set(who)) == 24
