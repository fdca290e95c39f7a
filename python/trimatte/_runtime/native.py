"""Loads the native core, where it can be loaded, so that its threads share a busy machine well.

GNU OpenMP's threads spin for some milliseconds at the end of every parallel region before they sleep. With more
runnable threads than cores, they spin while the thread they wait for is not running: solves took eight times
longer beside four busy processes (``DESIGN.md``). libgomp reads its settings once, when it is loaded; a shorter
spin is set for that moment, unless the user has chosen one.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

_SPIN = "GOMP_SPINCOUNT"
_SETTINGS_OF_THE_USER = (_SPIN, "OMP_WAIT_POLICY")


def _in_subinterpreter() -> bool:
    """Whether this is another interpreter than the process's first one."""
    try:
        interpreters = import_module("_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters")
    except ImportError:
        return False
    return bool(interpreters.get_current() != interpreters.get_main())


def load() -> None:
    """Import the extension module for the first time.

    Raises
    ------
    ImportError
        In a subinterpreter. NumPy does not support them, and before Python 3.12 the core's import would never end:
        pybind11 waits for the lock of the first interpreter, which this thread holds.
    """
    if _in_subinterpreter():
        raise ImportError(
            "trimatte cannot be imported in a subinterpreter, because NumPy does not support them"
            " (mod_wsgi: set WSGIApplicationGroup %{GLOBAL})"
        )
    if any(name in os.environ for name in _SETTINGS_OF_THE_USER):
        return
    os.environ[_SPIN] = "10000"  # about 0.3 ms
    try:
        from .. import _core  # noqa: F401
    finally:
        del os.environ[_SPIN]


load()
