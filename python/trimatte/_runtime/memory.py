"""How much memory a call may take, and what is said before one that may not fit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from ..errors import warn
from .cgroup import memory_limits

_UNKNOWN = 4 * 10**9
"""Bytes that are assumed where the system does not say."""
# Less is not worth reading the limits for.
_LARGE = 100_000_000
# A call that needs so many times the limit ends by being killed, however good the estimate.
_HOPELESS = 2.0


class Memory(NamedTuple):
    """What this process can get.

    Attributes
    ----------
    left : int
        Bytes that it can still get.
    limit : int
        Bytes that it and others may have together.
    of : str
        Whose limit that is.
    """

    left: int
    limit: int
    of: str


def memory_now(root: Path = Path("/")) -> Memory:
    """Return what this process can still get: of the machine, or of its control groups.

    Parameters
    ----------
    root : Path
        The folder in which ``proc`` and ``sys`` are.
    """
    groups = (Memory(left, limit, "this container or service") for limit, left in memory_limits(root))
    return min([_of_machine(root), *groups])


def available_memory(root: Path = Path("/")) -> int:
    """Return the bytes that this process can still get."""
    return memory_now(root).left


def check_need(need: float, what: str) -> None:
    """Warn before a call that may need more memory than there is.

    Parameters
    ----------
    need : float
        Bytes that it takes, by an estimate.
    what : str
        What it does, for the message.

    Raises
    ------
    MemoryError
        If it needs more than twice the limit, so that the system would kill the process.

    Warns
    -----
    TrimatteWarning
        If it needs more than is left.
    """
    if need < _LARGE:
        return
    memory = memory_now()
    if need <= memory.left:
        return
    line = (
        f"{what} needs about {size(need)} of memory, and {size(memory.left)} are left of the {size(memory.limit)} "
        f"of {memory.of}; make the picture smaller, or raise the limit"
    )
    if need > _HOPELESS * memory.limit:
        raise MemoryError(line)
    warn(line)


def size(count: float) -> str:
    """Return a number of bytes as people say it."""
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.3g} MB"


def _of_machine(root: Path) -> Memory:
    """Return the bytes that programs can get without swapping."""
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
        found = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines)}
        if "MemAvailable" in found:
            left = found["MemAvailable"]
            return Memory(left, found.get("MemTotal", left), "this machine")
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return Memory(whole // 2, whole, "this machine")
    except (OSError, ValueError, AttributeError, IndexError):
        return Memory(_UNKNOWN, _UNKNOWN, "this machine")
