"""Every kind of fault is planted in a sound story, and found; sound stories pass."""

import json
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import pytest

from emotion_concepts.config_texts import COUNTED, DROPPING, Checks
from emotion_concepts.errors import DataError
from emotion_concepts.story_checks import (
    Vocabulary,
    check_losses,
    duplicates,
    first_names,
    narrated_person,
    read_vocabulary,
    reason_of,
    sift,
    story_faults,
    summary_of,
)
from emotion_concepts.text_sets import Text
from tests.conftest import ROOT

VOCABULARY = read_vocabulary(
    ROOT / "resources/leakage/concept_words.csv", ROOT / "resources/leakage/idioms.txt"
)
CHECKS = Checks(min_words=20, max_words=120)
SOUND = (
    "He carried the crates to the gate and set each of them down without a sound. The yard lay grey under the "
    "rain, and the lamp over the door went out at last. “I will do the rest myself,” he said to the driver."
)
OTHERS = ["afraid", "calm", "kind", "proud", "sad", "worn out", "wistful"]


def story(text=SOUND, emotion="sad", person="third", name="s"):
    return Text(name, text, emotion, "yard", person)


PLANTED = {
    "names the concept": [" How sad it was.", " He went sadly.", " All this sadness!", " SAD, he thought."],
    "uses a synonym": [" It was a great sorrow.", " He was unhappy."],
    "names another concept": [" He was proud of it.", " Fear held him.", " She wore herself out: worn out.", " Wistful."],
    "speaks of feelings": [" He felt it.", " What an emotion.", " The feeling grew."],
    "cut off": [" And then he", " He said, “no"],
    "refusal or remark": [" As an AI I do not know.", " I cannot write about this."],
}  # fmt: skip


@pytest.mark.parametrize(("reason", "ending"), [(r, e) for r, endings in PLANTED.items() for e in endings])
def test_planted_fault_is_found(reason, ending):
    faults = story_faults(story(SOUND + ending), OTHERS, VOCABULARY, CHECKS)
    assert [reason_of(fault) for fault in faults] == [reason], faults


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Sure! Here is a story. " + SOUND, "refusal or remark"),
        ("Here is the story you asked for. " + SOUND, "refusal or remark"),
        ("Title: The Yard. " + SOUND, "heading"),
        ("# The Yard\n" + SOUND, "heading"),
        ("**The Yard** " + SOUND, "heading"),
        ("He carried the crates to the gate.", "too short"),
        (SOUND + " " + "He carried the rest to the other gate and came back. " * 12, "too long"),
        (
            "Der Fahrer klopft an die hintere Tür, und er trägt ihm die Kisten in den Hof hinaus, während der Regen "
            "über das Dach läuft und die Lampe langsam ausgeht.",
            "another language",
        ),
        (SOUND.replace("He carried", "I carried").replace("and set", "and I set"), "other person"),
    ],
)
def test_fault_of_the_whole_text_is_found(text, reason):
    assert reason in [reason_of(fault) for fault in story_faults(story(text), OTHERS, VOCABULARY, CHECKS)]


@pytest.mark.parametrize(
    "ending",
    ["", " It was some kind of gate.", " He shook his head.", " The saddle hung there.", " “It is mine, I say.”", " The alarm clock rang."],
)  # fmt: skip
def test_sound_story_passes(ending):
    assert story_faults(story(SOUND + ending), [*OTHERS, "alarmed"], VOCABULARY, CHECKS) == []


def test_every_reason_of_the_settings_is_planted_here():
    planted = {*PLANTED, "heading", "too short", "too long", "another language", "other person"}
    assert planted | {"exact duplicate", "near duplicate"} == {*DROPPING, *COUNTED}


def test_a_word_that_is_not_in_the_table_is_found_by_its_lemma():
    named = VOCABULARY.named(
        "Two gleeful boys, and a third who envied trains.", ["gleeful", "envying", "train"]
    )
    assert named == {"gleeful": ["gleeful"], "train": ["trains"], "envying": ["envied"]}
    assert Vocabulary({}, {}, ()).synonyms_of("gleeful", "merry") == []


def test_person_is_read_from_the_narration_alone():
    assert narrated_person("“I am late and my coat is wet,” he said. He went.") == "third"
    assert narrated_person("I went home, and my coat was wet.") == "first"
    assert narrated_person('"I am late, I know, it is my fault," he said.') == "third"
    assert narrated_person("I’d seen it. I’ll go.") == "first"


def test_duplicates_keep_the_first_and_name_it():
    # One word of forty changed: 10 of about 80 runs of five words differ.
    near = SOUND.replace("lamp", "light")
    far = "The tram passed below the window while she cut the bread on the lid of a box and looked for the salt."
    stories = [
        story(name="a"), story(far, name="b"), story(SOUND.upper(), name="c"), story(near, name="d"),
        story(far + " Then it was dark.", name="e"),
    ]  # fmt: skip
    assert duplicates(stories, 0.5) == [
        ("c", "a", "exact duplicate"), ("d", "a", "near duplicate"), ("e", "b", "near duplicate"),
    ]  # fmt: skip
    assert [name for name, *_ in duplicates(stories, 0.95)] == ["c"]


