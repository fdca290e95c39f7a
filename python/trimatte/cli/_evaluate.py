"""``trimatte evaluate`` and ``compare``."""

from __future__ import annotations

import glob
import os
import sys
from contextlib import suppress
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import datasets
from ..datasets import Dataset
from ..datasets._files import LAYOUTS
from ..errors import DatasetError
from ._app import app
from ._session import Session, command

if TYPE_CHECKING:
    from ..evaluation import Evaluation

METHOD_HELP = "What to measure; may be repeated. [default: closed-form, best]"
LAYOUT_HELP = f"Of folders: auto, {', '.join(LAYOUTS)}. [default: auto]"
TRIMAPS_HELP = "Which trimaps of an alphamatting.com folder; may be repeated. [default: Trimap1]"
TRUTHS_HELP = "With DATA a pattern of pictures: pattern of the true alphas, 'gt/*.png' or 'gt/{stem}_alpha.png'."
TRIMAP_FILES_HELP = "Likewise, of the trimaps. [default: made from the truth]"
JOBS_HELP = "Samples side by side; seconds are worth comparing at 1 only. [default: 1]"
DEFAULT_METHODS = ("closed-form", "best")
REPORT_PACKAGES = ("jinja2", "matplotlib")


def _opened(
    data: str,
    layout: str,
    trimaps: tuple[str, ...],
    truths: str | None,
    trimap_files: str | None,
    radius: float | None,
    size: tuple[int, int],
) -> list[Dataset]:
    """Return the data sets that one DATA argument means."""
    if truths is not None:
        return [datasets.files(data, truths, trimap_files, radius=radius, name=Path(data).parent.name or "files")]
    if data == "scenes":
        return [datasets.scenes(height=size[0], width=size[1])]
    if glob.has_magic(data):
        raise click.UsageError(f"{data}: a pattern of pictures needs --truths")
    wanted = trimaps or ("Trimap1",)
    found = [datasets.folder(data, layout=layout, trimap=name, radius=radius) for name in wanted]
    return found if len({d.name for d in found}) == len(found) else found[:1]


