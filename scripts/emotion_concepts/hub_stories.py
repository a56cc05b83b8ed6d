"""Stories and other texts from a dataset on the Hugging Face Hub."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from datasets import load_dataset
from datasets.exceptions import DatasetNotFoundError

from emotion_concepts.errors import DataError
from emotion_concepts.text_sets import Text, stories_of


def hub_stories(
    dataset: str,
    revision: str | None,
    split: str,
    columns: Mapping[str, str],
    emotions: Sequence[str] | None = None,
) -> list[Text]:
    """Stories of a dataset, sorted by concept, topic, id.

    Parameters
    ----------
    dataset : str
        Hub id, or a local folder of data files.
    revision : str or None
        Branch, tag or commit.
    columns : mapping
        What the columns of emotion, topic and text are called there.

    Raises
    ------
    DataError
        No such dataset, split or column; or as `stories_of`.
    """
    rows = _opened(dataset, revision, split)
    _check_columns(dataset, columns.values(), rows.column_names)
    rows = rows.select_columns(list(columns.values()))
    entries = ({key: row[column] for key, column in columns.items()} for row in rows)
    return stories_of(enumerate(entries, 1), dataset, emotions)


def hub_texts(dataset: str, revision: str | None, split: str, column: str) -> Iterator[str]:
    """Texts of one column, streamed: the dataset is neither downloaded nor held as a whole.

    Raises
    ------
    DataError
        No such dataset, split or column; or one that is not of texts.
    """
    for number, row in enumerate(_opened(dataset, revision, split, streaming=True)):
        _check_columns(dataset, [column], list(row))
        if not isinstance(row[column], str):
            raise DataError(f"dataset {dataset}: row {number}: {column!r} is not a text: {row[column]!r:.60}")
        yield row[column]


def _opened(dataset: str, revision: str | None, split: str, **options):
    try:
        return load_dataset(dataset, revision=revision, split=split, **options)
    except (DatasetNotFoundError, FileNotFoundError, ConnectionError, ValueError) as error:
        raise DataError(f"dataset {dataset}: {str(error).splitlines()[0]}") from None


def _check_columns(dataset: str, wanted: Iterable[str], known: Sequence[str]) -> None:
    missing = [column for column in wanted if column not in known]
    if missing:
        raise DataError(f"dataset {dataset}: no column {missing[0]!r}; its columns: {', '.join(known)}")
