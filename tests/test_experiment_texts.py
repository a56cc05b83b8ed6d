"""Grids are laid out as a plain loop would, and a file that cannot be used is named."""

import json

import pytest

from emotion_concepts.errors import DataError
from emotion_concepts.experiment_texts import experiment_texts, scripts_of
from emotion_concepts.text_sets import Text

NUMBERS = {
    "templates": [
        {
            "name": "pills taken",
            "doses": [1, 20, 300],
            "expected": {"afraid": 1, "calm": -1},
            "phrasings": ["I took {dose} pills.", "{dose} pills, is {dose} much?"],
            "control": {
                "name": "tiles",
                "phrasings": ["I laid {dose} tiles.", "{dose} tiles, is {dose} much?"],
            },
        }
    ]
}
NEGATION = {
    "frames": [
        {"affirmed": "I am {word} now.", "negated": "I am not {word} now."},
        {"affirmed": "{word} she was.", "negated": "Never {word} she was."},
    ],
    "words": {"afraid": "afraid", "at ease": "quite at ease"},
}
STATES = {
    "emotions": ["sad", "proud"],
    "conditions": {
        "expressed": {
            "told": "Be {emotion}. {request}",
            "scenarios": [{"request": "How?", "reply": {"sad": "Alas.", "proud": "Ha!"}}],
        },
        "hidden": {
            "told": "Hide that you are {emotion}. {request}",
            "scenarios": [{"request": "Why?", "reply": "So."}, {"request": "When?", "reply": "At noon."}],
        },
    },
}


def made(tmp_path, name, grid):
    path = tmp_path / f"{name}.json"
    path.write_text(grid if isinstance(grid, str) else json.dumps(grid), encoding="utf-8")
    return experiment_texts(name, path)


def test_numbers_are_every_dose_in_every_phrasing_of_threat_and_control(tmp_path):
    texts = made(tmp_path, "numbers", NUMBERS)
    expected = set()
    for kind, of in (("threat", "pills"), ("control", "tiles")):
        for place, dose in enumerate((1, 20, 300)):
            said = (
                f"I {'took' if kind == 'threat' else 'laid'} {dose} {of}.",
                f"{dose} {of}, is {dose} much?",
            )
            expected |= {(kind, phrasing, place, dose, said[phrasing]) for phrasing in (0, 1)}
    keys = ("kind", "phrasing", "place", "dose")
    assert {(*(t.labels[k] for k in keys), t.messages[0]["content"]) for t in texts} == expected
    assert len(texts) == len({t.id for t in texts}) == 12
    assert all(t.labels["expected"] == {"afraid": 1, "calm": -1} for t in texts)
    assert all(t.text == f"Human: {t.messages[0]['content']}" and " " not in t.id for t in texts)


def test_negation_is_every_word_in_every_frame_with_a_span_on_the_word(tmp_path):
    texts = made(tmp_path, "negation", NEGATION)
    assert [(t.labels["frame"], t.labels["emotion"], t.labels["form"]) for t in texts] == [
        (frame, concept, form)
        for frame in (0, 1)
        for concept in ("afraid", "at ease")
        for form in ("affirmed", "negated")
    ]
    for text in texts:
        message, start, end = text.spans["word"]
        assert text.messages[message]["content"][start:end] == NEGATION["words"][text.labels["emotion"]]
    assert texts[7].messages[0]["content"] == "Never quite at ease she was."


def test_states_are_told_by_the_user_and_replied_to(tmp_path):
    texts = made(tmp_path, "states", STATES)
    said = {
        (t.labels["condition"], t.labels["topic"], t.labels["emotion"]): [m["content"] for m in t.messages]
        for t in texts
    }
    assert said == {
        ("expressed", "0", "sad"): ["Be sad. How?", "Alas."],
        ("expressed", "0", "proud"): ["Be proud. How?", "Ha!"],
        ("hidden", "0", "sad"): ["Hide that you are sad. Why?", "So."],
        ("hidden", "0", "proud"): ["Hide that you are proud. Why?", "So."],
        ("hidden", "1", "sad"): ["Hide that you are sad. When?", "At noon."],
        ("hidden", "1", "proud"): ["Hide that you are proud. When?", "At noon."],
    }
    assert len({t.id for t in texts}) == 6


def test_a_dialogue_is_also_a_script_of_two_named_people():
    said = ["Hi.", "Oh, Hi.", "Hi."]
    roles = ("user", "assistant", "user")
    messages = [{"role": role, "content": content} for role, content in zip(roles, said, strict=True)]
    dialogues = [Text(f"d{k}", "", topic="t", labels={"rep": k}, messages=messages) for k in range(9)]
    scripts = list(scripts_of(dialogues))
    assert scripts[0].text == "Mara: Hi.\n\nJonas: Oh, Hi.\n\nMara: Hi."
    for k, script in enumerate(scripts):
        assert script.id == f"d{k}-named" and script.topic == "t" and not script.messages
        assert script.labels["rep"] == k and len(set(script.labels["names"])) == 2
        assert [script.text[slice(*script.spans[f"message {turn}"])] for turn in range(3)] == said
    # Pairs of names come again after eight.
    assert [s.labels["names"] for s in scripts].count(["Mara", "Jonas"]) == 2


def test_only_the_speakers_are_also_read_as_scripts(tmp_path):
    entry = {"id": "a", "messages": [{"role": "user", "content": "Hi."}], "labels": {}}
    path = tmp_path / "some.jsonl"
    path.write_text(json.dumps(entry), encoding="utf-8")
    assert [t.id for t in experiment_texts("speakers", path)] == ["a", "a-named"]
    assert [t.id for t in experiment_texts("turns", path)] == ["a"]


def test_speakers_without_turns_are_an_error():
    with pytest.raises(DataError, match="text d: a dialogue of two speakers needs 'messages'"):
        list(scripts_of([Text("d", "Once upon a time.")]))


@pytest.mark.parametrize(
    ("name", "grid", "message"),
    [
        ("negation", '{\n "frames": [\n}', "negation.json:3: not JSON: "),
        ("negation", {"frames": []}, "negation.json: the grid of 'negation' lacks 'words'"),
        (
            "numbers",
            {"templates": [{"name": "pills"}]},
            "numbers.json: the grid of 'numbers' lacks 'phrasings'",
        ),
        (
            "states",
            {**STATES, "emotions": ["sad", "glad"]},
            "states.json: the grid of 'states' lacks 'glad'",
        ),
        (
            "negation",
            {"frames": [{"affirmed": "I am.", "negated": "I am not."}], "words": {"sad": "sad"}},
            "negation.json: the grid of 'negation' lacks '{word}'",
        ),
        (
            "numbers",
            {"templates": [{**NUMBERS["templates"][0], "phrasings": ["I took pills."]}]},
            "numbers.json: the grid of 'numbers' lacks '{dose}'",
        ),
    ],
)
def test_a_grid_that_cannot_be_used_is_named_with_what_it_lacks(tmp_path, name, grid, message):
    with pytest.raises(DataError) as error:
        made(tmp_path, name, grid)
    assert message in str(error.value) and str(tmp_path) in str(error.value)
    assert "\n" not in str(error.value)
