"""UMAP of the vectors at two layers: the described one, and the one halfway to it.

Reads vectors and the geometry's summary; writes a table (CSV).
"""

from pathlib import Path

import pandas as pd

from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json
from emotion_concepts.planes import neighbour_plane
from emotion_concepts.ratings import write_table
from emotion_concepts.vectors import load_vectors


def main(vectors: Path, geometry: Path, plane: Path, *, cfg: dict) -> None:
    """Map with `cfg["seed"]`."""
    known = load_vectors(vectors)
    at = known.layers.index(read_json(geometry)["layer"])
    tables = []
    for place in dict.fromkeys((at // 2, at)):
        xy, axes = neighbour_plane(known.denoised_LCD[place], cfg["seed"])
        columns = {
            "layer": known.layers[place],
            "concept": known.concepts,
            "axes": axes,
            "x": xy[:, 0],
            "y": xy[:, 1],
        }
        tables.append(pd.DataFrame(columns))
    write_table(plane, pd.concat(tables))


if __name__ == "__main__":
    run_script(main, globals())
