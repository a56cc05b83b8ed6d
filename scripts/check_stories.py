"""Check the stories of a set, keep what passes, and say what did not and why.

Reads the stories, and the words that name each concept; writes the text set, the dropped stories with
their faults, and counts (JSON). Stops where a concept loses too many.
"""

import json
from pathlib import Path

from emotion_concepts.config_texts import Checks
from emotion_concepts.entry import run_script
from emotion_concepts.files import write_json, write_text
from emotion_concepts.story_checks import check_losses, read_vocabulary, sift, summary_of
from emotion_concepts.text_sets import read_stories, write_texts


def main(
    source: Path, words: Path, idioms: Path, stories: Path, dropped: Path, summary: Path, *, cfg: dict
) -> None:
    """Check with `cfg`, the `checks` section."""
    checks, before = Checks(**cfg), read_stories(source)
    sifted = sift(before, read_vocabulary(words, idioms), checks)
    # First, since it is where the user is sent to look if the run stops; a log of the rule and not an output,
    # which Snakemake would remove then.
    lines = [{**vars(story), "faults": faults} for story, faults in sifted.dropped]
    write_text(dropped, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    check_losses(before, sifted, checks, stories.stem, dropped)
    write_texts(stories, sifted.kept)
    write_json(summary, summary_of(before, sifted))


if __name__ == "__main__":
    run_script(main, globals())
