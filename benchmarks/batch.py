"""Measures the items per second of a batch, of its solves alone, and of a loop with PyMatting.

    python benchmarks/batch.py --items 1000 --peer-items 24 --output benchmarks/compare/results/batch.json

Renders pictures of half a megapixel (dandelion, hair, net, flower; noise 0.008), written as JPEG with trimaps as
PNG, and runs `trimatte.batch.run` on them with one process per core: reading, alpha, foreground, writing cutouts
as PNG. `--method auto` measures the default, `--peer-items 0` leaves PyMatting out.

*Allowed by the solves* is the number of processes divided by the mean seconds that alpha and
foreground of an item take in the same run. *PyMatting* is the loop that people write: a process
pool of the same size reads, calls `estimate_alpha_cf` and `estimate_foreground_ml`, and writes the
cutout. It runs in its own environment (see compare/peers.py) on the first `--peer-items` items;
trimatte runs on the same items right before and after. `--cost` measures the memory of single items
instead and compares it with the estimate that `--memory` uses.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "compare"))

KINDS = ("dandelion", "hair", "net", "flower")
PEER = """
import sys, time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
import numpy as np
from PIL import Image

def work(stem):
    from pymatting import estimate_alpha_cf, estimate_foreground_ml, stack_images
    image = np.asarray(Image.open(f"in/{stem}.jpg")) / 255
    trimap = np.asarray(Image.open(f"tri/{stem}.png")) / 255
    alpha = estimate_alpha_cf(image, trimap)
    cutout = stack_images(estimate_foreground_ml(image, alpha), alpha)
    Image.fromarray(np.round(np.clip(cutout, 0, 1) * 255).astype(np.uint8)).save(f"theirs/{stem}.png")

if __name__ == "__main__":
    stems = sorted(p.stem for p in Path("in").iterdir())[:int(sys.argv[1])]
    with ProcessPoolExecutor(int(sys.argv[2])) as pool:
        list(pool.map(work, stems[: int(sys.argv[2])]))  # compiled code is loaded
        start = time.perf_counter()
        list(pool.map(work, stems))
        print(time.perf_counter() - start)
"""


def render(index, height, width):
    import numpy as np
    from PIL import Image

    import trimatte as tm

    scene = getattr(tm.datasets, KINDS[index % len(KINDS)])(height, width, seed=index // len(KINDS), noise=0.008)
    Image.fromarray(np.round(scene.image * 255).astype(np.uint8)).save(f"in/{index:05}.jpg", quality=95)
    tm.io.save_image(f"tri/{index:05}.png", scene.trimap)


def batch(items, processes, folder, method="closed-form"):
    """Return the seconds and the records of a batch on the first items."""
    from trimatte.batch import jobs_from_files, run

    Path(folder).mkdir()
    jobs = jobs_from_files(
        "in/*.jpg", folder + "/{stem}.png", trimaps="tri/{stem}.png", options={"method": method}
    )[:items]
    summary = run(jobs, processes=processes, log=f"{folder}/log.jsonl")
    assert summary.failed == 0, summary.failures
    records = [json.loads(line) for line in Path(folder, "log.jsonl").read_text().splitlines()]
    return summary.seconds, records


def throughput(options, processes):
    seconds, records = batch(options.items, processes, "ours", options.method)
    mean = {
        phase: sum(record["seconds"][phase] for record in records) / len(records)
        for phase in records[0]["seconds"]
    }
    allowed = processes / (mean["alpha"] + mean["foreground"])
    rate = len(records) / seconds
    print(f"{len(records)} items, {rate:.2f} a second; the solves alone allow {allowed:.2f}: {rate / allowed:.1%}")
    print("seconds of an item: " + ", ".join(f"{phase} {value:.3f}" for phase, value in mean.items()))
    return {
        "items": len(records),
        "megapixels": round(options.height * options.width / 1e6, 3),
        "processes": processes,
        "method": options.method,
        "items_per_second": rate,
        "allowed_by_the_solves": allowed,
        "part_of_allowed": rate / allowed,
        "seconds_of_an_item": mean,
    }


def beside_peer(options, processes):
    import peers

    Path("theirs").mkdir()
    Path("peer.py").write_text(PEER)
    before, _ = batch(options.peer_items, processes, "before")
    arguments = [peers.interpreter("pymatting"), "peer.py", str(options.peer_items), str(processes)]
    done = subprocess.run(arguments, stdout=subprocess.PIPE, text=True, check=True)
    theirs = float(done.stdout.split()[-1])
    after, _ = batch(options.peer_items, processes, "after")
    ours = (before + after) / 2
    print(f"{options.peer_items} items: trimatte {ours:.1f} s, PyMatting {theirs:.1f} s: {theirs / ours:.1f}x")
    return {"items": options.peer_items, "trimatte": [before, after], "pymatting": theirs, "ratio": theirs / ours}


def cost(options):
    """Measure the peak memory of a process that does one item, for growing sizes."""
    import trimatte as tm
    from trimatte.batch import _cost, jobs_from_files

    code = "import json, sys; from trimatte.batch._jobs import Job;"
    code += "from trimatte.batch._work import Task, work;"
    code += "r = work(Task(Job(**json.loads(sys.argv[1])), 1, '')); assert r['error'] is None, r;"
    code += "print(next(int(l.split()[1]) * 1024 for l in open('/proc/self/status') if l.startswith('VmHWM')))"
    rows = []
    for method in ("closed-form", "best"):
        for megapixels in (0.1, 1, 4, 16):
            height = round((megapixels * 1e6 / 1.5) ** 0.5)
            for path in (*Path("in").iterdir(), *Path("tri").iterdir()):
                path.unlink()
            render(1, height, round(1.5 * height))
            (job,) = jobs_from_files("in/*.jpg", "x.png", trimaps="tri/{stem}.png", options={"method": method})
            given = {
                "image": job.image,
                "outputs": dict(job.outputs),
                "trimap": job.trimap,
                "options": dict(job.options),
            }
            done = subprocess.run(
                [sys.executable, "-c", code, json.dumps(given)], stdout=subprocess.PIPE, text=True, check=True
            )
            unknown = int((tm.io.load_image(job.trimap) == 128).sum())
            row = {
                "method": method,
                "megapixels": megapixels,
                "unknown": unknown,
                "peak": int(done.stdout),
                "estimate": _cost.estimated_bytes(job),
            }
            rows.append(row)
            print(row)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--peer-items", type=int, default=24)
    parser.add_argument("--height", type=int, default=577)
    parser.add_argument("--width", type=int, default=866)
    parser.add_argument("--method", default="closed-form", help="of the batch; PyMatting has closed-form")
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    output = options.output and options.output.absolute()
    processes = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()

    import machine

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name in ("in", "tri"):
            Path(name).mkdir()
        if options.cost:
            record = {"cost": cost(options)}
        else:
            start = time.perf_counter()
            with ProcessPoolExecutor(processes) as pool:
                count = options.items
                list(pool.map(render, range(count), [options.height] * count, [options.width] * count))
            print(f"rendered in {time.perf_counter() - start:.0f} s")
            record = {"batch": throughput(options, processes)}
            if options.peer_items:
                record["beside_pymatting"] = beside_peer(options, processes)
        os.chdir(Path(__file__).parent)
    if output:
        output.write_text(json.dumps({"machine": machine.machine(), **record}, indent=1) + "\n")


if __name__ == "__main__":
    main()
