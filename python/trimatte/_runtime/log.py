"""Files of lines that a later run goes on from."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

from .os_errors import naming


class Log:
    """A file that is locked while it is open; a line is there even if this process is killed right after.

    Parameters
    ----------
    path : Path
        Made if missing.

    Raises
    ------
    BlockingIOError
        If another run has it open.
    OSError
        If it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._name = str(path)
        self._file = path.open("a+b")
        if not _locked(self._file):
            self._file.close()
            raise BlockingIOError(f"{path}: another run is using it")

    def read(self) -> bytes:
        """Return all that it holds."""
        self._file.seek(0)
        return self._file.read()

    def cut(self, size: int) -> None:
        """Leave out what follows the first `size` bytes."""
        self._file.truncate(size)
        self._file.seek(0, os.SEEK_END)

    def add(self, line: str) -> None:
        """Append a line."""
        with naming(self._name):
            self._file.write(line.encode() + b"\n")
            self._file.flush()

    def close(self) -> None:
        """Let the lock go."""
        with naming(self._name):
            self._file.close()


def _locked(file: IO[bytes]) -> bool:
    """Lock a file until it is closed, or its process ends in whatever way; False if it is locked already."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
