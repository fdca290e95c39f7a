"""How many threads a call uses."""

from __future__ import annotations

import math
import operator
import os
from pathlib import Path

from . import _core

MOST_THREADS = 1024


def usable_cpus() -> int:
    """Cores that this process may run on, by affinity and by the container's quota (cgroup v2)."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        if quota != "max":
            cpus = min(cpus, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):
        pass  # no cgroup, or one of another kind
    return max(1, cpus)


def thread_count(threads: int | None) -> int:
    """Turn the argument `threads` of every public function into a number.

    Parameters
    ----------
    threads : int or None
        At least 1. None: as many as OpenMP allows (OMP_NUM_THREADS, threadpoolctl), at most the usable cores.

    Raises
    ------
    TypeError, ValueError
        If `threads` is not an integer, or below 1.
    """
    if threads is None:
        return min(_core.max_threads(), usable_cpus())
    if isinstance(threads, bool):
        raise TypeError("threads: expected an integer or None, got bool")
    try:
        count = operator.index(threads)
    except TypeError:
        raise TypeError(f"threads: expected an integer or None, got {type(threads).__name__}") from None
    if count < 1:
        raise ValueError(f"threads: expected at least 1, got {count}")
    if count > MOST_THREADS:
        raise ValueError(f"threads: expected at most {MOST_THREADS}, got {count}")
    return count
