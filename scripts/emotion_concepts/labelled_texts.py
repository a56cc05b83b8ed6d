"""Texts that people have labelled, and which concepts stand for a label. No torch.

A table has `text` and `labels` (parted by commas; none is no label), a map has `label` and `concept`.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

import numpy as np
import pandas as pd

from emotion_concepts.errors import DataError
from emotion_concepts.text_sets import objects_of_file


@dataclass(frozen=True)
class LabelledTexts:
    """Texts, N, and which of the labels each has: truth_NL, bool; labels sorted."""

    texts: list[str]
    labels: list[str]
    truth_NL: np.ndarray

    def only(self, kept_N: np.ndarray) -> "LabelledTexts":
        """Some of the texts, with all labels."""
        return LabelledTexts(list(compress(self.texts, kept_N)), self.labels, self.truth_NL[kept_N])


def read_labelled(
    path: Path, columns: Sequence[str] | None = None, names: Path | None = None
) -> LabelledTexts:
    """Texts and labels of a CSV, TSV or JSON lines file, told by its ending.

    Parameters
    ----------
    columns : sequence of str, optional
        Names of the columns, where the first line has none.
    names : Path, optional
        Names of labels that are numbers, one a line, the first being 0.

    Raises
    ------
    DataError
        File and line of what cannot be used, and what would be right.
    """
    table = _table(path, columns)
    first = 1 if columns or path.suffix == ".jsonl" else 2
    known = Path(names).read_text(encoding="utf-8").splitlines() if names else None
    labels_N = []
    for number, (text, said) in enumerate(zip(table["text"], table["labels"], strict=True), first):
        where = f"{path}:{number}"
        if not isinstance(text, str) or not text.strip():
            raise DataError(f"{where}: a row needs a text that is not empty")
        labels = _labels_of(said)
        labels_N.append({_name(label, known, where) for label in labels} if known else set(labels))
    labels = sorted(set().union(*labels_N))
    if not labels:
        raise DataError(f"{path}: no text has a label")
    truth_NL = np.array([[label in own for label in labels] for own in labels_N])
    return LabelledTexts(table["text"].tolist(), labels, truth_NL)


def read_concept_map(path: Path) -> dict[str, list[str]]:
    """The concepts of each label, from a CSV with label, concept; a row each.

    Raises
    ------
    DataError
        A column is missing, or a row is not whole.
    """
    table = pd.read_csv(path, dtype=str)
    missing = [column for column in ("label", "concept") if column not in table.columns]
    if missing:
        raise DataError(f"{path}:1: no column {missing[0]!r}; expected label,concept")
    concepts: dict[str, list[str]] = defaultdict(list)
    for number, (label, concept) in enumerate(zip(table["label"], table["concept"], strict=True), 2):
        if not isinstance(label, str) or not isinstance(concept, str):
            raise DataError(f"{path}:{number}: expected a label and a concept")
        concepts[label].append(concept)
    return dict(concepts)


def asked_labels(
    labelled: LabelledTexts,
    concepts_of: dict[str, list[str]],
    concepts: Collection[str],
    *,
    least: int,
    where: str,
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Labels that can be asked for, with those of their concepts that have vectors; and the others, with the reason.

    Parameters
    ----------
    concepts : collection of str
        Those that have vectors.
    least : int
        Fewest texts with a label, and without it.

    Raises
    ------
    DataError
        The map is of other labels than the texts have; `where` names both files.
    """
    if not set(labelled.labels) & set(concepts_of):
        raise DataError(
            f"{where}: no label in common; the texts have {', '.join(labelled.labels[:8])}, "
            f"the map {', '.join(list(concepts_of)[:8])}"
        )
    asked, left_out = {}, {}
    for label, has_N in zip(labelled.labels, labelled.truth_NL.T, strict=True):
        own = [concept for concept in concepts_of.get(label, ()) if concept in concepts]
        if label not in concepts_of:
            left_out[label] = "not in the map"
        elif not own:
            left_out[label] = "no vector"
        elif min(has_N.sum(), (~has_N).sum()) < least:
            left_out[label] = f"fewer than {least} texts with it, or without"
        else:
            asked[label] = own
    return asked, left_out


def _table(path: Path, columns: Sequence[str] | None) -> pd.DataFrame:
    ending = path.suffix.lower()
    if ending not in (".csv", ".tsv", ".jsonl"):
        raise DataError(f"{path}: labelled texts end in .csv, .tsv or .jsonl")
    try:
        if ending == ".jsonl":
            table = pd.DataFrame([entry for _, entry in objects_of_file(path)], dtype=object)
        else:
            # Comments hold quotes that are no table's: a TSV has none of its own.
            form = {"sep": "\t", "quoting": 3} if ending == ".tsv" else {}
            table = pd.read_csv(
                path, dtype=str, keep_default_na=False, header=None if columns else 0, names=columns, **form
            )
    except (ValueError, OSError) as error:
        raise DataError(f"{path}: cannot be read as {ending[1:]}: {str(error).splitlines()[0]}") from None
    missing = [column for column in ("text", "labels") if column not in table.columns]
    if missing:
        raise DataError(
            f"{path}: no column {missing[0]!r}; its columns: {', '.join(map(str, table.columns))}"
        )
    return table


def _labels_of(said: object) -> list[str]:
    """Labels of a row: parted by commas, or in JSON a list, a number or nothing."""
    if said is None or isinstance(said, float):
        return []
    parts = said if isinstance(said, list) else str(said).split(",")
    return [label for part in parts if (label := str(part).strip())]


def _name(label: str, names: Sequence[str], where: str) -> str:
    if not label.isdecimal() or int(label) >= len(names):
        raise DataError(f"{where}: label {label!r} is not a number from 0 to {len(names) - 1}")
    return names[int(label)]
