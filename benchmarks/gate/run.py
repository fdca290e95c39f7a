"""Compare iterations, bytes and instructions, which do not vary, with a committed table.

    make gate           compare; a number that is 2 % worse, or better, fails
    make gate-update    write the table anew

Each case is one task on one rendered picture with 8 bits, on one thread:

iterations       iterations of the iterative solvers, from `SolveInfo`
peak_bytes       bytes that the solver held, from `SolveInfo`
allocated_bytes  most bytes that the C++ code of the task held at once; cpp/tests/gate.cpp counts
                 them in operator new
instructions     instructions of the same code, counted by callgrind, with kernels for AVX2, since
                 valgrind knows no AVX-512

Instructions depend on the compiler. They are compared where valgrind is installed and the compiler is the table's.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from comparison import INSTRUCTIONS, complaints, merged, why_not_counted

import trimatte as tm
from trimatte._runtime.threads import usable_cpus

TABLE = Path(__file__).with_name("table.json")
SOLVERS = ("cholesky", "multigrid", "cg")

# scene, height, width, noise: tasks
CASES = {
    ("dandelion", 240, 360, 0.01): ("laplacian", "multigrid", "cholesky", "foreground", "network"),
    ("hair", 240, 360, 0.0): ("laplacian", "multigrid", "cholesky", "foreground"),
    ("net", 200, 300, 0.01): ("laplacian", "multigrid", "cholesky", "foreground"),
    ("hair", 64, 96, 0.01): ("cg", "sampling"),
}


def render(scene, height, width, noise):
    """Return image, trimap and alpha. Eight bits hide how versions of NumPy differ."""
    picture = getattr(tm.datasets, scene)(height, width, noise=noise)
    image = np.rint(255 * picture.image.astype(np.float64)).astype(np.uint8)
    alpha = (np.rint(255 * picture.alpha.astype(np.float64)) / 255).astype(np.float32)
    return image, picture.trimap, alpha


def checksum(arrays):
    return f"{zlib.crc32(b''.join(array.tobytes() for array in arrays)):08x}"


def save(arrays, folder):
    """Write the files that cpp/tests/gate.cpp reads."""
    image, trimap, alpha = arrays
    labels = np.select([trimap == 0, trimap == 255], [0, 1], 2).astype(np.uint8)
    for name, array in {"image": image, "labels": labels, "alpha": alpha}.items():
        (folder / name).write_bytes(array.tobytes())


def reported(task, arrays):
    """Return the numbers that the library reports."""
    if task not in SOLVERS:
        return {}
    info = tm.solve_alpha(*arrays[:2], method="closed-form", solver=task, threads=1).info
    numbers = {"peak_bytes": info.peak_bytes}
    return numbers if task == "cholesky" else {"iterations": info.iterations, **numbers}


def run_driver(driver, *arguments, prefix=()):
    environment = {**os.environ, "TRIMATTE_SIMD": "v3"}
    command = [*prefix, str(driver), *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def count(driver, task, picture, folder, *, instructions):
    """Return the bytes and instructions of the C++ code of the task."""
    arguments = (task, *picture[1:3], folder)
    if not instructions:
        return run_driver(driver, *arguments)
    profile = folder / f"callgrind.{task}"
    prefix = ("valgrind", "--tool=callgrind", "--toggle-collect=gate_measured", f"--callgrind-out-file={profile}")
    numbers = run_driver(driver, *arguments, prefix=prefix)
    summary = re.search(r"^(?:summary|totals): (\d+)$", profile.read_text(), re.MULTILINE)
    return {**numbers, INSTRUCTIONS: int(summary[1])}


def measure(driver, folder, *, instructions):
    """Return the numbers of all cases, by name."""
    found, counts = {}, {}
    with ThreadPoolExecutor(usable_cpus()) as pool:
        for number, (picture, tasks) in enumerate(CASES.items()):
            arrays = render(*picture)
            place = folder / str(number)
            place.mkdir()
            save(arrays, place)
            for task in tasks:
                name = "{} {}x{} noise {}, {}".format(*picture, task)
                counts[name] = pool.submit(count, driver, task, picture, place, instructions=instructions)
                found[name] = {"picture": checksum(arrays), **reported(task, arrays)}
        for name, future in counts.items():
            found[name].update(future.result())
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("driver", type=Path, help="the program trimatte_gate")
    parser.add_argument("--update", action="store_true", help="write the table instead of comparing with it")
    options = parser.parse_args()

    build = run_driver(options.driver)
    table = json.loads(TABLE.read_text()) if TABLE.exists() else {"build": build, "cases": {}}
    # An update is free to change the compiler.
    recorded = build if options.update else table["build"]
    reason = why_not_counted(build, recorded, has_valgrind=shutil.which("valgrind") is not None)
    if reason:
        print(reason)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(options.driver, Path(folder), instructions=reason is None)

    if options.update:
        if reason is None:
            table["build"] = build
        table = {"build": table["build"], "cases": merged(table["cases"], found)}
        TABLE.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")
        print(f"wrote {TABLE.relative_to(Path.cwd())}")
        return
    lines = complaints(table["cases"], found, counted=reason is None)
    if lines:
        sys.exit("\n".join(lines))
    numbers = sum(len(case) - 1 for case in found.values())
    print(f"gate: {len(found)} cases, {numbers} numbers as in {TABLE.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main()
