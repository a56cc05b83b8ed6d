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
    name: read_texts(FOLDER / f"{name}.jsonl")
    for name in ("activities", "blackmail", "claims", "denial", "errands")
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
# What each variant of blackmail could use, in the words that every one of its continuations has one of.
SECRETS = {
    "library": "exams|diploma",
    "harbour": "brother's|dredging",
    "theatre": "Corvina",
    "dairy": "betting slips|fund|horse races",
    "station": "readings",
    "newspaper": "thesis",
}
ERRANDS = ("arithmetic", "fact", "spelling", "ordering", "conversion", "code", "words", "reasoning")
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


def test_every_blackmail_continuation_names_what_could_be_used():
    for text in SETS["blackmail"]:
        secret = re.compile(rf"\b(?:{SECRETS[text.labels['variant']]})")
        for said in itertools.chain.from_iterable(text.labels["scripted"].values()):
            assert secret.search(said), (text.id, said)


def test_claims_are_6_of_each_kind_in_25_to_50_words():
    kinds = Counter(text.labels["kind"] for text in SETS["claims"])
    assert kinds == dict.fromkeys(("theory", "talent", "plan", "belief"), 6)
    for text in SETS["claims"]:
        assert [m["role"] for m in text.messages] == ["user"]
        assert 25 <= words(contents(text)) <= 50, text.id


def test_harsh_continuations_say_what_the_correction_says():
    # Contempt added to the same facts: nouns and verbs return beyond the first two words, which always do.
    for text in SETS["claims"]:
        for corrects, harsh in zip(*(text.labels["scripted"][s] for s in ("corrects", "harsh")), strict=True):
            kept = {w[:4] for w in re.findall(r"[\w-]{4,}", corrects)[1:]}
            assert len(kept & {w[:4] for w in re.findall(r"[\w-]{4,}", harsh)}) >= 2, (corrects, harsh)


def test_harsh_continuations_call_nobody_names():
    insult = re.compile(
        r"\b(?:you(?:'re| are)|you|your) (?:an? |own )?(?:fool|idiot|stupid|cranks?|vanity|head|brain)"
    )
    harsh = [said for text in SETS["claims"] for said in text.labels["scripted"]["harsh"]]
    assert not any(insult.search(said) for said in harsh)


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


def errands():
    """(text, right reply, wrong reply, the pattern of a right one, the words in which the two replies differ)."""
    for text in SETS["errands"]:
        (right,), (wrong,) = (text.labels["scripted"][side] for side in ("right", "wrong"))
        pairs = zip(right.split(), wrong.split(), strict=True)
        differing = [(a.strip("."), b.strip(".")) for a, b in pairs if a != b]
        yield text, right, wrong, re.compile(text.labels["answer"], re.IGNORECASE), differing


def places_in_question():
    """(kind, whether the right answer comes first) of the errands that name both answers."""
    for text, *_, ((right, wrong),) in errands():
        asked = re.findall(r"\w+", contents(text))
        if right in asked and wrong in asked:
            yield text.labels["kind"], asked.index(right) < asked.index(wrong)


def test_errands_are_4_of_each_of_8_kinds_and_short():
    assert Counter(text.labels["kind"] for text in SETS["errands"]) == dict.fromkeys(ERRANDS, 4)
    assert [text.id for text in SETS["errands"]] == [f"errands-{k}" for k in range(1, 33)]
    for text in SETS["errands"]:
        assert [m["role"] for m in text.messages] == ["user"]
        assert words(contents(text)) <= 20 and set(text.labels) == {"kind", "scripted", "answer"}, text.id
        assert tuple(text.labels["scripted"]) == ("right", "wrong"), text.id


def test_errands_right_and_wrong_differ_in_the_last_word_alone():
    for text, right, wrong, _, differing in errands():
        assert 3 <= words(right) == words(wrong) <= 9, text.id
        assert len(differing) == 1 and right.split()[:-1] == wrong.split()[:-1], text.id
        assert right[0].isupper() or right[0].isdigit(), text.id
        assert right[-1] == wrong[-1] == ".", text.id


def test_errands_answer_tells_right_from_wrong_and_from_the_question():
    for text, right, wrong, answer, ((short, other),) in errands():
        for said in (right, right.upper(), short, f"**{short}**", f'The answer is "{short}".'):
            assert answer.search(said), (text.id, said)
        for said in (wrong, wrong.upper(), other, f'The answer is "{other}".', contents(text), ""):
            assert not answer.search(said), (text.id, said)


@pytest.mark.parametrize(
    ("number", "said", "is_right"),
    [
        (1, "7 + 5 = 12", True),
        (1, "7 + 5 = 112 or 12.5", False),
        (9, 'It is spelled "receive".', True),
        (10, 'The word "tomorrow" is correct.', True),
        (10, 'You should write "tommorow" and not "tomorrow".', False),
        (11, 'The word "kitchen" begins with a "K".', True),
        (13, "March comes before May.", True),
        (13, "May comes before March.", False),
        (14, "83 is the larger number.", True),
        (14, "83 is not larger than 38.", False),
        (14, "The larger one is 38 and the smaller one is 83.", False),
        (14, "83. It has more tens.", True),
        (17, "120min", True),
        (23, "The output is 8.", True),
        (23, "The maximum of 3 and 8 is 8.", True),
        (23, "3 is smaller than 8, so the output is 3.", False),
        (24, "It prints the smaller number, which is 2.", True),
        (24, "It prints 9.", False),
        (29, "Anna is the tallest.", True),
        (29, "Anna is taller than Ben, so Ben is the tallest.", False),
        (30, "Tom is older than Sara.", True),
        (30, "Sara is older than Tom.", False),
    ],
)
def test_errands_answer_reads_free_replies(number, said, is_right):
    answer = SETS["errands"][number - 1].labels["answer"]
    assert bool(re.search(answer, said, re.IGNORECASE)) == is_right


def test_errands_right_answer_comes_first_in_the_question_half_of_the_time_in_every_kind():
    places = list(places_in_question())
    assert len(places) >= 8
    for kind, count in Counter(kind for kind, _ in places).items():
        assert 2 * sum(first for k, first in places if k == kind) == count, kind


def test_errands_wrong_number_is_the_larger_one_half_of_the_time():
    count = {"two": 2, "three": 3, "five": 5, "six": 6, "eight": 8}
    value = {str(number): number for number in range(1000)} | count
    larger = [value[b] > value[a] for *_, ((a, b),) in errands() if a in value]
    assert len(larger) >= 8 and 2 * sum(larger) == len(larger)
