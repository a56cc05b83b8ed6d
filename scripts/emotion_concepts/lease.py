"""A device for each job: Snakemake counts GPUs but hands none out, so jobs on one machine take a lease.

A lease is a lock on a file, which the system gives back when the process ends, however it ends.
"""

import fcntl
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path

logger = logging.getLogger(__name__)


def visible_devices(environment: Mapping[str, str], n_devices: int) -> list[str]:
    """Names of the devices that this process may use: those of CUDA_VISIBLE_DEVICES, or all of the machine.

    `n_devices` is how many torch sees: none where the variable names what is not there, as -1.
    """
    named = environment.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        return [str(number) for number in range(n_devices)]
    return [name.strip() for name in named.split(",") if name.strip()][:n_devices]


def device_of_this_job(
    environment: Mapping[str, str], n_devices: int, *, every: bool = False
) -> AbstractContextManager[int | None]:
    """The number of the device that a job may use while this is open; None where there is none.

    With `every` it holds all of them, for a model that is spread over them. A scheduler that gave the job
    devices of its own is not second-guessed: on each node they may all be called 0.
    """
    devices = visible_devices(environment, n_devices)
    if not devices:
        return nullcontext(None)
    if "SLURM_JOB_ID" in environment:
        return nullcontext(0)
    return every_device(devices, lease_folder()) if every else device_lease(devices, lease_folder())


def lease_folder() -> Path:
    """Where the locks lie: the same place for all jobs of a user on a machine."""
    return Path(tempfile.gettempdir()) / f"emotion-concepts-devices-{os.getuid()}"


@contextmanager
def device_lease(devices: Sequence[str], folder: Path, *, poll_s: float = 0.5) -> Iterator[int]:
    """Wait for one of the devices, and hold it while this is open.

    Yields
    ------
    int
        The device's place in `devices`, which is its number for torch.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    waited = False
    while True:
        for number, name in enumerate(devices):
            with open(folder / name.replace("/", "_"), "w") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                logger.info("device %s", name)
                yield number
                return
        if not waited:
            logger.info("waiting for one of %d devices", len(devices))
            waited = True
        time.sleep(poll_s)


@contextmanager
def every_device(devices: Sequence[str], folder: Path, *, poll_s: float = 0.5) -> Iterator[int]:
    """Wait for all of the devices, and hold them while this is open; yields the first one's number.

    They are taken in one order, so that two jobs that want all of them cannot wait for each other.
    """
    with ExitStack() as held:
        for name in sorted(devices):
            held.enter_context(device_lease([name], folder, poll_s=poll_s))
        yield 0
