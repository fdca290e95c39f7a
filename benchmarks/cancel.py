"""Measures the seconds from Ctrl-C to the end of a native call, in every phase of a large picture.

python benchmarks/cancel.py [--megapixels 4]
"""

import argparse
import signal
import subprocess
import sys
import time

CHILD = """
import sys, time
import numpy as np
import trimatte.methods
import trimatte as tm
side = int((float(sys.argv[2]) * 1e6) ** 0.5)
rng = np.random.default_rng(0)
image = rng.random((side, side, 3), dtype=np.float32)
trimap = np.zeros((side, side), np.float32)
trimap[side // 3 : -side // 3] = 0.5
trimap[-side // 3 :] = 1
task, phase = sys.argv[1].split(":")
def report(current, fraction):
    if current == phase:
        print("now", flush=True)
try:
    if task == "foreground":
        tm.estimate_foreground(image, rng.random((side, side), dtype=np.float32), progress=report)
    elif task in trimatte.methods.PRIORS:
        tm.estimate_alpha(image, trimap, method=task, progress=report)
    else:
        tm.estimate_alpha(
            image,
            trimap,
            method="closed-form",
            solver=task,
            relative_residual=1e-14,
            tolerance=1e-13,
            progress=report,
        )
except KeyboardInterrupt:
    print()  # a report may have been stopped in the middle of its line
    print(time.clock_gettime(time.CLOCK_MONOTONIC), flush=True)
"""


TASKS = (
    "cholesky:laplacian",
    "cholesky:ordering",
    "cholesky:factorisation",
    "multigrid:hierarchy",
    "multigrid:cg",
    "cg:cg",
    "foreground:foreground",
    "composite-network:network",
    "composite-network:prediction",
    "sampling:sampling",
    "shared-sampling:sampling",
    "shared-sampling:sharing",
    "patch-regression:regression",
    "patch-network:network",
    "patch-network:prediction",
)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", default="4")
    parser.add_argument(
        "--delay", type=float, nargs="+", default=[0.0, 0.1, 0.3], help="seconds from a phase to Ctrl-C"
    )
    options = parser.parse_args()
    for task in TASKS:
        for delay in options.delay:
            child = subprocess.Popen(
                [sys.executable, "-c", CHILD, task, options.megapixels], stdout=subprocess.PIPE, text=True
            )
            child.stdout.readline()
            time.sleep(delay)
            sent = time.clock_gettime(time.CLOCK_MONOTONIC)
            child.send_signal(signal.SIGINT)
            stopped = child.stdout.read().split()[-1]
            child.wait()
            answer = f"{float(stopped) - sent:.3f} s" if stopped != "now" else "had ended before"
            print(f"{task:24} after {delay:.1f} s: {answer}")


if __name__ == "__main__":
    main()
