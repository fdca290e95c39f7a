"""``python -m trimatte.pymatting PROGRAM ARGUMENTS``: run a program whose PyMatting is trimatte."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Sequence
from importlib import metadata

from . import install

_USAGE = """Usage: python -m trimatte.pymatting PROGRAM [ARGUMENTS]

Runs a Python program and lets its "import pymatting" mean trimatte.pymatting.
PROGRAM is the name of an installed command such as rembg, a file NAME.py, or -m MODULE.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program that the arguments name."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] in (["-h"], ["--help"]):
        sys.stdout.write(_USAGE)
        return
    if not given or given == ["-m"]:
        sys.stderr.write(_USAGE)
        sys.exit(2)
    install()
    if given[0] == "-m":
        sys.argv = given[1:]
        runpy.run_module(given[1], run_name="__main__", alter_sys=True)
    elif given[0].endswith(".py") or os.sep in given[0]:
        _run_file(given)
    else:
        _run_command(given)


def _run_file(given: list[str]) -> None:
    if not os.path.isfile(given[0]):
        _refuse(f"expected a Python file, got {given[0]}, which is not there")
    sys.argv = given
    sys.path[0] = os.path.dirname(os.path.abspath(given[0]))
    runpy.run_path(given[0], run_name="__main__")


def _run_command(given: list[str]) -> None:
    found = metadata.entry_points(group="console_scripts", name=given[0])
    if not found:
        _refuse(
            f"expected a command that is installed for {sys.executable}, got {given[0]!r}; install it there, "
            "or pass a file NAME.py or -m MODULE"
        )
    sys.argv = given
    sys.exit(next(iter(found)).load()())


def _refuse(message: str) -> None:
    sys.stderr.write(f"trimatte.pymatting: PROGRAM: {message}\n")
    sys.exit(2)


if __name__ == "__main__":
    main()
