"""Progress bars: to the rule's log and, in a terminal, to the screen."""

import sys
from contextlib import contextmanager
from typing import TextIO

from tqdm import tqdm

_log: TextIO | None = None


@contextmanager
def progress_to(log: TextIO | None):
    """While this is open, bars also go to `log`."""
    global _log
    _log, before = log, _log
    try:
        yield
    finally:
        _log = before


class _Both:
    """A stream that writes to the log and to a terminal, where there is one."""

    def __init__(self):
        self.streams = [s for s in (_log, sys.stderr if sys.stderr.isatty() else None) if s is not None]

    def write(self, text: str) -> None:
        for stream in self.streams:
            stream.write(text)

    def flush(self) -> None:
        for stream in self.streams:
            stream.flush()


def progress_bar(total: int, unit: str, description: str) -> tqdm:
    """A bar to be advanced with `.update(n)` and closed; its rate is in units a second."""
    return tqdm(
        total=total,
        unit=f" {unit}",
        desc=description,
        file=_Both(),
        mininterval=2,
        ncols=100,
        unit_scale=True,
    )
