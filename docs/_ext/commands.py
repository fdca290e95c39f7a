"""The commands of trimatte as sphinx-click documents them: all of them, their examples as code."""

from importlib import import_module

import trimatte.cli

for module in trimatte.cli._COMMANDS:  # each registers its commands
    import_module(f"trimatte.cli.{module}")

app = import_module("trimatte.cli._app").app


def examples_as_code(_sphinx, _context, lines):
    """Turn the lines of an epilog, "| Examples:" and "|   trimatte ...", into a block of code."""
    if lines[:1] != ["| Examples:"]:
        raise ValueError(f"the epilog of a command: expected '| Examples:' first, got {lines[:1]}")
    calls = [line.removeprefix("|   ") for line in lines[1:] if line]
    lines[:] = ["Examples:", "", ".. code-block:: shell", "", *(f"   {call}" for call in calls), ""]


def stars_as_they_are(_sphinx, _context, lines):
    """Keep the stars of patterns such as 'gt/*.png' from being read as emphasis."""
    lines[:] = [line if "**" in line else line.replace("*", r"\*") for line in lines]


def setup(sphinx):
    sphinx.connect("sphinx-click-process-options", stars_as_they_are)
    sphinx.connect("sphinx-click-process-epilog", examples_as_code)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
