"""Text sets: what is read, and how bad lines are told."""

import json
import re

import pandas as pd
import pytest

from emotion_concepts.errors import DataError
from emotion_concepts.hub_stories import hub_stories
from emotion_concepts.story_checks import read_vocabulary
from emotion_concepts.text_sets import (
    Text,
    every_nth,
    first_lines,
    plain_dialogue,
    read_named_lines,
    read_stories,
    read_texts,
    write_texts,
)
from tests.conftest import ROOT


def written(tmp_path, *lines):
    path = tmp_path / "set.jsonl"
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines), encoding="utf-8")
    return path


BAD_LINES = {
    '{"text": ': ":2: not JSON",
    "[1]": ":2: expected an object",
    '{"id": "a"}': ":2: a text needs 'text' (a string) or 'messages' (a list)",
    '{"messages": []}': ":2: a text needs 'text'",
    '{"messages": [{"role": "user"}]}': ":2: a message needs 'role' and 'content'",
    '{"messages": [{"role": "bot", "content": "x"}]}': ":2: role 'bot' is not one of system, user, assistant",
    '{"id": "one", "text": "x"}': ":2: id 'one' is used in line 1 already",
}


@pytest.mark.parametrize("line", BAD_LINES)
def test_a_bad_line_is_named(tmp_path, line):
    path = written(tmp_path, {"id": "one", "text": "x"}, line)
    with pytest.raises(DataError) as caught:
        read_texts(path)
    assert f"{path}{BAD_LINES[line]}" in str(caught.value)


def test_an_empty_file_and_a_binary_one_are_told(tmp_path):
    with pytest.raises(DataError, match="no texts"):
        read_texts(written(tmp_path, ""))
    (tmp_path / "b.jsonl").write_bytes(b'{"text": "\xff\xfe"}')
    with pytest.raises(DataError, match="not UTF-8"):
        read_texts(tmp_path / "b.jsonl")


def test_dialogues_become_plain_turns(tmp_path):
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "2 + 2?"},
        {"role": "assistant", "content": "4"},
    ]
    (text,) = read_texts(written(tmp_path, {"id": "d", "messages": messages}))
    assert text.text == "System: Be brief.\n\nHuman: 2 + 2?\n\nAssistant: 4"


def test_stories_are_sorted_and_narrowed(tmp_path):
    path = written(
        tmp_path, *({"emotion": e, "topic": t, "text": f"{e} {t}"} for e in ("b", "c", "a") for t in "yx")
    )
    assert [(s.emotion, s.topic) for s in read_stories(path, ["a", "b"])] == [
        ("a", "x"),
        ("a", "y"),
        ("b", "x"),
        ("b", "y"),
    ]


def test_a_story_without_topic_is_named(tmp_path):
    path = written(tmp_path, {"emotion": "a", "topic": "t", "text": "x"}, {"emotion": "a", "text": "x"})
    with pytest.raises(DataError, match=":2: a story needs 'topic'"):
        read_stories(path)


def test_one_concept_alone_is_refused(tmp_path):
    with pytest.raises(DataError, match="fewer than two"):
        read_stories(written(tmp_path, {"emotion": "a", "topic": "t", "text": "x"}))


def test_written_texts_are_read_back(tmp_path):
    texts = [Text("1", "a \u2028 b 🙂", "sad", "x"), Text("2", "<b>\t\\", labels={"role": "r"})]
    write_texts(tmp_path / "out.jsonl", texts)
    assert read_texts(tmp_path / "out.jsonl") == texts


def test_every_nth_spreads_over_the_set():
    texts = [Text(str(i), "x") for i in range(10)]
    assert [t.id for t in every_nth(texts, 4)] == ["0", "2", "5", "7"]
    assert every_nth(texts, None) == every_nth(texts, 99) == texts


