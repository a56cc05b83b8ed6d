"""Which of two activities the model would rather do, unsteered, and what it has in its residual stream at each.

Reads `model.json` and the activities; writes every ordered pair's log-odds (CSV), and the mean residual stream over each
activity's own tokens at every layer (`mean` [activities, layers, width], safetensors).
"""

import json
from pathlib import Path

import torch
from safetensors.numpy import save_file

from emotion_concepts.activity_choices import activity_activations, balanced, choices, scored_choices
from emotion_concepts.direction_kinds import UNSTEERED
from emotion_concepts.entry import run_script
from emotion_concepts.files import written_whole
from emotion_concepts.models import open_described
from emotion_concepts.ratings import write_table
from emotion_concepts.spans import goes_through_template
from emotion_concepts.steering import Edits
from emotion_concepts.text_sets import read_texts


def main(
    model: Path, activities: Path, chosen: Path, activations: Path, *, cfg: dict, threads: int = 2
) -> None:
    """Compare with `cfg`: activities, format, precision."""
    torch.set_num_threads(threads)
    opened = open_described(model, cfg["precision"])
    chat = goes_through_template(opened.tokenizer, cfg["format"])
    compared = balanced(read_texts(activities), cfg["activities"])
    offered = choices(opened, compared, chat=chat)
    table = scored_choices(opened, offered, Edits({}), [UNSTEERED], [UNSTEERED], chat=chat)
    mean_NLD, n_tokens = activity_activations(opened, compared, chat=chat)
    about = {
        "id": [activity.id for activity in compared],
        "category": [activity.labels["category"] for activity in compared],
        "n_tokens": n_tokens.tolist(),
        "format": "chat" if chat else "plain",
    }
    with written_whole(activations) as temporary:
        save_file({"mean": mean_NLD}, temporary, {"about": json.dumps(about)})
    write_table(chosen, table)


if __name__ == "__main__":
    run_script(main, globals())
