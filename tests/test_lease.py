"""Leases among real processes, with devices that exist in name only."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from emotion_concepts import models
from emotion_concepts.lease import device_lease, device_of_this_job, every_device, visible_devices
from tests.conftest import ROOT

HOLD = """
import sys, time
from pathlib import Path
from emotion_concepts.lease import device_lease
with device_lease(["a", "b"], Path(sys.argv[1]), poll_s=0.05) as number:
    print(number, flush=True)
    time.sleep(float(sys.argv[2]))
"""


def holder(folder, seconds=60.0):
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), str(seconds)],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
    )  # fmt: skip


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_device_is_free_when_its_process_dies_however_it_dies(tmp_path, ending):
    first, second = holder(tmp_path), holder(tmp_path)
    numbers = {first: int(first.stdout.readline()), second: int(second.stdout.readline())}
    assert sorted(numbers.values()) == [0, 1]
    third = holder(tmp_path, 0)
    time.sleep(0.5)
    assert third.poll() is None, "a third process ran though both devices were taken"
    first.send_signal(ending)
    first.wait()
    assert int(third.stdout.readline()) == numbers[first]
    second.kill()
    for process in (first, second, third):
        process.wait()
        process.stdout.close()


def test_a_device_is_given_back_after_an_error(tmp_path):
    with pytest.raises(ValueError, match="inside"), device_lease(["a"], tmp_path):
        raise ValueError("inside")
    with device_lease(["a"], tmp_path, poll_s=0.01) as number:
        assert number == 0


def test_devices_of_a_scheduler_are_honoured():
    assert visible_devices({}, 3) == ["0", "1", "2"]
    assert visible_devices({"CUDA_VISIBLE_DEVICES": "2, GPU-8f"}, 4) == ["2", "GPU-8f"]
    assert visible_devices({"CUDA_VISIBLE_DEVICES": ""}, 4) == []


@pytest.mark.parametrize("named", ["0", "-1"])
def test_devices_that_are_named_but_not_there_leave_the_cpu(named):
    with device_of_this_job({"CUDA_VISIBLE_DEVICES": named}, 0) as none:
        assert none is None


def test_a_job_that_opens_two_models_takes_one_device(tmp_path, monkeypatch):
    monkeypatch.setattr("emotion_concepts.lease.lease_folder", lambda: tmp_path)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    models._device_of_this_process.cache_clear()
    try:
        assert models._device_of_this_process(False) == models._device_of_this_process(False) == "cuda:0"
    finally:
        models._for_this_process.close()
        models._device_of_this_process.cache_clear()


def test_a_job_of_slurm_takes_its_own_device_without_a_lease(tmp_path, monkeypatch):
    monkeypatch.setattr("emotion_concepts.lease.lease_folder", lambda: tmp_path)
    mine = {"CUDA_VISIBLE_DEVICES": "0"}
    with device_of_this_job(mine, 1) as here, device_of_this_job(mine | {"SLURM_JOB_ID": "7"}, 1) as there:
        assert here == there == 0
    with device_of_this_job({}, 0) as none:
        assert none is None


def test_a_job_that_wants_all_devices_waits_for_each(tmp_path):
    first = holder(tmp_path)
    first.stdout.readline()
    waiting = subprocess.Popen(
        [sys.executable, "-c", HOLD.replace("device_lease", "every_device"), str(tmp_path), "60"],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
    )  # fmt: skip
    time.sleep(0.5)
    assert waiting.poll() is None
    first.kill()
    assert waiting.stdout.readline() == "0\n"
    # Both are held now: nobody else gets one.
    third = holder(tmp_path, 0)
    time.sleep(0.5)
    assert third.poll() is None
    waiting.kill()
    assert third.stdout.readline()
    for process in (first, waiting, third):
        process.wait()
        process.stdout.close()
    with every_device(["a", "b"], tmp_path, poll_s=0.01) as number:
        assert number == 0
