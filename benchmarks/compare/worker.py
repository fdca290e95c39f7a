"""One library in one process: `python worker.py LIBRARY` reads commands as JSON lines and answers each with one.

Started by run.py, with the interpreter of the library's environment. Needs NumPy and the library only.
"""

import contextlib
import json
import sys
import time
from pathlib import Path

import numpy as np


def pymatting_tasks():
    import pymatting

    return {
        "laplacian": lambda a: pymatting.cf_laplacian(a["image"]),
        "foreground": lambda a: pymatting.estimate_foreground_ml(a["image"], a["alpha"]),
        "alpha": lambda a: pymatting.estimate_alpha_cf(a["image"], a["trimap"]),
    }


def trimatte_tasks():
    import trimatte

    return {
        "laplacian": lambda a: trimatte.closed_form_laplacian(a["image"]),
        "foreground": lambda a: trimatte.estimate_foreground(a["image"], a["alpha"]).foreground,
        "alpha": lambda a: trimatte.estimate_alpha(a["image"], a["trimap"]),
        "alpha-direct": lambda a: trimatte.estimate_alpha(a["image"], a["trimap"], solver="cholesky"),
    }


LIBRARIES = {"pymatting": pymatting_tasks, "trimatte": trimatte_tasks}


def status(field):
    """A line of /proc/self/status, in bytes; 0 where there is no /proc."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def reset_peak():
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def main():
    start = time.perf_counter()
    tasks = LIBRARIES[sys.argv[1]]()
    answer = {"import_seconds": time.perf_counter() - start}
    arrays, result = {}, None
    while True:
        print(json.dumps(answer), flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        command = json.loads(line)
        answer = {}
        if "load" in command:
            with np.load(command["load"]) as stored:
                arrays = dict(stored)
        elif "run" in command:
            result = None
            reset_peak()
            before = status("VmRSS")
            start = time.perf_counter()
            try:
                result = tasks[command["run"]](arrays)
            except Exception as error:  # a peer may fail; that is a result
                answer["error"] = f"{type(error).__name__}: {error}"
            answer["seconds"] = time.perf_counter() - start
            answer["peak_bytes"] = max(0, status("VmHWM") - before)
        elif "save" in command:
            np.save(command["save"], result)


if __name__ == "__main__":
    main()