@command(
    app,
    "evaluate",
    "trimatte evaluate scenes -o results",
    "trimatte evaluate alphamatting --trimaps Trimap1 --trimaps Trimap2 -o out",
    "trimatte evaluate AIM-500 -m closed-form+sampling --jobs 4 -o results",
    "trimatte evaluate 'in/*.jpg' --truths 'gt/{stem}.png' -m x=alphas -o out",
    "trimatte evaluate scenes -m pymatting:estimate_alpha_cf -o results",
)
@click.argument("data", nargs=-1, required=True)
@click.option("--method", "-m", "methods", multiple=True, metavar="METHOD", help=METHOD_HELP)
@click.option("--output", "-o", required=True, metavar="FOLDER", help="Made if missing; see above.")
@click.option("--layout", type=click.Choice(["auto", *LAYOUTS]), default="auto", metavar="NAME", help=LAYOUT_HELP)
@click.option("--trimaps", multiple=True, metavar="NAME", help=TRIMAPS_HELP)
@click.option("--truths", metavar="PATTERN", help=TRUTHS_HELP)
@click.option("--trimap-files", metavar="PATTERN", help=TRIMAP_FILES_HELP)
@click.option("--radius", type=click.FloatRange(0), metavar="N", help="Half the band of trimaps that are made.")
@click.option("--sample", "samples", multiple=True, metavar="NAME", help="Only these; may be repeated.")
@click.option("--scene-size", type=(int, int), default=(400, 600), metavar="H W", help="[default: 400 600]")
@click.option("--jobs", type=click.IntRange(1, 1024), default=1, metavar="N", help=JOBS_HELP)
@click.option("--resume/--anew", default=True, help="Keep what OUTPUT has already. [default: resume]")
@click.option("--report/--no-report", default=None, help="Write report.html. [default: if it can be]")
def evaluate(
    session: Session,
    data: tuple[str, ...],
    methods: tuple[str, ...],
    output: str,
    layout: str,
    trimaps: tuple[str, ...],
    truths: str | None,
    trimap_files: str | None,
    radius: float | None,
    samples: tuple[str, ...],
    scene_size: tuple[int, int],
    jobs: int,
    resume: bool,
    report: bool | None,
) -> None:
    """Measure methods on pictures whose alpha is known.

    DATA is 'scenes' (24 rendered samples), a folder (./scenes) laid out as alphamatting.com's training
    set, Composition-1k, AIM-500, P3M-500 or AM-2k, or a pattern of pictures with --truths.

    METHOD is one of trimatte's with a prior and options if wanted (best, closed-form+sampling,
    closed-form,epsilon=1e-5), package.module:function, called with image and trimap as floats
    in [0, 1], or a folder of finished alphas; NAME=METHOD gives it another name.

    FOLDER gets results.json, results.csv, the alphas, and report.html (which needs
    trimatte[report]). A run that was stopped goes on where it was. If a method fails on a
    sample, that is recorded, and the exit code is 1.
    """
    from .. import evaluation
    from ..evaluation._records import without_nan

    missing = [name for name in REPORT_PACKAGES if find_spec(name) is None]
    if report and missing:
        raise click.UsageError(f'--report needs {", ".join(missing)}: pip install "trimatte[report]"')
    if os.getcwd() not in sys.path:  # a method may be a function of a file here
        sys.path.insert(0, os.getcwd())
    found: list[Dataset] = []
    for item in data:
        for dataset in _opened(item, layout, trimaps, truths, trimap_files, radius, scene_size):
            found.append(dataset.select(samples) if samples else dataset)

    def progress(done: int, total: int, record: evaluation.Record) -> None:
        if session.quiet:
            return
        line = f"SAD {record.measure('sad'):.3f}" if record.failure is None else f"failed: {record.failure}"
        where = f"[{done}/{total}] {record.dataset} {record.sample}"
        time = "" if record.seconds is None else f" ({record.seconds:.2f} s)"
        click.echo(f"{where}, {record.method}: {line}{time}", err=True)

    with session.phase("evaluate"):
        result = evaluation.evaluate(
            methods or DEFAULT_METHODS,
            found,
            output=output,
            jobs=jobs,
            threads=session.threads,
            resume=resume,
            progress=progress,
        )
    session.say(str(result))
    correlations = _correlations(result)
    for (first, second), value in correlations.items():
        session.say(f"\nRank correlation of the methods, {first} and {second}: {value:.2f}")
    files = ["results.json", "results.csv"]
    if report or (report is None and not missing):
        with session.phase("report"):
            evaluation.write_report(result, found, output)  # type: ignore[operator]
        files.append("report.html")
    elif report is None:
        session.say('\nNo report.html: pip install "trimatte[report]"')
    session.say(f"\n{output}: {', '.join(files)}")
    failures = [f"{r.dataset} {r.sample}, {r.method}: {r.failure}" for r in result.failures]
    for failure in failures:
        session.say(f"failed: {failure}")
    session.record.update(
        output=output,
        means=without_nan({dataset: result.means(dataset) for dataset in result.datasets}),
        rank_correlations={" and ".join(pair): value for pair, value in correlations.items()},
        failures=failures,
    )
    session.exit_code = 1 if failures else 0


def _correlations(result: Evaluation) -> dict[tuple[str, str], float]:
    """How alike the methods' order is on every two data sets."""
    found = {}
    for first, second in combinations(result.datasets, 2):
        with suppress(DatasetError):  # too few methods
            found[first, second] = result.rank_correlation(first, second)
    return found


@command(
    app,
    "compare",
    "trimatte compare before/results.json after/results.json",
    "trimatte compare a/results.json b/results.json --measure mse --fail-if-worse",
)
@click.argument("before")
@click.argument("after")
@click.option(
    "--measure",
    type=click.Choice(["sad", "mse", "mad", "rmse", "gradient", "connectivity", "seconds", "peak_bytes"]),
    default="sad",
    show_default=True,
)
@click.option("--fail-if-worse", is_flag=True, help="Exit code 1 if anything is worse by more than noise.")
def compare(session: Session, before: str, after: str, measure: str, fail_if_worse: bool) -> None:
    """Say what changed, and whether it is more than noise.

    BEFORE and AFTER are results.json of two evaluations. Samples are paired; the interval is
    that of a paired bootstrap over them.
    """
    from dataclasses import asdict

    from ..evaluation import Evaluation
    from ..evaluation import compare as compared

    changes = compared(Evaluation.from_json(before), Evaluation.from_json(after), measure=measure)
    for change in changes:
        session.say(str(change))
    session.record["changes"] = [asdict(change) for change in changes]
    if fail_if_worse and any(change.verdict == "worse" for change in changes):
        session.exit_code = 1
