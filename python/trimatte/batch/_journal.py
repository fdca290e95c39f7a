"""The log of a run: one JSON line for each item, which is also what a later run goes on from."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import warnings
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from .._runtime.log import Log
from ..errors import BatchError, TrimatteWarning
from ..io.names import TEMPORARY, is_url, size_of


class Journal:
    """The file of records, locked while it is open: two runs cannot share one.

    Parameters
    ----------
    path : str or path-like, optional
        Made if missing. Later lines replace earlier ones of the same item. By default, and in ``os.devnull``,
        nothing is kept.

    Attributes
    ----------
    mark : str
        Names this journal in temporary files.

    Raises
    ------
    BatchError
        If another run has it open, or it is something else than a log.
    OSError
        If it cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self.records: dict[str, dict[str, Any]] = {}
        self._log: Log | None = None
        if path is None or os.fspath(path) == os.devnull:
            self.mark = f"batch-{secrets.token_hex(4)}-"
            return
        if is_url(os.fspath(path)):
            raise BatchError(f"{path}: a log is a local file")
        self.path = Path(path)
        self.mark = f"batch-{hashlib.sha256(str(self.path.resolve()).encode()).hexdigest()[:8]}-"
        if self.path.exists() and not self.path.is_file():
            raise BatchError(f"{self.path}: expected the name of a log, got something else than a file")
        try:
            self._log = Log(self.path)
        except BlockingIOError as error:
            raise BatchError(f"{self.path}: another run is using this log") from error
        try:
            self.records = self._read(self._log)
        except BaseException:
            self._log.close()
            raise

    def _read(self, log: Log) -> dict[str, dict[str, Any]]:
        """Return the last record of each item; an unfinished last line is cut off, damaged ones are left out."""
        content = log.read()
        whole = content.rfind(b"\n") + 1
        tail = content[whole:]
        records, damaged = {}, 0
        for line in content[:whole].splitlines():
            record = _parsed(line)
            if record is None:
                damaged += 1
            else:
                records[record["key"]] = record
        is_torn_record = tail.startswith(_HEAD[: len(tail)])
        if not is_torn_record or (damaged and not records):
            raise BatchError(f"{self.path}: expected the log of a batch; choose another name")
        if damaged:
            message = f"{self.path}: {damaged} damaged lines are left out; their items are done again"
            warnings.warn(message, TrimatteWarning, stacklevel=5)
        if tail:
            log.cut(whole)
        return records

    def add(self, record: dict[str, Any]) -> None:
        """Append a record; it is there even if this process is killed right after."""
        self.records[record["key"]] = record
        if self._log is not None:
            self._log.add(json.dumps(record, default=str))

    def has(self, key: str, state: str) -> bool:
        """Whether an item was done in this state, and its outputs are still as large as they were."""
        record = self.records.get(key)
        if record is None or record["error"] is not None or record.get("state") != state:
            return False
        with suppress(OSError):
            return all(size_of(path) == size for path, size in record["outputs"].items())
        return False

    def remove_leftovers(self, outputs: Iterable[str]) -> None:
        """Remove temporary files that a killed run of this journal left beside its outputs."""
        for folder in {os.path.dirname(os.path.realpath(path)) for path in outputs if not is_url(path)}:
            with suppress(OSError):
                for leftover in Path(folder).glob(f"{TEMPORARY}{self.mark}*.tmp"):
                    leftover.unlink()

    def close(self) -> None:
        """Let the lock go."""
        if self._log is not None:
            self._log.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


# How a record begins; what is cut off at the end of a log begins so, too.
_HEAD = b'{"image": "'


def _parsed(line: bytes) -> dict[str, Any] | None:
    """Return a record, or None if the line is none."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if not isinstance(record, dict) or not {"image", "key", "outputs", "error"} <= set(record):
        return None
    return record
