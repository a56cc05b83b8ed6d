"""Write dialogues with a model, here or behind an endpoint: neutral, of two speakers, or unexpressed.

Reads the writer's `model.json` (none for an endpoint), the prompt of the kind, topics and the words that
name concepts; writes the text set and a summary. Replies are kept in `drafts/`, as for stories.
"""

from functools import partial
from pathlib import Path

from emotion_concepts.drafts import DraftStore
from emotion_concepts.entry import run_script
from emotion_concepts.files import write_json
from emotion_concepts.story_checks import read_vocabulary
from emotion_concepts.text_sets import first_lines, write_texts
from emotion_concepts.writers import sampling_of, writer_of
from emotion_concepts.writing import numbered, write_cells
from emotion_concepts.written_texts import dialogue_cells, dialogue_of


def main(
    model: list[Path], prompt: Path, topics: Path, words: Path, idioms: Path, texts: Path, summary: Path, *,
    cfg: dict, threads: int = 2, batch_texts: int = 32,
) -> None:  # fmt: skip
    """Write `cfg["per_cell"]` dialogues of `cfg["kind"]` for each topic or pair of concepts."""
    sampling = sampling_of(cfg)
    writer, about = writer_of(sampling, model, threads=threads, batch_texts=batch_texts)
    cells = dialogue_cells(cfg["kind"], cfg["emotions"], first_lines(topics, cfg["topics"]))
    accepted = partial(dialogue_of, kind=cfg["kind"], vocabulary=read_vocabulary(words, idioms))
    drafts = DraftStore(texts.parent / "drafts" / texts.stem, about)
    template = prompt.read_text(encoding="utf-8")
    found, counts = write_cells(writer, cells, cfg["per_cell"], template, accepted, drafts, sampling)
    write_texts(texts, numbered(found))
    write_json(summary, counts)


if __name__ == "__main__":
    run_script(main, globals())
