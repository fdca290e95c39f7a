"""Tasks run side by side; a worker that dies costs no more than the task it had.

Both functions yield each task with what became of it: the result, or the exception that took its
place.
"""

from __future__ import annotations

import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from contextlib import closing, contextmanager
from typing import Any, Generic, TypeVar

from .pool import process_pool

Task = TypeVar("Task")
Result = TypeVar("Result")

# Signals wait for at most this long while futures are waited for.
_SLICE_SECONDS = 0.1
# An executor is asked whether it is alive after so many slices in which nothing has ended.
_SLICES = 5


class WorkerDied(Exception):
    """The process that did a task was killed, or the worker of an executor was lost."""


class ExecutorLost(Exception):
    """The executor takes no more tasks, or no longer answers; the message is "broken" or "gone"."""


class TaskQueue(Generic[Task]):
    """Tasks that wait for their turn; subclasses choose which may run beside others.

    Parameters
    ----------
    tasks : iterable
        The tasks in their order.
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._tasks = deque(tasks)

    def is_empty(self) -> bool:
        """Whether no task waits."""
        return not self._tasks

    def next(self, running: int) -> Task | None:
        """Return a task that may run beside those that do; None if none may.

        If none is running, one may.
        """
        return self._tasks.popleft() if self._tasks else None

    def finished(self, task: Task) -> None:
        """Take note that a task runs no longer."""

    def alone(self, task: Task) -> Task:
        """Return how a task is run with no other beside it."""
        return task


def in_processes(
    queue: TaskQueue[Task], work: Callable[[Task], Result], count: int
) -> Generator[tuple[Task, Result | Exception], None, None]:
    """Run tasks in processes that are started for them.

    A process that dies takes its pool along, and nobody knows which task it had. All tasks that
    were running then run again, each alone in a process; one that dies there gets `WorkerDied`.

    Parameters
    ----------
    queue : TaskQueue
        The tasks.
    work : callable
        What is done with a task; a function that can be pickled.
    count : int
        How many tasks run side by side.

    Raises
    ------
    WorkerError
        If no process can start.
    """
    while not queue.is_empty():
        died = []
        with process_pool(count) as pool, closing(_drained(queue, work, pool, count, {}, None)) as ended:
            for task, outcome in ended:
                if isinstance(outcome, WorkerDied):
                    died.append(queue.alone(task))
                else:
                    yield task, outcome
        for task in died:
            with process_pool(1) as pool:
                future = pool.submit(work, task)
                while not _next_ended([future]):
                    pass
                outcome = _outcome(future)
            yield task, outcome


def on_executor(
    queue: TaskQueue[Task],
    work: Callable[[Task], Result],
    executor: Executor,
    count: int,
    alive: Callable[[], bool] | None = None,
) -> Generator[tuple[Task, Result | Exception], None, None]:
    """Run tasks on somebody else's executor.

    When this is left early, tasks that wait are cancelled and those that run are waited for.

    Parameters
    ----------
    queue : TaskQueue
        The tasks.
    work : callable
        What is done with a task; a function that can be pickled.
    executor : Executor
        Who does it. A task whose worker is lost gets `WorkerDied`.
    count : int
        How many tasks the executor has at a time.
    alive : callable, optional
        Asked when nothing has ended for half a second, and when a task has failed; False means that
        the executor is lost.

    Raises
    ------
    ExecutorLost
        If the executor is lost while tasks wait or run.
    """
    running: dict[Future[Result], Task] = {}
    try:
        while not queue.is_empty():
            died = False
            drained = _drained(queue, work, executor, count, running, alive)
            with closing(drained) as ended:
                for task, outcome in ended:
                    died = died or isinstance(outcome, WorkerDied)
                    yield task, outcome
            if died and not queue.is_empty():
                raise ExecutorLost("broken")
    except BaseException:
        for future in running:
            future.cancel()
        if alive is None or alive():
            wait(running)
        raise


def _drained(
    queue: TaskQueue[Task],
    work: Callable[[Task], Result],
    executor: Executor,
    count: int,
    running: dict[Future[Result], Task],
    alive: Callable[[], bool] | None,
) -> Generator[tuple[Task, Result | Exception], None, None]:
    """Keep an executor busy until no task is left.

    If a worker dies, no more tasks are handed out, and those that run come to their end.
    """
    died = False
    while True:
        while not died and len(running) < count:
            task = queue.next(len(running))
            if task is None:
                break
            try:
                with _signals_wait():
                    running[executor.submit(work, task)] = task
            except BrokenExecutor as error:
                died = True
                queue.finished(task)
                yield task, WorkerDied(str(error))
        if not running:
            return
        ended = _next_ended(running)
        if not ended and alive is not None and not alive():
            raise ExecutorLost("gone")
        for future in ended:
            task = running.pop(future)
            queue.finished(task)
            outcome = _outcome(future)
            if isinstance(outcome, WorkerDied):
                died = True
            elif isinstance(outcome, Exception) and alive is not None and not alive():
                raise ExecutorLost("gone") from outcome
            yield task, outcome


def _next_ended(running: Iterable[Future[Result]]) -> set[Future[Result]]:
    """Wait until some futures have ended; return none of them after half a second without any."""
    for _ in range(_SLICES):
        with _signals_wait():
            ended, _ = wait(running, timeout=_SLICE_SECONDS, return_when=FIRST_COMPLETED)
        if ended:
            return ended
    return set()


@contextmanager
def _signals_wait() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait for the end of the block.

    Their handlers raise exceptions. One that is raised while a future's lock is being taken leaves
    the lock taken, and the executor's own thread then waits for it for ever.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[tuple[int, Any]] = []
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    deferred = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in deferred:
        signal.signal(number, lambda *arguments: received.append(arguments))
    try:
        yield
    finally:
        for number, handler in deferred.items():
            signal.signal(number, handler)
        for received_number, frame in received[:1]:
            deferred[signal.Signals(received_number)](received_number, frame)


def _outcome(future: Future[Result]) -> Result | Exception:
    """Return the result of a future, or what took its place."""
    try:
        with _signals_wait():
            return future.result()
    except BrokenExecutor as error:
        return WorkerDied(str(error))
    except (Exception, CancelledError) as error:
        return error
