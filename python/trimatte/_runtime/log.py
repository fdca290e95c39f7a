"""Files of records that a later run goes on from."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import IO, Any, Generic, TypeVar

from .os_errors import naming

Record = TypeVar("Record")
Key = TypeVar("Key", bound=Hashable)

# Windows lets nobody read locked bytes. One byte far behind the end of any log is locked.
_LOCKED_BYTE = 2**30


class RecordLog(Generic[Key, Record]):
    """Records as lines of JSON in a file that is locked while it is open.

    A record is in the file even if this process is killed right after `add`. Later lines replace
    earlier ones of the same key.

    Parameters
    ----------
    path : Path or None
        The file, which is made if missing; None keeps nothing.
    decode : callable
        Makes a record of what JSON gives; raises TypeError or ValueError if it is none.
    encode : callable
        Makes of a record what JSON can write; what JSON does not know is written as `str`.
    key : callable
        Returns the key of a record.

    Attributes
    ----------
    records : dict
        The last record of each key.
    damaged : int
        How many whole lines held no record when the file was opened.
    tail : bytes
        What followed the last whole line then: a record that was cut off, unless this is no log.

    Raises
    ------
    BlockingIOError
        If another run has the file open.
    OSError
        If it cannot be written.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        decode: Callable[[Any], Record],
        encode: Callable[[Record], Any],
        key: Callable[[Record], Key],
    ) -> None:
        self.records: dict[Key, Record] = {}
        self.damaged, self.tail = 0, b""
        self._name, self._file = str(path), None if path is None else path.open("a+b")
        self._decode, self._encode, self._key = decode, encode, key
        if self._file is not None:
            try:
                self._open(self._file)
            except BaseException:
                self._file.close()
                raise

    def _open(self, file: IO[bytes]) -> None:
        if not _locked(file):
            raise BlockingIOError(f"{self._name}: another run is using it")
        file.seek(0)
        content = file.read()
        whole = content.rfind(b"\n") + 1
        self.tail = content[whole:]
        for line in content[:whole].splitlines():
            self.damaged += not self._take(line)
        if self._take(self.tail):
            self.tail = b""
            self._write(b"\n")

    def _take(self, line: bytes) -> bool:
        """Keep the record of a line; False if it holds none."""
        try:
            record = self._decode(json.loads(line))
        except (ValueError, TypeError):
            return False
        self.records[self._key(record)] = record
        return True

    def cut_tail(self) -> None:
        """Remove what follows the last whole line."""
        if self._file is not None and self.tail:
            self._file.truncate(self._file.seek(0, os.SEEK_END) - len(self.tail))
            self.tail = b""

    def clear(self) -> None:
        """Remove all records."""
        if self._file is not None:
            self._file.truncate(0)
        self.records, self.damaged, self.tail = {}, 0, b""

    def add(self, record: Record) -> None:
        """Append a record."""
        self.records[self._key(record)] = record
        if self._file is not None:
            self._write(json.dumps(self._encode(record), default=str).encode() + b"\n")

    def _write(self, content: bytes) -> None:
        assert self._file is not None
        with naming(self._name):
            self._file.write(content)
            self._file.flush()

    def close(self) -> None:
        """Let the lock go."""
        if self._file is not None:
            with naming(self._name):
                self._file.close()

    def __enter__(self) -> RecordLog[Key, Record]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _locked(file: IO[bytes]) -> bool:
    """Lock a file until it is closed or its process ends; return False if it is locked already."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(_LOCKED_BYTE)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
