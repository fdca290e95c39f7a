"""``trimatte evaluate`` and ``compare``."""

from __future__ import annotations

import glob
import os
from contextlib import suppress
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import datasets
from ..datasets import Dataset
from ..datasets._files import LAYOUTS
from ..errors import DatasetError
from ..evaluation._records import COMPARED, without_nan
from ..methods import BEST, DEFAULT
from ._app import app
from ._session import Session, command

if TYPE_CHECKING:
    from ..evaluation import Evaluation

METHOD_HELP = f"What to measure; may be repeated. [default: {DEFAULT}, {BEST}]"
LAYOUT_HELP = f"Layout of folders: auto, {', '.join(LAYOUTS)}. [default: auto]"
TRIMAPS_HELP = "Which trimaps of an alphamatting.com folder; may be repeated. [default: Trimap1]"
TRUTHS_HELP = "With DATA a pattern of pictures: pattern of the true alphas, 'gt/*.png' or 'gt/{stem}_alpha.png'."
TRIMAP_FILES_HELP = "Likewise, of the trimaps. [default: made from the truth]"
MEASURE_HELP = f"{', '.join(COMPARED)}."
JOBS_HELP = "Samples side by side; seconds are worth comparing at 1 only. [default: 1]"
DEFAULT_METHODS = (DEFAULT, BEST)
REPORT_PACKAGES = ("jinja2", "matplotlib")


def _opened(data: tuple[str, ...], options: dict[str, Any]) -> list[Dataset]:
    """Return the data sets that the DATA arguments mean."""
    found: list[Dataset] = []
    patterns = folders = 0
    for item in data:
        if item == "scenes":
            height, width = options["scene_size"] or (400, 600)
            found.append(datasets.scenes(height=height, width=width))
        elif os.path.isdir(item):
            folders += 1
            layout, radius = options["layout"] or "auto", options["radius"]
            trimaps = options["trimaps"] or ("Trimap1",)
            opened = [datasets.folder(item, layout=layout, trimap=name, radius=radius) for name in trimaps]
            found += opened if len({d.name for d in opened}) == len(opened) else opened[:1]
        elif options["truths"] is None and not glob.has_magic(item):
            raise DatasetError(f"{item}: no such folder")
        elif options["truths"] is None:
            raise click.UsageError(f"{item}: a pattern of pictures needs --truths")
        elif os.path.isfile(item) and len(data) > 1:
            raise click.UsageError(f"{item}: is a file; quote a pattern, so that the shell leaves it alone")
        else:
            patterns += 1
            name = Path(item).absolute().parent.name or "files"
            truths, trimap_files = options["truths"], options["trimap_files"]
            found.append(datasets.files(item, truths, trimap_files, radius=options["radius"], name=name))
    unused = {
        "scene_size": "scenes" not in data,
        "layout": not folders,
        "trimaps": not folders,
        "truths": not patterns,
        "trimap_files": not patterns,
        "radius": not folders and not patterns,
    }
    for option, is_unused in unused.items():
        if is_unused and options[option] not in (None, ()):
            raise click.UsageError(f"--{option.replace('_', '-')}: nothing in DATA that it is for")
    return found


def _selected(found: list[Dataset], samples: tuple[str, ...]) -> list[Dataset]:
    """Return the samples of these names; each has to be in one of the data sets."""
    if not samples:
        return found
    for name in samples:
        if not any(name in dataset.names for dataset in found):
            raise DatasetError(f"no sample {name!r} in {', '.join(dataset.name for dataset in found)}")
    chosen = [dataset.select([name for name in samples if name in dataset.names]) for dataset in found]
    return [dataset for dataset in chosen if len(dataset)]


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
@click.option("--layout", type=click.Choice(["auto", *LAYOUTS]), metavar="NAME", help=LAYOUT_HELP)
@click.option("--trimaps", multiple=True, metavar="NAME", help=TRIMAPS_HELP)
@click.option("--truths", metavar="PATTERN", help=TRUTHS_HELP)
@click.option("--trimap-files", metavar="PATTERN", help=TRIMAP_FILES_HELP)
@click.option("--radius", type=click.FloatRange(0), metavar="N", help="Half the band of trimaps that are made.")
@click.option("--sample", "samples", multiple=True, metavar="NAME", help="Only these; may be repeated.")
@click.option("--scene-size", type=(int, int), metavar="H W", help="[default: 400 600]")
@click.option("--jobs", type=click.IntRange(1, 1024), default=1, metavar="N", help=JOBS_HELP)
@click.option("--resume/--anew", default=True, help="Keep what OUTPUT has already. [default: resume]")
@click.option("--report/--no-report", default=None, help="Write report.html. [default: if it can be]")
def evaluate(
    session: Session,
    data: tuple[str, ...],
    methods: tuple[str, ...],
    output: str,
    samples: tuple[str, ...],
    jobs: int,
    resume: bool,
    report: bool | None,
    **options: Any,
) -> None:
    """Measure methods on pictures whose alpha is known.

    DATA is 'scenes' (24 rendered samples), a folder (./scenes) laid out as alphamatting.com's
    training set, Composition-1k, AIM-500, P3M-500 or AM-2k, or a pattern of pictures with --truths.

    METHOD is one of trimatte's with a prior and options if wanted (best, closed-form+sampling,
    closed-form,epsilon=1e-5), package.module:function, called with image and trimap as floats
    in [0, 1], or a folder of finished alphas; NAME=METHOD gives it another name.

    FOLDER gets results.json, results.csv, the alphas, and report.html (which needs
    trimatte[report]). A run that was stopped goes on where it was. Files of an earlier run with
    other methods or samples are replaced; its records stay in records.jsonl, so that running them
    again is quick. If a method fails on a sample, that is recorded, and the exit code is 1.
    """
    from .. import evaluation

    missing = [name for name in REPORT_PACKAGES if find_spec(name) is None]
    if report and missing:
        raise click.UsageError(f'--report needs {", ".join(missing)}: pip install "trimatte[report]"')
    found = _selected(_opened(data, options), samples)

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
    type=click.Choice(COMPARED),
    metavar="NAME",
    help=MEASURE_HELP,
    default="sad",
    show_default=True,
)
@click.option("--fail-if-worse", is_flag=True, help="Exit code 1 if anything is worse by more than noise.")
def compare(session: Session, before: str, after: str, measure: str, fail_if_worse: bool) -> None:
    """Say what changed, and whether it is more than noise.

    BEFORE and AFTER are the folders, or results.json, of two evaluations. Samples are paired; the
    interval is that of a paired bootstrap over them.
    """
    from dataclasses import asdict

    from ..evaluation import Evaluation
    from ..evaluation import compare as compared

    first, second = Evaluation.from_json(before), Evaluation.from_json(after)
    changes = compared(first, second, measure=measure)
    for change in changes:
        session.say(str(change))
    for name, one, other in ((before, first, second), (after, second, first)):
        alone = [*set(one.datasets) - set(other.datasets), *set(one.methods) - set(other.methods)]
        if alone and not any("->" in change.method for change in changes):
            session.say(f"in {name} only: {', '.join(sorted(alone))}")
    session.record["changes"] = without_nan([asdict(change) for change in changes])
    if fail_if_worse and any(change.verdict == "worse" for change in changes):
        session.exit_code = 1