def test_named_lines_refuse_a_name_without_meaning(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("a\tone\nb two\n")
    with pytest.raises(DataError, match=":2: expected a new name, a tab"):
        read_named_lines(path)


@pytest.mark.parametrize("name", ["tone", "pairs", "plain", "subtext"])
def test_sample_stories_cross_every_concept_with_every_topic(name):
    stories = read_stories(ROOT / f"resources/stories/{name}.jsonl")
    cells = {(s.emotion, s.topic) for s in stories}
    assert len(stories) == len(cells) == 24 * 8
    listed = (ROOT / "resources/emotions.txt").read_text().split("\n")
    assert {e for e, _ in cells} <= set(listed)
    assert {t for _, t in cells} == set(first_lines(ROOT / "resources/topics.txt", 8))


def test_neutral_dialogues_have_the_length_and_shape_that_denoising_needs():
    path = ROOT / "resources/neutral/dialogues.jsonl"
    entries = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    for entry in entries:
        roles = [message["role"] for message in entry["messages"]]
        spoken = roles[1:] if roles[0] == "system" else roles
        assert spoken == ["user", "assistant"] * (len(spoken) // 2), entry["id"]
        words = sum(len(message["content"].split()) for message in entry["messages"])
        assert 80 <= words <= 200, entry["id"]
    assert len(read_texts(path)) == len(entries) == 240
    assert sum(entry["messages"][0]["role"] == "system" for entry in entries) >= 40


def test_neutral_dialogues_have_no_emotion_word_and_no_pleasantries():
    vocabulary = read_vocabulary(
        ROOT / "resources/leakage/concept_words.csv", ROOT / "resources/leakage/idioms.txt"
    )
    # Used in their technical senses: "an alert", "the content of a file", "tension in a rope".
    technical = {"alert", "content", "safe", "tense", "stuck", "patient", "kind", "sensitive", "dependent"}
    concepts = set((ROOT / "resources/emotions.txt").read_text(encoding="utf-8").splitlines()) - technical
    for text in read_texts(ROOT / "resources/neutral/dialogues.jsonl"):
        said = plain_dialogue(text.messages)
        assert not vocabulary.named(said, concepts), text.id
        assert not re.search(
            r"\b(please|thanks?|sorry|hello|welcome|glad|unfortunately|feel\w*|mood)\b", said.lower()
        ), text.id


ROWS = [{"emotion": e, "topic": t, "text": f'{e}, "{t}"\nnext line'} for e in ("sad", "calm") for t in "xy"]


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_stories_come_from_every_kind_of_file(tmp_path, ending):
    path, table = tmp_path / f"mine.{ending}", pd.DataFrame(ROWS)
    if ending == "jsonl":
        table.to_json(path, orient="records", lines=True)
    else:
        getattr(table, f"to_{ending}")(path, index=False)
    stories = read_stories(path)
    assert [(s.emotion, s.topic, s.text) for s in stories] == sorted(tuple(row.values()) for row in ROWS)
    assert len({s.id for s in stories}) == 4


def test_a_table_without_a_column_or_with_a_gap_is_told(tmp_path):
    pd.DataFrame(ROWS).drop(columns="topic").to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(DataError, match=r"a.csv: no column 'topic'; its columns: emotion, text"):
        read_stories(tmp_path / "a.csv")
    pd.DataFrame([*ROWS, {"emotion": "sad", "topic": "x"}]).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(DataError, match=r"b.parquet:5: a story needs 'text'"):
        read_stories(tmp_path / "b.parquet")
    (tmp_path / "c.parquet").write_text("not that")
    with pytest.raises(DataError, match=r"c.parquet: cannot be read as parquet"):
        read_stories(tmp_path / "c.parquet")


def test_stories_come_from_a_dataset_with_columns_of_its_own(tmp_path):
    """A folder of data files, which the datasets library opens as it opens one of the Hub."""
    names = {"emotion": "label", "topic": "subject", "text": "story"}
    pd.DataFrame(ROWS).rename(columns=names).to_parquet(tmp_path / "train.parquet")
    stories = hub_stories(str(tmp_path), None, "train", names, ["calm", "sad"])
    assert [(s.emotion, s.topic) for s in stories] == [
        ("calm", "x"),
        ("calm", "y"),
        ("sad", "x"),
        ("sad", "y"),
    ]
    with pytest.raises(DataError, match=r"no column 'text'; its columns: label, subject, story"):
        hub_stories(str(tmp_path), None, "train", {"emotion": "label", "topic": "subject", "text": "text"})
    with pytest.raises(DataError, match=r"dataset .*: .*split"):
        hub_stories(str(tmp_path), None, "nosplit", names)


def test_dialogues_keep_their_messages(tmp_path):
    messages = [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "4"}]
    texts = [Text("d", "Human: 2 + 2?\n\nAssistant: 4", topic="sums", messages=messages)]
    write_texts(tmp_path / "out.jsonl", texts)
    assert read_texts(tmp_path / "out.jsonl") == texts
    assert "Human" not in (tmp_path / "out.jsonl").read_text()
