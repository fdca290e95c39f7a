"""Check the error measures against their plain twins on real pictures, and time them.

    python benchmarks/metrics.py --folder alphamatting --output benchmarks/compare/results/metrics.json

`--folder` is one that `trimatte.datasets.folder` opens; each truth is measured against trimatte's closed-form
alpha. The time of each measure is the median of five runs on a rendered matte of 8 megapixels with
noise, in which all pixels count.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

import trimatte as tm

sys.path.insert(0, str(Path(__file__).parent / "compare"))
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import machine
from reference import metrics as reference


def differences(dataset):
    """Return, for each sample, the results of each measure and its twin and their difference."""
    rows = {}
    for sample in dataset:
        truth, region = sample.truth / 255, sample.trimap == 128
        alpha = tm.estimate_alpha(sample.image, sample.trimap, method="closed-form").astype(np.float64)
        found = tm.metrics.evaluate(alpha, truth, sample.trimap)
        difference = (alpha - truth)[region]
        twins = {
            "sad": np.abs(difference).sum() / 1000,
            "mse": (difference**2).mean(),
            "gradient": reference.gradient(alpha, truth, region),
            "connectivity": reference.connectivity(alpha, truth, region),
        }
        rows[sample.name] = {
            name: {"value": getattr(found, name), "difference": float(abs(getattr(found, name) - twin))}
            for name, twin in twins.items()
        }
    return rows


def seconds(height=2300, width=3500):
    truth = tm.datasets.hair(height, width).alpha.astype(np.float64)
    alpha = np.clip(truth + 0.1 * np.random.default_rng(0).standard_normal(truth.shape), 0, 1)
    table = {}
    for name in ("sad", "mse", "gradient", "connectivity", "evaluate"):
        times = []
        for _ in range(5):
            start = time.perf_counter()
            getattr(tm.metrics, name)(alpha, truth)
            times.append(time.perf_counter() - start)
        table[name] = round(float(np.median(times)), 3)
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    rows = differences(tm.datasets.folder(options.folder))
    worst = {name: max(row[name]["difference"] for row in rows.values()) for name in next(iter(rows.values()))}
    times = seconds()
    print(f"largest difference to the twins over {len(rows)} pictures: {worst}")
    print(f"seconds for 8 megapixels: {times}")
    if options.output:
        record = {"machine": machine.machine(), "largest": worst, "pictures": rows, "seconds": times}
        options.output.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
