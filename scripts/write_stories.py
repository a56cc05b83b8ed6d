"""Write stories with a model, check them, and say how many failed and why.

Reads the writer's `model.json`, the prompt, topics and concepts; writes the text set and a summary.
Drafts are kept in `drafts/` beside it, so a killed run goes on where it was.
"""

from pathlib import Path

import torch

from emotion_concepts.entry import run_script
from emotion_concepts.files import write_json
from emotion_concepts.models import open_described
from emotion_concepts.text_sets import read_named_lines, write_texts
from emotion_concepts.writing import assignments, write_stories


def main(
    model: Path, prompt: Path, topics: Path, stories: Path, summary: Path, *, cfg: dict, threads: int = 2
) -> None:
    """Write `cfg["stories_per_topic"]` stories for each of `cfg["emotions"]` and the first topics."""
    torch.set_num_threads(threads)
    described = dict(list(read_named_lines(topics).items())[: cfg["topics"]])
    wanted = assignments(cfg["emotions"], list(described), cfg["stories_per_topic"])
    sampling = {key: cfg[key] for key in ("attempts", "max_new_tokens", "temperature", "top_p", "seed")}
    written, faults = write_stories(
        open_described(model),
        wanted,
        described,
        prompt.read_text(encoding="utf-8"),
        stories.parent / "drafts" / f"{stories.stem}.json",
        **sampling,
    )
    write_texts(stories, written)
    write_json(summary, {"wanted": len(wanted), "written": len(written), "failed_drafts": faults})


if __name__ == "__main__":
    run_script(main, globals())
