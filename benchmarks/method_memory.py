"""Measure the peak memory of every method, per unknown pixel. On systems other than Linux every number is 0.

    python benchmarks/method_memory.py --megapixels 1 9 --output benchmarks/compare/results/memory.json
    python benchmarks/method_memory.py --image photo.png --trimap trimap.png --methods closed-form best

The methods are those of trimatte's tables: affinities, priors, "best" and "foreground NAME", and
closed-form matting with larger windows. Each is measured in a process of its own, after a solve of
a small picture. The peak is what the call adds to the memory of a process that holds an image of 8
bits and its trimap; alpha and layers that are returned count. A call that takes longer than
`--limit` seconds is stopped.
"""

import argparse
import datetime
import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import memory
import method_names
import numpy as np
from time_limit import TooLong, time_limit

import trimatte as tm

sys.path.insert(0, str(Path(__file__).parent / "compare"))
import pictures


def call(method, image, trimap, alpha):
    """Run a method; return the core's own count of its arrays, or None."""
    if method.startswith("foreground "):
        method_names.foreground(image, alpha, method.partition(" ")[2])
        return None
    return tm.solve_alpha(image, trimap, **method_names.parsed(method)).info.peak_bytes


def measure_here(method, path):
    """Measure one call in this process, and print the result as JSON."""
    small = tm.datasets.hair(96, 96)
    warnings.simplefilter("ignore")  # regions that touch known pixels of one kind
    with np.load(path) as stored:
        image, trimap, alpha = (stored[name] for name in ("image", "trimap", "alpha"))
        limit = float(stored["limit"])
    try:
        call(method, small.image, small.trimap, small.alpha)
        before = memory.start_peak()
        start = time.perf_counter()
        with time_limit(limit):
            own = call(method, image, trimap, alpha)
    except TooLong:
        row = {"more_than": limit}
    except (ValueError, tm.TrimatteError, MemoryError) as error:
        row = {"failure": f"{type(error).__name__}: {error}"}
    else:
        seconds = time.perf_counter() - start
        row = {"peak_bytes": max(0, memory.peak() - before), "core_bytes": own, "seconds": round(seconds, 3)}
    print(json.dumps(row))


def measure(method, path, unknown):
    """Measure one call in a new process."""
    command = [sys.executable, __file__, "--inside", method, str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    row = (
        json.loads(done.stdout)
        if done.returncode == 0
        else {"failure": f"the process ended with {done.returncode}"}
    )
    if "peak_bytes" in row:
        row["bytes_per_unknown"] = round(row["peak_bytes"] / unknown, 1)
    return row


def measured_pictures(options):
    """Yield (description, image, trimap, alpha) in 8 bits."""
    photographs = pictures.files(zip(options.image, options.trimap, strict=True), [1.0])
    scenes = pictures.scenes([] if options.image else options.megapixels, options.noise, options.scene)
    for about, arrays in (item for kind in (scenes, photographs) for item in kind):
        image, trimap = (np.round(arrays[name] * 255).astype(np.uint8) for name in ("image", "trimap"))
        alpha = (
            arrays["alpha"].astype(np.float32)
            if "alpha" in arrays
            else tm.estimate_alpha(image, trimap, method="closed-form")
        )
        yield about, image, trimap, alpha


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scene", nargs="+", default=["hair"])
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1, 9], help="sizes of the scenes")
    parser.add_argument("--noise", type=float, default=0.01, help="standard deviation of the scenes' noise")
    parser.add_argument("--image", action="append", default=[], help="a photograph instead; repeatable")
    parser.add_argument("--trimap", action="append", default=[], help="trimap of each image")
    parser.add_argument("--methods", nargs="+", help="default: all")
    parser.add_argument("--limit", type=float, default=120, help="most seconds of a call")
    parser.add_argument("--output", type=Path, help="write the results as JSON")
    parser.add_argument("--inside", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    options = arguments()
    if options.inside:
        measure_here(*options.inside)
        return
    all_methods = [
        *tm.methods.names(),
        *method_names.RADII,
        *(f"foreground {name}" for name in method_names.foregrounds()),
    ]
    rows = []
    for about, image, trimap, alpha in measured_pictures(options):
        unknown = int(((trimap > 25) & (trimap < 230)).sum())
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "arrays.npz"
            np.savez(path, image=image, trimap=trimap, alpha=alpha, limit=options.limit)
            for method in options.methods or all_methods:
                row = measure(method, path, unknown)
                rows.append(
                    {**about, "megapixels": trimap.size / 1e6, "unknown": unknown, "method": method, **row}
                )
                print(json.dumps(rows[-1]), flush=True)
        if options.output:
            record = {"date": datetime.date.today().isoformat(), "rows": rows}
            options.output.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
