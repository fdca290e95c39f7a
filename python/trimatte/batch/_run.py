"""Runs jobs side by side, as many as fit into the memory, and keeps the log."""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence, Sized
from concurrent.futures import Executor
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

from .. import _check
from .._runtime.jobs import ExecutorLost, TaskQueue, WorkerDied, in_processes, on_executor
from .._runtime.memory import available_memory, size
from .._runtime.threads import thread_count
from ..errors import BatchError
from ..io.formats import BITS
from ._cost import estimated_bytes
from ._jobs import Job, checked
from ._journal import Journal
from ._work import Task, state, work

_LOG = logging.getLogger("trimatte")
_LOG.addHandler(logging.NullHandler())
# Pending jobs among which one is sought that still fits into the memory.
_AHEAD = 64


@dataclass(frozen=True)
class Status:
    """How far a run is.

    Attributes
    ----------
    total : int or None
        Items, if that is known.
    done, failed, skipped : int
        Items that were done and that failed in this run, and that an earlier run had done.
    seconds : float
        Seconds since the start.
    record : dict or None
        Record of the item that was just finished; None at the start.
    """

    total: int | None
    done: int
    failed: int
    skipped: int
    seconds: float
    record: dict[str, Any] | None


@dataclass(frozen=True)
class Summary:
    """What a run did.

    Attributes
    ----------
    done, failed, skipped : int
        Items that were done and that failed in this run, and that an earlier run had done.
    seconds : float
        Wall time.
    failures : tuple of dict
        Records of the items that failed; ``"error"`` says why.
    """

    done: int
    failed: int
    skipped: int
    seconds: float
    failures: tuple[dict[str, Any], ...]


def run(
    jobs: Iterable[Job],
    *,
    log: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    processes: int | None = None,
    threads: int | None = None,
    memory: int | None = None,
    bits: int | None = None,
    resume: bool = True,
    only_failed: bool = False,
    progress: Callable[[Status], object] | None = None,
    alive: Callable[[], bool] | None = None,
) -> Summary:
    """Matte many pictures.

    One bad item never stops the others. Outputs appear complete or not at all. If a run was stopped
    (by Ctrl-C, by kill -9, by a failure of power) and is started again with the same `log`, it does
    only what is missing and what has changed since: an input, an option, an output that is gone.
    The outputs are the same bits whatever the number of processes and threads, and however often
    the run was stopped.

    Parameters
    ----------
    jobs : iterable of Job
        The jobs, taken one by one, so that a generator may have any number of them. See
        :func:`jobs_from_files` and :func:`jobs_from_manifest`.
    log : str or path-like, optional
        A file of JSON lines, one record for each item: image, outputs and their sizes, info of the
        solve, seconds of each phase, error. A later run goes on from it. By default nothing is
        kept.
    executor : concurrent.futures.Executor, optional
        Where items run: dask.distributed's ``Client.get_executor()``,
        ``loky.get_reusable_executor()``, ``mpi4py.futures.MPIPoolExecutor()``, ... Its workers need
        trimatte and the same files. It is not shut down. By default items run in processes of this
        machine, each started anew (spawn), so that a script needs the usual
        ``if __name__ == "__main__":``.
    processes : int, optional
        How many items run side by side. Default: as many as there are usable cores; with an
        `executor`, twice as many as it has workers, or 16.
    threads : int, optional
        Threads of each item. Default: the usable cores divided by the items side by side; with an
        `executor`, 1.
    memory : int, optional
        Bytes that the items side by side may take, by an estimate from their size and number of
        unknown pixels. An item that needs more by itself fails. By default it is what this process
        can still get, by the limit of its container or service; with an `executor`, whose workers
        may be elsewhere, there is no limit.
    bits : {8, 16, 32}, optional
        Bits per sample of what is written; 32, and 16 in EXR, are floats. Default: as many as the
        item's picture has, as far as the format can hold them.
    resume : bool, default True
        Whether to leave out what `log` says is done.
    only_failed : bool, default False
        Whether to run only the items that `log` says have failed.
    progress : callable, optional
        Called with a :class:`Status` at the start and after each item.
    alive : callable, optional
        Asked twice a second while nothing is finished; False means that the executor is lost.

    Returns
    -------
    Summary

    Raises
    ------
    BatchError
        If two jobs have one output, or one's output is another's input; if `log` is used by another
        run, is no log, or is missing although only what has failed is wanted; if the executor is
        lost. What was done by then is in the log.
    ValueError, TypeError
        If an argument is out of its range.
    OSError
        If `log` cannot be written.
    """
    _check.iterable(jobs, "jobs", "Job")
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise TypeError(f"executor: expected an Executor or None, got {_check.kind_of(executor)}")
    resume, only_failed = _check.flag(resume, "resume"), _check.flag(only_failed, "only_failed")
    _check.progress(progress)
    limit = None if executor is not None else available_memory()
    if memory is not None:
        limit = _check.at_least(memory, 1, "memory", 2**62)
    if bits not in (None, *BITS):
        raise ValueError(f"bits: expected None or one of {', '.join(map(str, BITS))}, got {bits!r}")
    if only_failed and log is None:
        raise ValueError("only_failed: expected a log, which knows what has failed")
    if only_failed and log is not None and not os.path.exists(log):
        raise BatchError(f"{os.fspath(log)}: no such log, so that nobody knows what has failed")
    cores = thread_count(None)
    side_by_side = _side_by_side(executor, processes, cores)
    each = None if threads is None else thread_count(threads)
    if each is None and executor is not None:
        each = 1
    total = len(jobs) if isinstance(jobs, Sized) else None
    if isinstance(jobs, Sequence):
        jobs = list(checked(jobs, bits))  # before any work is done

    with Journal(log) as journal:
        this = _Run(journal, cores, side_by_side, each, limit, bits, progress, total)
        todo = this.to_do(checked(jobs, bits), resume=resume, only_failed=only_failed)
        try:
            if executor is not None:
                this.through(executor, todo, alive)
            else:
                this.through_processes(todo)
        finally:
            journal.remove_leftovers(this.outputs)
        return this.summary()


