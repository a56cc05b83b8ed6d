"""Token pictures: a text coloured by how far each of its tokens lies along a vector (method.md, row 21).

Shape letters: T tokens.
"""

import dataclasses
import logging
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from emotion_concepts.errors import DataError, NonFiniteError
from emotion_concepts.files import read_json
from emotion_concepts.models import Model
from emotion_concepts.projection import TokenScores, project
from emotion_concepts.text_sets import Text
from emotion_concepts.vectors import EmotionVectors

logger = logging.getLogger(__name__)
# Categories of characters that would act on the page instead of being seen; of these, a tab and the two
# joiners within words and emoji are left as they are.
INVISIBLE = ("Cc", "Cf", "Zl", "Zp")
LEFT_AS_THEY_ARE = "\t\u200c\u200d"


@dataclass(frozen=True)
class Piece:
    """What is coloured as one: a token's characters, or one character that several tokens share.

    value : in [-1, 1], the mean over its tokens; None where none of them counts.
    """

    text: str
    value: float | None


@dataclass(frozen=True)
class Picture:
    """A text by one vector at one layer.

    pieces : together they are the text, whole; mean, scale : what was taken off each projection, and
    what value 1 stands for, both in the model's own units.
    """

    concept: str
    layer: int
    pieces: list[Piece]
    mean: float
    scale: float


def coloured(scores: TokenScores, concept: str, layer: int) -> Picture:
    """Colour a text: each token's projection less the text's mean, by the 99th percentile of its size.

    What the tokenizer added does not count, nor does the first token that the model reads: every later
    one attends to it, and its residual is up to a hundred times as long as theirs.

    Parameters
    ----------
    scores : TokenScores
        As `project` returns them.
    concept, layer
        One of `scores.concepts`, one of `scores.layers`.

    Raises
    ------
    DataError
        The text has no token that counts, or the tokenizer cannot tell which characters a token stands for.
    NonFiniteError
        Infinity or NaN in a projection that counts.
    """
    counted_T = scores.own_T & (np.arange(len(scores.own_T)) > 0)
    if not counted_T.any():
        raise DataError("the text has a single token or none; a picture compares its tokens")
    if not len(scores.places_T2):
        raise DataError(
            "this model's tokenizer does not tell which characters a token stands for; a picture needs a fast one"
        )
    along_T = scores.projection_LTC[scores.layers.index(layer), :, scores.concepts.index(concept)]
    counting = along_T[counted_T].astype(np.float64)
    if not np.isfinite(counting).all():
        raise NonFiniteError(f"projection on {concept!r} at layer {layer}: not finite on some token")
    mean = counting.mean()
    scale = np.percentile(np.abs(counting - mean), 99)
    value_T = np.full(len(along_T), np.nan)
    value_T[counted_T] = np.clip((counting - mean) / scale, -1, 1) if scale else 0.0
    pieces = _pieces(scores.text, scores.places_T2, value_T)
    return Picture(concept, layer, pieces, float(mean), float(scale))


def _pieces(text: str, places_T2: np.ndarray, value_T: np.ndarray) -> list[Piece]:
    """Cut a text where its tokens end; tokens that share a character stay together."""
    pieces, begin, end, values = [], 0, 0, []
    for (start, stop), value in zip(places_T2.tolist(), value_T.tolist(), strict=True):
        if stop == start:
            continue
        if start >= end > begin:
            pieces.append(_piece(text[begin:end], values))
            begin, values = end, []
        # Characters that no token stands for, as spaces in some tokenizers, go with the next token.
        end = max(end, stop)
        values.append(value)
    pieces.append(_piece(text[begin:end], values))
    return [piece for piece in (*pieces, Piece(text[end:], None)) if piece.text]


def _piece(text: str, values: Sequence[float]) -> Piece:
    counted = [value for value in values if not np.isnan(value)]
    return Piece(text, float(np.mean(counted)) if counted else None)


