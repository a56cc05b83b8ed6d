"""Steer with the vectors, and with random directions of the same norm, and see what words do.

Reads `model.json`, the vectors and the prompts; writes the change in log-probability of each
emotion word (CSV), continuations with their perplexity (JSON lines) and a summary (JSON).
"""

from pathlib import Path

import torch

from emotion_concepts import steered_words as analysis
from emotion_concepts.costs import is_damaged, median_cost
from emotion_concepts.damage import doses
from emotion_concepts.direction_kinds import CONTROLS
from emotion_concepts.directions import concepts_to_steer, controls_of, steered_directions
from emotion_concepts.entry import run_script
from emotion_concepts.errors import DataError
from emotion_concepts.files import write_json, write_json_lines
from emotion_concepts.layers import steered_layers
from emotion_concepts.models import open_described
from emotion_concepts.ratings import write_table
from emotion_concepts.text_sets import read_texts
from emotion_concepts.vectors import load_vectors
from emotion_concepts.word_effects import own_change, words_summary


def main(
    model: Path, vectors: Path, controls: list[Path], prompts: Path, changes: Path, continuations: Path, summary: Path, *,
    cfg: dict, threads: int = 2,
) -> None:  # fmt: skip
    """Steer with `cfg`, the `steering` section; the prompts about a state are scored, all are continued."""
    torch.set_num_threads(threads)
    known, opened = load_vectors(vectors), open_described(model, cfg["precision"])
    concepts = concepts_to_steer(known.concepts, cfg["concepts"])
    if len(concepts) < 2:
        raise DataError(f"{vectors}: has fewer than two of steering.concepts")
    layers = steered_layers(len(opened.blocks), cfg["layers"], known.layers)
    others = controls_of(controls, known, cfg["control_directions"], cfg["seed"])
    directions = steered_directions(known, concepts, layers, others, n_controls=cfg["control_directions"])
    texts, strength = read_texts(prompts), cfg["strength"]
    scored = [text.id for text in texts if text.labels.get("role") == "state"]
    table = analysis.word_changes(opened, texts, concepts, directions, strength)
    written = analysis.continuations(opened, texts, directions, strength, cfg["max_new_tokens"])
    found = words_summary(
        table, scored, permutations=cfg["permutations"], bootstraps=cfg["bootstraps"], seed=cfg["seed"]
    )
    unsteered, steered, others = (
        median_cost([text for text in written if text["kind"] in kinds])
        for kinds in (["unsteered"], ["concept"], CONTROLS)
    )
    cost = {
        "perplexity_unsteered": unsteered.perplexity,
        "perplexity_steered": steered.perplexity,
        "perplexity_controls": others.perplexity,
        "repetition_steered": steered.repetition,
        "damaged": is_damaged(
            steered,
            unsteered,
            max_perplexity_ratio=cfg["max_perplexity_ratio"],
            max_repetition=cfg["max_repetition"],
        ),
        "dose": float(doses(opened, [text.text for text in texts], directions.added([1], [strength]))[0]),
        "event_change": own_change(table, [text.id for text in texts if text.labels.get("role") == "event"]),
    }
    write_table(changes, table)
    write_json_lines(continuations, written)
    write_json(summary, {**found, **cost, "layers": layers, "strength": strength, "scored": scored})


if __name__ == "__main__":
    run_script(main, globals())
