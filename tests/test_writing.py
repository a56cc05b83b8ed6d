"""The writing stage: what is asked, what is kept, and that a kill loses nothing."""

import json
import re

import pytest

from emotion_concepts.config_texts import Checks, LocalWriter
from emotion_concepts.drafts import DraftStore
from emotion_concepts.errors import DataError
from emotion_concepts.story_checks import read_vocabulary
from emotion_concepts.text_sets import Text
from emotion_concepts.writers import ModelWriter, Request, sampling_of, writer_of
from emotion_concepts.writing import Cell, numbered, split_reply, whole_sentences, write_cells
from emotion_concepts.written_texts import dialogue_cells, dialogue_of, story_cells, story_of, turns_of
from tests.conftest import ROOT

GOOD = " ".join(["The kettle sang and the window went slowly grey above the yard."] * 8)
VOCABULARY = read_vocabulary(
    ROOT / "resources/leakage/concept_words.csv", ROOT / "resources/leakage/idioms.txt"
)


def settings(**changes):
    return LocalWriter(source="generate", model="m", **{"attempts": 2, **changes})


class Scripted:
    """A writer that answers by a rule, one reply a portion, and keeps what it was asked."""

    def __init__(self, rule):
        self.rule, self.asked = rule, []

    def replies(self, requests):
        for request in requests:
            self.asked.append(request)
            yield {request.key: self.rule(request)}


def run(writer, folder, *, wanted=1, cells=None, **changes):
    sampling = settings(**changes)
    return write_cells(
        lambda: writer, cells or [Cell("a", {"x": "sea"}, {}), Cell("b", {"x": "moor"}, {})], wanted,
        "{{ n }} of {{ x }}", lambda cell, _variant, draft: "bad" if "BAD" in draft else Text(cell.id, draft),
        DraftStore(folder, {}), sampling,
    )  # fmt: skip


def test_what_fails_is_asked_again_with_another_seed(tmp_path):
    writer = Scripted(lambda r: "BAD" if r.key.startswith("b/0") else r.message)
    texts, counts = run(writer, tmp_path)
    assert {cell: [t.text for t in own] for cell, own in texts.items()} == {
        "a": ["1 of sea"],
        "b": ["1 of moor"],
    }
    assert counts == {"wanted": 2, "written": 2, "failed_drafts": {"bad": 1}}
    assert [r.key.split("/")[:2] for r in writer.asked] == [["a", "0"], ["b", "0"], ["b", "1"]]
    assert len({r.seed for r in writer.asked}) == 3


def test_rounds_are_capped(tmp_path):
    writer = Scripted(lambda r: "BAD" if r.key.startswith("b") else "good")
    texts, counts = run(writer, tmp_path, attempts=3)
    assert texts["b"] == [] and counts["failed_drafts"] == {"bad": 3} and len(writer.asked) == 4
    with pytest.raises(DataError, match=re.escape("nothing that was written passes the checks: {'bad': 4}")):
        run(Scripted(lambda r: "BAD"), tmp_path / "all")


def test_several_texts_a_reply_are_parted_and_topped_up(tmp_path):
    """Five wanted, two a reply: three calls, one of which brings a bad text and one only a single text."""
    replies = {"0": "one\n===\ntwo", "1": "three\n=====\nBAD", "2": "four", "3": "five\n===\nsix"}
    writer = Scripted(lambda r: replies[r.key.split("/")[1]])
    texts, counts = run(writer, tmp_path, wanted=5, per_call=2, cells=[Cell("a", {"x": "sea"}, {})])
    assert [t.text for t in texts["a"]] == ["one", "two", "three", "four", "five"]
    assert counts["failed_drafts"] == {"bad": 1, "fewer texts than asked for": 1}
    assert [t.id for t in numbered(texts)] == [f"a-{k}" for k in range(1, 6)]


def test_the_same_text_twice_counts_once(tmp_path):
    texts, counts = run(Scripted(lambda r: "same"), tmp_path, wanted=2, cells=[Cell("a", {"x": "sea"}, {})])
    assert len(texts["a"]) == 1 and counts["failed_drafts"]["exact duplicate"] == 2


