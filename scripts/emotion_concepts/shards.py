"""Activations on disk: parts while recording goes on, one HDF5 file a layer when it is done.

`parts/` holds what has been recorded, keyed by the content of each text, with the plan of batches:
a recording that is killed goes on where it was and ends in the same values, and a story that is
added or changed costs its own forward pass. `layers/layer_KK.h5` is what users and later stages
read: `mean` [texts, width] float32, or float16 with the `scale` [texts] float32 that each row is
divided by; `norm` and `n_tokens` [texts], `id`, `emotion`, `topic`.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import h5py
import numpy as np
import pandas as pd

from emotion_concepts.errors import DataError
from emotion_concepts.files import read_json, write_json, written_whole
from emotion_concepts.moments import TokenMoments
from emotion_concepts.text_sets import Text

T = TypeVar("T")

# What is known of a place in a text: the text's id, its format, the span, and the last token that was read.
PLACE_LABELS = ("text", "format", "span", "token")
LAYER_CONVENTION = "layer k is the output of decoder block k, counted from 0, before the final norm"


@dataclass(frozen=True)
class LayerActivations:
    """One layer of a text set.

    id, emotion, topic : str arrays [texts] ("" where a text has no label); mean : float32 [texts,
    width], mean residual stream over the pooled tokens; norm : float32 [texts], mean L2 norm over
    them; n_tokens : int32 [texts], how many they are.
    """

    id: np.ndarray
    emotion: np.ndarray
    topic: np.ndarray
    mean: np.ndarray
    norm: np.ndarray
    n_tokens: np.ndarray


class PartStore:
    """What has been recorded of a text set so far, and the plan of what is left.

    Parameters
    ----------
    folder : Path
        The store's own folder.
    settings : dict
        All that the values depend on beside the texts; a store made with others is emptied.
    """

    def __init__(self, folder: Path, settings: dict):
        self.folder = Path(folder)
        path = self.folder / "settings.json"
        if not path.is_file() or read_json(path) != settings:
            shutil.rmtree(self.folder, ignore_errors=True)
            write_json(path, settings)
        self._plan: list[list[str]] = []
        if (self.folder / "plan.json").is_file():
            self._plan = read_json(self.folder / "plan.json")["batches"]

    def fixed(self, name: str, make: Callable[[], object]) -> object:
        """What was settled when recording began: `make` is asked once, its answer kept with the parts."""
        path = self.folder / f"{name}.json"
        if not path.is_file():
            write_json(path, make())
        return read_json(path)

    def extend_plan(self, batches: Sequence[Sequence[str]]) -> None:
        """Append batches of text digests; what is planned already keeps its place and company."""
        if batches:
            self._plan += [list(batch) for batch in batches]
            write_json(self.folder / "plan.json", {"batches": self._plan})

    def planned(self) -> set[str]:
        """Digests of all texts that a batch of the plan holds."""
        return {digest for batch in self._plan for digest in batch}

    def waiting(self, wanted: set[str]) -> list[list[str]]:
        """The planned batches, in order, reduced to wanted texts that are not recorded yet.

        A batch is recorded whole or not at all, so a killed recording goes on with the batches
        that it would have had.
        """
        recorded = self.recorded()
        left = [[d for d in batch if d in wanted and d not in recorded] for batch in self._plan]
        return [batch for batch in left if batch]

    def write_part(
        self,
        digests: Sequence[str],
        mean_LBD: np.ndarray,
        norm_LB: np.ndarray,
        n_tokens_B: np.ndarray,
        moments: TokenMoments | None = None,
    ) -> None:
        """Keep finished batches: written whole, synced and renamed.

        `moments` are those of all parts up to this one. They are written before it, under its number, so
        that a kill between the two leaves the part before with its own.
        """
        number = self._last_number() + 1
        if moments:
            moments.save(self._moments_path(number))
        path = self.folder / f"part-{number:06d}.h5"
        with written_whole(path) as temporary, h5py.File(temporary, "w") as file:
            file["digest"] = np.array(digests, dtype="S64")
            file["mean"] = mean_LBD
            file["norm"] = norm_LB
            file["n_tokens"] = n_tokens_B
        for older in self.folder.glob("moments-*.h5"):
            if older != self._moments_path(number):
                older.unlink()

    def moments(self, n_layers: int, width: int) -> TokenMoments:
        """Moments of the tokens of all parts; empty ones before the first."""
        number = self._last_number()
        return TokenMoments.load(self._moments_path(number)) if number >= 0 else TokenMoments(n_layers, width)

    def recorded(self) -> set[str]:
        """Digests of all texts that a part holds."""
        return {digest for path in self._parts() for digest in _digests_of(path)}

    def empty(self) -> None:
        """Forget all parts and the plan."""
        for path in (*self._parts(), *self.folder.glob("moments-*.h5"), self.folder / "plan.json"):
            path.unlink(missing_ok=True)
        self._plan = []

    def read(self, digests: Sequence[str], layer: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean [texts, width], norm [texts] and token counts [texts] of one layer, in the given order."""
        place: dict[str, list[int]] = {}
        for row, digest in enumerate(digests):
            place.setdefault(digest, []).append(row)
        mean, norm, n_tokens = None, np.zeros(len(digests), np.float32), np.zeros(len(digests), np.int32)
        for path in self._parts():
            with opened_h5(path) as file:
                stored = enumerate(file["digest"].asstr()[:])
                pairs = [(i, row) for i, digest in stored for row in place.get(digest, ())]
                if not pairs:
                    continue
                source, target = (np.array(side) for side in zip(*pairs, strict=True))
                part = file["mean"][layer]
                if mean is None:
                    mean = np.full((len(digests), part.shape[1]), np.nan, np.float32)
                mean[target] = part[source]
                norm[target] = file["norm"][layer][source]
                n_tokens[target] = file["n_tokens"][:][source]
        assert mean is not None and np.isfinite(mean).all(), "a text was neither recorded nor dropped"
        return mean, norm, n_tokens

    def _last_number(self) -> int:
        return max((int(path.stem.split("-")[1]) for path in self._parts()), default=-1)

    def _moments_path(self, number: int) -> Path:
        return self.folder / f"moments-{number:06d}.h5"

    def _parts(self) -> list[Path]:
        return sorted(self.folder.glob("part-*.h5"))


