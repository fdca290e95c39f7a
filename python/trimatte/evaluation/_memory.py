"""Peak memory of this process, from Linux's own counters."""

from __future__ import annotations

import contextlib
import ctypes
import gc
from pathlib import Path


def _status(field: str) -> int:
    """Return a line of /proc/self/status in bytes; 0 on other systems than Linux."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(field)), 0)


def start_peak() -> int:
    """Forget the peak so far and return the resident memory, above which the next peak counts.

    glibc keeps freed memory for later; a call that is served from it would seem to need none.
    """
    gc.collect()
    with contextlib.suppress(OSError, TypeError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def peak(before: int) -> int | None:
    """Return the most bytes by which resident memory has exceeded `before` since `start_peak`.

    None is returned where the system does not tell.
    """
    most = _status("VmHWM")
    return max(0, most - before) if most else None
