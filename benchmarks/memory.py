"""Measures the memory of this process. On systems other than Linux every number is 0."""

import contextlib
import ctypes
import gc
from pathlib import Path


def status(field):
    """Return a value from /proc/self/status, in bytes."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def start_peak():
    """Forget the peak so far and return the resident memory, above which the next peak counts.

    glibc keeps freed memory for later; a call that is served from it would seem to need none.
    """
    gc.collect()
    with contextlib.suppress(OSError, TypeError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return status("VmRSS")


def peak():
    return status("VmHWM")
