"""One experiment that reads, from files to files: scores at its places, a summary for each format, a table."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from emotion_concepts.files import write_json
from emotion_concepts.place_scores import PlaceScores, labelled_places, score_places, shuffled_vectors
from emotion_concepts.ratings import write_table
from emotion_concepts.shards import read_values
from emotion_concepts.vectors import load_vectors

# A summary, and the table behind its figure.
Summarised = tuple[dict, pd.DataFrame]


def read_scores(
    layers: Path,
    texts: Path,
    vectors: Path,
    *,
    seed: int,
    layer: int | None = None,
    shuffled: Sequence[Path] = (),
    directions: Sequence[str] = (),
) -> PlaceScores:
    """Scores at the places of an experiment, at one layer or at all that have vectors.

    Parameters
    ----------
    shuffled : sequence of Path
        The file of vectors of shuffled labels, or nothing; they are read too.
    directions : sequence of str
        Control directions that are read too, as in `score_places`.
    """
    known, of_shuffled = load_vectors(vectors), shuffled_vectors(shuffled[0]) if shuffled else None
    if layer is not None:
        at = [known.layers.index(layer)]
        known = replace(known, raw_LCD=known.raw_LCD[at], denoised_LCD=known.denoised_LCD[at], layers=[layer])
        of_shuffled = None if of_shuffled is None else of_shuffled[at]
    return score_places(
        labelled_places(layers, texts),
        lambda number: read_values(layers, number),
        known,
        of_shuffled,
        seed=seed,
        directions=directions,
    )


def formats_of(places: pd.DataFrame) -> list[str]:
    """The formats that the texts were read in, plain first."""
    return sorted(set(places["format"]), key=lambda name: (name != "plain", name))


def summarise_formats(
    formats: Iterable[str], summarise: Callable[[str], Summarised]
) -> tuple[dict[str, dict], pd.DataFrame]:
    """What `summarise` finds in each format: summaries by format, and one table with a column `format`."""
    found = {name: summarise(name) for name in formats}
    tables = [table.assign(format=name) for name, (_, table) in found.items()]
    return {name: summary for name, (summary, _) in found.items()}, pd.concat(tables, ignore_index=True)


def write_findings(
    summary: Path, table: Path, found: tuple[dict[str, dict], pd.DataFrame], layer: int | None = None
) -> None:
    """Write the summaries by format, with the layer that all are of if there is one, and the table."""
    by_format, rows = found
    of_layer = {} if layer is None else {"layer": layer}
    write_json(summary, {name: of_layer | of for name, of in by_format.items()})
    write_table(table, rows)
