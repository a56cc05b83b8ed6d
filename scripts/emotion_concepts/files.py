"""Writing files so that no reader ever sees half of one: temporary name, sync, rename."""

import hashlib
import json
import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it is synced and renamed to `path`.

    On an error the temporary file is removed and `path` stays as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The ending is kept last: matplotlib, h5py and numpy choose or add one by it.
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        sync(temporary)
        os.replace(temporary, path)
        sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text whole."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: object) -> None:
    """Write JSON whole, in an order and form that depend on `value` alone; see `strict`."""
    write_text(path, json.dumps(strict(value), ensure_ascii=False, indent=2, sort_keys=True) + "\n")


def write_json_lines(path: Path, values: Iterable[object]) -> None:
    """Write one JSON value a line, whole; see `strict`."""
    write_text(path, "".join(json.dumps(strict(value), ensure_ascii=False) + "\n" for value in values))


def strict(value: object) -> object:
    """The same value with null for what JSON has no number for: NaN and infinity."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: strict(item) for key, item in value.items()}
    return [strict(item) for item in value] if isinstance(value, list | tuple) else value


def read_json(path: Path) -> dict:
    """Read a JSON file that this project wrote."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def read_json_lines(path: Path) -> list[dict]:
    """Read a file of JSON lines that this project wrote."""
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").split("\n") if line]


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, as hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
