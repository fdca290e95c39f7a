"""Where results go: numbered pictures, or a clip. Both are gone on with after a run was killed."""

from __future__ import annotations

import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy.typing as npt

from .._runtime.log import RecordLog
from ..errors import PictureError
from ..io.names import TEMPORARY, remove_leftovers, size_of
from ..io.video_write import ClipFormat, Shape, join_parts, part_writer
from .work import MARK

PART = 24
"""Frames of a part of a clip: at most so many are lost when a run is killed."""


class Sink(ABC):
    """What is made of the frames of a sequence."""

    @abstractmethod
    def output(self, index: int) -> str | None:
        """Return the file that the worker of a frame writes; None if it gives pixels back."""

    @abstractmethod
    def wants(self, index: int) -> bool:
        """Whether a frame has not been finished by an earlier run."""

    @abstractmethod
    def add(self, index: int, pixels: npt.NDArray[Any] | None) -> None:
        """Take a finished frame; frames come in order."""

    @abstractmethod
    def finish(self, times: Sequence[int]) -> None:
        """Complete the result; `times` are those of all frames."""

    @abstractmethod
    def kept(self) -> int:
        """Close what is open, and return how many finished frames are kept for a later run."""


class PictureSink(Sink):
    """Numbered pictures; while they are made, a log beside them says which are done.

    Parameters
    ----------
    names : sequence of str
        The files, in order.
    state : callable
        Returns, for a frame, a text that is another one when its inputs or the settings change.
    resume : bool
        Whether to leave out what the log says is done.
    """

    def __init__(self, names: Sequence[str], state: Callable[[int], str], *, resume: bool) -> None:
        self._names, self._state = names, state
        folder = os.path.dirname(os.path.realpath(names[0]))
        self._place = Path(folder) / f"{TEMPORARY}sequence.jsonl"
        try:
            self._log = RecordLog(self._place, decode=_decoded, encode=dict, key=itemgetter("output"))
        except BlockingIOError as error:
            raise PictureError(f"{folder}: another run writes frames there; wait for its end") from error
        except OSError as error:
            raise PictureError(f"{folder}: cannot be written: {error.strerror}") from error
        remove_leftovers(folder, MARK)  # the log is locked, so that no other run writes here
        self._log.cut_tail()
        if not resume:
            self._log.clear()
        self._done = {index for index, name in enumerate(names) if self._is_done(index, name)}

    def _is_done(self, index: int, name: str) -> bool:
        record = self._log.records.get(os.path.basename(name))
        if record is None or record["state"] != self._state(index):
            return False
        with suppress(OSError):
            return bool(size_of(name) == record["bytes"])
        return False

    def output(self, index: int) -> str | None:
        """Return the file of a frame."""
        return self._names[index]

    def wants(self, index: int) -> bool:
        """Whether the log does not know a frame, or its file is gone."""
        return index not in self._done

    def add(self, index: int, pixels: npt.NDArray[Any] | None) -> None:
        """Note that a frame's file is written."""
        name = self._names[index]
        self._log.add({"output": os.path.basename(name), "state": self._state(index), "bytes": size_of(name)})

    def finish(self, times: Sequence[int]) -> None:
        """Remove the log."""
        self._log.close()
        with suppress(OSError):
            self._place.unlink()

    def kept(self) -> int:
        """Close the log."""
        kept = sum(os.path.basename(name) in self._log.records for name in self._names)
        self._log.close()
        if not kept:
            with suppress(OSError):
                self._place.unlink()
        return kept


def _decoded(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict) or not {"output", "state", "bytes"} <= set(content):
        raise TypeError("expected the record of a frame")
    return content


class ClipSink(Sink):
    """A clip, which is made of parts that lie beside it until all are there.

    Parameters
    ----------
    path : str
        The clip to write.
    form, shape : ClipFormat, Shape
        Its kind, and what its frames have in common.
    count : int
        How many frames there will be.
    state : callable
        Returns, for the frames from one place to another, a text that is another one when their
        inputs or the settings change.
    sound : str or None
        The clip whose sound is kept.
    resume : bool
        Whether to take parts of an earlier run.
    """

    def __init__(
        self,
        path: str,
        form: ClipFormat,
        shape: Shape,
        count: int,
        state: Callable[[int, int], str],
        *,
        sound: str | None,
        resume: bool,
    ) -> None:
        self._path, self._form, self._shape, self._sound = path, form, shape, sound
        place = os.path.realpath(path)
        self._folder = os.path.join(os.path.dirname(place), f"{TEMPORARY}{os.path.basename(place)}.parts")
        if not resume:
            shutil.rmtree(self._folder, ignore_errors=True)
        os.makedirs(self._folder, exist_ok=True)
        end = os.path.splitext(path)[1].lower()
        self._parts = [
            os.path.join(self._folder, f"{first // PART:06}-{state(first, min(first + PART, count))}{end}")
            for first in range(0, max(count, 1), PART)
        ]
        self._done = [os.path.exists(part) for part in self._parts]
        self._count = count
        self._open: ExitStack | None = None
        self._write: Callable[[npt.NDArray[Any]], None] | None = None

    def output(self, index: int) -> str | None:
        """Return None: pixels are given back."""
        return None

    def wants(self, index: int) -> bool:
        """Whether a frame's part is not there."""
        part = index // PART
        return part >= len(self._done) or not self._done[part]

    def add(self, index: int, pixels: npt.NDArray[Any] | None) -> None:
        """Write a frame to its part."""
        assert pixels is not None
        if self._open is None:
            self._open = ExitStack()
            self._write = self._open.enter_context(
                part_writer(self._parts[index // PART], self._form, self._shape)
            )
        assert self._write is not None
        self._write(pixels)
        if (index + 1) % PART == 0 or index + 1 == self._count:
            self._close()

    def _close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def finish(self, times: Sequence[int]) -> None:
        """Join the parts, add the sound, and remove the parts."""
        self._close()  # a part is open if the clip has fewer frames than its file says
        parts = [part for part in self._parts if os.path.exists(part)]
        join_parts(self._path, self._form, self._shape, parts, times, self._sound)
        shutil.rmtree(self._folder, ignore_errors=True)

    def kept(self) -> int:
        """Drop the part that is not full."""
        if self._open is not None:
            stack, self._open = self._open, None
            with suppress(BaseException), stack:
                raise KeyboardInterrupt  # an error lets `part_writer` remove its file
        kept = [part for part in self._parts if os.path.exists(part)]
        if not kept:
            shutil.rmtree(self._folder, ignore_errors=True)
        return min(len(kept) * PART, self._count)
