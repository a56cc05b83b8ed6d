"""Replies of a writer on disk, so that writing that is killed goes on where it was."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from emotion_concepts.files import read_json, write_json


class DraftStore:
    """Replies by key, in parts that are each written whole.

    Parameters
    ----------
    folder : Path
        The store's own folder.
    settings : dict
        All that a reply depends on beside its key; a store made with others is emptied.
    """

    def __init__(self, folder: Path, settings: dict):
        self._folder = Path(folder)
        about = self._folder / "settings.json"
        if not about.is_file() or read_json(about) != settings:
            shutil.rmtree(self._folder, ignore_errors=True)
            write_json(about, settings)
        self._parts = sorted(self._folder.glob("part-*.json"))
        self._replies: dict[str, str] = {}
        for path in self._parts:
            self._replies |= read_json(path)

    def __contains__(self, key: str) -> bool:
        return key in self._replies

    def __getitem__(self, key: str) -> str:
        return self._replies[key]

    def add(self, replies: Mapping[str, str]) -> None:
        """Keep some replies: written whole, synced and renamed before this returns."""
        path = self._folder / f"part-{len(self._parts):06d}.json"
        write_json(path, dict(replies))
        self._parts.append(path)
        self._replies |= replies
