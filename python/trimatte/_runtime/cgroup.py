"""Limits of Linux control groups: cores and memory that containers and systemd allow a process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


def cpu_quotas(root: Path = Path("/")) -> Iterator[float]:
    """Yield how many cores' worth of time this process's cgroup and each one above it allow.

    A cgroup without a limit yields nothing.

    Parameters
    ----------
    root : Path
        Where ``proc`` and ``sys`` are.

    Notes
    -----
    A line of /proc/self/cgroup is ``number:controllers:path``; version 2 has no controllers there.
    In a container the path may be the host's and lead nowhere; the top folder is then the
    container's own group.
    """
    for top, path, is_second in _groups(root, "cpu"):
        files = ("cpu.max",) if is_second else ("cpu.cfs_quota_us", "cpu.cfs_period_us")
        for group in _upwards(top, path):
            numbers = " ".join(_read(group / file) for file in files).split()  # in one file or in two
            if len(numbers) == 2 and all(number.isdigit() for number in numbers) and int(numbers[1]) > 0:
                yield int(numbers[0]) / int(numbers[1])  # "max" and -1 mean no limit


class MemoryLimit(NamedTuple):
    """What a group allows.

    Attributes
    ----------
    limit : int
        Bytes that its processes may have.
    left : int
        Bytes that they can still get.
    """

    limit: int
    left: int


def memory_limits(root: Path = Path("/")) -> Iterator[MemoryLimit]:
    """Yield the limits of this process's cgroup and of each one above it, where there is one.

    Parameters
    ----------
    root : Path
        Where ``proc`` and ``sys`` are.
    """
    for top, path, is_second in _groups(root, "memory"):
        files = (
            ("memory.max", "memory.current") if is_second else ("memory.limit_in_bytes", "memory.usage_in_bytes")
        )
        for group in _upwards(top, path):
            limit, used = (_read(group / file).strip() for file in files)
            if limit.isdigit() and used.isdigit():
                left = max(0, int(limit) - int(used) + _cached(group, is_second))
                yield MemoryLimit(int(limit), left)


def _cached(group: Path, is_second: bool) -> int:
    """Bytes of files in a group's page cache that the system can drop; they count as used."""
    name = "inactive_file" if is_second else "total_inactive_file"
    for line in _read(group / "memory.stat").splitlines():
        key, _, value = line.partition(" ")
        if key == name and value.isdigit():
            return int(value)
    return 0


def _groups(root: Path, controller: str) -> Iterator[tuple[Path, str, bool]]:
    """Yield top folder, path, and whether it is of version 2, of each group that may limit."""
    top = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if not controllers:
            yield top, path, True
        elif controller in controllers.split(","):
            yield top / controller, path, False


def _upwards(top: Path, path: str) -> Iterator[Path]:
    """Yield the folder of a group and of those above it."""
    parts = Path(path.strip("/")).parts
    for depth in range(len(parts), -1, -1):
        yield top.joinpath(*parts[:depth])


def _read(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""
