"""Freed memory stays with the process."""

import platform
import subprocess
import sys

import pytest

from tests.conftest import ROOT

FAULTS = """
import resource, sys
from emotion_concepts.memory import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = b"x" * 40_000_000
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to keep memory")
def test_a_second_block_of_the_same_size_is_not_mapped_anew():
    given, kept = (
        int(subprocess.check_output([sys.executable, "-c", FAULTS, how], cwd=ROOT / "scripts"))
        for how in ("given back", "kept")
    )
    assert kept < 100 < given
