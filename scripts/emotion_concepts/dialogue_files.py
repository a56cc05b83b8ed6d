"""What the analyses of rows 14 to 16 and 20 read: the residual stream at one layer, with what is known of it."""

from pathlib import Path

import numpy as np
import pandas as pd

from emotion_concepts.errors import DataError
from emotion_concepts.place_scores import labelled_places
from emotion_concepts.shards import read_labels, read_rows, read_values
from emotion_concepts.text_sets import read_texts
from emotion_concepts.vectors import load_vectors


def read_places_at(layers: Path, texts: Path, layer: int, *labels: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Places of an experiment with the labels of their texts, and the residual stream there: float32 [U, D].

    Raises
    ------
    DataError
        The texts lack one of these labels; names file and label.
    """
    places = labelled_places(layers, texts)
    missing = [label for label in labels if label not in places or places[label].isna().any()]
    if missing:
        raise DataError(f"{texts}: every text needs the label {missing[0]!r}")
    return places, read_values(layers, layer)


def vectors_at(path: Path, layer: int) -> dict[str, np.ndarray]:
    """The denoised vectors of a layer by concept: float32 [D] each."""
    vectors = load_vectors(path)
    return dict(zip(vectors.concepts, vectors.denoised_LCD[vectors.layers.index(layer)], strict=True))


def replies_of(texts: Path) -> dict[str, str]:
    """What the last message of each dialogue says, by its id."""
    return {text.id: text.messages[-1]["content"] for text in read_texts(texts) if text.messages}


def stories_at(layers: Path, layer: int, concepts: set[str]) -> tuple[np.ndarray, pd.DataFrame]:
    """Recorded stories of some concepts: float32 [M, D], and their emotion and topic."""
    labels = read_labels(layers)
    rows = np.flatnonzero(labels["emotion"].isin(concepts))
    return read_rows(layers, layer, rows), labels.iloc[rows].reset_index(drop=True)
