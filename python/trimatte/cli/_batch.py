"""``trimatte batch``."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from .. import batch as batches
from ..errors import BatchError
from ..io.names import is_url
from ._app import app
from ._options import bits_option, colours_option, finish_options, mask_options, solve_options
from ._session import Session, command, tell

TRIMAPS_HELP = "Where the trimaps are: 'trimaps/{stem}.png'."
MASKS_HELP = "Instead: rough masks, as for 'trimatte refine'."
OUTPUT_HELP = "What to call the results: 'out/{stem}.png'. Folders are made. See above."
WHAT_HELP = "cutout, alpha or foreground; may be repeated. [default: cutout]"
MANIFEST_HELP = "Take the jobs from a CSV file or JSON lines instead."
LOG_HELP = "One JSON record per item. [default: batch.jsonl where the outputs go]"
PROCESSES_HELP = "Items side by side. [default: one per CPU]"
MEMORY_HELP = "What items side by side may take: 8G, 500M. [default: what the container has left]"
RETRY_HELP = "Run only what has failed."
DASK_HELP = "Run on the workers of a Dask scheduler, tcp://host:8786."
# Without a terminal, a line at most this often.
_LINE_SECONDS = 10.0


def parsed_bytes(text: str, switch: str = "--memory") -> int:
    """Return the bytes that ``8G``, ``500M`` or ``1.5GB`` mean; GiB is a power of 1024."""
    match = re.fullmatch(r"([0-9]*\.?[0-9]+)\s*(?:([kMGT])(i?))?B?", text.strip(), re.IGNORECASE)
    if match is None:
        raise click.UsageError(f"{switch}: expected a size such as 8G or 500M, got {text!r}")
    power = 1 + "kmgt".index(match[2].lower()) if match[2] else 0
    return int(float(match[1]) * (1024 if match[3] else 1000) ** power)


@command(
    app,
    "batch",
    "trimatte batch 'in/*.jpg' --trimaps 'tri/{stem}.png' -o 'out/{stem}.png'",
    "trimatte batch --manifest jobs.csv --log jobs.log --memory 8G",
    "trimatte batch 'in/*' --masks 'm/{stem}.png' -o '{what}/{stem}.png' \\",
    "    --what cutout --what alpha",
)
@click.argument("images", required=False)
@click.option("--trimaps", metavar="TEMPLATE", help=TRIMAPS_HELP)
@click.option("--masks", metavar="TEMPLATE", help=MASKS_HELP)
@click.option("--output", "-o", metavar="TEMPLATE", help=OUTPUT_HELP)
@click.option("--what", multiple=True, type=click.Choice(list(batches.KINDS)), metavar="KIND", help=WHAT_HELP)
@click.option("--manifest", metavar="FILE", help=MANIFEST_HELP)
@click.option("--log", metavar="FILE", help=LOG_HELP)
@click.option("--processes", type=click.IntRange(1, 4096), metavar="N", help=PROCESSES_HELP)
@click.option("--memory", metavar="SIZE", help=MEMORY_HELP)
@bits_option
@click.option("--retry-failed", is_flag=True, help=RETRY_HELP)
@click.option("--resume/--anew", default=True, help="Leave out what the log says is done. [default: resume]")
@click.option("--dask", metavar="ADDRESS", help=DASK_HELP)
@finish_options(packed=False)
@colours_option
@mask_options
@solve_options
def batch(
    session: Session,
    images: str | None,
    trimaps: str | None,
    masks: str | None,
    output: str | None,
    what: tuple[str, ...],
    manifest: str | None,
    log: str | None,
    processes: int | None,
    memory: str | None,
    bits: int | None,
    retry_failed: bool,
    resume: bool,
    dask: str | None,
    **options: Any,
) -> None:
    """Matte many pictures, side by side.

    IMAGES is a pattern. In templates {stem} is a picture's name without its ending, {name} its
    name, {folder} the folder it is in below the pattern's fixed part, {what} the kind of output.

    A bad picture never stops the others: it is in the log, and the exit code is 1. Started
    again, only what is missing is done; results are never half-written. A manifest has columns
    image, trimap or mask, and cutout (or output), alpha, foreground; others are the options
    from --levels to --colour-space below, such as specks, threshold or known_weight. Those from
    --band to --learn are for masks.
    """
    if threading.current_thread() is threading.main_thread():
        # The process ends at once; the next run removes what it leaves behind.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    given = {name: value for name, value in options.items() if value is not None}
    jobs = _jobs(images, trimaps, masks, output, what, manifest, given)
    _make_folders(jobs)
    limit = None if memory is None else parsed_bytes(memory)
    with _executor(dask) as (executor, alive), _reporter(session, len(jobs)) as report:
        summary = batches.run(
            jobs,
            log=log or _default_log(jobs),
            executor=executor,
            processes=processes,
            threads=session.threads,
            memory=limit,
            bits=bits,
            resume=resume,
            only_failed=retry_failed,
            progress=report,
            alive=alive,
        )
    rate = f", {summary.done / summary.seconds:.2f} a second" if summary.done else ""
    skipped = f", {summary.skipped} {'left out' if retry_failed else 'done before'}" if summary.skipped else ""
    session.say(f"{summary.done} done, {summary.failed} failed{skipped}, {summary.seconds:.1f} s{rate}")
    session.record.update(done=summary.done, failed=summary.failed, skipped=summary.skipped)
    session.exit_code = 1 if summary.failed else 0


def _jobs(
    images: str | None,
    trimaps: str | None,
    masks: str | None,
    output: str | None,
    what: tuple[str, ...],
    manifest: str | None,
    options: dict[str, Any],
) -> list[batches.Job]:
    if manifest is not None:
        others = {"IMAGES": images, "--trimaps": trimaps, "--masks": masks, "--output": output, "--what": what}
        for name, value in others.items():
            if value:
                raise click.UsageError(f"{name}: not with --manifest")
        return batches.jobs_from_manifest(manifest, options=options)
    if images is None or output is None:
        raise click.UsageError("expected IMAGES and --output, or --manifest")
    if (trimaps is None) == (masks is None):
        raise click.UsageError("expected --trimaps or --masks, one of the two")
    return batches.jobs_from_files(
        images, output, trimaps=trimaps, masks=masks, what=what or ("cutout",), options=options
    )


def _folders(jobs: list[batches.Job]) -> list[str]:
    paths = (path for job in jobs for path in job.outputs.values() if not is_url(path))
    return sorted({os.path.dirname(path) or "." for path in paths})


def _make_folders(jobs: list[batches.Job]) -> None:
    for folder in _folders(jobs):
        os.makedirs(folder, exist_ok=True)


def _default_log(jobs: list[batches.Job]) -> str:
    folders = _folders(jobs)
    shared = os.path.commonpath([os.path.abspath(folder) for folder in folders]) if folders else "."
    here = os.path.dirname(shared) == shared  # outputs all over the disk
    return os.path.join("." if here else os.path.relpath(shared), "batch.jsonl")


@contextmanager
def _executor(address: str | None) -> Iterator[tuple[Any, Callable[[], bool] | None]]:
    """Give Dask's executor, and whether its scheduler still answers."""
    if address is None:
        yield None, None
        return
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise click.UsageError('--dask needs dask.distributed: pip install "trimatte[dask]"') from error
    for name in ("distributed", "distributed.client", "tornado.application", "asyncio"):
        # A scheduler that goes away would give pages of tracebacks.
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=10)
    except OSError as error:
        raise BatchError(f"{address}: no scheduler answers") from error
    except ValueError as error:
        raise click.UsageError(f"--dask: expected an address such as tcp://host:8786, got {address!r}") from error
    with client:
        yield client.get_executor(retries=2), lambda: client.status == "running"


