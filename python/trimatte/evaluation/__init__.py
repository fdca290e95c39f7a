"""Methods measured on data sets: errors, ranks, seconds and memory, reports and comparisons."""

from __future__ import annotations

from ._compare import Change, compare
from ._methods import Method
from ._records import Evaluation, Record
from ._run import evaluate

__all__ = ["Change", "Evaluation", "Method", "Record", "compare", "evaluate", "write_report"]


def __getattr__(name: str) -> object:
    if name == "write_report":  # brings Jinja2 and matplotlib
        from ._report import write_report

        return write_report
    raise AttributeError(name)
