"""Vectors made elsewhere, in the form of this project's own.

numpy alone; nothing is unpickled. Shape letters: L layers, C concepts, D width.
"""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, deserialize, safe_open

from emotion_concepts.config_vectors import vector_files
from emotion_concepts.errors import DataError
from emotion_concepts.vectors import EmotionVectors, load_vectors, save_vectors

UNKNOWN = "unknown"
# How safetensors calls what is read here; bfloat16 is unknown to numpy, and widened by hand.
FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}


def read_vectors(
    path: Path,
    concepts: Sequence[str] | Path | None = None,
    layers: Sequence[int] | None = None,
    *,
    model: str = UNKNOWN,
) -> EmotionVectors:
    """Vectors of a file or folder, with concepts sorted and layers ascending.

    Parameters
    ----------
    path : Path
        .safetensors, .npz or .npy, or a folder of .npy. One array, [L, C, D] or [C, D]; or one a
        concept, [L, D] or [D], under its name; or a file that this project wrote.
    concepts : sequence of str or Path, optional
        Names in the order of one array, or a text file with one name a line. Only for one array.
    layers : sequence of int, optional
        Block numbers in the arrays' order; None counts from 0.
    model : str
        What they are of.

    Returns
    -------
    EmotionVectors
        `raw_LCD` and `denoised_LCD` are both the given vectors, `revision` is "unknown" and every
        `residual_norm` is NaN: who steers needs the model's own norms. A file that this project
        wrote keeps what it says of itself.

    Raises
    ------
    DataError
        One line: which file and array, what is wrong, what would be right.
    """
    path = Path(path)
    own = _own_vectors(path)
    if own:
        for name, given in (("concepts", concepts), ("layers", layers)):
            if given is not None:
                raise DataError(f"{path}: written by this project, and knows its {name}; leave out {name!r}")
        return own
    arrays = _arrays(path)
    if not arrays:
        raise DataError(f"{path}: holds no arrays; expected one for all concepts, or one a concept")
    if len(arrays) == 1:
        vector_LCD, names = _one_for_all(path, *arrays.popitem(), concepts)
    elif concepts is not None:
        raise DataError(
            f"{path}: its {len(arrays)} arrays name their concepts themselves; leave out 'concepts', "
            "or give one array, [layers, concepts, width]"
        )
    else:
        vector_LCD, names = _one_a_concept(path, arrays)
    if len(names) < 2:
        raise DataError(f"{path}: vectors of {len(names)} concept; expected two or more")
    blocks = _blocks(path, layers, len(vector_LCD))
    by_name, by_block = np.argsort(names), np.argsort(blocks)
    names, blocks = [names[i] for i in by_name], [blocks[i] for i in by_block]
    vector_LCD = _checked(path, vector_LCD[by_block][:, by_name], names, blocks)
    norms = dict.fromkeys(blocks, float("nan"))
    return EmotionVectors(vector_LCD, vector_LCD, names, blocks, model, UNKNOWN, norms)


def save_imported(path: Path, vectors: EmotionVectors) -> None:
    """Write `vectors.safetensors`; the metadata say of vectors that were not made here that they are as given."""
    save_vectors(path, vectors, {"denoised": "as given"} if vectors.revision == UNKNOWN else {})


def _own_vectors(path: Path) -> EmotionVectors | None:
    """What this project wrote; None for any other file."""
    if path.suffix.lower() != ".safetensors" or not path.is_file():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            if not {"concepts", "residual_norm"} <= set(file.metadata() or ()):
                return None
    except SafetensorError:
        return None
    known = load_vectors(path)
    shape = (len(known.layers), len(known.concepts))
    for name, vector_LCD in (("raw", known.raw_LCD), ("denoised", known.denoised_LCD)):
        if vector_LCD.ndim != 3 or vector_LCD.shape[:2] != shape:
            raise DataError(
                f"{path}: {name!r} is {_shape(vector_LCD)}, but its metadata name {shape[0]} layers and {shape[1]} concepts"
            )
        _checked(path, vector_LCD, known.concepts, known.layers)
    return known


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """Every array of a file or folder, by name."""
    if path.is_dir():
        files = vector_files(path)
        if not files:
            raise DataError(f"{path}: a folder without .npy files")
        return {file.stem: _floats(f"{file}", _loaded(file, np.load)) for file in files}
    if not path.is_file():
        raise DataError(f"{path}: no such file or folder")
    readers = {".safetensors": _read_safetensors, ".npz": _read_npz, ".npy": _read_npy}
    ending = path.suffix.lower()
    if ending not in readers:
        raise DataError(
            f"{path}: unknown ending {ending!r}; expected .safetensors, .npz, .npy, or a folder of .npy"
        )
    return {name: _floats(f"{path}: {name!r}", array) for name, array in readers[ending](path).items()}


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    try:
        tensors = deserialize(path.read_bytes())
    except SafetensorError as error:
        raise DataError(f"{path}: cannot be read as safetensors: {error}") from None
    return {name: _decoded(f"{path}: {name!r}", **about) for name, about in tensors}


