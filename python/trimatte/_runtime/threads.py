"""How many threads a call uses."""

from __future__ import annotations

import math
import operator
import os

from .. import _core
from .cgroup import cpu_quotas

MOST_THREADS = 1024


def usable_cpus() -> int:
    """Cores that this process may run on, by affinity and by CPU quota (containers, systemd)."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cpus, *(math.ceil(quota) for quota in cpu_quotas())]))


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
