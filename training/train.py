"""Train a fusion network, from photographs in packages to the file of weights that is shipped.

    python training/train.py --folder build/training --output python/trimatte/priors

With `--task background` it trains the network of known backgrounds.

Everything that was made before is kept in the folder: photographs, scenes, and the state of the
network every 500 steps. The same options give the same bits on one machine.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from fit import BATCH, CROP, Example, fit, load, mean_of
from generate import generate
from network import Network
from photographs import fetch
from tasks import TASKS, Course, Layout
from weights import write_weights

import trimatte as tm

SEEDS = (0, 7, 3)
"""What is added to the seed for each course."""


def main() -> None:
    """Train as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where everything is kept")
    parser.add_argument("--output", type=Path, required=True, help="the folder for the file of weights")
    parser.add_argument(
        "--task", choices=TASKS, default="trimap", help="what is given: a trimap, or the background"
    )
    parser.add_argument("--scenes", type=int, help="the number of scenes, if it is not the task's")
    parser.add_argument("--steps", type=int, nargs="+", help="of each course")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2, help="processes that make scenes")
    options = parser.parse_args()

    start = time.monotonic()
    task = TASKS[options.task]
    folder = options.folder / options.task
    photographs = sorted(photograph.path for photograph in fetch(options.folder / "photographs"))
    numbers = range(options.scenes or task.scenes)
    files = generate(options.task, numbers, photographs, folder, options.processes)
    examples = load(files, task)
    torch.set_num_threads(2)  # the bits depend on it
    steps = options.steps or [course.steps for course in task.courses]
    courses = [course._replace(steps=n) for course, n in zip(task.courses, steps, strict=True)]
    networks = fit_all(examples, courses, task.layout, options.seed, folder)
    record = {
        "maps_version": task.maps_version,
        "seed": options.seed,
        "courses": [course._asdict() for course in courses],
        "scenes": len(files),
        "scenes_taken": len(examples),
        "photographs": len(photographs),
        "crop": CROP,
        "batch": BATCH,
        "hardest": task.hardest,
        "torch": torch.__version__,
        "trimatte": tm.__version__,
        "machine": platform.machine(),
        "minutes": round((time.monotonic() - start) / 60),
    }
    output = options.output / task.file
    write_weights(networks[-2:], record, output)
    print(f"{output}: written, {record}")


def fit_all(
    examples: Sequence[Example], courses: Sequence[Course], layout: Layout, seed: int, folder: Path
) -> list[Network]:
    """Train one course after another; a course begins with the mean of the two networks before it."""
    networks: list[Network] = []
    for course, added in zip(courses, SEEDS[: len(courses)], strict=True):
        before = networks[-2:]
        begin = mean_of(before[0], before[-1]) if before else None
        networks.append(fit(examples, course, layout, seed + added, folder, begin))
    return networks


if __name__ == "__main__":
    main()