def _decoded(where: str, dtype: str, shape: Sequence[int], data: bytes) -> np.ndarray:
    if dtype == "BF16":
        # The upper half of a float32.
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32).reshape(shape)
    if dtype not in FLOATS:
        raise DataError(f"{where}: of type {dtype}; expected one of {', '.join([*FLOATS, 'BF16'])}")
    return np.frombuffer(data, FLOATS[dtype]).reshape(shape)


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    def every(path, *, allow_pickle):
        with np.load(path, allow_pickle=allow_pickle) as file:
            return {name: file[name] for name in file.files}

    return _loaded(path, every)


def _read_npy(path: Path) -> dict[str, np.ndarray]:
    return {path.stem: _loaded(path, np.load)}


def _loaded(path: Path, load: Callable):
    """What numpy reads; a file of Python objects is refused, as opening it could run anything."""
    try:
        return load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        reason = str(error).split("\n")[0]
        if "allow_pickle" in reason:
            reason = "no array of numbers; Python objects (pickles) are not read"
        raise DataError(f"{path}: cannot be read as {path.suffix[1:]}: {reason}") from None


def _floats(where: str, array) -> np.ndarray:
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
        raise DataError(
            f"{where}: of type {getattr(array, 'dtype', type(array).__name__)}; expected floating point"
        )
    return array


def _one_for_all(
    path: Path, name: str, array: np.ndarray, concepts: Sequence[str] | Path | None
) -> tuple[np.ndarray, list[str]]:
    if array.ndim not in (2, 3):
        raise DataError(
            f"{path}: {name!r} is {_shape(array)}; expected [layers, concepts, width] or [concepts, width]"
        )
    vector_LCD = array if array.ndim == 3 else array[None]
    if concepts is None:
        raise DataError(
            f"{path}: one array, {_shape(array)}, without names; give its {vector_LCD.shape[1]} 'concepts'"
        )
    names, where = _names(concepts)
    if len(names) != vector_LCD.shape[1]:
        raise DataError(
            f"{path}: {name!r} is {_shape(array)}, {vector_LCD.shape[1]} concepts; {where} has {len(names)} names"
        )
    return vector_LCD, names


def _one_a_concept(path: Path, arrays: Mapping[str, np.ndarray]) -> tuple[np.ndarray, list[str]]:
    first = next(iter(arrays))
    for name, array in arrays.items():
        if array.ndim not in (1, 2):
            raise DataError(
                f"{path}: {name!r} is {_shape(array)}; of several arrays, each is one concept's, "
                "[layers, width] or [width]"
            )
        if array.shape != arrays[first].shape:
            raise DataError(
                f"{path}: {name!r} is {_shape(array)}, but {first!r} is {_shape(arrays[first])}; expected one shape"
            )
    stacked = np.stack(list(arrays.values()), axis=-2)
    return (stacked if stacked.ndim == 3 else stacked[None]), list(arrays)


def _names(concepts: Sequence[str] | Path) -> tuple[list[str], str]:
    """Names as given or from a text file, and where they stand."""
    if not isinstance(concepts, str | Path):
        lines, where = dict(enumerate(concepts, 1)), "concepts"
    else:
        where = str(concepts)
        try:
            text = Path(concepts).expanduser().read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            raise DataError(f"{where}: no such file; expected one concept a line") from None
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{where}: cannot be read as UTF-8 text: {error}") from None
        lines = {number: line.strip() for number, line in enumerate(text.split("\n"), 1) if line.strip()}
    seen: dict[str, int] = {}
    for number, name in lines.items():
        if not name.strip():
            raise DataError(f"{where}:{number}: an empty name; expected a concept")
        if name in seen:
            raise DataError(f"{where}:{number}: {name!r} is used in place {seen[name]} already")
        seen[name] = number
    return list(seen), where


def _blocks(path: Path, layers: Sequence[int] | None, count: int) -> list[int]:
    blocks = list(range(count) if layers is None else layers)
    if len(blocks) != count:
        raise DataError(
            f"{path}: {count} layers, but 'layers' has {len(blocks)} block numbers; expected {count}"
        )
    twice = sorted({block for block in blocks if blocks.count(block) > 1})
    if twice or min(blocks, default=0) < 0:
        raise DataError(f"{path}: layers {blocks}: expected block numbers from 0, each once")
    return blocks


def _checked(path: Path, vector_LCD: np.ndarray, concepts: list[str], layers: list[int]) -> np.ndarray:
    """As float32, every vector finite and longer than 0."""
    if 0 in vector_LCD.shape:
        raise DataError(f"{path}: {_shape(vector_LCD)}; expected at least one layer, and a width")
    with np.errstate(over="ignore"):
        vector_LCD = np.ascontiguousarray(vector_LCD, np.float32)
    for wrong, faulty_LC in (
        ("has NaN or infinity", ~np.isfinite(vector_LCD).all(-1)),
        ("is zero", ~vector_LCD.any(-1)),
    ):
        if faulty_LC.any():
            layer, concept = np.argwhere(faulty_LC)[0]
            raise DataError(
                f"{path}: the vector of {concepts[concept]!r} at layer {layers[layer]} {wrong} ({faulty_LC.sum()} of "
                f"{faulty_LC.size} vectors); expected finite numbers, not all 0"
            )
    return vector_LCD


def _shape(array: np.ndarray) -> str:
    return f"[{', '.join(map(str, array.shape))}]"
