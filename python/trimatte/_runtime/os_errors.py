"""Errors of the operating system that say which file they are about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Let the OSErrors of a file that is open say its name."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = name
        raise
