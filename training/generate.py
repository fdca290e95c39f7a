"""Scenes, their maps and their weights, kept in files: what a training reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from tasks import TASKS

_photographs: list[npt.NDArray[np.uint8]] = []


def _load_photographs(files: Sequence[Path]) -> None:
    _photographs[:] = [np.asarray(Image.open(file).convert("RGB")) for file in files]


def _generate(job: tuple[str, int, Path]) -> None:
    task, number, file = job
    if file.exists():
        return
    prepared = TASKS[task].prepare(number, _photographs)
    new = file.with_name(f"new-{file.name}")
    if prepared is None:
        np.savez(new, record=json.dumps({"number": number, "unknown": 0}))
    else:
        unknown = prepared.trimap == 128
        error = float(np.abs(prepared.refined - prepared.alpha)[unknown].mean()) if unknown.any() else 1.0
        record = {"number": number, "error": error, "textured": prepared.textured, "unknown": int(unknown.sum())}
        np.savez(
            new,
            maps=prepared.maps.astype(np.float16),
            truth=prepared.alpha,
            trimap=prepared.trimap,
            record=json.dumps(record),
        )
    new.rename(file)


def generate(
    task: str, numbers: Sequence[int], photographs: Sequence[Path], folder: Path, processes: int
) -> list[Path]:
    """Make the scenes of these numbers that are not in the folder yet.

    Parameters
    ----------
    task : str
        A name of `TASKS`.
    numbers : sequence of int
        Numbers of scenes.
    photographs : sequence of Path
        Files of photographs; their order counts.
    folder : Path
        Where the scenes lie, as NUMBER.npz.
    processes : int
        Number of processes.

    Returns
    -------
    list of Path
        The files, in the order of the numbers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [(task, number, folder / f"{number:06d}.npz") for number in numbers]
    with ProcessPoolExecutor(processes, get_context("spawn"), _load_photographs, (photographs,)) as pool:
        for done, _ in enumerate(pool.map(_generate, jobs), 1):
            if done % 50 == 0:
                print(f"scenes: {done} of {len(jobs)}", flush=True)
    return [file for *_, file in jobs]
