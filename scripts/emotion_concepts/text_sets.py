"""Text sets: JSON lines, one text each, which everything downstream reads.

A text has `id`, and either `text` or chat `messages`; stories also have `emotion` and `topic`, and may
have `person`. Stories come from JSON lines, CSV, Parquet or a dataset on the Hub, and leave as JSON lines.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emotion_concepts.errors import DataError
from emotion_concepts.files import written_whole

# How a dialogue is written out where no chat template is asked for (method.md, trap 6).
PLAIN_ROLES = {"system": "System", "user": "Human", "assistant": "Assistant"}


@dataclass(frozen=True)
class Text:
    """One text of a text set; `text` of a dialogue is its plain form.

    spans : name to characters of the text, (start, end), or of a message, (message, start, end).
    """

    id: str
    text: str
    emotion: str | None = None
    topic: str | None = None
    person: str | None = None
    labels: dict = field(default_factory=dict)
    messages: list[dict] | None = None
    spans: dict[str, tuple[int, ...]] = field(default_factory=dict)


def read_texts(path: Path) -> list[Text]:
    """Read a text set; dialogues are written out as plain `Human:` / `Assistant:` turns.

    Raises
    ------
    DataError
        File and line of what cannot be used, and what would be right.
    """
    texts, lines, stem = [], {}, Path(path).stem
    for number, entry in objects_of_file(path):
        where = f"{path}:{number}"
        text = _text_of(entry, where)
        name = str(entry.get("id", f"{stem}-{number:06d}"))
        if name in lines:
            raise DataError(f"{where}: id {name!r} is used in line {lines[name]} already")
        lines[name] = number
        known = {key: entry.get(key) for key in ("emotion", "topic", "person", "messages")}
        spans = _spans_of(entry, text, where)
        texts.append(Text(name, text, labels=entry.get("labels", {}), spans=spans, **known))
    if not texts:
        raise DataError(f"{path}: no texts; expected JSON lines, one object each")
    return texts


def read_stories(path: Path, emotions: Sequence[str] | None = None) -> list[Text]:
    """Stories of a file (JSON lines, CSV or Parquet, told by its ending), as `stories_of` makes them."""
    return stories_of(_entries(path), str(path), emotions)


def stories_of(
    entries: Iterable[tuple[int, dict]], source: str, emotions: Sequence[str] | None = None
) -> list[Text]:
    """Stories with `emotion`, `topic`, `text`, keeping the given emotions, sorted by concept, topic, id.

    Parameters
    ----------
    entries : iterable of (int, dict)
        Numbered lines or rows.
    source : str
        What they are from, for messages and for ids where they have none.

    Raises
    ------
    DataError
        Source and line of what cannot be used; or fewer than two concepts are left.
    """
    stories, lines = [], {}
    for number, entry in entries:
        for key in ("emotion", "topic", "text"):
            if not isinstance(entry.get(key), str) or not entry[key].strip():
                raise DataError(f"{source}:{number}: a story needs {key!r}, a text that is not empty")
        name = str(entry.get("id") or f"{Path(source).stem}-{number:06d}")
        if name in lines:
            raise DataError(f"{source}:{number}: id {name!r} is used in line {lines[name]} already")
        lines[name] = number
        if emotions is None or entry["emotion"] in emotions:
            person = entry.get("person") or None
            stories.append(
                Text(name, entry["text"], entry["emotion"], entry["topic"], person, entry.get("labels", {}))
            )
    if len({story.emotion for story in stories}) < 2:
        raise DataError(
            f"{source}: fewer than two of the chosen concepts have stories; vectors need two or more"
        )
    return sorted(stories, key=lambda story: (story.emotion, story.topic, story.id))


def concepts_of_file(path: Path) -> set[str]:
    """The concepts that have stories in a file."""
    return {entry["emotion"] for _, entry in _entries(path) if isinstance(entry.get("emotion"), str)}


def write_texts(path: Path, texts: Iterable[Text]) -> None:
    """Write a text set whole, one text a line, keys without a value left out."""
    with written_whole(path) as temporary, open(temporary, "w", encoding="utf-8", newline="\n") as file:
        for text in texts:
            entry = {key: value for key, value in vars(text).items() if value}
            if text.messages:
                del entry["text"]
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def every_nth(texts: Sequence[Text], limit: int | None) -> list[Text]:
    """At most `limit` texts, spread evenly over the set."""
    if limit is None or limit >= len(texts):
        return list(texts)
    return [texts[i * len(texts) // limit] for i in range(limit)]


def read_named_lines(path: Path) -> dict[str, str]:
    """Lines of `name<tab>what it stands for`, in their order.

    Raises
    ------
    DataError
        A line without a tab, or a name used twice.
    """
    named: dict[str, str] = {}
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").split("\n"), 1):
        if not line.strip():
            continue
        name, tab, meaning = line.partition("\t")
        if not tab or name in named:
            raise DataError(f"{path}:{number}: expected a new name, a tab, and what it stands for")
        named[name] = meaning
    return named


def first_lines(path: Path, count: int) -> dict[str, str]:
    """The first `count` of the named lines."""
    return dict(list(read_named_lines(path).items())[:count])


def _entries(path: Path) -> Iterator[tuple[int, dict]]:
    """Numbered stories of a file: lines of JSON, or rows of a table (the first is 1, below the names)."""
    ending = Path(path).suffix.lower()
    if ending not in (".csv", ".parquet"):
        yield from objects_of_file(path)
        return
    # Not at the top: the Snakefile reads this module, and pandas is half a second.
    import pandas as pd

    try:
        table = pd.read_parquet(path) if ending == ".parquet" else pd.read_csv(path, dtype=str)
    except (ValueError, OSError) as error:
        raise DataError(f"{path}: cannot be read as {ending[1:]}: {str(error).splitlines()[0]}") from None
    missing = [name for name in ("emotion", "topic", "text") if name not in table.columns]
    if missing:
        raise DataError(f"{path}: no column {missing[0]!r}; its columns: {', '.join(table.columns)}")
    for number, row in enumerate(table.to_dict("records"), 1):
        yield number, {key: value for key, value in row.items() if pd.notna(value)}


def objects_of_file(path: Path) -> Iterator[tuple[int, dict]]:
    """Line numbers and objects of a JSON lines file; blank lines are passed over."""
    try:
        lines = Path(path).read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 (byte {error.start})") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(f"{path}:{number}: not JSON: {error.msg} at column {error.colno}") from None
        if not isinstance(entry, dict):
            raise DataError(f'{path}:{number}: expected an object, as {{"text": ..}}')
        yield number, entry


def plain_dialogue(messages: Sequence[dict]) -> str:
    """Chat messages as plain `Human:` / `Assistant:` turns."""
    return "\n\n".join(f"{PLAIN_ROLES[m['role']]}: {m['content']}" for m in messages)


def _text_of(entry: dict, where: str) -> str:
    if isinstance(entry.get("text"), str):
        return entry["text"]
    messages = entry.get("messages")
    if not isinstance(messages, list) or not messages:
        raise DataError(f"{where}: a text needs 'text' (a string) or 'messages' (a list)")
    for message in messages:
        if not isinstance(message, dict) or not isinstance(message.get("content"), str):
            raise DataError(f"{where}: a message needs 'role' and 'content'")
        if message.get("role") not in PLAIN_ROLES:
            raise DataError(f"{where}: role {message.get('role')!r} is not one of {', '.join(PLAIN_ROLES)}")
    return plain_dialogue(messages)


def _spans_of(entry: dict, text: str, where: str) -> dict[str, tuple[int, ...]]:
    """Named spans, checked against what they are of."""
    messages = entry.get("messages")
    form = "[message, start, end]" if messages else "[start, end]"
    spans = {}
    for name, span in entry.get("spans", {}).items():
        whole = isinstance(span, list) and all(type(number) is int for number in span)
        if not whole or len(span) != (3 if messages else 2):
            raise DataError(f"{where}: span {name!r} should be {form}, in characters")
        if messages and not 0 <= span[0] < len(messages):
            raise DataError(
                f"{where}: span {name!r} is in message {span[0]}, but there are {len(messages)} (from 0)"
            )
        of, length = ("message", len(messages[span[0]]["content"])) if messages else ("text", len(text))
        start, end = span[-2:]
        if not 0 <= start < end <= length:
            raise DataError(
                f"{where}: span {name!r} goes from {start} to {end}, but the {of} has {length} characters"
            )
        spans[name] = tuple(span)
    return spans
