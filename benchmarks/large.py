"""Sends one very large picture through the command line: time of each phase and peak memory.

    python benchmarks/large.py --megapixels 150 --output benchmarks/compare/results/large.json

Renders a dandelion (noise 0.01) and writes it and its trimap as PNG, in a process of its own; then runs
`trimatte cutout IMAGE TRIMAP -o CUTOUT --json` and waits for it with wait4, which tells its peak memory.
`--copies 4` puts four dandelions side by side, whose unknown regions do not touch.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "compare"))
import machine

RENDER = """
import sys
import numpy as np
import trimatte as tm
height, width, copies = map(int, sys.argv[1:])
scene = tm.datasets.dandelion(height, width, noise=0.01)
image = np.empty(scene.image.shape, np.uint8)
for top in range(0, height, 256):
    image[top : top + 256] = np.round(scene.image[top : top + 256] * 255)
tm.io.save_image("image.png", np.concatenate([image] * copies, axis=1))
tm.io.save_image("trimap.png", np.concatenate([scene.trimap] * copies, axis=1))
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, default=150)
    parser.add_argument("--options", nargs="*", default=[], help="more options of `trimatte cutout`")
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    output = options.output and options.output.absolute()
    height = round((options.megapixels / options.copies * 1e6 / 1.5) ** 0.5)
    width = round(1.5 * height)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-c", RENDER, *map(str, (height, width, options.copies))], cwd=folder, check=True
        )
        command = ["cutout", "image.png", "trimap.png", "-o", "cutout.png", "--json", *options.options]
        start = time.perf_counter()
        with Path(folder, "out.json").open("w") as out:
            process = subprocess.Popen([sys.executable, "-m", "trimatte", *command], cwd=folder, stdout=out)
            _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        if status:
            sys.exit(f"trimatte ended with {os.waitstatus_to_exitcode(status)}")
        found = json.loads(Path(folder, "out.json").read_text())
        sizes = {name: Path(folder, name).stat().st_size for name in ("image.png", "trimap.png", "cutout.png")}
    record = {
        "width": width * options.copies,
        "height": height,
        "unknown": found["alpha"]["unknowns"],
        "iterations": found["alpha"]["iterations"],
        "wall_seconds": round(seconds, 2),
        "phases": found["seconds"],
        "alpha_phases": found["alpha"]["seconds"],
        "alpha_peak_bytes": found["alpha"]["peak_bytes"],
        "peak_bytes": usage.ru_maxrss * 1024,
        "file_bytes": sizes,
    }
    print(json.dumps(record, indent=1))
    if output:
        output.write_text(json.dumps({"machine": machine.machine(), **record}, indent=1) + "\n")


if __name__ == "__main__":
    main()
