"""Tests that run code in the sandbox are skipped, with the reason, where it cannot run."""

import pytest

from emotion_concepts.errors import DataError
from emotion_concepts.sandbox import require_bubblewrap


def why_not_here() -> str:
    try:
        require_bubblewrap()
    except DataError as error:
        return str(error)
    return ""


WHY_NOT = why_not_here()
needs_sandbox = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
