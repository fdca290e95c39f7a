"""One bar for the whole of a command: plain words, how much is done, and the time that is left."""

from __future__ import annotations

import shutil
import sys
import time
from typing import Any

# Shorter work needs no bar.
_BAR_AFTER_SECONDS = 0.5
# The time left is guessed after so many seconds, and from this part on.
_GUESS_AFTER_SECONDS, _GUESS_FROM = 1.0, 0.02

# The core's phases: what is said of each, and which part of a job it usually is. A job without the
# first ones starts where it starts.
_LEARN, _COMPARE, _SOLVE, _COLOURS = 0.0, 0.35, 0.5, 0.85
_PHASES = {
    "render": ("drawing the scene", 0.0, _LEARN),
    "network": ("learning the colours", _LEARN, 0.3),
    "regression": ("learning the colours", _LEARN, 0.3),
    "prediction": ("learning the colours", 0.3, _COMPARE),
    "expansion": ("comparing colours", _LEARN, 0.1),
    "sampling": ("comparing colours", 0.1, 0.4),
    "sharing": ("comparing colours", 0.4, 0.45),
    "smoothing": ("comparing colours", 0.45, _SOLVE),
    "neighbours": ("finding like colours", _COMPARE, 0.45),
    "known to unknown": ("finding like colours", 0.45, _SOLVE),
    "regions": ("finding alpha", _SOLVE, 0.51),
    "laplacian": ("finding alpha", 0.51, 0.55),
    "hierarchy": ("finding alpha", 0.55, 0.6),
    "ordering": ("finding alpha", 0.55, 0.6),
    "factorisation": ("finding alpha", 0.6, 0.8),
    "cg": ("finding alpha", 0.6, 0.84),
    "small regions": ("finding alpha", 0.52, 0.84),
    "substitution": ("finding alpha", 0.84, _COLOURS),
    "foreground": ("finding the subject's colours", _COLOURS, 1.0),
    "fill": ("finding the subject's colours", _COLOURS, 0.95),
    "finish": ("finding the subject's colours", 0.95, 1.0),
}


class Bar:
    """A bar on standard error, which comes when the work is not done at once.

    It never goes back, and shows on terminals that do not say how wide they are, too.
    """

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._origin: float | None = None
        self._done = 0.0
        self._bar: Any = None

    def phase(self, name: str, fraction: float) -> None:
        """Take what the core tells: the name of a phase, and how much of it is done."""
        words, start, end = _PHASES.get(name, (name, 0.0, 1.0))
        whole = start + (end - start) * min(max(fraction, 0.0), 1.0)
        if self._origin is None:
            self._origin = min(start, 0.99)
        self.move(words, (whole - self._origin) / (1 - self._origin))

    def move(self, words: str, fraction: float) -> None:
        """Say what is being done, and how much of the whole job is."""
        self._done = min(max(self._done, fraction), 1.0)
        seconds = time.perf_counter() - self._start
        if self._bar is None and seconds >= _BAR_AFTER_SECONDS:
            self._bar = _made()
        if self._bar is not None:
            self._bar.set_description_str(words, refresh=False)
            self._bar.set_postfix_str(self._left(seconds), refresh=False)
            self._bar.n = self._done
            self._bar.refresh()

    def _left(self, seconds: float) -> str:
        if seconds < _GUESS_AFTER_SECONDS or self._done < _GUESS_FROM:
            return ""
        return f"{duration(seconds * (1 - self._done) / self._done)} left"

    def write(self, line: str) -> None:
        """Print a line on standard error, above the bar."""
        if self._bar is None:
            sys.stderr.write(f"{line}\n")
        else:
            self._bar.write(line, file=sys.stderr)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _made() -> Any:
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        return None
    columns = shutil.get_terminal_size().columns or 80  # 80 where the terminal says 0
    layout = "{desc}: {percentage:3.0f}%|{bar}|{postfix}"
    return tqdm(total=1.0, bar_format=layout, leave=False, ncols=columns, file=sys.stderr)


def duration(seconds: float) -> str:
    """Write a time as people say it."""
    whole = max(1, round(seconds))
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 90 else f"{whole / 3600:.1f} h"