def test_near_duplicates_agree_with_every_pair_counted():
    """MinHash proposes, counting decides: against all pairs of stories and of mixtures of two."""
    lines = (ROOT / "resources/stories/tone.jsonl").read_text(encoding="utf-8").split("\n")[:30]
    texts = [json.loads(line)["text"] for line in lines]
    mixed = [" ".join(a.split()[:80] + b.split()[80:]) for a, b in pairwise(texts)]
    stories = [story(text, name=str(i)) for i, text in enumerate(texts + mixed)]

    def runs(text):
        words = "".join(c if c.isalnum() or c in "'’-" else " " for c in text.lower()).split()
        return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}

    expected = []
    for i, s in enumerate(stories):
        earlier = [t for t in stories[:i] if t.id not in expected]
        if any(len(runs(s.text) & runs(t.text)) / len(runs(s.text) | runs(t.text)) > 0.3 for t in earlier):
            expected.append(s.id)
    assert [name for name, *_ in duplicates(stories, 0.3)] == expected and len(expected) > 20


def varied(count, emotion="sad", extra=""):
    """Sound stories that share no run of five words."""
    return [
        Text(f"{emotion}-{i}", " ".join(f"w{emotion[0]}{i}x{k} the" for k in range(20)) + f"{extra}.", emotion, f"t{i % 4}")
        for i in range(count)
    ]  # fmt: skip


LAX = Checks(min_words=5, min_known_words=0)


def test_sifting_keeps_the_order_and_counts_what_goes():
    stories = varied(6)
    stories[1] = replace(stories[1], text=stories[1].text + " So sad.")
    stories[4] = replace(stories[4], text=stories[0].text)
    stories[5] = replace(stories[5], text=stories[5].text + " He felt it.")
    sifted = sift(stories, VOCABULARY, LAX)
    assert [s.id for s in sifted.kept] == ["sad-0", "sad-2", "sad-3", "sad-5"]
    assert [(s.id, f) for s, f in sifted.dropped] == [
        ("sad-1", ["names the concept: sad"]), ("sad-4", ["exact duplicate: sad-0"]),
    ]  # fmt: skip
    summary = summary_of(stories, sifted)
    assert (summary["read"], summary["kept"], summary["dropped"]) == (6, 4, 2)
    assert summary["dropped_by_concept"] == {"sad": {"names the concept": 1, "exact duplicate": 1}}
    assert summary["kept_all_the_same"] == {"speaks of feelings": 1}


def test_settings_say_what_drops():
    stories = [replace(s, text=s.text + " So sad.") for s in varied(3)]
    assert len(sift(stories, VOCABULARY, LAX).kept) == 0
    kept_all = Checks(min_words=5, min_known_words=0, drop=["too long"])
    sifted = sift(stories, VOCABULARY, kept_all)
    assert len(sifted.kept) == 3 and sifted.notes == {"names the concept": 3}


def test_names_and_missing_topics_are_warned_of():
    stories = [*varied(22, extra=" when Sarah came"), *varied(3, "calm")]
    assert first_names("He saw Anna and, Ben on Monday. Carl went.") == {"Anna", "Ben"}
    assert sift(stories, VOCABULARY, LAX).warnings == [
        "the name Sarah is in 22 of 25 stories", "calm: no story on t3",
    ]  # fmt: skip


def test_a_concept_that_loses_too_many_stops_with_advice(tmp_path):
    stories = [replace(s, text=s.text + (" So sad." if i < 3 else "")) for i, s in enumerate(varied(4))]
    stories += varied(4, "calm")
    sifted = sift(stories, VOCABULARY, LAX)
    check_losses(stories, sifted, Checks(max_lost_share=0.75), "own", tmp_path)
    with pytest.raises(DataError) as caught:
        check_losses(stories, sifted, Checks(max_lost_share=0.5), "own", tmp_path / "own.dropped.jsonl")
    message = str(caught.value)
    assert message.startswith(
        "story set 'own': sad lost 3 of 4 (names the concept 3). The texts and reasons are in "
    )
    assert "own.dropped.jsonl" in message and "checks.max_lost_share" in message


def test_script_leaves_the_dropped_stories_also_when_it_stops(tmp_path):
    source, dropped = tmp_path / "own.jsonl", tmp_path / "own.dropped.jsonl"
    bad = [{**vars(s), "text": s.text + " So sad."} for s in varied(2)] + [vars(s) for s in varied(2, "calm")]
    source.write_text("".join(json.dumps(line) + "\n" for line in bad))
    command = [sys.executable, ROOT / "scripts/check_stories.py", "--source", source, "--dropped", dropped]
    command += ["--words", ROOT / "resources/leakage/concept_words.csv"]
    command += ["--idioms", ROOT / "resources/leakage/idioms.txt"]
    command += ["--stories", tmp_path / "kept.jsonl", "--summary", tmp_path / "checks.json"]
    done = subprocess.run(
        [*map(str, command), "--cfg", "{min_words: 5, min_known_words: 0}"], capture_output=True, text=True
    )
    assert done.returncode == 1 and "sad lost 2 of 2" in done.stderr and "Traceback" not in done.stderr
    entries = [json.loads(line) for line in dropped.read_text().splitlines()]
    assert [e["faults"] for e in entries] == [["names the concept: sad"]] * 2
    assert not (tmp_path / "kept.jsonl").exists()