def picture_html(picture: Picture, template: Path) -> str:
    """A picture as a part of a page, escaped; the page needs `picture.css`, which lies beside the template."""
    return _template(template).render(picture=picture)


def picture_page(pictures: Sequence[Picture], vectors: EmotionVectors, story_set: str, template: Path) -> str:
    """A page of its own with the pictures of one text: no script, nothing from outside."""
    return _template(template).render(
        pictures=pictures, model=vectors.model, revision=vectors.revision, story_set=story_set
    )


def _template(path: Path) -> Template:
    environment = Environment(
        loader=FileSystemLoader(path.parent), undefined=StrictUndefined, autoescape=True
    )
    environment.filters["visible"] = visible
    return environment.get_template(path.name)


def visible(text: str) -> str:
    """A text with its line breaks marked, and a code in place of each control or direction character."""
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character == "\n":
        return "↵\n"
    acts = unicodedata.category(character) in INVISIBLE and character not in LEFT_AS_THEY_ARE
    return f"⟨U+{ord(character):04X}⟩" if acts else character


def narrowed(vectors: EmotionVectors, concepts: Sequence[str], layer: int) -> EmotionVectors:
    """The vectors of these concepts at one layer alone.

    Raises
    ------
    DataError
        An unknown concept or layer; names the known ones.
    """
    for concept in concepts:
        vectors.unit(concept, layer)
    at, rows = vectors.layers.index(layer), [vectors.concepts.index(concept) for concept in concepts]
    return dataclasses.replace(
        vectors,
        raw_LCD=vectors.raw_LCD[at : at + 1, rows],
        denoised_LCD=vectors.denoised_LCD[at : at + 1, rows],
        concepts=list(concepts),
        layers=[layer],
    )


def pictures_of(
    model: Model, vectors: EmotionVectors, texts: Sequence[Text], layer: int
) -> dict[str, list[Picture]]:
    """Each text by its own concept and by a contrasting one, its labels `concept` and `contrast`.

    Returns
    -------
    dict
        By the text's id. A concept without a vector is left out and named in the log, and so is a text
        that loses both.
    """
    wanted = {text.id: (text.labels["concept"], text.labels["contrast"]) for text in texts}
    asked = sorted({concept for pair in wanted.values() for concept in pair})
    known = [concept for concept in asked if concept in vectors.concepts]
    if len(known) < len(asked):
        logger.info("no vectors of %s: left out", ", ".join(sorted(set(asked) - set(known))))
    pictures = {}
    for text in texts:
        if chosen := [concept for concept in wanted[text.id] if concept in known]:
            scores = project(model, narrowed(vectors, chosen, layer), text.text)
            pictures[text.id] = [coloured(scores, concept, layer) for concept in chosen]
    return pictures


def text_to_colour(text: str | None, file: Path | None) -> str:
    """The user's text, given as it is or as a file.

    Raises
    ------
    DataError
        Neither or both are given; it is empty; the file is missing or not UTF-8.
    """
    if (text is None) == (file is None):
        raise DataError("give a text to colour, or a file that holds it: one of the two")
    try:
        given = file.read_text(encoding="utf-8") if file is not None else text.encode().decode()
    except UnicodeError:
        raise DataError(f"{file or 'the text'}: not UTF-8") from None
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror}") from None
    if not given.strip():
        raise DataError(f"{file or 'the text'}: empty; give some words to colour")
    return given


def described_layer(vectors: Path) -> int:
    """The layer that the geometry of these vectors is described at, of results as the workflow leaves them.

    Raises
    ------
    DataError
        There is none beside the vectors; says what to give.
    """
    geometry = vectors.parents[2] / "geometry" / vectors.parent.name / "geometry.json"
    if not geometry.is_file():
        raise DataError(f"{geometry}: no such file, so there is no usual layer; give one")
    return read_json(geometry)["layer"]
