"""Which of two activities the model would rather do, when directions are added on the tokens of one of them.

Reads `model.json`, the vectors, their controls and the activities; writes the log-odds of every ordered pair of a steered
activity and one that is not, under every direction, for the default layers and each band of depth (CSV).
"""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from emotion_concepts.activity_choices import balanced, choices, every_second, scored_choices
from emotion_concepts.damage import doses
from emotion_concepts.directions import concepts_to_steer, read_controls, steered_directions
from emotion_concepts.entry import run_script
from emotion_concepts.layers import bands_of, steered_layers
from emotion_concepts.models import open_described
from emotion_concepts.ratings import write_table
from emotion_concepts.spans import goes_through_template
from emotion_concepts.steering import Edits
from emotion_concepts.text_sets import read_texts
from emotion_concepts.vectors import load_vectors

# Enough for a spread, at a third of the time that all of `steering.control_directions` would take.
N_CONTROLS = 5
DOSE_PROMPTS = 8


def main(
    model: Path, vectors: Path, controls: Path, activities: Path, chosen: Path, *, cfg: dict, threads: int = 2
) -> None:
    """Steer with `cfg`: what `compare_activities` has, steered_activities, bands, strength, concepts, layers."""
    torch.set_num_threads(threads)
    known, opened = load_vectors(vectors), open_described(model, cfg["precision"])
    chat = goes_through_template(opened.tokenizer, cfg["format"])
    compared = balanced(balanced(read_texts(activities), cfg["activities"]), cfg["steered_activities"])
    half = every_second(compared)
    offered = choices(opened, compared, half, chat=chat)
    depth = len(opened.blocks)
    bands = {"default": steered_layers(depth, cfg["layers"], known.layers)}
    bands |= bands_of(depth, cfg["bands"], known.layers)
    concepts = concepts_to_steer(known.concepts, cfg["concepts"])
    others = read_controls(controls, len(known.layers))
    # The prompts of the first few pairs are as good as all: they differ in two activities.
    said = [opened.tokenizer.decode(choice.tokens.ids) for choice in offered[:DOSE_PROMPTS]]
    tables = []
    for band, layers in bands.items():
        directions = steered_directions(known, concepts, layers, others, n_controls=N_CONTROLS)
        rows = np.arange(1, len(directions.names))
        edits = Edits(directions.added(rows, np.full(len(rows), cfg["strength"])))
        names = directions.names[1:], directions.kinds[1:]
        table = scored_choices(opened, offered, edits, *names, steered=half, chat=chat)
        tables.append(table.assign(band=band, dose=doses(opened, said, edits.added_RD).mean()))
    write_table(chosen, pd.concat(tables))


if __name__ == "__main__":
    run_script(main, globals())
