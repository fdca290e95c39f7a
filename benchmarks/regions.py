"""Compares solving unknown regions that do not touch as one system and one after another.

    python benchmarks/regions.py --output benchmarks/compare/results/regions.json

Renders dandelions (noise 0.01) side by side, solves each picture in both ways, in turns, and
measures seconds and memory of the solve.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

import trimatte as tm
from trimatte import _regions

sys.path.insert(0, str(Path(__file__).parent / "compare"))
import machine

LEAST = {"together": 2**62, "apart": _regions._LEAST_UNKNOWN}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", default=["1:4", "4:4", "4:16", "16:4"], metavar="MEGAPIXELS:COPIES")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    rows = []
    print("| picture | unknown | seconds | memory of the solve |\n|---|---|---|---|")
    for case in options.cases:
        megapixels, copies = float(case.split(":")[0]), int(case.split(":")[1])
        height = round((megapixels / copies * 1e6 / 1.5) ** 0.5)
        scene = tm.datasets.dandelion(height, round(1.5 * height), noise=0.01)
        image = np.concatenate([np.round(scene.image * 255).astype(np.uint8)] * copies, axis=1)
        trimap = np.concatenate([scene.trimap] * copies, axis=1)
        seconds = {way: [] for way in LEAST}
        peak, iterations = {}, {}
        for _ in range(options.repeat):
            for way, least in LEAST.items():
                _regions._LEAST_UNKNOWN = least
                start = time.perf_counter()
                info = tm.solve_alpha(image, trimap).info
                seconds[way].append(time.perf_counter() - start)
                peak[way], iterations[way] = info.peak_bytes, info.iterations
        median = {way: statistics.median(times) for way, times in seconds.items()}
        rows.append(
            {
                "megapixels": megapixels,
                "regions": copies,
                "unknown": info.unknowns,
                "seconds": seconds,
                "iterations": iterations,
                "peak_bytes": peak,
            }
        )
        print(
            f"| {megapixels:g} MP, {copies} regions | {info.unknowns / 1e3:.0f}k "
            f"| {median['together']:.2f} -> {median['apart']:.2f} "
            f"| {peak['together'] / 1e6:.0f} -> {peak['apart'] / 1e6:.0f} MB |",
            flush=True,
        )
    if options.output:
        options.output.write_text(json.dumps({"machine": machine.machine(), "cases": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
