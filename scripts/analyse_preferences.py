"""Rows 6 and 7: do the vectors tell what a model would rather do, and does steering with them change it?

Reads the choices, unsteered and steered, the activations at the activities, the vectors, their controls, the ratings and
the described layer; writes a summary (JSON), and tables of activities, directions, layers and steered directions (CSV).
"""

from pathlib import Path

import pandas as pd

from emotion_concepts.activity_tables import direction_projections, read_activations
from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json, write_json
from emotion_concepts.preference_causes import causal_summary
from emotion_concepts.preferences import preference_summary
from emotion_concepts.ratings import write_table
from emotion_concepts.vectors import load_vectors


def main(
    unsteered: Path, activations: Path, steered: Path, vectors: Path, controls: Path, geometry: Path, ratings: Path,
    summary: Path, activities: Path, directions: Path, layers: Path, changes: Path, *, cfg: dict,
) -> None:  # fmt: skip
    """Analyse with `cfg`: permutations, bootstraps, seed."""
    about, mean_NLD, form = read_activations(activations)
    names, projection_LNK = direction_projections(mean_NLD, load_vectors(vectors), controls)
    layer = read_json(geometry)["layer"]
    choices, other = pd.read_csv(unsteered), pd.read_csv(steered)
    found, tables = preference_summary(
        choices, about, projection_LNK, names, layer, pd.read_csv(ratings), **cfg
    )
    causes = {
        band: causal_summary(
            pd.concat([choices, of]), about, set(of["steered"]), projection_LNK, names, layer, **cfg
        )
        for band, of in other.groupby("band", sort=False)
    }
    write_json(
        summary,
        {
            "format": form,
            "preference": found,
            "causal": {band: of for band, (of, _) in causes.items()},
            "dose": other.groupby("band", sort=False)["dose"].first().to_dict(),
        },
    )
    write_table(activities, tables["activities"])
    write_table(directions, tables["directions"])
    write_table(layers, tables["layers"])
    write_table(changes, pd.concat([table.assign(band=band) for band, (_, table) in causes.items()]))


if __name__ == "__main__":
    run_script(main, globals())
