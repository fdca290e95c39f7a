"""Worker processes, and the one queue before them.

A worker has one process and one task at a time. A task that nobody waits for any longer, or that
takes too long, ends with its process, and a fresh one takes its place: nothing else stops a decoder
or a solver at any moment.
"""

from __future__ import annotations

import asyncio
import math
import tempfile
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import replace

from .._runtime.pool import process_pool
from .._runtime.threads import usable_cpus
from ..errors import WorkerError
from .errors import LOG, Refused
from .measures import Measures
from .settings import Settings
from .task import Answer, Task, prepare, work

# Seconds between attempts to start a process, where none can start.
_PAUSE = 1.0
# The mean time of a request follows the last ones with this weight.
_WEIGHT = 0.1
_LONGEST_RETRY = 60


class _Stopped(Exception):
    """Ends a pool of processes at once."""


class Worker:
    """A process that does one task at a time.

    Parameters
    ----------
    settings : Settings
        Limits of the process.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._context: AbstractContextManager[ProcessPoolExecutor] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._pool: ProcessPoolExecutor | None = None
        self._changing = threading.Lock()
        self._closed = False
        self.process = 0

    def start(self) -> None:
        """Start the process in place of the one before, and wait until it is ready.

        Raises
        ------
        WorkerError
            If it cannot start.
        """
        with self._changing:
            self._stop()
            if not self._closed:
                self._start()

    def close(self) -> None:
        """End the process at once, whatever it does, for good."""
        self._closed = True
        with self._changing:
            self._stop()

    def _start(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="trimatte-")  # a process that is killed leaves files
        self._context = process_pool(1)
        self._pool = self._context.__enter__()
        try:
            self.process = self._pool.submit(
                prepare, self._folder.name, self._settings.pixels, self._settings.network
            ).result()
        except BrokenExecutor as error:
            raise WorkerError("a worker process died while it started") from error

    def _stop(self) -> None:
        if self._context is not None:
            self._context.__exit__(_Stopped, _Stopped(), None)
        if self._folder is not None:
            self._folder.cleanup()
        self._context, self._folder, self._pool, self.process = None, None, None, 0

    def submit(self, task: Task) -> Future[Answer]:
        """Give the process a task; raises BrokenExecutor if there is no process any longer."""
        if self._pool is None:
            raise BrokenExecutor
        return self._pool.submit(work, task)


class _Ticket:
    """A request's place in the queue."""

    def __init__(self, cost: int) -> None:
        self.cost = cost
        self.turn: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()


