"""What all commands share: common options, times, the progress bar, the record at the end."""

from __future__ import annotations

import functools
import json
import shutil
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import click

from .._pipeline import Run
from .._records import Progress
from .._runtime.clock import Clock
from .._runtime.os_errors import STANDARD_OUTPUT, naming
from ..io.deep import use_threads
from ..io.names import STANDARD

# Shorter work needs no bar.
_BAR_AFTER_SECONDS = 0.5


class Session:
    """One run of one command.

    Attributes
    ----------
    threads : int or None
        From ``--threads``.
    record : dict
        What ``--json`` prints.
    quiet : bool
        From ``--quiet``.
    clock : Clock
        Takes the seconds of each phase.
    exit_code : int
        Exit code of the command; 0 unless a command says otherwise.
    writes_to_standard_output : bool
        Whether a picture goes there, so that lines go to standard error.
    """

    def __init__(self, command: str, threads: int | None, as_json: bool, quiet: bool) -> None:
        self.threads = threads
        self.as_json = as_json
        self.quiet = quiet
        self.exit_code = 0
        self.writes_to_standard_output = False
        self.clock = Clock()
        self._lines: list[str] = []
        self.record: dict[str, Any] = {"command": command}

    def phase(self, name: str) -> AbstractContextManager[None]:
        """Measure the time of a phase."""
        return self.clock.phase(name)

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds of each phase so far."""
        return self.clock.seconds

    def run(self, joining: str = "write") -> Run:
        """Return how an item of this command is run; what is noted of it goes into the record."""
        return Run(self.threads, self.clock, self.record, self.progress, joining)

    @contextmanager
    def progress(self) -> Iterator[Progress | None]:
        """Give a callback that moves a bar on standard error; None if nobody would see the bar."""
        if self.quiet or not sys.stderr.isatty():
            yield None
            return
        try:
            from tqdm import tqdm
        except ModuleNotFoundError:
            yield None
            return
        layout = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}"
        start = time.perf_counter()
        columns = shutil.get_terminal_size().columns  # 80 where the terminal says 0
        with tqdm(total=1.0, bar_format=layout, delay=1e-9, leave=False, ncols=columns) as bar:

            def move(phase: str, fraction: float) -> None:
                bar.set_description_str(phase, refresh=False)
                bar.n = min(max(fraction, 0.0), 1.0)
                if time.perf_counter() - start >= _BAR_AFTER_SECONDS:
                    bar.refresh()  # not `update`, which ignores a new phase that starts at 0

            yield move

    def say(self, line: str) -> None:
        """Add a line to what is printed without ``--json``."""
        self._lines.append(line)

    def note(self, line: str) -> None:
        """Print a line on standard error at once, beside an error."""
        if not self.quiet:
            tell(f"trimatte: {line}", error=True)

    def finish(self) -> None:
        """Print the record, or the lines for people."""
        error = self.writes_to_standard_output
        if self.as_json:
            tell(json.dumps({**self.record, "seconds": self.seconds}), error=error)
        elif not self.quiet:
            for line in self._lines:
                tell(line, error=error)


def tell(line: str, *, error: bool = False) -> None:
    """Print a line on standard output, or on standard error."""
    with naming("standard error" if error else STANDARD_OUTPUT):
        click.echo(line, err=error)


def command(group: click.Group, name: str, *examples: str) -> Callable[[Callable[..., None]], click.Command]:
    """Make a function ``(session, **options)`` a command of `group` with the common options."""

    def decorate(function: Callable[..., None]) -> click.Command:
        @functools.wraps(function)
        def invoke(*, threads: int | None, as_json: bool, quiet: bool, **options: Any) -> int:
            _refuse_empty(options)
            session = Session(name, threads, as_json, quiet)
            session.writes_to_standard_output = any(
                value == STANDARD for option, value in options.items() if option.endswith("output")
            )
            use_threads(threads)
            with warnings.catch_warnings():
                if quiet:
                    warnings.simplefilter("ignore")
                function(session, **options)
            session.finish()
            return session.exit_code

        made = group.command(name, epilog=example_text(*examples))(invoke)
        made.params += [
            click.Option(["--threads"], type=click.IntRange(min=1), metavar="N", help="All CPUs by default."),
            click.Option(["--json", "as_json"], is_flag=True, help="Print one JSON record instead."),
            click.Option(["--quiet", "-q"], is_flag=True, help="Print nothing but errors."),
        ]
        return made

    return decorate


def _refuse_empty(options: dict[str, Any]) -> None:
    """Refuse empty values, such as that of a variable that is not set.

    They do not mean that the option was not given.
    """
    context = click.get_current_context()
    for parameter in context.command.params:
        value = options.get(parameter.name or "")
        if "" in (value if isinstance(value, tuple) else (value,)):
            raise click.BadParameter("expected a value, got an empty one", context, parameter)


def example_text(*examples: str) -> str:
    """Return an epilog that click does not wrap."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in examples)))
