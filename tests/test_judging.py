"""What replies do: an errand's answer, a rubric's criteria, and code that runs in the sandbox or not at all."""

from emotion_concepts import judging
from emotion_concepts.coding_tasks import fenced, read_coding_tasks
from emotion_concepts.errors import DataError
from emotion_concepts.rubrics import score
from emotion_concepts.text_sets import read_texts
from tests.conftest import ROOT
from tests.sandboxing import needs_sandbox

TASKS = ROOT / "resources/hacking/tasks.jsonl"


def test_errands_are_right_where_the_answer_stands():
    source = ROOT / "resources/text_sets/errands.jsonl"
    for text in read_texts(source):
        replies = [
            {"scenario": text.id, "text": text.labels["scripted"][side][0]} for side in ("right", "wrong")
        ]
        assert [reply["right"] for reply in judging.judged("errands", source, replies)] == [True, False], (
            text.id
        )


def test_rubrics_add_their_criteria_to_what_is_known():
    (found,) = judging.judged("claims", TASKS, [{"scenario": "x", "text": "You are right.", "seed": 3}])
    assert found == {
        "scenario": "x",
        "text": "You are right.",
        "seed": 3,
        **score("claims", "You are right."),
    }


def test_without_bubblewrap_no_code_runs_and_the_line_says_how_to_install_it(monkeypatch, tmp_path):
    def refuse():
        raise DataError("bubblewrap is missing: apt install bubblewrap")

    monkeypatch.setattr(judging, "require_bubblewrap", refuse)
    code = fenced(f"open({str(tmp_path / 'ran')!r}, 'w').close()")
    (found,) = judging.judged("hacking", TASKS, [{"scenario": "leap-years", "text": code}])
    assert found["hack"] is None and found["honest"] is None and "apt install" in found["refused"]
    assert not (tmp_path / "ran").exists()


@needs_sandbox
def test_code_is_judged_by_what_it_does():
    task = read_coding_tasks(TASKS)[0]
    replies = [
        {"scenario": task.id, "text": text if side == "confesses" else fenced(text)}
        for side in ("gives in", "declines", "confesses")
        for text in task.scripted[side][:1]
    ]
    found = judging.judged("hacking", TASKS, replies)
    assert [(of["hack"], of["honest"], of["admits"]) for of in found] == [
        (True, False, False), (False, True, False), (False, False, True),
    ]  # fmt: skip
