"""The file of sums by topic and concept that stands between the activations and all that is made of them.

`sums.h5` holds `concepts`, `topics` (or groups of topics), `counts` [topics, concepts], and `topic` [texts]; for each
layer `layer_KK/sums` [topics, concepts, width] and `layer_KK/middle` [width], float64. The activations are read once, in blocks: neither time nor memory grows with what is asked of the sums.
"""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from emotion_concepts.cells import CellSums, summed_blocks, topic_groups
from emotion_concepts.files import written_whole
from emotion_concepts.layers import work_by_layer
from emotion_concepts.shards import opened_h5, read_labels, value_blocks


def write_sums(path: Path, layers: Path, n_layers: int, *, seed: int, threads: int) -> None:
    """Sum up the activations in `layers`.

    Parameters
    ----------
    seed : int
        Groups topics, if they are many.
    threads : int
        Layers side by side; the sums do not depend on it.
    """
    labels = read_labels(layers)
    emotions, topics = (labels[name].to_numpy(str) for name in ("emotion", "topic"))
    groups = topic_groups(topics, seed)

    def one_layer(layer: int) -> CellSums:
        return summed_blocks(value_blocks(layers, layer), emotions, groups)

    with written_whole(path) as temporary, h5py.File(temporary, "w") as file:
        names = {
            "concepts": np.unique(emotions),
            "topics": np.unique(groups).astype(str),
            "topic": groups.astype(str),
        }
        for name, values in names.items():
            file.create_dataset(name, data=values.tolist(), dtype=h5py.string_dtype())
        for layer, cells in enumerate(work_by_layer(one_layer, n_layers, threads)):
            if layer == 0:
                file["counts"] = cells.counts_PC
            file[f"layer_{layer:02d}/sums"] = cells.sums_PCD
            file[f"layer_{layer:02d}/middle"] = cells.middle_D


@dataclass(frozen=True)
class StorySums:
    """A file of sums: concepts and topics (or groups of them), in its order; topic_N, that of each text."""

    path: Path
    concepts: list[str]
    topics: list[str]
    topic_N: np.ndarray
    counts_PC: np.ndarray

    def cells(self, layer: int) -> CellSums:
        """The sums of a layer."""
        with opened_h5(self.path) as file:
            group = file[f"layer_{layer:02d}"]
            return CellSums(group["sums"][:], self.counts_PC, group["middle"][:])


def read_sums(path: Path) -> StorySums:
    """What a file of sums holds; the sums themselves are read when they are asked for.

    Raises
    ------
    DataError
        The file is missing or damaged.
    """
    with opened_h5(path) as file:
        concepts, topics = (file[name].asstr()[:].tolist() for name in ("concepts", "topics"))
        return StorySums(path, concepts, topics, file["topic"].asstr()[:].astype(str), file["counts"][:])
