"""How many tokens a batch holds: tried on the texts themselves when a large recording begins.

A batch that falls out of a CPU's cache, or leaves a GPU's units idle, costs up to a third of the speed,
and where that begins is the machine's matter. Every trial is a batch that counts, so trying costs nothing.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from emotion_concepts.recording import Pass, PooledBatch, plan_batches, pool_within_memory

logger = logging.getLogger(__name__)

CPU_SIZES = (1000, 2000, 4000)
GPU_SIZES = (4096, 8192, 16384, 32768, 65536)
# With fewer tokens than this there is nothing to be won, and the same batches everywhere.
TUNED_FROM = 100_000


@dataclass(frozen=True)
class Trial:
    """One batch that was read to see how fast it is: rows, what was pooled, tokens, seconds."""

    rows: list[int]
    pooled: list[PooledBatch]
    n_tokens: int
    seconds: float

    @property
    def speed(self) -> float:
        """Tokens a second."""
        return self.n_tokens / self.seconds


def tuned_budget(
    reading: Pass, lengths: Sequence[int], wanted: Sequence[bool], sizes: Sequence[int] | None = None
) -> tuple[int, list[Trial]]:
    """Read one batch of each size, smallest first; the fastest size, and what has been read.

    Parameters
    ----------
    lengths, wanted : sequence
        Tokens of every text, and which texts are to be read.
    sizes : sequence of int, optional
        Tokens a batch; those that fit the device's kind, if not given. On a GPU, a size that is
        predicted not to fit in its memory ends the trials.
    """
    device = reading.model.device
    sizes = sizes or (GPU_SIZES if device.type == "cuda" else CPU_SIZES)
    left, trials = list(wanted), []
    for size in sizes:
        # The longest first, as everywhere: what fits here fits later.
        rows = next(iter(plan_batches(lengths, left, size)), None)
        if rows is None:
            break
        before = _begin_peak(device)
        began = time.perf_counter()
        pooled = pool_within_memory(reading, rows)
        trials.append(Trial(rows, pooled, sum(lengths[row] for row in rows), time.perf_counter() - began))
        for row in rows:
            left[row] = False
        if device.type == "cuda" and not _next_fits(device, before, size):
            break
    best = max(range(len(trials)), key=lambda i: trials[i].speed)
    found = ", ".join(f"{size}: {t.speed:.0f}" for size, t in zip(sizes, trials, strict=False))
    logger.info("%d tokens a batch (tokens/s by size: %s)", sizes[best], found)
    return sizes[best], trials


def predicted_peak(before: int, peak: int, growth: float) -> int:
    """Peak memory of a batch `growth` times as large: what stood before it stays, the rest grows with its tokens."""
    return before + round((peak - before) * growth)


def _begin_peak(device: torch.device) -> int:
    if device.type != "cuda":
        return 0
    torch.cuda.reset_peak_memory_stats(device)
    return torch.cuda.memory_allocated(device)


def _next_fits(device: torch.device, before: int, size: int) -> bool:
    """Would twice as many tokens fit in nine tenths of the GPU's memory?"""
    total = torch.cuda.get_device_properties(device).total_memory
    peak = torch.cuda.max_memory_allocated(device)
    twice = predicted_peak(before, peak, 2)
    logger.info(
        "peak memory of %.1f GB with %d tokens a batch; with twice as many %.1f GB, of %.1f",
        peak / 1e9, size, twice / 1e9, total / 1e9,
    )  # fmt: skip
    return twice < 0.9 * total
