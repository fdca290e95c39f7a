"""Check multigrid's promise: error of alpha against a reference; iterations, time and memory per unknown pixel.

    python benchmarks/promise.py --folder alphamatting                    # input/*.png with trimap1/ and trimap2/
    python benchmarks/promise.py --image photo.png --trimap trimap.png
    python benchmarks/promise.py --scene dandelion --megapixels 1 4 16 64 --reference none

The reference is the direct solution up to `--direct-up-to` unknown pixels, and multigrid at a
tolerance of 1e-6 above that. `peak` is the memory that a solve adds to that of the picture and the
trimap (Linux only). The exit code is 1 if an error is above the tolerance.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import memory
import numpy as np

import trimatte as tm


def pictures(options):
    """Yield (name, image, trimap) of one picture after the other."""
    for folder in options.folder:
        for image in sorted((folder / "input").glob("*.png")):
            for name in ("trimap1", "trimap2"):
                trimap = tm.io.load_image(folder / name / image.name)
                yield f"{image.stem} {name}", tm.io.load_image(image), trimap
    for image, trimap in zip(options.image, options.trimap, strict=True):
        yield Path(image).name, tm.io.load_image(image), tm.io.load_image(trimap)
    for name in options.scene:
        for megapixels in options.megapixels:
            height = round((megapixels * 1e6 / 1.5) ** 0.5)
            scene = getattr(tm.datasets, name)(height, round(1.5 * height), noise=options.noise)
            yield f"{name} {megapixels:g} MP", scene.image, scene.trimap


def reference(image, trimap, unknowns, options):
    if options.reference == "none":
        return None
    if unknowns <= options.direct_up_to:
        return tm.estimate_alpha(image, trimap, solver="cholesky")
    return tm.estimate_alpha(image, trimap, solver="multigrid", tolerance=1e-6)


def measure(name, image, trimap, options):
    seconds = []
    for _ in range(options.repeat):
        before = memory.start_peak()
        start = time.perf_counter()
        alpha, info = tm.solve_alpha(
            image, trimap, solver="multigrid", tolerance=options.tolerance, threads=options.threads
        )
        seconds.append(time.perf_counter() - start)
        peak = max(0, memory.peak() - before)
    exact = reference(image, trimap, info.unknowns, options)
    return {
        "picture": name,
        "megapixels": image.shape[0] * image.shape[1] / 1e6,
        "unknowns": info.unknowns,
        "iterations": info.iterations,
        "error": None if exact is None else float(abs(alpha - exact).max()),
        "seconds": min(seconds),
        "microseconds_per_unknown": 1e6 * min(seconds) / info.unknowns,
        "solver_bytes_per_unknown": info.peak_bytes / info.unknowns,
        "peak_bytes": peak,
        "phases": info.seconds,
    }


def line(row):
    error = "" if row["error"] is None else f"  error {row['error']:.1e}"
    return (
        f"{row['picture']:24} {row['unknowns']:9} unknown  {row['iterations']:4} iterations{error}  "
        f"{row['seconds']:8.3f} s  {row['microseconds_per_unknown']:6.2f} us  "
        f"{row['solver_bytes_per_unknown']:5.0f} bytes each, peak {row['peak_bytes'] / 1e6:.0f} MB"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, nargs="+", default=[])
    parser.add_argument("--image", nargs="+", default=[])
    parser.add_argument("--trimap", nargs="+", default=[])
    parser.add_argument("--scene", nargs="+", default=[], choices=("dandelion", "hair", "net"))
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1.0])
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--tolerance", type=float, default=1e-3)
    parser.add_argument("--reference", choices=("auto", "none"), default="auto")
    parser.add_argument("--direct-up-to", type=int, default=300000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--output", type=Path, help="write the results as JSON")
    options = parser.parse_args()

    rows = []
    for name, image, trimap in pictures(options):
        rows.append(measure(name, image, trimap, options))
        print(line(rows[-1]), flush=True)
    if not rows:
        parser.error("nothing to measure: give --folder, --image or --scene")
    print(f"median of iterations: {np.median([row['iterations'] for row in rows]):g}")
    if options.output:
        options.output.write_text(json.dumps({"tolerance": options.tolerance, "rows": rows}, indent=1) + "\n")
    return int(any(row["error"] is not None and row["error"] > options.tolerance for row in rows))


if __name__ == "__main__":
    sys.exit(main())
