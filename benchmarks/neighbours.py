"""Times public calls with one thread and with two, on a quiet machine and beside busy processes.

    python benchmarks/neighbours.py --output benchmarks/compare/results/neighbours.json

The busy processes have the priority of this one and count in a loop. Linux may share the cores out
by process, or first by session or container; in the first case two threads get twice the time of
one beside busy processes, in the second case they get no more than one. So the calls are measured
beside processes of this session ("busy") and beside processes with a session of their own
("sessions"). For each call the runs with one thread and with two take turns, until the seconds of
`--budget` are used up. The table's ratio is the time with two threads divided by the time with one:
that of the medians and, in brackets, that of the means, which the worst runs raise.
"""

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import trimatte as tm

sys.path.insert(0, str(Path(__file__).parent / "compare"))
import machine

# A busy process ends by itself after this number of seconds, if nothing ends it earlier.
BUSY = """
import sys, time
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    for _ in range(100_000):
        pass
"""
MOST_SECONDS = 600
LIMIT = 1.3
STATES = ("quiet", "busy", "sessions")


def picture(height, width):
    scene = tm.datasets.dandelion(height, width, noise=0.01)
    return np.round(scene.image * 255).astype(np.uint8), scene.trimap, scene.alpha


def calls():
    """Map the name of each call to a function of the number of threads."""
    image, trimap, alpha = picture(380, 570)
    large, large_trimap, large_alpha = picture(760, 1140)
    plane = image.astype(np.float32) / 255
    truth = large_alpha.astype(np.float64)
    found = np.clip(truth + 0.1 * np.random.default_rng(0).standard_normal(truth.shape), 0, 1)
    network = tm.priors.CompositeNetwork(steps=100)
    patches = tm.priors.PatchNetwork(steps=100)
    sampling, regression = tm.priors.GlobalSampling(), tm.priors.PatchRegression(radius=1)
    unknown, large_unknown = (int(((t > 0) & (t < t.max())).sum()) for t in (trimap, large_trimap))
    return {
        "closed_form_laplacian": lambda n: tm.closed_form_laplacian(
            plane, known=(trimap == 0) | (trimap == trimap.max()), threads=n
        ),
        f"estimate_alpha, {unknown // 1000}k": lambda n: tm.estimate_alpha(
            image, trimap, threads=n, method="closed-form"
        ),
        f"estimate_alpha, {large_unknown // 1000}k": lambda n: tm.estimate_alpha(
            large, large_trimap, threads=n, method="closed-form"
        ),
        "estimate_foreground": lambda n: tm.estimate_foreground(image, alpha, threads=n),
        "composite network": lambda n: network.estimate(image, trimap, threads=n),
        "sampling": lambda n: sampling.estimate(image, trimap, threads=n),
        "patch regression": lambda n: regression.estimate(image, trimap, threads=n),
        "patch network": lambda n: patches.estimate(image, trimap, threads=n),
        "metrics.gradient": lambda n: tm.metrics.gradient(found, truth, threads=n),
        "cutout": lambda n: tm.cutout(image, trimap, threads=n, method="closed-form"),
    }


@contextlib.contextmanager
def neighbours(count, own_session):
    """Run busy processes while the block runs."""
    command = [sys.executable, "-c", BUSY, str(MOST_SECONDS)]
    processes = []
    try:
        for _ in range(count):
            processes.append(subprocess.Popen(command, start_new_session=own_session))
        time.sleep(1 if count else 0)  # all of them count after a second
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def measure(call, budget):
    """Return the seconds of each run, by the number of threads."""
    seconds = {1: [], 2: []}
    call(2)
    end = time.perf_counter() + budget
    while len(seconds[2]) < 3 or time.perf_counter() < end:
        for threads, runs in seconds.items():
            start = time.perf_counter()
            call(threads)
            runs.append(time.perf_counter() - start)
    return {str(threads): runs for threads, runs in seconds.items()}


def summary(seconds):
    """Return milliseconds with one thread (median and least) and the ratio with two threads."""
    one, two = seconds["1"], seconds["2"]
    return {
        "runs": len(one),
        "one_thread_ms": round(1e3 * statistics.median(one), 2),
        "one_thread_least_ms": round(1e3 * min(one), 2),
        "ratio": round(statistics.median(two) / statistics.median(one), 3),
        "ratio_of_means": round(statistics.fmean(two) / statistics.fmean(one), 3),
        "ratio_of_least": round(min(two) / min(one), 3),
    }


def shown(row):
    return f"{row['one_thread_ms']:.1f} ms, {row['ratio']:.2f} ({row['ratio_of_means']:.2f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--neighbours", type=int, default=8, help="number of busy processes")
    parser.add_argument("--budget", type=float, default=7, help="seconds for a call beside busy processes")
    parser.add_argument(
        "--calls", nargs="+", metavar="WORD", help="only the calls whose name contains one of these"
    )
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    chosen = {
        name: call
        for name, call in calls().items()
        if not options.calls or any(word in name for word in options.calls)
    }
    rows = {name: {} for name in chosen}
    for state in STATES:
        count = 0 if state == "quiet" else options.neighbours
        with neighbours(count, state == "sessions"):
            for name, call in chosen.items():
                rows[name][state] = summary(measure(call, options.budget if count else options.budget / 3))
    print(f"| call | {' | '.join(f'{state}: one thread, ratio' for state in STATES)} |\n|---|---|---|---|")
    for name, row in rows.items():
        print(f"| {name} | {' | '.join(shown(row[state]) for state in STATES)} |")
    largest, name, state = max((rows[name][state]["ratio"], name, state) for name in rows for state in STATES[1:])
    print(
        f"largest ratio beside {options.neighbours} processes: {largest} ({name}, {state}); the limit is {LIMIT}"
    )
    if options.output:
        record = {"machine": machine.machine(), "neighbours": options.neighbours, "calls": rows}
        options.output.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
