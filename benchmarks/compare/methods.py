"""Measure every method of trimatte beside the same method of PyMatting: same arrays, one run, turn by turn.

    python benchmarks/compare/methods.py --scene hair --megapixels 0.5 4.8 --output methods.json
    python benchmarks/compare/methods.py --image photo.png --trimap trimap.png --enlarge 1 4
    python benchmarks/compare/methods.py --methods knn "foreground closed-form" --output methods.json

Measured are all methods of trimatte that have a name, "closed-form+composite-network", closed-form
matting with larger windows, and the methods of the foreground. Both libraries have their default
options and all cores, and get the same float64 arrays. Each method runs once on a small picture
first, so that nothing is compiled or loaded later. Then the libraries take turns. Seconds are the
least of up to `--repeat` turns; a library that has used `--budget` seconds on a case takes no more
turns. Peak memory is what the first turn adds to the process (Linux only); before it the allocator
gives back what it keeps, so that turn's seconds count only if there is no other. A call that takes
longer than `--limit` seconds is stopped, and the result says "more_than".

Scenes have true alphas and colours. `sad` is the sum of absolute differences of alpha over the
unknown pixels, in thousands; `mae` and `weighted_mae` are mean absolute errors of the foreground's
colours where alpha is neither 0 nor 1, plain and weighted by alpha. The foreground's methods get
the true alpha of a scene, and closed-form matting's alpha of a photograph.

With `--output`, cases of the file that are not measured now stay in it.
"""

import argparse
import datetime
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import pictures
from machine import machine
from peers import Peer
from run import PAUSE, foreground_error, unknown_pixels

import trimatte as tm

SMALL = 0.03  # megapixels of the picture that warms up


def tasks(peers, wanted):
    """Names of the tasks, those of trimatte that PyMatting lacks included."""
    ours = next(peer for peer in peers if peer.library == "trimatte").tasks
    found = [task for task in ours if task.startswith(("alpha ", "foreground "))]
    unknown = [name for name in wanted if not any(name in (task, task.partition(" ")[2]) for task in found)]
    if unknown:
        raise SystemExit(f"--methods: expected some of {', '.join(found)}, got {', '.join(unknown)}")
    return [task for task in found if not wanted or task in wanted or task.partition(" ")[2] in wanted]


def inputs(task):
    return ("image", "trimap") if task.startswith("alpha ") else ("image", "alpha")


def timed_turns(able, task, path, options):
    """The answers of each library, in turns; one that fails or is stopped has no more of them."""
    runs = {peer.library: [] for peer in able}
    for turn in range(options.repeat):
        for peer in able:
            mine = runs[peer.library]
            if any("seconds" not in run for run in mine) or sum(r["seconds"] for r in mine) > options.budget:
                continue
            if turn == 0:
                peer.load(path, inputs(task))
            time.sleep(PAUSE)
            mine.append(peer.run(task, memory=turn == 0, limit=options.limit))
    return runs


def summary(runs):
    for run in runs:
        if "seconds" not in run:
            return run
    seconds = [round(run["seconds"], 4) for run in runs]
    row = {"seconds": min(seconds[1:] or seconds), "all_seconds": seconds, "peak_bytes": runs[0]["peak_bytes"]}
    if "info" in runs[0]:
        kept = ("solver", "iterations", "unknowns", "seconds", "peak_bytes")
        row["info"] = {key: runs[0]["info"].get(key) for key in kept}
    return row


def errors(task, found, arrays):
    """Errors against the truth, where there is one."""
    if task.startswith("foreground "):
        return foreground_error(found, arrays)
    if "foreground" not in arrays:  # a photograph
        return {}
    unknown = unknown_pixels(arrays["trimap"])
    difference = (found - arrays["alpha"])[unknown]
    return {"sad": abs(difference).sum() / 1000, "mse": (difference**2).mean()}


def measure(peers, task, arrays, options):
    """One task on one picture."""
    able = [peer for peer in peers if task in peer.tasks]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "arrays.npz"
        np.savez(path, **{name: arrays[name] for name in inputs(task)})
        rows = {library: summary(runs) for library, runs in timed_turns(able, task, path, options).items()}
        for peer in able:
            if "seconds" in rows[peer.library]:
                rows[peer.library].update(errors(task, peer.result(), arrays))
    return rows


