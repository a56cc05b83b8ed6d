"""The corpus against its specification (resources/stories/README.md), counted here by plain loops."""

import json
import re
from collections import Counter, defaultdict

import pytest

from emotion_concepts.config_texts import Checks
from emotion_concepts.story_checks import narrated_person, read_vocabulary, sift
from emotion_concepts.text_sets import first_lines, read_stories
from tests.conftest import ROOT

FOLDER = ROOT / "resources/stories"
STOCK = (
    r"\b(tear|tears|tearful\w*|wept|weep\w*|sob|sobs|sobb\w+|cried|cry|cries|crying|yawn\w*|smirk\w*|thank\w*"
    r"|goosebumps|butterflies|heartbeats?)\b|\bheart\w* (?:was |is |were )?(?:pound|hammer|thump|thud)\w*"
)


@pytest.fixture(scope="module")
def stories():
    return read_stories(FOLDER / "bundled.jsonl")


def words_of(text):
    return re.findall(r"[a-zà-ÿ0-9']+", text.lower().replace("’", "'"))


def runs(words, n):
    return {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}


def test_every_concept_stands_once_on_every_topic(stories):
    topics = first_lines(ROOT / "resources/topics.txt", 8)
    concepts = (ROOT / "resources/emotions.txt").read_text(encoding="utf-8").splitlines()
    assert Counter((s.emotion, s.topic) for s in stories) == Counter((e, t) for e in concepts for t in topics)
    assert len(stories) == 171 * 8


def test_lines_are_sorted_and_have_exactly_the_promised_fields():
    lines = [json.loads(line) for line in (FOLDER / "bundled.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["id"] for line in lines] == sorted({line["id"] for line in lines})
    for line in lines:
        assert list(line) == ["id", "emotion", "topic", "person", "text"]
        assert line["id"] == f"bundled-{line['emotion'].replace(' ', '-')}-{line['topic']}"


def test_each_story_is_one_paragraph_of_120_to_165_words(stories):
    for story in stories:
        assert 120 <= len(story.text.split()) <= 165, story.id
        assert "\n" not in story.text and "  " not in story.text, story.id


def test_no_story_is_at_fault(stories):
    vocabulary = read_vocabulary(
        ROOT / "resources/leakage/concept_words.csv", ROOT / "resources/leakage/idioms.txt"
    )
    sifted = sift(stories, vocabulary, Checks(min_words=120, max_words=165, near_duplicate=0.05))
    assert not sifted.dropped and not sifted.notes and not sifted.warnings


def test_half_of_each_concept_is_told_in_the_first_person(stories):
    persons = defaultdict(Counter)
    for story in stories:
        assert story.person == narrated_person(story.text), story.id
        persons[story.emotion][story.person] += 1
    assert all(counts == {"first": 4, "third": 4} for counts in persons.values())


def test_stock_props_are_in_at_most_one_story_of_a_concept(stories):
    found = Counter(story.emotion for story in stories if re.search(STOCK, story.text.lower()))
    assert not {concept for concept, n in found.items() if n > 1}


def test_no_run_of_six_words_is_in_more_than_three_stories(stories):
    where = defaultdict(set)
    for story in stories:
        for run in runs(words_of(story.text), 6):
            where[run].add(story.id)
    # The scene's one recurring line: the part that is spoken on the stage.
    often = {" ".join(run): ids for run, ids in where.items() if len(ids) > 3 and "lamps" not in run}
    assert not often


def test_no_two_stories_share_a_twentieth_of_their_runs_of_five_words(stories):
    own, where = {}, defaultdict(list)
    for story in stories:
        own[story.id] = runs(words_of(story.text), 5)
        for run in own[story.id]:
            where[run].append(story.id)
    shared = Counter(
        (a, b) for ids in where.values() if len(ids) < 200 for i, a in enumerate(ids) for b in ids[i + 1 :]
    )
    alike = {pair: n for pair, n in shared.items() if n / len(own[pair[0]] | own[pair[1]]) > 0.05}
    assert not alike


def test_no_sentence_stands_twice(stories):
    where = defaultdict(set)
    for story in stories:
        for sentence in re.split(r"(?<=[.!?…])[”’]?\s+", story.text):
            if len(words_of(sentence)) > 4:
                where[" ".join(words_of(sentence))].add(story.id)
    twice = {
        sentence: ids for sentence, ids in where.items() if len(ids) > 1 and "lamps are lit" not in sentence
    }
    assert not twice