def in_parts(items: Iterable[T], seconds: float) -> Iterator[list[T]]:
    """What is made one after the other, in lists that take about so long to make: a part each."""
    part: list[T] = []
    began = time.monotonic()
    for item in items:
        part.append(item)
        if time.monotonic() - began > seconds:
            yield part
            part, began = [], time.monotonic()
    if part:
        yield part


def text_digest(text: str) -> str:
    """What a recorded text is known by: the SHA-256 of its content."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def write_layers(
    folder: Path,
    store: PartStore,
    texts: Sequence[Text],
    n_layers: int,
    attributes: dict,
    *,
    storage: Literal["float32", "float16"] = "float32",
    moments: TokenMoments | None = None,
) -> str:
    """Write one HDF5 file a layer for these texts, in their order; return a digest of all values.

    With `moments` each file also holds `token_mean` [width] and `token_covariance` [width, width].
    """
    labels = {
        "id": [text.id for text in texts],
        "emotion": [text.emotion or "" for text in texts],
        "topic": [text.topic or "" for text in texts],
    }
    digests = [text_digest(text.text) for text in texts]
    return _write_values(folder, store, digests, labels, n_layers, attributes, storage, moments)


def write_places(
    folder: Path,
    store: PartStore,
    places: pd.DataFrame,
    n_layers: int,
    attributes: dict,
    *,
    storage: Literal["float32", "float16"] = "float32",
) -> str:
    """Write one HDF5 file a layer for places in texts, in their order; return a digest of all values.

    `places` has `text` (its id), `format`, `span`, `token`, and `digest`, what the store knows it by.
    """
    labels = {name: places[name].tolist() for name in PLACE_LABELS}
    return _write_values(
        folder, store, places["digest"].tolist(), labels, n_layers, attributes, storage, None
    )


def _write_values(
    folder: Path, store: PartStore, digests: list[str], labels: dict[str, list[str]], n_layers: int,
    attributes: dict, storage: Literal["float32", "float16"], moments: TokenMoments | None,
) -> str:  # fmt: skip
    content = hashlib.sha256(json.dumps(labels, sort_keys=True).encode())
    for layer in range(n_layers):
        mean, norm, n_tokens = store.read(digests, layer)
        arrays = {"mean": mean, "norm": norm, "n_tokens": n_tokens}
        if storage == "float16":
            arrays["mean"], arrays["scale"] = halved(mean)
        if moments:
            arrays |= {"token_mean": moments.mean(layer), "token_covariance": moments.covariance(layer)}
        for values in arrays.values():
            content.update(np.ascontiguousarray(values).tobytes())
        with written_whole(layer_path(folder, layer)) as temporary, h5py.File(temporary, "w") as file:
            for name, values in labels.items():
                file.create_dataset(name, data=values, dtype=h5py.string_dtype())
            # A chunk of about 1 MiB: whole rows, so that a text is read without the others.
            mean = arrays.pop("mean")
            rows = max(1, min(len(digests), (1 << 20) // (mean.itemsize * mean.shape[1])))
            file.create_dataset("mean", data=mean, chunks=(rows, mean.shape[1]))
            for name, values in arrays.items():
                file[name] = values
            file.attrs.update({**attributes, "layer": layer, "layer_convention": LAYER_CONVENTION})
    return content.hexdigest()


def halved(value_ND: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows in half size: float16 [N, D] with a largest magnitude of 1, and the scale of each: float32 [N].

    Some families' activations are far beyond what float16 holds; divided by their largest value they
    keep eleven bits of it, and what is a hundred-thousandth of it or less is rounded more coarsely.
    """
    scale_N = np.abs(value_ND).max(1).astype(np.float32)
    scale_N[scale_N == 0] = 1
    return (value_ND / scale_N[:, None]).astype(np.float16), scale_N


