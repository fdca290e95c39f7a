"""Check the promise: error of alpha against a reference; iterations, time and memory per unknown pixel.

    python benchmarks/promise.py --folder alphamatting                    # input/*.png with trimap1/ and trimap2/
    python benchmarks/promise.py --image photo.png --trimap trimap.png
    python benchmarks/promise.py --scene dandelion --megapixels 1 4 16 64 --reference none
    python benchmarks/promise.py --affinities all --folder alphamatting --repeat 1 --output promise_affinities.json

The reference is the direct solution of the same system up to `--direct-up-to` unknown pixels. Where
Cholesky refuses, is short of memory or takes longer than `--reference-limit` seconds, and above
that number, it is the solution of conjugate gradients without multigrid ("cg"), or else of the
method's own solver, at tolerances far below the promise; the results say which. Each affinity is
solved by its iterative solver, also where "auto" would factorise. With `--affinities`, it is solved
by "auto", too, and rows of other affinities stay in the output file. `peak` is the memory that a
solve adds to that of the picture and the trimap (Linux only). The exit code is 1 if an error is
above the tolerance, or if a solve fails.
"""

import argparse
import collections
import functools
import json
import sys
import time
import warnings
from pathlib import Path

import memory
import method_names
import numpy as np
from time_limit import TooLong, time_limit

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


@functools.cache
def iterative(affinity):
    """The iterative solver that fits an affinity: the first that does not refuse it."""
    scene = tm.datasets.hair(96, 96)
    for solver in ("multigrid", "graph-multigrid"):
        try:
            tm.estimate_alpha(scene.image, scene.trimap, solver=solver, **method_names.parsed(affinity))
        except ValueError:
            continue
        return solver
    return "auto"


class References:
    """Makes references; a solver that does not get there is not tried on larger systems."""

    def __init__(self, affinity, options):
        self._affinity, self._options = affinity, options
        tight = {"tolerance": 1e-6, "max_iterations": 100_000}
        self._attempts = {
            "cholesky": {},
            "cg": {"relative_residual": 1e-10, **tight},
            iterative(affinity): tight,
        }
        self._most = dict.fromkeys(self._attempts, float("inf"))
        self._most["cholesky"] = options.direct_up_to

    def make(self, image, trimap, unknowns):
        """Return alpha and the name of its solver; None for both if no solver got there."""
        for solver, arguments in self._attempts.items():
            if unknowns > self._most[solver]:
                continue
            try:
                with time_limit(self._options.reference_limit):
                    alpha = tm.estimate_alpha(
                        image,
                        trimap,
                        solver=solver,
                        threads=self._options.threads,
                        **arguments,
                        **method_names.parsed(self._affinity),
                    )
                return alpha, solver
            except (ValueError, tm.TrimatteError, TooLong, MemoryError):
                self._most[solver] = min(self._most[solver], unknowns - 1)
        return None, None


def solved(image, trimap, affinity, solver, options):
    """Return alpha and a row without its error; alpha is None if the solve failed."""
    seconds = []
    for _ in range(options.repeat):
        before = memory.start_peak()
        start = time.perf_counter()
        try:
            with time_limit(options.limit):
                alpha, info = tm.solve_alpha(
                    image,
                    trimap,
                    solver=solver,
                    tolerance=options.tolerance,
                    threads=options.threads,
                    **method_names.parsed(affinity),
                )
        except (ValueError, tm.TrimatteError, TooLong, MemoryError) as error:
            return None, {"failure": f"{type(error).__name__} {error}".strip()}
        seconds.append(time.perf_counter() - start)
        peak = max(0, memory.peak() - before)
    return alpha, {
        "unknowns": info.unknowns,
        "iterations": info.iterations,
        "seconds": min(seconds),
        "microseconds_per_unknown": 1e6 * min(seconds) / max(info.unknowns, 1),
        "solver_bytes_per_unknown": info.peak_bytes / max(info.unknowns, 1),
        "peak_bytes": peak,
        "phases": info.seconds,
    }


def measure(name, image, trimap, affinity, references, options):
    """Yield a row for each solver of one system."""
    exact = kind = None
    for solver in dict.fromkeys([iterative(affinity), *options.solvers]):
        alpha, row = solved(image, trimap, affinity, solver, options)
        if alpha is not None and exact is None and options.reference != "none":
            exact, kind = references.make(image, trimap, row["unknowns"])
        error = None if alpha is None or exact is None else float(abs(alpha - exact).max())
        yield {
            "picture": name,
            "megapixels": image.shape[0] * image.shape[1] / 1e6,
            "affinity": affinity,
            "solver": solver,
            "reference": kind,
            "error": error,
            **row,
        }


