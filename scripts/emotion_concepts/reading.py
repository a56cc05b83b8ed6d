"""One experiment that reads, from files to files: scores at its places, a summary for each format, a table."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from emotion_concepts.files import read_json, write_json
from emotion_concepts.place_scores import PlaceScores, labelled_places, score_places, shuffled_vectors
from emotion_concepts.ratings import write_table
from emotion_concepts.shards import read_values
from emotion_concepts.vectors import load_vectors


def read_scores(
    layers: Path, texts: Path, vectors: Path, controls: Sequence[Path], *, seed: int
) -> PlaceScores:
    """Scores at the places of an experiment; `controls` has the file of vectors of shuffled labels, or none."""
    return score_places(
        labelled_places(layers, texts),
        lambda layer: read_values(layers, layer),
        load_vectors(vectors),
        shuffled_vectors(controls[0]) if controls else None,
        seed=seed,
    )


def described_place(geometry: Path, scores: PlaceScores) -> int:
    """Place, among the scores' layers, of the layer that the geometry is described at."""
    return scores.layers.index(read_json(geometry)["layer"])


def formats_of(scores: PlaceScores) -> list[str]:
    """The formats that the texts were read in, plain first."""
    return sorted(set(scores.places["format"]), key=lambda name: (name != "plain", name))


def summarise_formats(
    scores: PlaceScores, summarise: Callable[[str], tuple[dict, pd.DataFrame]]
) -> tuple[dict, pd.DataFrame]:
    """What `summarise` finds in each format: summaries by format, and one table with a column `format`."""
    found = {name: summarise(name) for name in formats_of(scores)}
    tables = [table.assign(format=name) for name, (_, table) in found.items()]
    return {name: summary for name, (summary, _) in found.items()}, pd.concat(tables, ignore_index=True)


def write_findings(summary: Path, table: Path, found: tuple[dict, pd.DataFrame]) -> None:
    """Write the summaries by format, and the table."""
    write_json(summary, found[0])
    write_table(table, found[1])
