"""How a call runs: its threads, and whom it tells how far it is."""

from __future__ import annotations

from dataclasses import dataclass

from . import _check, _core
from ._records import Progress
from ._runtime.threads import thread_count


@dataclass(frozen=True)
class Context:
    """How a native call runs.

    Attributes
    ----------
    threads : int
        Threads that the call may use.
    monitor : _core.Monitor
        It measures the phases, reports progress, and hears Ctrl-C.
    """

    threads: int
    monitor: _core.Monitor


def make_context(threads: int | None, progress: Progress | None) -> Context:
    """Check the arguments `threads` and `progress` of a public function and join them."""
    count = thread_count(threads)
    _check.progress(progress)
    return Context(count, _core.Monitor(progress))