def line(row):
    head = f"{row['picture']:24} {row['affinity']:18} {row['solver']:15}"
    if "failure" in row:
        return f"{head} failed: {row['failure']}"
    error = "" if row["error"] is None else f"  error {row['error']:.1e} ({row['reference']})"
    return (
        f"{head} {row['unknowns']:9} unknown  {row['iterations']:4} iterations{error}  "
        f"{row['seconds']:8.3f} s  {row['microseconds_per_unknown']:6.2f} us  "
        f"{row['solver_bytes_per_unknown']:5.0f} bytes each, peak {row['peak_bytes'] / 1e6:.0f} MB"
    )


def summaries(rows):
    """For each affinity and solver: systems, failures, and the worst error."""
    found = []
    for affinity, solver in dict.fromkeys((row["affinity"], row["solver"]) for row in rows):
        mine = [row for row in rows if (row["affinity"], row["solver"]) == (affinity, solver)]
        errors = [row["error"] for row in mine if row["error"] is not None]
        iterations = [row["iterations"] for row in mine if "iterations" in row]
        references = collections.Counter(row["reference"] for row in mine if row["error"] is not None)
        found.append(
            {
                "affinity": affinity,
                "solver": solver,
                "systems": len(mine),
                "failures": sum("failure" in row for row in mine),
                "without_reference": sum("failure" not in row and row["error"] is None for row in mine),
                "worst_error": max(errors, default=None),
                "median_iterations": float(np.median(iterations)) if iterations else None,
                "most_iterations": max(iterations, default=None),
                "references": dict(references),
            }
        )
    return found


def earlier(options):
    """Rows that the output file has of affinities that are not measured now."""
    if not (options.output and options.output.exists()):
        return []
    rows = json.loads(options.output.read_text())["rows"]
    return [row for row in rows if row.get("affinity", options.affinities[0]) not in options.affinities]


def save(options, rows):
    """Write the results, one row a line."""
    lines = ",\n".join(json.dumps(shortened(row)) for row in rows)
    head = json.dumps({"tolerance": options.tolerance, "summaries": summaries(rows)}, indent=1)
    options.output.write_text(f'{head[:-2]},\n "rows": [\n{lines}\n]}}\n')


def shortened(row):
    """Numbers of a row with four digits."""
    if isinstance(row, dict):
        return {key: shortened(value) for key, value in row.items()}
    return float(f"{row:.4g}") if isinstance(row, float) else row


def kept(row, tolerance):
    return "failure" not in row and (row["error"] is None or row["error"] <= tolerance)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, nargs="+", default=[])
    parser.add_argument("--image", nargs="+", default=[])
    parser.add_argument("--trimap", nargs="+", default=[])
    parser.add_argument("--scene", nargs="+", default=[], choices=("dandelion", "hair", "net"))
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1.0])
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--tolerance", type=float, default=1e-3)
    parser.add_argument("--affinities", nargs="+", help='names, or "all"; default: closed-form')
    parser.add_argument("--reference", choices=("auto", "none"), default="auto")
    parser.add_argument("--direct-up-to", type=int, default=300000)
    parser.add_argument("--limit", type=float, default=60, help="most seconds of a solve")
    parser.add_argument("--reference-limit", type=float, default=15, help="most seconds of a solver as reference")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--output", type=Path, help="write the results as JSON")
    options = parser.parse_args()
    options.solvers = ["auto"] if options.affinities else []
    if options.affinities == ["all"]:
        options.affinities = [*method_names.affinities(), *method_names.RADII]
    options.affinities = options.affinities or ["closed-form"]

    warnings.simplefilter("ignore", tm.TrimatteWarning)  # regions that touch known pixels of one kind
    rows = earlier(options)
    references = {affinity: References(affinity, options) for affinity in options.affinities}
    for name, image, trimap in pictures(options):
        for affinity in options.affinities:
            for row in measure(name, image, trimap, affinity, references[affinity], options):
                rows.append(row)
                print(line(row), flush=True)
        if options.output:  # after each picture: a long run that is stopped leaves what it has
            save(options, rows)
    if not rows:
        parser.error("nothing to measure: give --folder, --image or --scene")
    for found in summaries(rows):
        print(found)
    return int(not all(kept(row, options.tolerance) for row in rows))


if __name__ == "__main__":
    sys.exit(main())
