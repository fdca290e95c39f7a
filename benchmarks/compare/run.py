"""Measure trimatte beside other libraries: same arrays, one run, turn by turn.

    python benchmarks/compare/run.py                            # all tasks on rendered scenes
    python benchmarks/compare/run.py foreground --megapixels 4.8 --output results/foreground.json
    python benchmarks/compare/run.py alpha --image photo.png --trimap trimap.png --enlarge 1 2 4
    python benchmarks/compare/run.py network --peers scikit-learn --megapixels 0.5 --noise 0.01

Each library lives in one process: trimatte, PyMatting, "plain-script", the short NumPy and SciPy script of
plain_script.py, and scikit-learn for the task "network": one pass of training over the known pixels' patches.
Every task is run once to warm up and then `--repeat` times, the libraries taking turns, so that a busy machine
slows all of them. Times are medians; ratios are of medians. All get the same float64 arrays. One that has used
`--budget` seconds on a case takes no more turns; `all_seconds` in the results shows how many it had. Peak memory
is what the first run adds to the process (Linux only); before it the allocator gives back what it keeps, and that
slows a run.

The error of alpha is the difference to a reference with exact known pixels, over the unknown pixels: trimatte's
direct solution (exactness.py compares that with SciPy's), or its multigrid with a tolerance of 1e-6 where the
direct one takes too long. The plain script solves the soft system with weight 100, so part of its error is the
difference between the two systems.

A library that fails, or whose process is killed, has the message as its result.
"""

import argparse
import datetime
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pictures
from machine import machine
from peers import Peer, import_seconds

import trimatte as tm

ERRORS = ("mae", "mse", "weighted_mae", "weighted_mse", "max", "mean")
INPUTS = {
    "foreground": ("image", "alpha"),
    "foreground-closed-form": ("image", "alpha"),
    "foreground-blur-fusion": ("image", "alpha"),
    "laplacian": ("image",),
    "alpha": ("image", "trimap"),
    "network": ("image", "trimap"),
}
DEFAULT_TASKS = ("foreground", "laplacian", "alpha")
PEERS = ("pymatting", "plain-script", "scikit-learn")
DEFAULT_PEERS = ("pymatting", "plain-script")
LIMITS = {"pymatting": 10.0, "plain-script": 0.5}
PAUSE = 0.2  # seconds between turns: worker threads of the library before (OpenBLAS) spin on for a while
DIRECT_UP_TO = 300_000  # unknown pixels; a million take a minute and gigabytes


def unknown_pixels(trimap):
    return (trimap > 0.1) & (trimap < 0.9)


def foreground_error(found, arrays):
    """Against the exact colours where both layers show, plain and weighted by alpha (what a composite shows)."""
    if "foreground" not in arrays:
        return {}
    alpha = arrays["alpha"]
    mixed = (alpha > 0) & (alpha < 1)
    difference = abs(found - arrays["foreground"])[mixed]
    weight = alpha[mixed][:, None]
    return {
        "mae": difference.mean(),
        "mse": (difference**2).mean(),
        "weighted_mae": (weight * difference).sum() / weight.sum() / difference.shape[1],
        "weighted_mse": (weight * difference**2).sum() / weight.sum() / difference.shape[1],
    }


def alpha_error(found, reference, unknown):
    difference = abs(found - reference)[unknown]
    return {"max": difference.max(initial=0), "mean": difference.mean() if difference.size else 0}


def reference_alpha(ours, path, kind, unknown):
    """The reference, None if it failed, and what the results say about it."""
    ours.load(path, INPUTS["alpha"])
    run = ours.run(f"alpha-{kind}")
    if "error" in run:
        return None, {"kind": kind, "failed": run["error"]}
    alpha = ours.result()
    about = {"kind": kind, "error_estimate": run["info"]["error_estimate"]}
    if kind == "direct" and "error" not in ours.run("alpha-tight"):
        about["difference_of_tight"] = alpha_error(ours.result(), alpha, unknown)["max"]
    return alpha, about


def take_turns(peers, task, path, options):
    """Runs of each library, the first for its memory; a library that failed has that one alone."""
    runs = {peer.library: [] for peer in peers}
    failed = {}
    for peer in peers:
        answer = peer.load(path, INPUTS[task])
        if "error" in answer:
            failed[peer.library] = [answer]
    for _ in range(options.repeat + 1):
        for peer in peers:
            mine = runs[peer.library]
            if peer.library in failed or sum(run["seconds"] for run in mine) > options.budget:
                continue
            time.sleep(PAUSE)
            run = peer.run(task, memory=not mine)
            if "error" in run:
                failed[peer.library] = [run]
            else:
                mine.append(run)
    return {library: failed.get(library) or mine for library, mine in runs.items()}


def summary(runs):
    if "error" in runs[0]:
        return {"failed": runs[0]["error"]}
    timed = [run["seconds"] for run in runs[1:] or runs]
    row = {
        "seconds": statistics.median(timed),
        "all_seconds": [round(seconds, 5) for seconds in timed],
        "peak_bytes": runs[0]["peak_bytes"],
    }
    if "info" in runs[0]:
        row["info"] = runs[-1]["info"]
    return row


