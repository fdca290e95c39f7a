"""Scenes, their maps and their weights, kept in files: what a training reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
from maps import ask, make_maps
from PIL import Image
from scenes import make_scene

HARDEST = 0.2
"""Scenes in which closed-form with the composite network has a larger mean error are left out."""

_photographs: list[npt.NDArray[np.uint8]] = []


def _load_photographs(files: Sequence[Path]) -> None:
    _photographs[:] = [np.asarray(Image.open(file).convert("RGB")) for file in files]


def _generate(task: tuple[int, Path]) -> str:
    number, file = task
    if not file.exists():
        scene = make_scene(number, _photographs)
        unknown = scene.trimap == 128
        maps = make_maps(scene.image, scene.trimap, answers := ask(scene.image, scene.trimap, seed=number))
        error = float(np.abs(answers.refined - scene.alpha)[unknown].mean()) if unknown.any() else 1.0
        record = {"number": number, "error": error, "textured": scene.textured, "unknown": int(unknown.sum())}
        new = file.with_name(f"new-{file.name}")
        np.savez(
            new,
            maps=maps.astype(np.float16),
            truth=scene.alpha,
            image=scene.image,
            trimap=scene.trimap,
            record=json.dumps(record),
        )
        new.rename(file)
    return str(file)


def generate(numbers: Sequence[int], photographs: Sequence[Path], folder: Path, processes: int) -> list[Path]:
    """Make the scenes of these numbers that are not in the folder yet.

    Parameters
    ----------
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
    tasks = [(number, folder / f"{number:06d}.npz") for number in numbers]
    with ProcessPoolExecutor(processes, get_context("spawn"), _load_photographs, (photographs,)) as pool:
        for done, _ in enumerate(pool.map(_generate, tasks), 1):
            if done % 50 == 0:
                print(f"scenes: {done} of {len(tasks)}", flush=True)
    return [file for _, file in tasks]
