"""Row 20: how far a base model's vectors are more or less active after its post-training.

Reads both models' descriptions, their residual streams before the reply, and the base's vectors; writes a summary for
each format (JSON) and a line a concept and kind of prompt (CSV).
"""

from pathlib import Path

import numpy as np

from emotion_concepts.dialogue_files import vectors_at
from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json
from emotion_concepts.place_scores import unit_rows
from emotion_concepts.post_training import KINDS, check_pair, prompts_by_format, shift_summary
from emotion_concepts.reading import summarise_formats, write_findings
from emotion_concepts.shards import read_places, read_values
from emotion_concepts.tokens import vocabulary


def main(
    base: Path, post: Path, base_layers: list[Path], post_layers: list[Path], geometry: Path, vectors: Path,
    summary: Path, table: Path, *, cfg: dict,
) -> None:  # fmt: skip
    """Compare with `cfg`: permutations, bootstraps, seed; the layers are of ordinary and challenging prompts."""
    models = read_json(base), read_json(post)
    check_pair(*models, *(vocabulary(Path(model["path"])) for model in models))
    layer = read_json(geometry)["layer"]
    known = vectors_at(vectors, layer)
    sides = [
        {
            kind: (read_places(folder), read_values(folder, layer))
            for kind, folder in zip(KINDS, folders, strict=True)
        }
        for folders in (base_layers, post_layers)
    ]
    unit_CD = unit_rows(np.stack(list(known.values())))
    values = prompts_by_format(*sides)
    found = summarise_formats(values, lambda form: shift_summary(*values[form], unit_CD, list(known), **cfg))
    write_findings(summary, table, found, layer)


if __name__ == "__main__":
    run_script(main, globals())