def measure(peers, task, arrays, options):
    """A case of the results: times, peaks and errors of one task on one picture, for each library."""
    height, width = arrays["image"].shape[:2]
    unknown = unknown_pixels(arrays["trimap"])
    case = {"task": task, "height": height, "width": width, "unknown": int(unknown.sum())}
    able = [peer for peer in peers if task in peer.tasks]
    rows = {}
    for peer in able:
        limit = options.limit.get(peer.library, float("inf"))
        if round(height * width / 1e6, 2) > limit:
            rows[peer.library] = {"skipped": f"above its limit of {limit:g} megapixels"}
    taking_part = [peer for peer in able if peer.library not in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "arrays.npz"
        np.savez(path, **{name: arrays[name] for name in INPUTS[task]})
        runs = take_turns(taking_part, task, path, options)
        rows.update((library, summary(mine)) for library, mine in runs.items())
        done = [peer for peer in taking_part if "failed" not in rows[peer.library]]
        if task.startswith("foreground"):
            for peer in done:
                rows[peer.library].update(foreground_error(peer.result(), arrays))
        if task == "alpha":
            found = {peer.library: peer.result() for peer in done}
            kind = options.reference or ("direct" if case["unknown"] <= DIRECT_UP_TO else "tight")
            ours = next(peer for peer in peers if peer.library == "trimatte")
            reference, case["reference"] = reference_alpha(ours, path, kind, unknown)
            if reference is not None:
                for library, alpha in found.items():
                    rows[library].update(alpha_error(alpha, reference, unknown))
    case["libraries"] = {peer.library: rows[peer.library] for peer in able}
    return case


def table(case):
    size = f"{case['height']} x {case['width']}, {case['unknown']} unknown"
    lines = [f"\n{case['task']}, {case['picture']}, {size}"]
    base = case["libraries"].get("trimatte", {}).get("seconds")
    for library, row in case["libraries"].items():
        if "seconds" not in row:
            lines.append(f"  {library:12} {row.get('failed') or row['skipped']}")
            continue
        ratio = f"{row['seconds'] / base:6.2f}x" if base else " " * 7
        errors = "  ".join(f"{key} {row[key]:.3g}" for key in ERRORS if key in row)
        memory = f"{row['peak_bytes'] / 1e6:7.0f} MB"
        lines.append(f"  {library:12} {row['seconds']:8.3f} s  {ratio}  {memory}  {errors}")
    return "\n".join(lines)


def imports(library, *, first):
    """Later imports are measured first: the libraries' own caches are full by then."""
    seconds = {"later": statistics.median(import_seconds(library, first=False) for _ in range(3))}
    if first:
        seconds["first"] = import_seconds(library, first=True)
    return seconds


def library_and_limit(text):
    library, _, limit = text.partition("=")
    if library not in ("trimatte", *PEERS):
        raise argparse.ArgumentTypeError(f"expected LIBRARY=MEGAPIXELS, got {text}")
    return library, float(limit)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", help=f"of {', '.join(INPUTS)}; default: {DEFAULT_TASKS}")
    parser.add_argument("--megapixels", type=float, nargs="+", default=[0.1, 0.3, 1.0], help="of the scenes")
    parser.add_argument("--noise", type=float, default=0.0, help="of the scenes, standard deviation")
    parser.add_argument("--image", action="append", default=[], help="a file instead of the scenes; repeatable")
    parser.add_argument("--trimap", action="append", default=[], help="of the image; as many as there are images")
    parser.add_argument("--enlarge", type=float, nargs="+", default=[1.0], help="the files by these factors")
    parser.add_argument(
        "--peers", nargs="*", choices=PEERS, default=DEFAULT_PEERS, help=f"default: {DEFAULT_PEERS}"
    )
    parser.add_argument(
        "--limit",
        type=library_and_limit,
        action="append",
        default=[],
        metavar="LIBRARY=MEGAPIXELS",
        help=f"leave a library out of larger pictures; default: {LIMITS}",
    )
    parser.add_argument("--reference", choices=("direct", "tight"), help=f"default: direct up to {DIRECT_UP_TO}")
    parser.add_argument("--first-import", action="store_true", help="time it with empty caches (about a minute)")
    parser.add_argument("--threads", type=int, default=machine()["threads"], help="default: all cores")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--budget", type=float, default=60, help="seconds of a library on a case, see above")
    parser.add_argument("--output", type=Path, help="write the results as JSON")
    options = parser.parse_args()
    options.tasks = options.tasks or list(DEFAULT_TASKS)
    options.limit = {**LIMITS, **dict(options.limit)}
    if unknown := set(options.tasks) - set(INPUTS):
        parser.error(f"unknown task {', '.join(unknown)}")
    if len(options.image) != len(options.trimap):
        parser.error("each --image needs a --trimap")
    if options.repeat < 1:
        parser.error("--repeat: expected at least 1")
    return options


def main():
    options = arguments()
    peers = [Peer(library, options.threads) for library in (*options.peers, "trimatte")]
    results = {
        "date": datetime.date.today().isoformat(),
        "machine": {**machine(), "threads": options.threads},
        "versions": {peer.library: peer.versions for peer in peers},
        "import_seconds": {peer.library: imports(peer.library, first=options.first_import) for peer in peers},
        "cases": [],
    }
    print(json.dumps(results["import_seconds"]), flush=True)
    if options.image:
        measured = pictures.files(zip(options.image, options.trimap, strict=True), options.enlarge)
    else:
        measured = pictures.scenes(options.megapixels, options.noise)
    for description, arrays in measured:
        if "alpha" not in arrays and any(task.startswith("foreground") for task in options.tasks):
            arrays["alpha"] = tm.estimate_alpha(arrays["image"], arrays["trimap"], method="closed-form")
        for task in options.tasks:
            case = {**description, **measure(peers, task, arrays, options)}
            results["cases"].append(case)
            print(table(case), flush=True)
            if options.output:  # after each case: a long run that is stopped leaves what it has
                options.output.write_text(json.dumps(results, indent=1, default=float) + "\n")
    for peer in peers:
        peer.close()


if __name__ == "__main__":
    main()
