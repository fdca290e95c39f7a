"""CPU quotas of Linux control groups: what containers and systemd limit a process to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


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
    top = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if not controllers:
            yield from _quotas(top, path, ("cpu.max",))
        elif "cpu" in controllers.split(","):
            yield from _quotas(top / "cpu", path, ("cpu.cfs_quota_us", "cpu.cfs_period_us"))


def _quotas(top: Path, path: str, files: tuple[str, ...]) -> Iterator[float]:
    """Yield quota / period of the group at `path` and of those above it.

    The two numbers are in one file or in two.
    """
    parts = Path(path.strip("/")).parts
    for depth in range(len(parts), -1, -1):
        group = top.joinpath(*parts[:depth])
        numbers = " ".join(_read(group / file) for file in files).split()
        if len(numbers) == 2 and all(number.isdigit() for number in numbers) and int(numbers[1]) > 0:
            yield int(numbers[0]) / int(numbers[1])  # "max" and -1 mean no limit


def _read(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""
