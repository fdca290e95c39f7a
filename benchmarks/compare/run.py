"""Measure trimatte beside other libraries: same arrays, one run, turn by turn.

    python benchmarks/compare/run.py                            # all tasks on rendered scenes
    python benchmarks/compare/run.py foreground --megapixels 4.8 --output results/foreground.json
    python benchmarks/compare/run.py alpha laplacian --image photo.png --trimap trimap.png

Each library lives in one process. Every task is run once to warm up (compilation, caches) and then `--repeat`
times, the libraries taking turns, so that a busy machine slows all of them. Times are medians; ratios are of
medians. All get the same float64 arrays. Peak memory is what a run adds to the process (Linux only).
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import tempfile
from pathlib import Path

import numpy as np
from peers import Peer

import trimatte as tm
from trimatte.versions import versions

ERRORS = ("mae", "mse", "weighted_mae", "weighted_mse", "max", "mean_unknown")
TASKS = ("foreground", "laplacian", "alpha")
SCENES = ("dandelion", "hair", "net")


def scenes(megapixels, noise):
    """Rendered pictures, 3:2, with exact answers."""
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    for name in SCENES:
        scene = getattr(tm.datasets, name)(height, round(1.5 * height), noise=noise)
        arrays = {
            "image": scene.image.astype(np.float64),
            "trimap": scene.trimap / 255,
            "alpha": scene.alpha.astype(np.float64),
            "foreground": scene.foreground.astype(np.float64),
        }
        yield f"{name} {height} x {round(1.5 * height)}", arrays


def files(image, trimap):
    """A picture and its trimap; the alpha for `foreground` is the one that trimatte finds."""
    arrays = {"image": tm.io.load_image(image) / 255, "trimap": tm.io.load_image(trimap) / 255}
    if arrays["trimap"].ndim == 3:
        arrays["trimap"] = np.ascontiguousarray(arrays["trimap"][..., 0])
    arrays["alpha"] = tm.estimate_alpha(arrays["image"], arrays["trimap"])
    yield Path(image).name, arrays


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


def alpha_error(found, direct):
    difference = abs(found - direct)
    return {"max": difference.max(), "mean_unknown": difference.sum() / max(1, np.count_nonzero(difference))}


def measure(peers, task, arrays, repeat):
    """Times, peaks and errors of one task on one picture, for each library."""
    runs = {peer.library: [] for peer in peers}
    rows = {}
    for turn in range(repeat + 1):
        for peer in peers:
            run = peer.run(task)
            if turn > 0:
                runs[peer.library].append(run)
    for peer in peers:
        mine = runs[peer.library]
        row = {
            "seconds": statistics.median(run["seconds"] for run in mine),
            "all_seconds": [round(run["seconds"], 5) for run in mine],
            "peak_bytes": max(run["peak_bytes"] for run in mine),
        }
        failed = [run["error"] for run in mine if "error" in run]
        if failed:
            row["failed"] = failed[0]
        elif task == "foreground":
            row.update(foreground_error(peer.result(), arrays))
        rows[peer.library] = row
    if task == "alpha":
        found = {peer.library: peer.result() for peer in peers if "failed" not in rows[peer.library]}
        ours = next(peer for peer in peers if peer.library == "trimatte")
        ours.run("alpha-direct")
        direct = ours.result()
        for library, alpha in found.items():
            rows[library].update(alpha_error(alpha, direct))
    return rows


def cpu_name():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def table(cases):
    lines = []
    for case in cases:
        lines.append(f"\n{case['task']}, {case['picture']}")
        for library, row in case["libraries"].items():
            ratio = row["seconds"] / case["libraries"]["trimatte"]["seconds"]
            errors = "  ".join(f"{key} {row[key]:.3g}" for key in ERRORS if key in row)
            lines.append(
                f"  {library:10} {row['seconds']:8.3f} s  {ratio:6.2f}x  {row['peak_bytes'] / 1e6:7.0f} MB  "
                + (row.get("failed") or errors)
            )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", help=f"of {', '.join(TASKS)}; default: all")
    parser.add_argument("--megapixels", type=float, nargs="+", default=[0.3])
    parser.add_argument("--noise", type=float, default=0.0, help="of the scenes, standard deviation")
    parser.add_argument("--image", help="measure on this file instead of the scenes")
    parser.add_argument("--trimap")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--output", type=Path, help="write the results as JSON")
    options = parser.parse_args()
    if unknown := set(options.tasks) - set(TASKS):
        parser.error(f"unknown task {', '.join(unknown)}")
    if options.image and not options.trimap:
        parser.error("--image needs --trimap")

    peers = [Peer("pymatting"), Peer("trimatte")]
    cases = []
    for megapixels in options.megapixels:
        pictures = files(options.image, options.trimap) if options.image else scenes(megapixels, options.noise)
        for name, arrays in pictures:
            with tempfile.TemporaryDirectory() as folder:
                np.savez(Path(folder) / "arrays.npz", **arrays)
                for peer in peers:
                    peer.load(Path(folder) / "arrays.npz")
            for task in options.tasks or TASKS:
                rows = measure(peers, task, arrays, options.repeat)
                cases.append({"task": task, "picture": name, "noise": options.noise, "libraries": rows})
                print(table(cases[-1:]), flush=True)
    results = {
        "date": datetime.date.today().isoformat(),
        "machine": {"cpu": cpu_name(), "cores": os.cpu_count(), **versions()},
        "import_seconds": {peer.library: round(peer.import_seconds, 3) for peer in peers},
        "cases": cases,
    }
    for peer in peers:
        peer.close()
    if options.output:
        options.output.write_text(json.dumps(results, indent=1, default=float) + "\n")


if __name__ == "__main__":
    main()
