"""Settings of vectors that were made elsewhere."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator

from emotion_concepts.config_base import Name, Section

# The folder under results/ of vectors whose model is not given.
NO_MODEL = "unknown"


class VectorSet(Section):
    """One set of vectors made elsewhere."""

    source: Literal["file"] = Field(description="file: vectors of a file or folder here.")
    path: str = Field(
        description="safetensors, npz or npy (told by the ending), or a folder of npy. One array for all, [layers, "
        "concepts, width] or [concepts, width], or one a concept, [layers, width] or [width], under its name."
    )
    concepts: list[str] | str | None = Field(
        None,
        description="Names of the concepts of one array for all, in its order: a list, or the path of a text file "
        "with one name a line. Null where each concept has an array of its own, or the file is one of this project.",
    )
    model: Name | None = Field(
        None,
        description="The model that they are of, a key of models; null where only the vectors are looked at.",
    )
    layers: list[Annotated[int, Field(ge=0)]] | None = Field(
        None,
        min_length=1,
        description="Block numbers of the arrays' layers, in their order. Null counts from 0.",
    )

    @field_validator("concepts", mode="wrap")
    @classmethod
    def _check_concepts(cls, value, handler):
        # A union would report a mistake once for each of its members.
        try:
            return handler(value)
        except ValidationError:
            raise ValueError(
                f"expected a list of names, or the path of a text file with one name a line, got {value!r}"
            ) from None

    def files(self) -> list[str]:
        """The files that are read: those of `path`, and that of the names if there is one."""
        names = [Path(self.concepts).expanduser()] if isinstance(self.concepts, str) else []
        return [str(path) for path in [*vector_files(Path(self.path).expanduser()), *names]]


def vector_files(path: Path) -> list[Path]:
    """Of a folder its .npy, or else the one file."""
    return sorted(path.glob("*.npy")) if path.is_dir() else [path]
