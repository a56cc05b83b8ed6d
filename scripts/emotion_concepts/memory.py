"""What becomes of memory that has been let go of."""

import ctypes
import sys

# glibc's names for them, from malloc.h.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3


def keep_freed_memory() -> None:
    """Let this process keep what it frees for what it asks next, instead of giving it back to the system.

    A model on a CPU asks for the same large blocks at every layer, and each one that is fresh from the system is
    emptied and mapped page by page: a tenth of the time of recording. Without glibc nothing is changed.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_MMAP_THRESHOLD, 1 << 30)
        mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)
        mallopt(M_TOP_PAD, 1 << 26)
