"""The log of a run: one JSON line for each item, which is also what a later run goes on from."""

from __future__ import annotations

import hashlib
import os
import secrets
import warnings
from collections.abc import Iterable
from contextlib import suppress
from operator import itemgetter
from pathlib import Path
from typing import Any

from .._runtime.log import RecordLog
from ..errors import BatchError, TrimatteWarning
from ..io.names import is_url, remove_leftovers, size_of


class Journal:
    """The file of records, locked while it is open: two runs cannot share one.

    Parameters
    ----------
    path : str or path-like, optional
        The file, which is made if missing. Later lines replace earlier ones of the same item. By
        default, and in ``os.devnull``, nothing is kept.

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
        self.mark = f"batch-{secrets.token_hex(4)}-"
        place = None
        if path is not None and os.fspath(path) != os.devnull:
            if is_url(os.fspath(path)):
                raise BatchError(f"{path}: a log is a local file")
            place = Path(path)
            self.mark = f"batch-{hashlib.sha256(str(place.resolve()).encode()).hexdigest()[:8]}-"
            if place.exists() and not place.is_file():
                raise BatchError(f"{place}: expected the name of a log, got something else than a file")
        try:
            self._log = RecordLog(place, decode=_decoded, encode=dict, key=itemgetter("key"))
        except BlockingIOError as error:
            raise BatchError(f"{place}: another run is using this log") from error
        try:
            self._mend(place)
        except BaseException:
            self._log.close()
            raise

    def _mend(self, place: Path | None) -> None:
        """Cut an unfinished record off, warn of damaged ones, and refuse what is no log."""
        log = self._log
        is_torn_record = log.tail.startswith(_HEAD[: len(log.tail)])
        if not is_torn_record or (log.damaged and not log.records):
            raise BatchError(f"{place}: expected the log of a batch; choose another name")
        if log.damaged:
            message = f"{place}: {log.damaged} damaged lines are left out; their items are done again"
            warnings.warn(message, TrimatteWarning, stacklevel=5)
        log.cut_tail()

    @property
    def records(self) -> dict[str, dict[str, Any]]:
        """The last record of each item."""
        return self._log.records

    def add(self, record: dict[str, Any]) -> None:
        """Append a record; it is there even if this process is killed right after."""
        self._log.add(record)

    def has(self, key: str, state: str) -> bool:
        """Whether an item was done in this state, and its outputs have the sizes they had."""
        record = self.records.get(key)
        if record is None or record["error"] is not None or record.get("state") != state:
            return False
        with suppress(OSError):
            return all(size_of(path) == size for path, size in record["outputs"].items())
        return False

    def remove_leftovers(self, outputs: Iterable[str]) -> None:
        """Remove temporary files that a killed run of this journal left beside its outputs."""
        for folder in {os.path.dirname(os.path.realpath(path)) for path in outputs if not is_url(path)}:
            remove_leftovers(folder, self.mark)

    def close(self) -> None:
        """Let the lock go."""
        self._log.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


# How a record begins; what is cut off at the end of a log begins so, too.
_HEAD = b'{"image": "'


def _decoded(content: Any) -> dict[str, Any]:
    """Return a record; TypeError if that is none."""
    if not isinstance(content, dict) or not {"image", "key", "outputs", "error"} <= set(content):
        raise TypeError("expected the record of an item")
    return content
