"""Loads the native core so that its threads share a busy machine well.

GNU OpenMP's threads spin for some milliseconds at the end of every parallel region before they sleep. With more
runnable threads than cores, they spin while the thread they wait for is not running: solves took eight times
longer beside four busy processes (``DESIGN.md``). libgomp reads its settings once, when it is loaded; a shorter
spin is set for that moment, unless the user has chosen one.
"""

from __future__ import annotations

import os

_SPIN = "GOMP_SPINCOUNT"
_SETTINGS_OF_THE_USER = (_SPIN, "OMP_WAIT_POLICY")


def load() -> None:
    """Import the extension module for the first time."""
    if any(name in os.environ for name in _SETTINGS_OF_THE_USER):
        return
    os.environ[_SPIN] = "10000"  # about 0.3 ms
    try:
        from . import _core  # noqa: F401
    finally:
        del os.environ[_SPIN]


load()
