"""One item from files to files, in whatever process it runs."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from .. import _core
from .._deep import use_threads
from .._files import size_of, state_of
from .._picture_read import read_guide, read_opaque, read_single
from .._picture_write import Output, check_folder, save_pictures
from .._results import Results
from ..alpha import solve_alpha
from ..errors import TrimatteError
from ..foreground import estimate_foreground
from ..mask import MASK_WEIGHT, solve_from_mask
from ._jobs import KINDS, Job, place_of

Pixels = npt.NDArray[Any]


@dataclass(frozen=True)
class Task:
    """A job and how it is run.

    Attributes
    ----------
    job : Job
        What is to be done.
    threads : int
        How many it may use.
    mark : str
        In the names of temporary files.
    bits : int or None
        Per sample of what is written; None: as the picture has.
    """

    job: Job
    threads: int
    mark: str
    bits: int | None = None


@dataclass
class _Clock:
    """Seconds of each phase."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 4)


def state(job: Job, bits: int | None) -> str:
    """Say what the outputs depend on: the inputs as they are now, the options, the version. Raises OSError."""
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
    clock = _Clock()
    heard: list[str] = []
    try:
        use_threads(task.threads)
        record["state"] = state(job, task.bits)
        with _listening(heard):
            _do(task, record, clock)
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
    return {**record, "warnings": heard, "seconds": clock.seconds, "process": os.getpid()}


@contextmanager
def _listening(heard: list[str]) -> Iterator[None]:
    """Collect warnings. In another than the main thread they pass: the filters belong to the whole process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            heard += [" ".join(str(warning.message).split()) for warning in caught]


def _do(task: Task, record: dict[str, Any], clock: _Clock) -> None:
    job = task.job
    with clock.phase("read"):
        for path in job.outputs.values():
            check_folder(path)
        picture = read_opaque(job.image)
        pixels, options = picture.pixels, dict(job.options)
        space = options.setdefault("colour_space", picture.colour_space)
        guide = read_guide(job.trimap) if job.trimap is not None else read_single(job.inputs[1], "mask")
        results = Results(picture, space, task.bits)
        results.check((path, KINDS[kind]) for kind, path in job.outputs.items())
    with clock.phase("alpha"):
        if job.mask is None:
            alpha, info = solve_alpha(pixels, guide, threads=task.threads, **options)
        else:
            of_mask = {"band": None, "threshold": 0.5, "learn": True, "seed": 0}
            alpha, info = solve_from_mask(
                pixels, guide, mask_weight=MASK_WEIGHT, threads=task.threads, **{**of_mask, **options}
            )
    record.update(height=pixels.shape[0], width=pixels.shape[1], alpha=info.as_dict())
    foreground = None
    if set(job.outputs) != {"alpha"}:
        with clock.phase("foreground"):
            foreground = estimate_foreground(pixels, alpha, colour_space=space, threads=task.threads).foreground
    with clock.phase("write"):
        outputs = [_output(results, kind, path, alpha, foreground) for kind, path in job.outputs.items()]
        save_pictures(outputs, mark=task.mark, durable=True)


def _output(results: Results, kind: str, path: str, alpha: Pixels, foreground: Pixels | None) -> Output:
    if kind == "alpha":
        return results.alpha(path, alpha)
    assert foreground is not None
    if kind == "cutout":
        return results.cutout(path, foreground, alpha)
    return results.colours(path, foreground)
