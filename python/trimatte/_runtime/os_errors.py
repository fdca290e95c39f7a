"""Errors of the operating system: which file they are about, and what they mean."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STANDARD_OUTPUT = "standard output"
"""The name of standard output in errors."""


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Let the OSErrors of a file that is open say its name."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = name
        raise


def reader_has_gone(error: OSError, windows: bool = sys.platform == "win32") -> bool:
    """Whether an error of standard output means that nobody reads it any more.

    The C library of Windows calls it an invalid argument.
    """
    if isinstance(error, BrokenPipeError):
        return True
    return windows and error.errno == errno.EINVAL and error.filename in (None, STANDARD_OUTPUT)
