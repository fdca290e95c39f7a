"""``trimatte info``."""

from __future__ import annotations

from .._runtime.threads import thread_count
from ..versions import versions
from ._app import app
from ._session import Session, command


@command(
    app,
    "info",
    "trimatte info",
    "trimatte info --json",
)
def info(session: Session) -> None:
    """Print versions, compiler and threads, for bug reports."""
    found = {**versions(), "threads": thread_count(session.threads)}
    session.record.update(found)
    for name, value in found.items():
        session.say(f"{name:12} {value}")
