"""Write stories with a model, here or behind an endpoint, and say how many failed the checks and why.

Reads the writer's `model.json` (none for an endpoint), prompt, topics and the words that name concepts;
writes the stories and a summary. Replies are kept in `drafts/`, so a killed run goes on where it was.
"""

from functools import partial
from pathlib import Path

from emotion_concepts.config_texts import Checks
from emotion_concepts.drafts import DraftStore
from emotion_concepts.entry import run_script
from emotion_concepts.files import write_json
from emotion_concepts.story_checks import read_vocabulary
from emotion_concepts.text_sets import first_lines, write_texts
from emotion_concepts.writers import sampling_of, writer_of
from emotion_concepts.writing import numbered, write_cells
from emotion_concepts.written_texts import story_cells, story_of


def main(
    model: list[Path], prompt: Path, topics: Path, words: Path, idioms: Path, stories: Path, summary: Path, *,
    cfg: dict, threads: int = 2, batch_texts: int = 32,
) -> None:  # fmt: skip
    """Write `cfg["per_topic"]` stories for each of `cfg["emotions"]` and the first `cfg["topics"]` topics."""
    sampling = sampling_of(cfg)
    writer, about = writer_of(sampling, model, threads=threads, batch_texts=batch_texts)
    cells = story_cells(cfg["emotions"], first_lines(topics, cfg["topics"]))
    accepted = partial(
        story_of,
        emotions=cfg["emotions"],
        vocabulary=read_vocabulary(words, idioms),
        checks=Checks(**cfg["checks"]),
    )
    drafts = DraftStore(stories.parent / "drafts" / stories.stem, about)
    template = prompt.read_text(encoding="utf-8")
    found, counts = write_cells(writer, cells, cfg["per_topic"], template, accepted, drafts, sampling)
    write_texts(stories, numbered(found))
    write_json(summary, counts)


if __name__ == "__main__":
    run_script(main, globals())