def layer_path(folder: Path, layer: int) -> Path:
    """The file of one layer."""
    return Path(folder) / f"layer_{layer:02d}.h5"


def read_layer(folder: Path, layer: int) -> LayerActivations:
    """Read one layer of a text set.

    Raises
    ------
    DataError
        The file is missing or damaged; says which, and how to make it anew.
    """
    with opened_h5(layer_path(folder, layer)) as file:
        return LayerActivations(
            **_labels(file), mean=_values(file), norm=file["norm"][:], n_tokens=file["n_tokens"][:]
        )


def read_values(folder: Path, layer: int) -> np.ndarray:
    """The values of one layer alone: float32 [rows, width]."""
    with opened_h5(layer_path(folder, layer)) as file:
        return _values(file)


def read_labels(folder: Path) -> pd.DataFrame:
    """What is known of a text set's texts at every layer: id, emotion, topic, n_tokens; no values are read."""
    with opened_h5(layer_path(folder, 0)) as file:
        return pd.DataFrame(_labels(file) | {"n_tokens": file["n_tokens"][:]})


def read_places(folder: Path) -> pd.DataFrame:
    """The places of a text set that were read: `PLACE_LABELS` and n_tokens; no values are read."""
    with opened_h5(layer_path(folder, 0)) as file:
        labels = {name: file[name].asstr()[:].astype(str) for name in PLACE_LABELS}
        return pd.DataFrame(labels | {"n_tokens": file["n_tokens"][:]})


def read_norms(folder: Path, layer: int) -> np.ndarray:
    """Mean L2 norm over the pooled tokens of each text at one layer: float32 [texts]."""
    with opened_h5(layer_path(folder, layer)) as file:
        return file["norm"][:]


def value_blocks(folder: Path, layer: int) -> Iterator[np.ndarray]:
    """The values of one layer, a chunk of the file at a time, in order: float64 [rows, width]."""
    with opened_h5(layer_path(folder, layer)) as file:
        mean = file["mean"]
        scale_N = file["scale"][:] if "scale" in file else None
        step = mean.chunks[0]
        for start in range(0, len(mean), step):
            block = mean[start : start + step].astype(np.float64)
            if scale_N is not None:
                block *= scale_N[start : start + step, None]
            yield block


def read_rows(folder: Path, layer: int, rows: np.ndarray) -> np.ndarray:
    """The values of some texts at one layer: float32 [rows, width]; `rows` ascend."""
    with opened_h5(layer_path(folder, layer)) as file:
        mean = file["mean"]
        values = np.empty((len(rows), mean.shape[1]), np.float32)
        # By whole chunks, which is what HDF5 reads in any case: asked row by row it takes many times longer.
        step = mean.chunks[0]
        for chunk in np.unique(rows // step):
            here = rows // step == chunk
            values[here] = mean[chunk * step : (chunk + 1) * step][rows[here] - chunk * step]
        return values * file["scale"][:][rows, None] if "scale" in file else values


def read_token_covariance(folder: Path, layer: int) -> np.ndarray:
    """Covariance of the token activations of one layer, where they were recorded: float64 [width, width]."""
    with opened_h5(layer_path(folder, layer)) as file:
        return file["token_covariance"][:]


def _values(file: h5py.File) -> np.ndarray:
    mean = file["mean"][:]
    return mean * file["scale"][:][:, None] if "scale" in file else mean


def _labels(file: h5py.File) -> dict[str, np.ndarray]:
    return {name: file[name].asstr()[:].astype(str) for name in ("id", "emotion", "topic")}


def _digests_of(path: Path) -> list[str]:
    with opened_h5(path) as file:
        return file["digest"].asstr()[:].tolist()


def opened_h5(path: Path) -> h5py.File:
    """Open a file of this project to read; one that is missing or damaged is a `DataError` that names it."""
    try:
        # Nothing is read twice: without the cache of chunks they are not copied into it.
        return h5py.File(path, "r", rdcc_nbytes=0)
    except OSError as error:
        reason = "is missing" if not path.is_file() else f"is damaged ({str(error).splitlines()[0]})"
        raise DataError(f"{path}: {reason}; delete {path.parent} and run again") from None