def _lines(record: dict[str, Any] | None, quiet: bool) -> list[str]:
    """Return what is said of an item that failed, or had warnings."""
    if record is None:
        return []

    def named(text: str) -> str:
        return text if text.startswith(record["image"]) else f"{record['image']}: {text}"

    lines = [] if quiet else [f"warning: {named(text)}" for text in record["warnings"]]
    return lines if record["error"] is None else [*lines, f"failed: {named(record['error'])}"]


@contextmanager
def _reporter(session: Session, total: int) -> Iterator[Callable[[batches.Status], None] | None]:
    """Show a bar on a terminal, else a line now and then; failures always, as they come."""
    if session.as_json:
        yield lambda status: tell(json.dumps(status.record, default=str)) if status.record else None
        return
    bar = session.bar
    last = time.monotonic()

    def report(status: batches.Status) -> None:
        nonlocal last
        finished = status.done + status.failed + status.skipped
        for line in _lines(status.record, session.quiet):
            bar.write(line) if bar is not None else click.echo(line, err=True)
        if bar is not None:
            failed = f", {status.failed} failed" if status.failed else ""
            bar.move(f"{finished} of {total} pictures{failed}", finished / max(total, 1))
        elif time.monotonic() - last >= _LINE_SECONDS and not session.quiet:
            last = time.monotonic()
            made = status.done + status.failed
            left = (total - finished) * status.seconds / made if made else 0.0
            counts = f"{finished} of {total}, {status.failed} failed"
            click.echo(f"{counts}, {made / status.seconds:.2f} a second, {left:.0f} s left", err=True)

    yield report
