"""Vectors for other programs: llama.cpp's control vectors, and the card that says what they are.

numpy and gguf, no torch. Shape letters: L layers, C concepts, D width.
"""

import csv
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from emotion_concepts import __version__
from emotion_concepts.errors import DataError
from emotion_concepts.files import written_whole
from emotion_concepts.layers import steered_layers
from emotion_concepts.vectors import EmotionVectors

ARCHITECTURE = "controlvector"
# Longest part of a file's name that is taken from a concept's.
MAX_STEM = 60
# By the `source` of a story set; those of any other set are under the terms of whoever made them.
LICENCES = {
    "bundled": "CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/); cite emotion-concepts, which wrote them"
}


@dataclass(frozen=True)
class Reliability:
    """How far a concept's vector at one layer is decided by which stories were read: mean cosines."""

    split_half: float
    bootstrap: float


def directions(vectors: EmotionVectors, concept: str) -> dict[int, np.ndarray]:
    """What strength 1 adds after each block but the first: {layer: float32 [D]}.

    The unit denoised vector times the mean residual norm of its layer, so that a strength means the
    same here, in llama.cpp and in repeng.

    Raises
    ------
    DataError
        An unknown concept, no layer above 0, or a direction that is not finite; says where.
    """
    found = {}
    for layer in vectors.layers:
        if layer == 0:
            continue
        with np.errstate(divide="ignore", invalid="ignore"):
            found[layer] = vectors.residual_norm[layer] * vectors.unit(concept, layer)
        if not np.isfinite(found[layer]).all():
            raise DataError(
                f"{concept!r} at layer {layer}: residual norm {vectors.residual_norm[layer]} and vector give no "
                "finite direction; vectors that steer need their model's residual norms and a length above 0"
            )
    if not found:
        raise DataError("only layer 0 has vectors, and a control vector has no place for it (direction.0)")
    return found


def write_control_vector(path: Path, vectors: EmotionVectors, concept: str, *, hint: str) -> None:
    """Write one concept as a control vector that llama.cpp and repeng load.

    The format (llama.cpp: `common_control_vector_load_one` and `llama_adapter_cvec`; repeng:
    `ControlVector.export_gguf`): `general.architecture` is "controlvector", with
    `controlvector.model_hint` and `controlvector.layer_count`, and one float32 tensor
    `direction.N` a layer. llama.cpp adds it, times the strength, to the output of block N, counted
    from 0; it refuses a `direction.0`. So layer k of this project is `direction.k`, and layer 0
    stays behind. repeng wraps block N in the same count.

    Parameters
    ----------
    path : Path
        Ends in .gguf; llama.cpp's option takes neither `:` nor `,` in it.
    hint : str
        The model's family, as `model_hint` makes it; neither program acts on it.
    """
    found = directions(vectors, concept)
    with written_whole(path) as temporary:
        writer = gguf.GGUFWriter(temporary, ARCHITECTURE)
        writer.add_name(concept)
        writer.add_description(
            f"Emotion concept {concept!r} of {vectors.model}, revision {vectors.revision}: strength s adds s times "
            "the mean residual norm after each block. Denoised, as float32."
        )
        writer.add_string(f"{ARCHITECTURE}.model_hint", hint)
        writer.add_uint32(f"{ARCHITECTURE}.layer_count", len(found))
        for layer, direction in found.items():
            writer.add_tensor(f"direction.{layer}", direction)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def write_control_vectors(folder: Path, vectors: EmotionVectors, *, hint: str) -> None:
    """One control vector a concept, and no other GGUF file, in `folder`."""
    paths = {concept: folder / file_name(concept) for concept in vectors.concepts}
    assert len(set(paths.values())) == len(paths)
    for stale in set(folder.glob("*.gguf")) - set(paths.values()):
        stale.unlink()
    for concept, path in paths.items():
        write_control_vector(path, vectors, concept, hint=hint)


def file_name(concept: str) -> str:
    """A concept's file: its name with `_` for each space.

    Names that hold more than small letters, digits, single spaces and hyphens, or are long, lose the
    rest, and get a piece of their hash after a point: no two concepts share a file, on a disk that
    takes `A` for `a` as well, and no name depends on which other concepts there are.
    """
    if re.fullmatch(r"[a-z0-9]+([ -][a-z0-9]+)*", concept) and len(concept) <= MAX_STEM:
        return concept.replace(" ", "_") + ".gguf"
    kept = re.sub(r"[^a-z0-9]+", "_", concept.lower()).strip("_")[:MAX_STEM] or "concept"
    return f"{kept}.{hashlib.sha256(concept.encode()).hexdigest()[:8]}.gguf"


def model_hint(architecture: str) -> str:
    """The family in a class name of transformers, in small letters: LlamaForCausalLM is llama."""
    return re.split(r"For[A-Z]|LMHead", architecture)[0].lower()


def read_reliability(path: Path, layer: int) -> dict[str, Reliability]:
    """Reliability of each concept at a layer, from a table with concept, layer, split_half, bootstrap.

    Raises
    ------
    DataError
        A column is missing, or the layer is.
    """
    with open(path, encoding="utf-8", newline="") as file:
        table = csv.DictReader(file)
        missing = {"concept", "layer", "split_half", "bootstrap"} - set(table.fieldnames or ())
        if missing:
            raise DataError(
                f"{path}: no column {min(missing)!r}; its columns: {', '.join(table.fieldnames or ())}"
            )
        found = {
            row["concept"]: Reliability(_number(row["split_half"]), _number(row["bootstrap"]))
            for row in table
            if int(row["layer"]) == layer
        }
    if not found:
        raise DataError(f"{path}: nothing at layer {layer}")
    return found


def render_card(
    template: Path,
    vectors: EmotionVectors,
    *,
    story_set: str,
    story_source: str,
    stories: Mapping[str, int],
    reliability: Mapping[str, Reliability],
    layer: int,
    strength: float,
) -> str:
    """The card of a story set's vectors, as Markdown.

    Parameters
    ----------
    story_source : str
        `source` of the story set: bundled, file, hub, generate, endpoint.
    stories : mapping
        How many were read, by concept.
    layer : int
        The recommended one; `reliability` is measured there.
    strength : float
        The run's, for the examples.
    """
    environment = Environment(
        loader=FileSystemLoader(template.parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"code": _code, "python": _python, "cosine": _cosine}
    steered = [k for k in steered_layers(len(vectors.layers), None) if k > 0]
    return environment.get_template(template.name).render(
        vectors=vectors,
        n_layers=len(vectors.layers),
        n_concepts=len(vectors.concepts),
        width=vectors.raw_LCD.shape[-1],
        story_set=story_set,
        licence=LICENCES.get(story_source, "of whoever made them; this project has not looked at it"),
        stories=stories,
        reliability=reliability,
        layer=layer,
        files={concept: file_name(concept) for concept in vectors.concepts},
        example="calm" if "calm" in vectors.concepts else vectors.concepts[0],
        strength=strength,
        first=steered[0],
        last=steered[-1],
        version=__version__,
    )


def _number(text: str) -> float:
    return float(text) if text else float("nan")


def _cosine(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "–"


def _python(text: str) -> str:
    """A text as Python writes it in source; JSON's way is one of these, in the double quotes of the rest."""
    return json.dumps(text, ensure_ascii=False)


def _code(text: str) -> str:
    """Text of anybody's as code in one line of Markdown, in a table as well."""
    text = " ".join(str(text).split()).replace("|", r"\|")
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    space = " " if "`" in text else ""
    return f"{fence}{space}{text}{space}{fence}"
