"""Loads the native core, where it can be loaded."""

from __future__ import annotations

import sys
from importlib import import_module


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
    from .. import _core  # noqa: F401


load()