class Desk:
    """Gives requests to workers in the order in which they came.

    The first request waits until a worker is free and its memory fits beside what runs; those
    behind it wait as well, so that a large picture is not passed by for ever.

    Parameters
    ----------
    settings : Settings
        Number of workers, memory, length of the queue.
    measures : Measures
        Gets the numbers of requests and workers.
    """

    def __init__(self, settings: Settings, measures: Measures) -> None:
        self._settings, self._measures = settings, measures
        self._workers: list[Worker] = []
        self._free: deque[Worker] = deque()
        self._waiting: deque[_Ticket] = deque()
        self._reviving: set[asyncio.Task[None]] = set()
        self._inside = self._memory = 0
        self._mean_seconds = 1.0
        self._closing = False

    async def open(self) -> None:
        """Start the workers; raises WorkerError if they cannot start."""
        self._workers = [Worker(self._settings) for _ in range(self._settings.workers)]
        started = [asyncio.to_thread(worker.start) for worker in self._workers]
        outcomes = await asyncio.gather(*started, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                await self.close()
                raise outcome
        self._free.extend(self._workers)

    async def close(self) -> None:
        """End the workers; requests that still wait are refused."""
        self._closing = True
        for revival in self._reviving:
            revival.cancel()
        for ticket in self._waiting:
            if not ticket.turn.done():
                ticket.turn.set_exception(_closing())
        await asyncio.gather(*(asyncio.to_thread(worker.close) for worker in self._workers))

    @property
    def alive(self) -> int:
        """Workers that are ready or at work."""
        return sum(worker.process != 0 for worker in self._workers)

    @property
    def processes(self) -> list[int]:
        """Numbers of the workers' processes."""
        return [worker.process for worker in self._workers if worker.process]

    def state(self) -> dict[str, int]:
        """Return how much there is to do."""
        waiting = len(self._waiting)
        return {"inside": self._inside, "waiting": waiting, "memory": self._memory, "alive": self.alive}

    def refuse_if_full(self) -> None:
        """Raise Refused, 429, if there is no place in the queue, or the time would be up in it."""
        if self._closing:
            raise _closing()
        workers = self._settings.workers
        ahead = self._inside - workers
        wait = self._mean_seconds * max(0, ahead) / workers
        if ahead >= self._settings.queue or wait > self._settings.seconds:
            retry = min(max(1, math.ceil(wait / 2)), _LONGEST_RETRY)
            limits = f"at most {self._settings.queue} that wait, no longer than {self._settings.seconds:g} s"
            raise Refused(429, "rate_limit_exceeded", f"too many requests: expected {limits}; try again", retry)

    async def do(self, make: Callable[[], Task], cost: int) -> Answer:
        """Wait for a worker, and let it do a task.

        Parameters
        ----------
        make : callable
            Makes the task when its turn has come, so that what waits holds no pictures in memory.
        cost : int
            Bytes that it may take, at most those of the settings.

        Raises
        ------
        Refused
            If the queue is full, if the worker dies, or what the task raises.
        """
        async with self._inside_for(cost) as worker:
            return await self._done(worker, make, cost)

    @asynccontextmanager
    async def place(self, cost: int) -> AsyncIterator[int]:
        """Wait for a worker's turn, for work in this process: the worker does nothing meanwhile.

        Parameters
        ----------
        cost : int
            Bytes that the work may take, at most those of the settings.

        Yields
        ------
        int
            The threads that the work may have.

        Raises
        ------
        Refused
            If the queue is full.
        """
        loop = asyncio.get_running_loop()
        async with self._inside_for(cost) as worker:
            began = loop.time()
            try:
                yield self._share()
            finally:
                self._note_seconds(loop.time() - began)
                self._give_back(worker, cost)

    @asynccontextmanager
    async def _inside_for(self, cost: int) -> AsyncIterator[Worker]:
        """Wait for a worker, which the caller gives back."""
        self.refuse_if_full()
        ticket = _Ticket(cost)
        self._inside += 1
        self._waiting.append(ticket)
        self._next()
        try:
            yield await self._turn(ticket)
        finally:
            self._inside -= 1

    def _share(self) -> int:
        """Return the threads of a solve beside those that run."""
        return max(1, usable_cpus() // max(1, min(self._settings.workers, self._inside)))

    def _note_seconds(self, seconds: float) -> None:
        self._mean_seconds += _WEIGHT * (seconds - self._mean_seconds)

    async def _turn(self, ticket: _Ticket) -> Worker:
        try:
            return await ticket.turn
        except asyncio.CancelledError:
            if ticket.turn.done() and not ticket.turn.cancelled():
                self._give_back(ticket.turn.result(), ticket.cost)
            else:
                self._waiting.remove(ticket)
                self._next()  # one behind it may fit
            raise

    def _next(self) -> None:
        """Give free workers to the first requests, as far as the memory goes."""
        while self._waiting and self._free:
            ticket = self._waiting[0]
            if self._memory and self._memory + ticket.cost > self._settings.memory:
                return
            self._waiting.popleft()
            self._memory += ticket.cost
            ticket.turn.set_result(self._free.popleft())

    def _give_back(self, worker: Worker, cost: int) -> None:
        self._memory -= cost
        self._free.append(worker)
        self._next()

    async def _done(self, worker: Worker, make: Callable[[], Task], cost: int) -> Answer:
        loop, intact = asyncio.get_running_loop(), False
        began = loop.time()
        try:
            task = await asyncio.to_thread(make)
            task = replace(task, threads=self._share())
            try:
                submitted = worker.submit(task)
            except BrokenExecutor:  # the process died while it had nothing to do
                await asyncio.to_thread(worker.start)
                submitted = worker.submit(task)
            answer = await asyncio.wrap_future(submitted)
            intact = True
            return answer
        except Refused as refused:
            intact = refused.code != "no_memory"
            raise
        except (BrokenExecutor, WorkerError):
            self._measures.deaths.inc()
            LOG.warning("worker died", extra={"worker": worker.process})
            message = "the process that worked on this picture died, perhaps for lack of memory; try again"
            raise Refused(503, "worker_died", message, 1) from None
        finally:
            self._note_seconds(loop.time() - began)
            if intact:
                self._give_back(worker, cost)
            else:  # it may still be at work for somebody who has gone
                revival = asyncio.ensure_future(self._revive(worker, cost))
                self._reviving.add(revival)
                revival.add_done_callback(self._reviving.discard)

    async def _revive(self, worker: Worker, cost: int) -> None:
        """Replace a worker's process, then let it take the next request."""
        while not self._closing:
            try:
                await asyncio.to_thread(worker.start)
                break
            except Exception as error:  # out of processes or of memory: that may pass
                LOG.error("worker does not start", extra={"reason": str(error)})
                await asyncio.sleep(_PAUSE)
        if not self._closing:
            self._give_back(worker, cost)


def _closing() -> Refused:
    return Refused(503, "closing", "the service is closing; try again", 1)
