"""How much memory a call may take."""

from __future__ import annotations

import os
from pathlib import Path

from .cgroup import memory_left

_UNKNOWN = 4 * 10**9
"""Bytes that are assumed where the system does not say."""


def available_memory(root: Path = Path("/")) -> int:
    """Return the bytes that this process can still get: of the machine, and of its control groups.

    Parameters
    ----------
    root : Path
        The folder in which ``proc`` and ``sys`` are.
    """
    return int(min([_of_machine(root), *memory_left(root)]))


def _of_machine(root: Path) -> int:
    """Return the bytes that programs can get without swapping."""
    try:
        for line in (root / "proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (OSError, ValueError, AttributeError):
        return _UNKNOWN
