"""Compares a picture of several unknown regions that do not touch with a picture of one of them.

    python benchmarks/regions.py --output benchmarks/compare/results/regions.json

Renders a dandelion (noise 0.01) and puts copies of it side by side. The picture of one dandelion and
that of all of them are solved in turns; seconds and memory of the solve are measured. The seconds
of the larger picture are compared with those that its regions would take one by one: the number of
copies times the seconds of one.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

import trimatte as tm

sys.path.insert(0, str(Path(__file__).parent / "compare"))
import machine


def pictures(megapixels, copies):
    """Return image and trimap of one dandelion, and those of all copies side by side, by name."""
    height = round((megapixels / copies * 1e6 / 1.5) ** 0.5)
    scene = tm.datasets.dandelion(height, round(1.5 * height), noise=0.01)
    image = np.round(scene.image * 255).astype(np.uint8)
    planes = image, scene.trimap
    return {"one": planes, "all": tuple(np.concatenate([plane] * copies, axis=1) for plane in planes)}


def measure(megapixels, copies, repeat):
    """Return sizes, seconds and memory of both solves."""
    seconds, infos = {"one": [], "all": []}, {}
    named = pictures(megapixels, copies)
    for _ in range(repeat):
        for name, (image, trimap) in named.items():
            start = time.perf_counter()
            infos[name] = tm.solve_alpha(image, trimap, method="closed-form").info
            seconds[name].append(time.perf_counter() - start)
    return {
        "megapixels": megapixels,
        "copies": copies,
        "unknown": infos["all"].unknowns,
        "regions": dict(infos["all"].regions),
        "seconds": seconds,
        "iterations": {name: info.iterations for name, info in infos.items()},
        "peak_bytes": {name: info.peak_bytes for name, info in infos.items()},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", default=["1:4", "4:4", "4:16", "16:4"], metavar="MEGAPIXELS:COPIES")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    rows = []
    print("| picture | unknown | regions | seconds, one by one -> in one picture | memory, one -> all |")
    print("|---|---|---|---|---|")
    for case in options.cases:
        megapixels, copies = case.split(":")
        row = measure(float(megapixels), int(copies), options.repeat)
        rows.append(row)
        one, all_of_them = (statistics.median(row["seconds"][name]) for name in ("one", "all"))
        memory = {name: number / 1e6 for name, number in row["peak_bytes"].items()}
        print(
            f"| {row['megapixels']:g} MP, {row['copies']} dandelions | {row['unknown'] / 1e3:.0f}k "
            f"| {', '.join(f'{count} {name}' for name, count in row['regions'].items())} "
            f"| {row['copies'] * one:.2f} -> {all_of_them:.2f} | {memory['one']:.0f} -> {memory['all']:.0f} MB |",
            flush=True,
        )
    if options.output:
        options.output.write_text(json.dumps({"machine": machine.machine(), "cases": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
