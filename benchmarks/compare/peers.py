"""The libraries under comparison, each in a process and an environment of its own."""

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def interpreter(library):
    """The Python that has the library; the peers' environments are made when first needed."""
    if library == "trimatte":
        return sys.executable
    folder = HERE / f".venv-{library}"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    stamp = folder / "complete"
    if not stamp.exists():
        print(f"making {folder} ...", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        requirements = HERE / f"requirements-{library}.txt"
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", requirements], check=True)
        stamp.touch()
    return python


class Peer:
    """A process that runs tasks of one library and tells how long they took."""

    def __init__(self, library):
        self.library = library
        self._process = subprocess.Popen(
            [interpreter(library), HERE / "worker.py", library],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.import_seconds = self._answer()["import_seconds"]

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.library}: the worker died")
        return json.loads(line)

    def _ask(self, **command):
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def load(self, path):
        self._ask(load=str(path))

    def run(self, task):
        return self._ask(run=task)

    def result(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "result.npy"
            self._ask(save=str(path))
            return np.load(path)

    def close(self):
        self._process.stdin.close()
        self._process.wait()
