"""No reader ever sees half of a file."""

import json

import pytest

from emotion_concepts.files import read_json, sha256_of, write_json, write_json_lines, written_whole


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), written_whole(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_json_bytes_depend_on_the_value_alone(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": "é"})
    write_json(tmp_path / "b.json", {"a": "é", "b": 1})
    assert sha256_of(tmp_path / "a.json") == sha256_of(tmp_path / "b.json")
    assert read_json(tmp_path / "a.json") == {"a": "é", "b": 1}


def test_missing_folders_are_made_and_spaces_are_fine(tmp_path):
    write_json(tmp_path / "a folder" / "b" / "c.json", [])
    assert (tmp_path / "a folder/b/c.json").read_text() == "[]\n"


def test_json_has_null_for_what_is_not_a_number(tmp_path):
    """Python would write NaN, which no other reader of JSON takes."""
    value = {"p": float("nan"), "of": [1.5, float("inf")], "n": 3, "at": (None, "NaN")}
    write_json(tmp_path / "a.json", value)
    write_json_lines(tmp_path / "b.jsonl", [value, 2])
    expected = {"p": None, "of": [1.5, None], "n": 3, "at": [None, "NaN"]}
    refuse = {"parse_constant": lambda name: pytest.fail(name)}
    assert json.loads((tmp_path / "a.json").read_text(), **refuse) == expected
    lines = (tmp_path / "b.jsonl").read_text().splitlines()
    assert [json.loads(line, **refuse) for line in lines] == [expected, 2]
