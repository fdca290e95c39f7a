"""Frames side by side and in order, with as many in memory as there are workers."""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

from .. import _core
from .._pipeline.frames import Frame, Solves
from .._runtime.jobs import TaskQueue, WorkerDied, in_processes
from .._runtime.threads import thread_count
from ..errors import PictureError, TrimatteWarning, WorkerError
from .guides import Guides, refuse_unequal
from .sinks import Sink
from .sources import Source
from .work import Finished, FrameTask, Settings, work

# Frames that are decoded, in work, or wait for one before them, for each worker.
_AHEAD = 2


@dataclass
class Outcome:
    """What a run did.

    Attributes
    ----------
    total, skipped : int
        Frames, and those that an earlier run had done.
    records : list of dict
        How alpha was found in each frame of this run.
    """

    total: int
    skipped: int
    records: list[dict[str, Any]]


def run_film(
    images: Source,
    guides: Guides,
    sink: Sink,
    settings: Settings,
    *,
    workers: int,
    solves: Solves | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Outcome:
    """Matte all frames.

    Parameters
    ----------
    images, guides : Source, Guides
        The frames, and what says where the subject is in each.
    sink : Sink
        Where the results go.
    settings : Settings
        What all frames have in common.
    workers : int
        How many frames are matted side by side, each in a process of its own.
    solves : Solves, optional
        Solves each frame from the one before; `workers` is 1 then.
    progress : callable, optional
        Called with the number of finished frames and of all.

    Raises
    ------
    PictureError, ValueError, TypeError, ConvergenceError, FactorizationError, WorkerError
        What goes wrong with a frame; the message names it.
    """
    refuse_unequal(images, guides)
    total = images.count()
    times: list[int] = []
    tasks = _tasks(images, guides, sink, settings, times, solves)
    heard: dict[str, tuple[str, int]] = {}
    records: list[dict[str, Any]] = []
    depth: str | None = None
    done = _one_by_one(tasks) if workers == 1 else _side_by_side(tasks, workers)
    with closing(done):
        for finished in done:
            own = finished.record["depth"]
            depth = depth or own
            if own != depth:
                raise PictureError(f"{finished.label}: expected {depth} samples as in the first frame, got {own}")
            sink.add(finished.index, finished.pixels)
            _tell(finished, heard)
            records.append({"frame": finished.index, "alpha": finished.record.get("alpha")})
            if progress is not None:
                progress(finished.index + 1, max(total, finished.index + 1))
    sink.finish(times)
    for label, count in heard.values():
        if count > 1:
            warnings.warn(f"{label}: {count} frames have a warning like this one", TrimatteWarning, stacklevel=2)
    return Outcome(len(times), len(times) - len(records), records)


def _tasks(
    images: Source, guides: Guides, sink: Sink, settings: Settings, times: list[int], solves: Solves | None
) -> Iterator[FrameTask]:
    """Yield the frames that are not done yet, and note the times of all."""
    for still, guide in guides.beside(images, sink.wants):
        times.append(still.time)
        if not sink.wants(still.number):
            continue
        image = still.path if still.pixels is None else still.pixels[..., :3]
        assert image is not None
        assert guide is not None
        own = guide if solves is None else Frame(guide, still.path or still.label, solves)
        yield FrameTask(still.number, still.label, image, own, settings, sink.output(still.number))


def _one_by_one(tasks: Iterator[FrameTask]) -> Generator[Finished, None, None]:
    for task in tasks:
        yield work(task)


def _side_by_side(tasks: Iterator[FrameTask], workers: int) -> Generator[Finished, None, None]:
    """Yield the frames in order, whichever ends first."""
    queue = _Window(tasks, _AHEAD * workers)
    waiting: dict[int, Finished] = {}
    with closing(in_processes(queue, work, workers)) as ended:
        for task, outcome in ended:
            if isinstance(outcome, WorkerDied):
                raise WorkerError(
                    f"{task.label}: the process that matted it was killed, perhaps for lack of memory; "
                    "try --processes 1"
                ) from outcome
            if isinstance(outcome, Exception):
                raise outcome
            waiting[task.index] = outcome
            while queue.order and queue.order[0] in waiting:
                yield waiting.pop(queue.order.pop(0))


class _Window(TaskQueue[FrameTask]):
    """Frames are taken from the iterator as workers ask; not many of them wait for one before.

    Attributes
    ----------
    order : list of int
        Frames that were given out and have not been passed on, in order.
    """

    def __init__(self, tasks: Iterator[FrameTask], width: int) -> None:
        super().__init__(())
        self._iterator, self._width = tasks, width
        self._next: FrameTask | None = None
        self.order: list[int] = []

    def is_empty(self) -> bool:
        """Whether no frame is left."""
        if self._next is None:
            self._next = next(self._iterator, None)
        return self._next is None

    def next(self, running: int) -> FrameTask | None:
        """Return the next frame; None if too many wait for one before them."""
        if self.is_empty() or (running and len(self.order) >= self._width):
            return None
        task, self._next = self._next, None
        assert task is not None
        self.order.append(task.index)
        return task


def _tell(finished: Finished, heard: dict[str, tuple[str, int]]) -> None:
    """Pass on what a worker warned of, each kind of warning once.

    `heard` gets, for each kind, the first frame that has it, and how many have.
    """
    for text in dict.fromkeys(finished.warnings):
        kind = re.sub(r"\d+", "N", text)
        first, count = heard.get(kind, (finished.label, 0))
        heard[kind] = first, count + 1
        if count == 0:
            warnings.warn(f"{finished.label}: {text}", TrimatteWarning, stacklevel=3)


def digest(settings: Settings, guides: Guides, images: Source, first: int, last: int) -> str:
    """Return a text that is another one when the settings or the files of these frames change."""
    parts = {
        "version": _core.__version__,
        "settings": {name: value for name, value in asdict(settings).items() if name != "threads"},
        "guide": repr(guides.guide),
        "images": [images.state(index) for index in range(first, last)],
        "guides": [guides.state(index) for index in range(first, last)],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode(errors="backslashreplace")).hexdigest()[:16]


def workers_and_threads(processes: int | None, threads: int | None, frames: int) -> tuple[int, int]:
    """Return how many frames are matted side by side, and the threads of each."""
    cores = thread_count(threads)
    workers = max(1, min(processes or cores, frames))
    return workers, max(1, cores // workers)
