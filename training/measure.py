"""Measure methods on fresh composites, which no training and no choice has seen.

    python training/measure.py --folder build/training --output benchmarks/compare/results/composites.json

The scenes are made as those for training, with numbers from 900,000 on. Errors are the mean SAD
over the unknown pixels, in thousands, and the mean MSE.
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path

import numpy as np
from photographs import fetch
from PIL import Image
from scenes import make_scene

import trimatte as tm

FIRST = 900_000
METHODS = ("closed-form", "closed-form+composite-network", "closed-form+robust", "auto")


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where the photographs are kept")
    parser.add_argument("--scenes", type=int, default=40)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()

    warnings.simplefilter("ignore", tm.TrimatteWarning)
    files = sorted(photograph.path for photograph in fetch(options.folder / "photographs"))
    photographs = [np.asarray(Image.open(file).convert("RGB")) for file in files]
    rows = {}
    for number in range(FIRST, FIRST + options.scenes):
        scene = make_scene(number, photographs)
        unknown = scene.trimap == 128
        row = {}
        for method in METHODS:
            alpha = tm.estimate_alpha(scene.image, scene.trimap, method=method)
            row[method] = {
                "sad": round(tm.metrics.sad(alpha, scene.alpha, region=unknown), 4),
                "mse": round(tm.metrics.mse(alpha, scene.alpha, region=unknown), 6),
            }
        rows[str(number)] = row
        print(number, {method: errors["sad"] for method, errors in row.items()}, flush=True)
    mean = {
        method: {
            key: round(float(np.mean([row[method][key] for row in rows.values()])), 5) for key in ("sad", "mse")
        }
        for method in METHODS
    }
    print(json.dumps(mean, indent=1))
    if options.output:
        options.output.write_text(json.dumps({"mean": mean, "scenes": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
