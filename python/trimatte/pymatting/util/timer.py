"""A stop watch."""

from __future__ import annotations

import sys
import time


class Timer:
    """It runs from the moment it is made."""

    def __init__(self) -> None:
        self.t = time.perf_counter()

    def stop(self, message: str | None = None) -> float:
        """Return the seconds since the last stop, and write them if there is a message."""
        now = time.perf_counter()
        seconds, self.t = now - self.t, now
        if message is not None:
            sys.stdout.write(f"{message} - {seconds:f} seconds\n")
        return seconds