def _side_by_side(executor: Executor | None, processes: int | None, cores: int) -> int:
    if processes is not None:
        return _check.at_least(processes, 1, "processes", 4096)
    if executor is None:
        return cores
    workers = getattr(executor, "_max_workers", None)
    return 2 * workers if isinstance(workers, int) else 16


class _Run:
    """One run: what is running, what has come of it."""

    def __init__(
        self,
        journal: Journal,
        cores: int,
        side_by_side: int,
        threads: int | None,
        memory: int | None,
        bits: int | None,
        progress: Callable[[Status], object] | None,
        total: int | None,
    ) -> None:
        self.journal = journal
        self.cores, self.side_by_side, self.threads = cores, side_by_side, threads
        self.memory, self.bits, self.total = memory, bits, total
        self.progress = progress
        self.started = time.perf_counter()
        self.done = self.skipped = 0
        self.failures: list[dict[str, Any]] = []
        self.outputs: list[str] = []
        self.tell(None)

    def tell(self, record: dict[str, Any] | None) -> None:
        if self.progress is not None:
            seconds = time.perf_counter() - self.started
            self.progress(Status(self.total, self.done, len(self.failures), self.skipped, seconds, record))

    def summary(self) -> Summary:
        seconds = time.perf_counter() - self.started
        return Summary(self.done, len(self.failures), self.skipped, seconds, tuple(self.failures))

    def to_do(self, jobs: Iterator[Job], *, resume: bool, only_failed: bool) -> Iterator[Job]:
        """Leave out what is done."""
        for job in jobs:
            known = self.journal.records.get(job.key)
            has_failed = known is not None and known["error"] is not None
            if (only_failed and not has_failed) or (resume and known is not None and self._is_done(job)):
                self.skipped += 1
            else:
                self.outputs += job.outputs.values()
                yield job

    def _is_done(self, job: Job) -> bool:
        with suppress(OSError):
            return self.journal.has(job.key, state(job, self.bits))
        return False

    def record(self, record: dict[str, Any]) -> None:
        """Note that an item is finished."""
        self.journal.add(record)
        if record["error"] is None:
            self.done += 1
            _LOG.info("%s: done", record["image"])
        else:
            self.failures.append(record)
            _LOG.warning("%s: %s", record["image"], record["error"])
        self.tell(record)

    def fail(self, job: Job, message: str) -> None:
        """Note that an item failed without having run."""
        record = {"image": job.image, "key": job.key, "outputs": {}, "error": message}
        self.record({**record, "warnings": [], "seconds": {}})

    def task(self, job: Job, others: int) -> Task:
        """Make a job a task; `others` may run beside it."""
        threads = self.threads or max(1, self.cores // max(1, min(self.side_by_side, others + 1)))
        return Task(job, threads, self.journal.mark, self.bits)

    def through_processes(self, todo: Iterator[Job]) -> None:
        """Run in processes of our own."""
        message = "the process that did it was killed, perhaps for lack of memory"
        self._note(in_processes(_Queue(todo, self), work, self.side_by_side), message)

    def through(self, executor: Executor, todo: Iterator[Job], alive: Callable[[], bool] | None) -> None:
        """Run on somebody else's executor."""
        ended = on_executor(_Queue(todo, self), work, executor, self.side_by_side, alive)
        try:
            self._note(ended, "the worker that did it was lost")
        except ExecutorLost as error:
            raise BatchError(f"the executor is {error}; run again to go on with what is left") from error

    def _note(self, ended: Generator[tuple[Task, dict[str, Any] | Exception], None, None], died: str) -> None:
        """Note what becomes of the tasks; `died` says that a task's worker has died."""
        with closing(ended):
            for task, outcome in ended:
                if isinstance(outcome, WorkerDied):
                    self.fail(task.job, died)
                elif isinstance(outcome, Exception):
                    text = f"the worker failed: {type(outcome).__name__}: {outcome}"
                    self.fail(task.job, " ".join(text.split()))
                else:
                    self.record(outcome)


class _Queue(TaskQueue[Task]):
    """Pending jobs, given out as the memory allows.

    Attributes
    ----------
    error : Exception or None
        What the iterator of jobs has raised; `is_empty` raises it once no job is running.
    """

    def __init__(self, jobs: Iterator[Job], run: _Run) -> None:
        self._jobs = jobs
        self._run = run
        self.error: Exception | None = None
        self._ahead: deque[tuple[Job, int]] = deque()
        self._held: dict[str, int] = {}

    def _fill(self, count: int) -> None:
        while len(self._ahead) < count:
            try:
                job = next(self._jobs, None)
            except Exception as error:
                self.error, self._jobs = error, iter(())
                return
            if job is None:
                return
            cost = 0
            if self._run.memory is not None:
                cost = estimated_bytes(job, self._run.memory // self._run.side_by_side)
                if cost > self._run.memory:
                    need, limit = size(cost), size(self._run.memory)
                    self._run.fail(job, f"needs about {need}, more than the memory allowed, {limit}")
                    continue
            self._ahead.append((job, cost))

    def is_empty(self) -> bool:
        """Whether nothing is left; raises what the iterator of jobs has raised."""
        self._fill(1)
        if not self._ahead and self.error is not None:
            raise self.error
        return not self._ahead

    def next(self, running: int) -> Task | None:
        """Return the first job that fits beside what is running; None if none does."""
        limit = self._run.memory
        self._fill(_AHEAD if limit is not None else 1)
        held = sum(self._held.values())
        for index, (job, cost) in enumerate(self._ahead):
            if limit is None or running == 0 or held + cost <= limit:
                del self._ahead[index]
                self._held[job.key] = cost
                return self._run.task(job, self._others(running))
        return None

    def _others(self, running: int) -> int:
        """How many jobs may run beside the one just given out."""
        self._fill(self._run.side_by_side)
        limit, side_by_side = self._run.memory, self._run.side_by_side
        if limit is None:
            return running + min(len(self._ahead), side_by_side)
        room = limit - sum(self._held.values())
        fitting = 0
        for _, cost in self._ahead:
            room -= cost
            fitting += room >= 0
        return running + fitting

    def finished(self, task: Task) -> None:
        """Give the memory of a task back."""
        self._held.pop(task.job.key, None)

    def alone(self, task: Task) -> Task:
        """Give a task all cores."""
        return self._run.task(task.job, 0)
