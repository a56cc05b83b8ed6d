"""Stories from a dataset on the Hugging Face Hub."""

from collections.abc import Mapping, Sequence

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
    try:
        rows = load_dataset(dataset, revision=revision, split=split)
    except (DatasetNotFoundError, FileNotFoundError, ConnectionError, ValueError) as error:
        raise DataError(f"dataset {dataset}: {str(error).splitlines()[0]}") from None
    missing = [column for column in columns.values() if column not in rows.column_names]
    if missing:
        raise DataError(
            f"dataset {dataset}: no column {missing[0]!r}; its columns: {', '.join(rows.column_names)}"
        )
    rows = rows.select_columns(list(columns.values()))
    entries = ({key: row[column] for key, column in columns.items()} for row in rows)
    return stories_of(enumerate(entries, 1), dataset, emotions)
