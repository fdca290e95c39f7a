"""Train the fusion network, from photographs in packages to the file of weights that is shipped.

    python training/train.py --folder build/training --output python/trimatte/priors/fusion.npz

Everything that was made before is kept in the folder: photographs, scenes, and the state of the
network every 500 steps. The same options give the same bits on one machine.
"""

from __future__ import annotations

import argparse
import platform
import time
from pathlib import Path

import torch
from fit import BATCH, CROP, FIRST, SECOND, THIRD, fit, load, mean_of
from generate import HARDEST, generate
from photographs import fetch
from weights import write_weights

import trimatte as tm


def main() -> None:
    """Train as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where everything is kept")
    parser.add_argument("--output", type=Path, required=True, help="the file of weights")
    parser.add_argument("--scenes", type=int, default=1_400)
    parser.add_argument("--steps", type=int, default=FIRST.steps, help="of the first course")
    parser.add_argument("--further-steps", type=int, default=SECOND.steps, help="of the second course")
    parser.add_argument("--last-steps", type=int, default=THIRD.steps, help="of the third course")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2, help="processes that make scenes")
    options = parser.parse_args()

    start = time.monotonic()
    photographs = sorted(photograph.path for photograph in fetch(options.folder / "photographs"))
    files = generate(range(options.scenes), photographs, options.folder / "scenes", options.processes)
    examples = load(files)
    torch.set_num_threads(2)  # the bits depend on it
    steps = options.steps, options.further_steps, options.last_steps
    courses = [course._replace(steps=n) for course, n in zip((FIRST, SECOND, THIRD), steps, strict=True)]
    first = fit(examples, courses[0], options.seed, options.folder)
    second = fit(examples, courses[1], options.seed + 7, options.folder, first)
    third = fit(examples, courses[2], options.seed + 3, options.folder, mean_of(first, second))
    record = {
        "seed": options.seed,
        "courses": [course._asdict() for course in courses],
        "scenes": len(files),
        "scenes_taken": len(examples),
        "photographs": len(photographs),
        "crop": CROP,
        "batch": BATCH,
        "hardest": HARDEST,
        "torch": torch.__version__,
        "trimatte": tm.__version__,
        "machine": platform.machine(),
        "minutes": round((time.monotonic() - start) / 60),
    }
    write_weights([second, third], record, options.output)
    print(f"{options.output}: written, {record}")


if __name__ == "__main__":
    main()
