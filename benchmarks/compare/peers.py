"""The libraries under comparison, each in a process and an environment of its own.

The environments are folders .venv-LIBRARY beside this file, or in the folder that the environment
variable TRIMATTE_PEERS names, so that several checkouts share them.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import venv
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
MODULES = {
    "trimatte": "trimatte",
    "pymatting": "pymatting",
    "plain-script": "plain_script",
    "scikit-learn": "sklearn",
}


def interpreter(library):
    """The Python that has the library; the peers' environments are made when first needed."""
    requirements = HERE / f"requirements-{library}.txt"
    if not requirements.exists():
        return sys.executable
    folder = Path(os.environ.get("TRIMATTE_PEERS", HERE)) / f".venv-{library}"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    stamp = folder / "complete"
    if not stamp.exists():
        print(f"making {folder} ...", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", requirements], check=True)
        stamp.touch()
    return python


def import_seconds(library, *, first):
    """Seconds of the import in a new process. `first`: nothing is cached, neither bytecode nor compiled code.

    PyMatting's kernels are compiled by Numba while it is imported; Numba keeps them in NUMBA_CACHE_DIR or, by
    default, in the package's __pycache__.
    """
    code = f"import time; start = time.perf_counter(); import {MODULES[library]}; "
    code += "print(time.perf_counter() - start)"
    environment = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        if first:
            environment.update(NUMBA_CACHE_DIR=f"{folder}/numba", PYTHONPYCACHEPREFIX=f"{folder}/bytecode")
        done = subprocess.run(
            [interpreter(library), "-c", code],
            cwd=HERE,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return float(done.stdout)


class Peer:
    """A process that runs tasks of one library and tells how long they took.

    A process that dies (out of memory, mostly) is started again; the command that it did not answer has the
    answer {"error": "killed by SIGKILL"}, and what was loaded is gone. A run that takes longer than its limit is
    killed, too, and has the answer {"more_than": limit}.
    """

    def __init__(self, library, threads):
        self.library = library
        self._threads = str(threads)
        self._start()

    def _start(self):
        names = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        self._process = subprocess.Popen(
            [interpreter(self.library), HERE / "worker.py", self.library],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **dict.fromkeys(names, self._threads)},
        )
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.library}: the worker did not start")
        hello = json.loads(line)
        self.tasks, self.versions = hello["tasks"], hello["versions"]

    def _ask(self, **command):
        line = ""
        try:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            pass
        if line:
            return json.loads(line)
        code = self._process.wait()
        self._start()
        return {"error": f"killed by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"}

    def load(self, path, names):
        return self._ask(load=str(path), names=names)

    def run(self, task, *, memory=False, limit=None):
        """Run a task; `limit` is in seconds."""
        if limit is None:
            return self._ask(run=task, memory=memory)
        ended = threading.Event()
        killer = threading.Timer(limit, lambda: (ended.set(), self._process.kill()))
        killer.start()
        answer = self._ask(run=task, memory=memory)
        killer.cancel()
        return {"more_than": limit} if ended.is_set() and "error" in answer else answer

    def result(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "result.npy"
            self._ask(save=str(path))
            return np.load(path)

    def close(self):
        self._process.stdin.close()
        self._process.wait()
