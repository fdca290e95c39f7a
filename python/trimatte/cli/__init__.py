"""The command ``trimatte``.

Exit codes: 0 done, 1 failed (one line on standard error says why), 2 wrong usage, 130 stopped by
Ctrl-C, 143 by SIGTERM.
"""

from __future__ import annotations

import io
import os
import re
import signal
import sys
import threading
import warnings
from collections.abc import Sequence
from importlib import import_module

__all__ = ["main", "run"]

_COMMANDS = (
    "_batch",
    "_compositing",
    "_demo",
    "_evaluate",
    "_info",
    "_matting",
    "_paint",
    "_remove",
    "_sequence",
    "_serve",
)
"""Modules that register their commands when they are imported."""
_PREFIX = "trimatte: error: "
"""What every line on standard error begins with that says why a command failed."""


class _Terminated(BaseException):
    """SIGTERM came. Not SystemExit, which an evaluation takes for a failure of its method."""


def main() -> None:
    """Run the command line and leave the process; the entry point of ``trimatte``."""
    try:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, _terminate)
        code = run()
    except KeyboardInterrupt:  # before `run` could listen
        code = _stopped(signal.SIGINT)
    except _Terminated:  # files that were being written are removed by now
        code = _stopped(signal.SIGTERM)
    _forget_unwritten()
    sys.exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: those of the process.

    Returns
    -------
    int
        0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C.
    """
    try:
        import click
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        return _fail("the command line needs click: pip install click")
    try:
        from ..errors import TrimatteError, TrimatteWarning

        for module in _COMMANDS:
            import_module(f".{module}", __name__)
        from ._app import app

        with warnings.catch_warnings():
            warnings.simplefilter("always", TrimatteWarning)
            warnings.showwarning = _show_warning
            # Commands expand patterns of names by themselves; on Windows click would before them.
            code = app.main(arguments, prog_name="trimatte", standalone_mode=False, windows_expand_args=False)
            return int(code or 0)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)  # for an error of usage, with the command's usage before the message
        sys.stderr.write(re.sub("^Error: ", _PREFIX, shown.getvalue(), count=1, flags=re.MULTILINE))
        _say_next_step(error.format_message())
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _stopped(signal.SIGINT)
    except MemoryError as error:
        return _fail(f"not enough memory ({error})" if str(error) else "not enough memory")
    except (TrimatteError, ValueError, TypeError) as error:
        return _fail(str(error))
    except OSError as error:
        from .._runtime.os_errors import reader_has_gone

        if reader_has_gone(error):  # as in `trimatte ... --json | head`
            return 1
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))


_NEXT_STEPS = {
    "Missing argument 'TRIMAP'": (
        "A trimap is made from a mask by 'trimatte trimap mask.png -o trimap.png', and --mask takes the mask. "
        "With a photo alone: trimatte remove photo.jpg -o cutout.png. "
        "Strokes painted on a copy of the picture do as well: --scribbles painted.png"
    ),
    "Missing argument 'MASK'": (
        "With a photo alone, 'trimatte remove photo.jpg -o cutout.png' lets a segmentation network make the mask. "
        "A mask from elsewhere, such as 'rembg i -om photo.jpg mask.png', or a painted one does as well: "
        "white on the subject, black around it."
    ),
    "Got unexpected extra argument": (
        "If a pattern of names was meant, quote it, so that the shell leaves it alone: 'photos/*.jpg'"
    ),
}


def _say_next_step(message: str) -> None:
    """Print what helps after an error of usage, if that is known."""
    for start, step in _NEXT_STEPS.items():
        if message.startswith(start):
            sys.stderr.write(f"{step}\n")


def _forget_unwritten() -> None:
    """Drop what standard output did not take.

    The interpreter would try again as it ends, and exit with 120.
    """
    try:
        if sys.stdout is not None:  # as in a process without a console
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _terminate(*_: object) -> None:
    raise _Terminated


def _stopped(sign: signal.Signals) -> int:
    sys.stderr.write("trimatte: stopped\n")
    return 128 + sign


def _fail(message: str) -> int:
    sys.stderr.write(f"{_PREFIX}{' '.join(message.split())}\n")
    return 1


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    sys.stderr.write(f"trimatte: warning: {' '.join(str(message).split())}\n")