def warm_up(peers, names):
    """Run every task on a small picture, so that compilers and caches are done."""
    ((_, arrays),) = pictures.scenes([SMALL], 0.01, ["hair"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "arrays.npz"
        np.savez(path, **{name: arrays[name] for name in ("image", "trimap", "alpha")})
        for peer in peers:
            for task in names:
                if task in peer.tasks:
                    peer.load(path, inputs(task))
                    peer.run(task)


def ratio(rows):
    """PyMatting's seconds as a multiple of trimatte's, at least if PyMatting was stopped; None without both."""
    ours, theirs = (rows.get(library, {}) for library in ("trimatte", "pymatting"))
    seconds = theirs.get("seconds", theirs.get("more_than"))
    return None if seconds is None or "seconds" not in ours else round(seconds / ours["seconds"], 2)


def line(case):
    size = f"{case['height'] * case['width'] / 1e6:.1f} MP"
    parts = [f"{case['picture']} {size:7} {case['task']:28}"]
    for library, row in case["libraries"].items():
        if "seconds" in row:
            error = "".join(f" {key} {row[key]:.3g}" for key in ("sad", "mae", "weighted_mae") if key in row)
            text = f"{row['seconds']:8.3f} s {row['peak_bytes'] / 1e6:6.0f} MB{error}"
        else:
            text = f"> {row['more_than']:g} s" if "more_than" in row else row["error"]
        parts.append(f"{library} {text}")
    return "  ".join([*parts, "" if case["ratio"] is None else f"{case['ratio']:.1f}x"])


def key(case):
    return (case["picture"], case.get("noise"), case.get("enlarged"), case["height"], case["task"])


def save(path, about, cases):
    """Write the results; cases of an earlier run that were not measured now stay."""
    old = json.loads(path.read_text())["cases"] if path.exists() else []
    measured = {key(case) for case in cases}
    kept = [case for case in old if key(case) not in measured]
    path.write_text(json.dumps({**about, "cases": [*kept, *cases]}, indent=1, default=float) + "\n")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scene", nargs="*", choices=pictures.SCENES, default=[])
    parser.add_argument("--megapixels", type=float, nargs="+", default=[0.5, 4.8], help="sizes of the scenes")
    parser.add_argument("--noise", type=float, default=0.01, help="standard deviation of the scenes' noise")
    parser.add_argument("--image", action="append", default=[], help="a photograph; repeatable")
    parser.add_argument("--trimap", action="append", default=[], help="trimap of each image")
    parser.add_argument("--enlarge", type=float, nargs="+", default=[1.0], help="factors for the photographs")
    parser.add_argument("--methods", nargs="+", default=[], help="some tasks or methods only; default: all")
    parser.add_argument("--repeat", type=int, default=4, help="most turns of a library")
    parser.add_argument("--budget", type=float, default=20, help="seconds after which a library has no more turns")
    parser.add_argument("--limit", type=float, default=240, help="most seconds of a call")
    parser.add_argument("--threads", type=int, default=machine()["threads"], help="default: all cores")
    parser.add_argument("--output", type=Path, help="write the results as JSON")
    options = parser.parse_args()
    if len(options.image) != len(options.trimap):
        parser.error("each --image needs a --trimap")
    if not options.image and not options.scene:
        options.scene = ["hair"]
    return options


def main():
    options = arguments()
    peers = [Peer(library, options.threads) for library in ("pymatting", "trimatte")]
    about = {
        "machine": {**machine(), "threads": options.threads},
        "versions": {peer.library: peer.versions for peer in peers},
    }
    names = tasks(peers, options.methods)
    warm_up(peers, names)
    cases = []
    photographs = pictures.files(zip(options.image, options.trimap, strict=True), options.enlarge)
    for measured in (pictures.scenes(options.megapixels, options.noise, options.scene), photographs):
        for description, arrays in measured:
            if "alpha" not in arrays:
                arrays["alpha"] = tm.estimate_alpha(arrays["image"], arrays["trimap"], method="closed-form")
            height, width = arrays["trimap"].shape
            size = {
                "height": height,
                "width": width,
                "unknown": int(unknown_pixels(arrays["trimap"]).sum()),
                "date": datetime.date.today().isoformat(),
            }
            for task in names:
                rows = measure(peers, task, arrays, options)
                cases.append({**description, **size, "task": task, "libraries": rows, "ratio": ratio(rows)})
                print(line(cases[-1]), flush=True)
                if options.output:  # after each case: a long run that is stopped leaves what it has
                    save(options.output, about, cases)
    for peer in peers:
        peer.close()


if __name__ == "__main__":
    main()
