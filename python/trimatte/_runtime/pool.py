"""Worker processes that start clean, leave Ctrl-C to their parent, and end when it ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import WorkerError

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor


MOST_WORKERS = 61 if sys.platform == "win32" else sys.maxsize
"""Windows waits for at most 63 handles at once, of which ProcessPoolExecutor needs two."""


@contextmanager
def process_pool(count: int) -> Iterator[ProcessPoolExecutor]:
    """Give a pool of fresh interpreters; an exception that leaves the block stops them at once.

    They are spawned: a fork of a process with threads may hang in libraries that are not made for
    it. There are `count` of them, or as many as the system allows.

    Raises
    ------
    WorkerError
        If no process can start, as in a script that lacks ``if __name__ == "__main__":``.
    """
    import multiprocessing  # here, so that importing trimatte stays light
    from concurrent.futures import ProcessPoolExecutor

    workers = min(count, MOST_WORKERS)
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_prepare)
    try:
        try:
            with _single_blas_thread():
                pool.submit(int).result()  # which starts all processes
        except BrokenExecutor as error:
            raise WorkerError(
                "no worker process can start; a script that starts some needs "
                '`if __name__ == "__main__":`, and cannot come from standard input'
            ) from error
        yield pool
    except BaseException:
        processes = list((getattr(pool, "_processes", None) or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()
        raise
    pool.shutdown()


@contextmanager
def _single_blas_thread() -> Iterator[None]:
    """Let processes that start now do their linear algebra alone: they work side by side already."""
    missing = [name for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS") if name not in os.environ]
    os.environ.update(dict.fromkeys(missing, "1"))
    try:
        yield
    finally:
        for name in missing:
            del os.environ[name]


def _prepare() -> None:
    """Run first in each worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