def test_replies_are_used_again_and_a_changed_prompt_is_not(tmp_path):
    first = run(Scripted(lambda r: r.message), tmp_path)
    again = Scripted(lambda r: "never")
    assert run(again, tmp_path) == first and again.asked == []
    changed = [Cell("a", {"x": "sea"}, {}), Cell("b", {"x": "fen"}, {})]
    new = Scripted(lambda r: r.message)
    run(new, tmp_path, cells=changed)
    assert [r.message for r in new.asked] == ["1 of fen"]


def test_a_failure_loses_no_reply_and_the_next_run_ends_the_same(tmp_path):
    def fails(request):
        if request.key.startswith("b"):
            raise DataError("server gone")
        return request.message

    with pytest.raises(DataError, match="server gone"):
        run(Scripted(fails), tmp_path / "killed")
    after = Scripted(lambda r: r.message)
    texts = run(after, tmp_path / "killed")
    assert [r.key[0] for r in after.asked] == ["b"]
    assert texts == run(Scripted(lambda r: r.message), tmp_path / "whole")


def test_drafts_of_another_writer_are_thrown_away(tmp_path):
    DraftStore(tmp_path, {"model": "a"}).add({"k": "text"})
    assert "k" in DraftStore(tmp_path, {"model": "a"})
    assert "k" not in DraftStore(tmp_path, {"model": "b"})
    assert list(tmp_path.glob("part-*")) == []


def test_splitting_and_whole_sentences():
    assert split_reply("one\n\n===\n\ntwo\n  =====  \nthree\n===") == ["one", "two", "three"]
    assert split_reply("a = b == c") == ["a = b == c"]
    assert whole_sentences("One.  “Two!” he said\nand then") == "One. “Two!”"
    assert whole_sentences("It cost 3.50 in all. And") == "It cost 3.50 in all."
    assert whole_sentences("no end") == ""


def test_story_cells_cross_everything_and_both_persons_come_for_each_concept():
    cells = story_cells(["at ease", "sad"], {"x": "a yard", "y": "a road"})
    assert [c.id for c in cells] == ["at-ease-x", "at-ease-y", "sad-x", "sad-y"]
    assert [c.variant(0)["person"] for c in cells] == ["first", "third"] * 2
    assert cells[0].variant(1)["person"] == "third" and cells[2].labels == {"emotion": "sad", "topic": "x"}


def accepted_story(draft, emotion="sad", drop=None):
    checks = Checks() if drop is None else Checks(drop=drop)
    cell = story_cells([emotion], {"x": "a yard"})[0]
    return story_of(
        cell, cell.variant(1), draft, emotions=[emotion, "proud"], vocabulary=VOCABULARY, checks=checks
    )


def test_a_draft_becomes_a_story_or_its_fault():
    story = accepted_story(GOOD + " And then he")
    assert (story.text, story.emotion, story.topic, story.person) == (GOOD, "sad", "x", "third")
    assert accepted_story(GOOD + " How sad.") == "names the concept"
    assert accepted_story(GOOD + " So proud.") == "names another concept"
    assert accepted_story("Short.") == "too short"
    assert isinstance(accepted_story(GOOD + " How sad.", drop=["too short"]), Text)


DIALOGUE = (
    "Human: Which flour has the most protein, and how much water does a dough of one kilogram of it need?\n"
    "Assistant: Strong bread flour, with 12 to 14 percent. At a hydration of 65 percent one kilogram takes 650 grams "
    "of water. Wholemeal flour takes about 50 grams more, since bran holds water. Salt is 20 grams"
)


def accepted_dialogue(draft, kind="neutral"):
    cell = dialogue_cells(kind, None if kind == "neutral" else ["sad", "calm"], {"x": "a bakery"})[0]
    return dialogue_of(cell, {}, draft, kind=kind, vocabulary=VOCABULARY)


