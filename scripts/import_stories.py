"""Bring stories that exist already into a text set: bundled, a user's file, or a dataset on the Hub.

Reads `source` (JSON lines, CSV or Parquet) or, where there is none, the dataset that `cfg` names;
writes the stories sorted, with an id each.
"""

from pathlib import Path

from emotion_concepts.entry import run_script
from emotion_concepts.text_sets import read_stories, write_texts


def main(source: list[Path], stories: Path, *, cfg: dict) -> None:
    """Keep the stories of `cfg["emotions"]`, or all."""
    if cfg["source"] == "hub":
        from emotion_concepts.hub_stories import hub_stories

        found = hub_stories(cfg["dataset"], cfg["revision"], cfg["split"], cfg["columns"], cfg["emotions"])
    else:
        found = read_stories(source[0], cfg["emotions"])
    write_texts(stories, found)


if __name__ == "__main__":
    run_script(main, globals())
