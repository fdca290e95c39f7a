"""Write the page of measurements over the commits: a chart and tables of asv's committed results.

    python tools/site_commits.py FOLDER

FOLDER gets commits.md and commits.svg. asv wrote the files in benchmarks/compare/results/asv, one a
commit and one about the machine; benchmarks/README.md has the commands.
"""

import datetime
import itertools
import json
import math
from typing import NamedTuple

import matplotlib.pyplot as plt
from matplotlib.ticker import LogLocator
from site_figures import RESULTS, folder_to_draw_in

RECORDED = RESULTS / "asv"


class Commit(NamedTuple):
    """asv's results of one commit: a number for each benchmark with its parameters."""

    name: str
    date: str
    measured: str
    python: str
    values: dict


class Table(NamedTuple):
    """A table of the page: its benchmark, and how the numbers times `scale` are shown."""

    title: str
    text: str
    benchmark: str
    shown: str
    scale: float = 1


TABLES = (
    Table(
        "Methods",
        "Seconds of the processor that `estimate_alpha` takes, all threads together. The first column has\n"
        "the scene, its megapixels and the method. `best` stood for closed-form with the prior\n"
        "`robust` at first, and stands for closed-form with `fusion` since 2026-11-30.",
        "bench_affinities.Affinities.time_alpha",
        "{:.2g}",
    ),
    Table(
        "Priors alone",
        "The same seconds for a prior without an affinity, on the scene of hair. The first column\n"
        "has the prior and the megapixels.",
        "bench_calls.Priors.time_alone",
        "{:.2g}",
    ),
    Table(
        "Foreground colours by default",
        "The same seconds for `estimate_foreground`. The first column has the scene and its megapixels.",
        "bench_calls.Calls.time_estimate_foreground",
        "{:.2g}",
    ),
    Table(
        "Foreground colours by other methods",
        "The same seconds for methods that are chosen by name.",
        "bench_foreground.Foreground.time_layers",
        "{:.2g}",
    ),
    Table(
        "Iterations",
        "Iterations of multigrid until closed-form matting's alpha is as exact as promised.",
        "bench_phases.Counts.track_iterations",
        "{:.0f}",
    ),
    Table(
        "Memory of the core",
        "Millions of bytes that the core's arrays hold at most in that solve.",
        "bench_phases.Counts.track_core_bytes",
        "{:.1f}",
        1e-6,
    ),
)
CHARTED = ("bench_affinities.Affinities.time_alpha", "hair", "1.0")

HEAD = """# Over the commits

These numbers are from asv, which builds trimatte at each commit and measures it. The page is made
from asv's own files in `benchmarks/compare/results/asv` when the site is built;
[Benchmarks](../project/benchmarks.md#over-commits-with-asv) has the commands.

Machine: {cpu}, {ram} of memory, {os}. Every call has trimatte's default number of threads,
which is one for each core. The scenes are rendered with noise of 0.01. Other programs ran on the machine, so
that the times are seconds of the processor and not of the clock, the median of three calls. They
still depend on what ran beside them: compare methods in one column, and believe only large
differences between columns. Iterations and bytes do not vary. A cell is empty where the commit does
not have the method."""

LOCAL = """
## On your machine

    python -m pip install --group bench
    asv run --config benchmarks/asv.conf.json
    asv publish --config benchmarks/asv.conf.json
    asv preview --config benchmarks/asv.conf.json

What cannot jitter (iterations, bytes, instructions) is compared with a committed table at every
change by `make gate`.
"""


def minute(milliseconds):
    return f"{datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.timezone.utc):%Y-%m-%d %H:%M}"


def numbers(name, row):
    """Return the numbers of one benchmark, by its name and parameters; asv has none or NaN where it failed."""
    chosen = itertools.product(*([name.strip("'") for name in names] for names in row["params"]))
    found = zip(chosen, row["result"] or [], strict=bool(row["result"]))
    return {
        (name, *parameters): value for parameters, value in found if value is not None and not math.isnan(value)
    }


def read(path):
    """Return the commit that a file of asv is about."""
    file = json.loads(path.read_text(encoding="utf-8"))
    rows = {name: dict(zip(file["result_columns"], row, strict=False)) for name, row in file["results"].items()}
    values = {}
    for name, row in rows.items():
        values |= numbers(name, row)
    measured = minute(max(row["started_at"] for row in rows.values()))
    return Commit(file["commit_hash"][:8], minute(file["date"]), measured, file["python"], values)


def commits(folder):
    """Return the commits from the oldest to the newest."""
    return sorted((read(path) for path in folder.glob("*-*.json")), key=lambda commit: commit.date)


def as_markdown(columns, rows):
    lines = ["| " + " | ".join(columns) + " |", "|---|" + "--:|" * (len(columns) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def table(wanted, found):
    """Return a table with a row for each case and a column for each commit."""
    cases = sorted({case for commit in found for case in commit.values if case[0] == wanted.benchmark})
    rows = []
    for case in cases:
        cells = [commit.values.get(case) for commit in found]
        rows.append(
            [
                ", ".join(case[1:]),
                *("" if cell is None else wanted.shown.format(wanted.scale * cell) for cell in cells),
            ]
        )
    return as_markdown(["", *(f"`{commit.name}`" for commit in found)], rows)


def chart(found):
    """Seconds of every method for hair of one megapixel at each commit."""
    figure, axis = plt.subplots(figsize=(9, 3.6), layout="constrained")
    names = [f"{commit.name}\n{commit.date}" for commit in found]
    cases = sorted({case for commit in found for case in commit.values if case[: len(CHARTED)] == CHARTED})
    for case, colour in zip(cases, plt.cm.Dark2.colors, strict=False):
        seconds = [commit.values.get(case, math.nan) for commit in found]
        axis.semilogy(names, seconds, "o-", color=colour, label=case[-1])
    axis.set_ylabel("seconds of the processor")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.minorticks_off()
    figure.legend(loc="outside right center")
    return figure


def page(folder):
    """Return the page about the files of asv in a folder."""
    machine = json.loads((folder / "machine.json").read_text(encoding="utf-8"))
    found = commits(folder)
    rows = [[f"`{commit.name}`", commit.date, commit.measured, commit.python] for commit in found]
    parts = [
        HEAD.format(**machine),
        as_markdown(["commit", "made (UTC)", "measured (UTC)", "Python"], rows),
        "![A line for each method](commits.svg)\n\n*Seconds of every method for hair of one megapixel.*",
    ]
    parts += [f"## {wanted.title}\n\n{wanted.text}\n\n{table(wanted, found)}" for wanted in TABLES]
    return "\n\n".join(parts) + "\n" + LOCAL


def main():
    folder = folder_to_draw_in(__doc__)
    chart(commits(RECORDED)).savefig(folder / "commits.svg", metadata={"Date": None})
    (folder / "commits.md").write_text(page(RECORDED), encoding="utf-8")


if __name__ == "__main__":
    main()