def test_a_draft_becomes_a_dialogue_or_its_fault():
    text = accepted_dialogue("System: Be brief.\n" + DIALOGUE)
    assert [m["role"] for m in text.messages] == ["system", "user", "assistant"]
    # The sentence that broke off is gone.
    assert text.messages[-1]["content"].endswith("holds water.") and text.topic == "x"
    assert accepted_dialogue("Here it is:\n" + DIALOGUE) == "not a dialogue in turns"
    assert accepted_dialogue(DIALOGUE.replace("Assistant", "Human")) == "not a dialogue in turns"
    assert accepted_dialogue("Human: Hi there.\nAssistant: Hello.") == "too short"
    assert accepted_dialogue(DIALOGUE + ". How happy I am.") == "names a concept"
    assert accepted_dialogue(DIALOGUE + ". How happy I am.", kind="speakers").labels == {
        "first_emotion": "sad", "second_emotion": "sad",
    }  # fmt: skip
    assert turns_of("Assistant: Hello.\nHuman: Hello.") is None and turns_of("") is None


def test_dialogue_cells_are_the_grids_of_the_paper():
    topics = {"x": "a yard", "y": "a road"}
    neutral = dialogue_cells("neutral", None, topics)
    assert [c.labels for c in neutral] == [{"topic": "x"}, {"topic": "y"}]
    assert [neutral[0].variant(k)["system"] for k in range(3)] == [False, False, True]
    speakers = dialogue_cells("speakers", ["sad", "calm"], topics)
    assert [(c.labels["first_emotion"], c.labels["second_emotion"]) for c in speakers] == [
        ("sad", "sad"), ("sad", "calm"), ("calm", "sad"), ("calm", "calm"),
    ]  # fmt: skip
    unexpressed = dialogue_cells("unexpressed", ["sad", "calm"], topics)
    assert [(c.labels["true_emotion"], c.labels["shown_emotion"], c.labels["topic"]) for c in unexpressed] == [
        ("sad", "calm", "x"), ("calm", "sad", "y"),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["story", "neutral", "speakers", "unexpressed"])
@pytest.mark.parametrize("n", [1, 3])
def test_prompts_render_for_every_cell(kind, n):
    from jinja2 import Environment, StrictUndefined

    template = (ROOT / f"resources/prompts/{kind}.jinja").read_text(encoding="utf-8")
    topics = {"x": "a night in a bakery"}
    cells = story_cells(["sad"], topics) if kind == "story" else dialogue_cells(
        kind, None if kind == "neutral" else ["sad", "calm"], topics
    )  # fmt: skip
    for cell in cells:
        prompt = Environment(undefined=StrictUndefined).from_string(template)
        message = prompt.render(n=n, **cell.variables, **cell.variant(2))
        assert "a night in a bakery" in message and ("===" in message) == (n > 1)


def test_a_models_reply_does_not_depend_on_its_batch_mates(tiny_model):
    requests = [Request(f"k{i}", "Write about the sea." * (i + 1), i) for i in range(5)]
    sampling = settings(max_new_tokens=40, temperature=1.0)

    def replies(asked, batch):
        return {
            k: v for part in ModelWriter(tiny_model, sampling, batch).replies(asked) for k, v in part.items()
        }

    together = replies(requests, 5)
    assert together == replies(requests, 2) == {k: v for r in requests for k, v in replies([r], 1).items()}
    assert len(set(together.values())) == 5


def test_what_changes_a_reply_is_known_and_what_does_not_is_left_out(tmp_path):
    (tmp_path / "model.json").write_text(json.dumps({"revision": "r1"}))
    cfg = {"emotions": ["a", "b"], "topics": 2, "per_topic": 1, "checks": {}, **settings().model_dump()}
    sampling = sampling_of(cfg)
    assert sampling == settings()
    _, about = writer_of(sampling, [tmp_path / "model.json"], threads=1, batch_texts=4)
    assert about["revision"] == "r1" and about["temperature"] == 0.8 and "attempts" not in about
