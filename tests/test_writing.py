"""Writing stories: balance, checks, and drafts that survive."""

import re

import pytest

from emotion_concepts import writing
from emotion_concepts.errors import DataError
from emotion_concepts.writing import assignments, names_emotion, story_fault, whole_sentences, write_stories

OPTIONS = {"attempts": 2, "max_new_tokens": 8, "temperature": 1.0, "top_p": 0.9, "seed": 1}
GOOD = " ".join(["The kettle sang and the window went slowly grey above the yard."] * 8)


def test_assignments_cross_everything_and_balance_the_person():
    wanted = assignments(["a", "b", "c", "d"], ["x", "y"], 1)
    assert len({(a.emotion, a.topic) for a in wanted}) == 8
    for emotion in "abcd":
        assert {a.person for a in wanted if a.emotion == emotion} == {"first", "third"}
    for topic in "xy":
        assert [a.person for a in wanted if a.topic == topic].count("first") == 2


@pytest.mark.parametrize(
    ("story", "emotion", "named"),
    [
        ("He smiled happily.", "happy", True),
        ("A happy man.", "happy", True),
        ("She said it angrily.", "angry", True),
        ("They were ashamed.", "ashamed", True),
        ("He proudly stood.", "proud", True),
        ("A man at ease.", "at ease", True),
        ("He cared.", "scared", False),
        ("Hopes rose.", "hopeful", True),
    ],
)
def test_naming_the_emotion(story, emotion, named):
    assert names_emotion(story, emotion) == named


def test_faults_and_whole_sentences():
    assert story_fault(GOOD, "sad") is None
    assert story_fault("Too short.", "sad") == "too short"
    assert story_fault(GOOD + " How sad.", "sad") == "names the emotion"
    assert whole_sentences('One.  "Two!" he said\nand then') == 'One.  "Two!"'.replace("  ", " ")
    assert whole_sentences("no end") == ""


@pytest.fixture
def scripted(monkeypatch):
    """Sampling that returns what a script says, and counts its calls: the model's part is tested elsewhere."""
    calls = []

    def sample(model, prompts, **options):
        calls.append((prompts, options["seeds"]))
        return [GOOD if "sad" in p or len(calls) > 1 else "Bad." for p in prompts]

    monkeypatch.setattr(writing, "sample", sample)
    return calls


def run(model, path):
    wanted = assignments(["calm", "sad"], ["x"], 1)
    return write_stories(
        model, wanted, {"x": "a yard"}, "{{ emotion }} {{ topic }} {{ person }}", path, **OPTIONS
    )


def test_a_failed_story_is_written_anew_with_another_seed(tiny_model, tmp_path, scripted):
    stories, faults = run(tiny_model, tmp_path / "drafts.json")
    assert [s.id for s in stories] == ["calm-x-0", "sad-x-0"] and faults == {"too short": 1}
    assert len(scripted[1][0]) == 1 and scripted[1][1][0] not in scripted[0][1]


def test_drafts_are_used_again(tiny_model, tmp_path, scripted):
    first = run(tiny_model, tmp_path / "drafts.json")
    count = len(scripted)
    assert run(tiny_model, tmp_path / "drafts.json") == first and len(scripted) == count


def test_drafts_of_other_settings_are_not(tiny_model, tmp_path, scripted, monkeypatch):
    run(tiny_model, tmp_path / "drafts.json")
    count = len(scripted)
    monkeypatch.setitem(OPTIONS, "seed", 2)
    run(tiny_model, tmp_path / "drafts.json")
    assert len(scripted) > count


def test_nothing_usable_is_told_with_the_reasons(tiny_model, tmp_path):
    with pytest.raises(DataError, match=re.escape("no story that passes the checks: {'too short': 4}")):
        run(tiny_model, tmp_path / "drafts.json")
