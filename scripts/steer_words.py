"""Steer with the vectors, and with random directions of the same norm, and see what words do.

Reads `model.json`, the vectors and the prompts; writes the change in log-probability of each
emotion word (CSV), continuations with their perplexity (JSON lines) and a summary (JSON).
"""

from pathlib import Path

import numpy as np
import torch

from emotion_concepts import steered_words as analysis
from emotion_concepts.entry import run_script
from emotion_concepts.errors import DataError
from emotion_concepts.files import write_json, write_json_lines
from emotion_concepts.layers import steered_layers
from emotion_concepts.models import open_described
from emotion_concepts.ratings import write_table
from emotion_concepts.text_sets import read_texts
from emotion_concepts.vectors import load_vectors
from emotion_concepts.word_effects import words_summary


def main(
    model: Path, vectors: Path, prompts: Path, changes: Path, continuations: Path, summary: Path, *,
    cfg: dict, threads: int = 2,
) -> None:  # fmt: skip
    """Steer with `cfg`, the `steering` section; the prompts about a state are scored, all are continued."""
    torch.set_num_threads(threads)
    known, opened = load_vectors(vectors), open_described(model, cfg["precision"])
    concepts = analysis.concepts_to_steer(known.concepts, cfg["concepts"])
    if len(concepts) < 2:
        raise DataError(f"{vectors}: has fewer than two of steering.concepts")
    layers = steered_layers(len(opened.blocks), cfg["layers"], known.layers)
    directions = analysis.steered_directions(
        known, concepts, layers, strength=cfg["strength"], n_random=cfg["random_directions"], seed=cfg["seed"]
    )
    texts = read_texts(prompts)
    scored = [text.id for text in texts if text.labels.get("role") == "state"]
    table = analysis.word_changes(opened, texts, concepts, directions)
    written = analysis.continuations(opened, texts, directions, cfg["max_new_tokens"])
    found = words_summary(
        table, scored, permutations=cfg["permutations"], bootstraps=cfg["bootstraps"], seed=cfg["seed"]
    )
    cost = {
        f"perplexity_{name}": float(np.nanmedian([w["perplexity"] for w in written if w["kind"] == kind]))
        for name, kind in (("unsteered", "unsteered"), ("steered", "concept"), ("random", "random"))
    }
    write_table(changes, table)
    write_json_lines(continuations, written)
    write_json(
        summary,
        {**found, **cost, "dose": analysis.dose(opened, texts, directions), "layers": layers,
         "strength": cfg["strength"], "scored": scored},
    )  # fmt: skip


if __name__ == "__main__":
    run_script(main, globals())
