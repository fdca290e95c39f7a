"""One item from files to files, in whatever process it runs."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .. import _core
from .._pipeline import Item, RoughMask, Run, Trimap, matte
from .._pipeline.finishing import OPTIONS as FINISHING
from .._pipeline.finishing import finishing_of
from ..errors import TrimatteError
from ..foreground import DEFAULT
from ..io.deep import use_threads
from ..io.names import place_of, size_of, state_of
from ._jobs import Job


@dataclass(frozen=True)
class Task:
    """A job and how it is run.

    Attributes
    ----------
    job : Job
        What is to be done.
    threads : int
        How many threads it may use.
    mark : str
        Part of the names of temporary files.
    bits : int or None
        Bits per sample of what is written; None stands for as many as the picture has.
    """

    job: Job
    threads: int
    mark: str
    bits: int | None = None


def state(job: Job, bits: int | None) -> str:
    """Say what the outputs depend on: the inputs as they are now, the options, the version.

    OSError is raised if an input is missing.
    """
    parts = {
        "inputs": [(place_of(path), state_of(path)) for path in job.inputs],
        "outputs": {kind: place_of(path) for kind, path in job.outputs.items()},
        "kind": "trimap" if job.mask is None else "mask",
        "options": {name: _digest(value) for name, value in job.options.items()},
        "bits": bits,
        "version": _core.__version__,
    }
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()[:16]


def _digest(value: object) -> object:
    """Return a number or a word as it is, and a digest of anything else: an array, a prior."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return hashlib.sha256(pickle.dumps(value)).hexdigest()


def work(task: Task) -> dict[str, Any]:
    """Do a job and return its record; what goes wrong is in the record."""
    job = task.job
    record: dict[str, Any] = {"image": job.image, "key": job.key, "outputs": {}, "error": None}
    run = Run(task.threads, record=record, mark=task.mark, durable=True)
    heard: list[str] = []
    try:
        use_threads(task.threads)
        record["state"] = state(job, task.bits)
        with _listening(heard):
            _do(task, run)
        record["outputs"] = {place_of(path): size_of(path) for path in job.outputs.values()}
    except MemoryError as error:
        record["error"] = f"not enough memory ({error})" if str(error) else "not enough memory"
    except FileNotFoundError as error:  # the systems' own words differ
        record["error"] = f"{error.filename}: no such file" if error.filename else str(error)
    except OSError as error:
        named = error.filename and error.strerror
        record["error"] = f"{error.filename}: {error.strerror}" if named else str(error)
    except (TrimatteError, ValueError, TypeError) as error:
        record["error"] = str(error)
    except Exception as error:
        record["error"] = f"{type(error).__name__}: {error}"
    finally:
        use_threads(None)
    if record["error"] is not None:
        record["error"] = " ".join(record["error"].split())
    return {**record, "warnings": heard, "seconds": run.clock.seconds, "process": os.getpid()}


@contextmanager
def _listening(heard: list[str]) -> Iterator[None]:
    """Collect warnings.

    Outside the main thread they pass: the filters belong to the whole process.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            heard += [" ".join(str(warning.message).split()) for warning in caught]


def _do(task: Task, run: Run) -> None:
    job, options = task.job, dict(task.job.options)
    space = options.pop("colour_space", None)
    colours = options.pop("foreground_method", DEFAULT)
    finishing = finishing_of({name: options.pop(name) for name in FINISHING if name in options})
    guide = Trimap(job.trimap, options=options) if job.mask is None else RoughMask(job.mask, options)
    matte(
        Item(job.image, guide, job.outputs, space, task.bits, foreground_method=colours, finishing=finishing), run
    )
