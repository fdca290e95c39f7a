"""A limit of time for calls in this process."""

import contextlib
import signal


class TooLong(Exception):
    """A call took longer than its limit."""


def _stop(*_):
    raise TooLong


@contextlib.contextmanager
def time_limit(seconds):
    """Raise TooLong in the main thread after so many seconds. On Windows there is no limit.

    trimatte's native calls ask for signals every 50 ms, so that they stop, too.
    """
    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, _stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
