"""Running the workflow as a user does, in a folder of the test's own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT


def snakemake(
    folder: Path, *arguments: str, root: Path = ROOT, check: bool = True, python: Path | str = sys.executable
) -> str:
    """Run Snakemake with the default profile in `folder`; returns what it printed."""
    command = [
        str(python),
        "-m",
        "snakemake",
        "--snakefile",
        str(root / "Snakefile"),
        "--directory",
        str(folder),
    ]
    command += [
        "--profile",
        "none",
        "--workflow-profile",
        str(root / "profiles/default"),
        # The other core is the other worker's.
        "--cores",
        "1",
        *arguments,
    ]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    printed = done.stdout + done.stderr
    assert not check or done.returncode == 0, printed[-6000:]
    return printed


def planned_rules(folder: Path, *arguments: str, root: Path = ROOT) -> dict[str, int]:
    """Rules that a dry run would run, with the number of jobs of each; `all` left out."""
    printed = snakemake(folder, "--dry-run", "--quiet", "rules", *arguments, root=root)
    lines = printed.split("\n")
    if not any(line.startswith("job ") for line in lines):
        assert "Nothing to be done" in printed, printed[-3000:]
        return {}
    start = next(i for i, line in enumerate(lines) if line.startswith("job "))
    counts = {}
    for line in lines[start + 2 :]:
        name, _, count = line.partition(" ")
        if name == "total":
            break
        counts[name] = int(count)
    return {name: count for name, count in counts.items() if name != "all"}


@pytest.fixture(scope="session")
def smoke_run(tmp_path_factory):
    """The smoke preset, from an empty results folder: folder and what was printed.

    The folder and the environment are in paths with spaces, as a user's project may be.
    """
    folder = tmp_path_factory.mktemp("a smoke run")
    environment = tmp_path_factory.mktemp("an environment") / "my env"
    environment.symlink_to(sys.prefix)
    settings = ("--configfile", str(ROOT / "presets/smoke.yaml"))
    return folder, snakemake(folder, *settings, python=environment / "bin/python")
