"""What is said in several places is said alike."""

import subprocess
import sys

import yaml

import emotion_concepts
from tests.conftest import ROOT


def pins():
    lines = (ROOT / "envs/requirements.txt").read_text().split("\n")
    return [line for line in lines if line and not line.startswith("#")]


def test_conda_file_has_the_pins_of_the_lock():
    conda = yaml.safe_load((ROOT / "envs/workflow.yaml").read_text())
    assert conda["dependencies"][-1]["pip"] == pins()


def test_lock_pins_everything_that_is_asked_for():
    names = {pin.split("==")[0].lower().replace("_", "-") for pin in pins()}
    asked = [
        line for line in (ROOT / "envs/requirements.in").read_text().split("\n") if line and line[0] != "#"
    ]
    wanted = {line.split("=")[0].split(">")[0].split("<")[0].lower().replace("_", "-") for line in asked}
    assert wanted <= names and all("==" in pin for pin in pins())


def test_version_is_the_same_in_the_citation():
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == emotion_concepts.__version__


def test_importing_the_package_or_checking_settings_needs_no_torch():
    """The Snakefile does both, on login nodes too."""
    code = (
        "import sys, emotion_concepts, emotion_concepts.config_check, emotion_concepts.code_digest\n"
        "sys.exit(bool({'torch', 'transformers', 'h5py', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT / "scripts").returncode == 0


def test_cpu_analyses_need_no_torch():
    names = (
        "sum_stories",
        "compute_vectors",
        "validate_retrieval",
        "describe_geometry",
        "compare_story_sets",
        "compare_models",
        "export_vectors",
        "import_vectors",
        "draw_retrieval",
        "draw_geometry",
        "draw_lens",
        "draw_steering",
        "draw_sweep",
        "draw_labelled",
        "fetch_corpus",
        "score_claims",
        "write_report",
    )
    code = f"import sys, {', '.join(names)}\nsys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT / "scripts").returncode == 0


def test_public_names_can_be_imported():
    for name in emotion_concepts.__all__:
        assert getattr(emotion_concepts, name) is not None
