"""Forking servers, limits on threads, other interpreters: each in a process of its own, which may hang or die."""

import contextlib
import os
import signal
import subprocess
import sys
import sysconfig
import textwrap

import pytest

import trimatte as tm
from trimatte import _core

HAS_FORK = hasattr(os, "fork")
SEES_THREADS = sys.platform == "linux" and _core.openmp


def run(code, *arguments, **environment):
    """What a new Python prints; it and its children are killed if they do not end."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        printed, errors = process.communicate(timeout=120)
    finally:
        if sys.platform == "win32":
            process.kill()
        else:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert process.returncode == 0, errors
    return printed.split("\n")[:-1]


# As gunicorn does with preload_app: the parent has used the library with two threads before it forks, goes on
# using it, and the workers answer several requests each. Request: one byte. Answer: the digest of all bits.
PREFORK = """
import hashlib, os, socket, sys
import trimatte as tm

scenes = [tm.datasets.hair(160, 200, seed=seed) for seed in range(2)]

def answer(request):
    scene = scenes[request % 2]
    solver = ("multigrid", "cholesky", "cg")[request % 3]
    network = tm.priors.CompositeNetwork(hidden=(16,), steps=20)
    prior = None if request < 3 else tm.priors.Robust(network=network)
    alpha = tm.estimate_alpha(scene.image, scene.trimap, solver=solver, prior=prior, threads=2)
    layers = tm.estimate_foreground(scene.image, alpha, threads=2)
    return hashlib.sha256(b"".join(array.tobytes() for array in (alpha, *layers))).digest()

requests = range(6)
expected = [answer(request) for request in requests]
channels, workers = [], []
for _ in range(3):
    ours, theirs = socket.socketpair()
    channels.append(ours)
    worker = os.fork()
    if worker == 0:
        for channel in channels:
            channel.close()
        while request := theirs.recv(1):
            theirs.sendall(answer(request[0]))
        sys.exit(0)
    theirs.close()
    workers.append(worker)
for request in requests:
    for channel in channels:
        channel.sendall(bytes([request]))
    assert answer(request) == expected[request], "the parent's answer changed"
    for channel in channels:
        assert channel.recv(32, socket.MSG_WAITALL) == expected[request], "a worker's answer is another"
for channel in channels:
    channel.close()
print([os.waitpid(worker, 0)[1] for worker in workers])
"""


@pytest.mark.skipif(not HAS_FORK, reason="this system has no fork")
def test_a_server_that_forks_its_workers():
    assert run(PREFORK) == ["[0, 0, 0]"]


# The other thread waits in its progress callback, which is called from the middle of the iterations.
FORK_AMID_A_CALL = """
import os, threading
import numpy as np
import trimatte as tm

class Stop(Exception):
    pass

def solve_long():
    def progress(phase, fraction):
        if phase == "cg" and 0 < fraction < 1:
            amid.set()
            forked.wait()
            raise Stop
    try:
        tm.estimate_alpha(noise, trimap, solver="cg", relative_residual=1e-14, threads=2, progress=progress)
    except Stop:
        print("stopped", flush=True)

scene = tm.datasets.hair(160, 200)
expected = tm.estimate_alpha(scene.image, scene.trimap, solver="multigrid", threads=2)
noise = np.random.default_rng(0).random((500, 500, 3))
trimap = np.full((500, 500), 0.5)
trimap[0], trimap[-1] = 0, 1
amid, forked = threading.Event(), threading.Event()
other = threading.Thread(target=solve_long)
other.start()
amid.wait()
child = os.fork()
if child == 0:
    alpha = tm.estimate_alpha(scene.image, scene.trimap, solver="multigrid", threads=2)
    os._exit(0 if (alpha == expected).all() else 1)
print(os.waitpid(child, 0)[1], flush=True)
forked.set()
other.join()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="what other systems allow after such a fork is not known")
def test_a_fork_in_the_middle_of_another_threads_call():
    assert run(FORK_AMID_A_CALL) == ["0", "stopped"]


# Prints how many threads info speaks of, and how many worked: the caller and those that the calls have added to
# the process. OpenMP keeps the threads of a region for the next one, so none is missed.
THREADS_AT_WORK = """
import contextlib, os, sys
import trimatte as tm
from threadpoolctl import threadpool_limits

def count():
    return len(os.listdir("/proc/self/task"))

argument, limit = sys.argv[1:]
threads = None if argument == "default" else int(argument)
scene = tm.datasets.hair(160, 200)
before, counts = count(), []
options = {"threads": threads, "progress": lambda *_: counts.append(count())}
if limit == "affinity":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
with threadpool_limits(1, user_api="openmp") if limit == "threadpoolctl" else contextlib.nullcontext():
    info = tm.solve_alpha(scene.image, scene.trimap, solver="multigrid", **options).info
    tm.estimate_foreground(scene.image, scene.alpha, **options)
print(info.threads, 1 + max(counts) - before)
"""


@pytest.mark.skipif(not SEES_THREADS, reason="needs /proc and OpenMP")
@pytest.mark.parametrize("threads", ["1", "2", "5"])
def test_as_many_threads_work_as_were_asked_for(threads):
    assert run(THREADS_AT_WORK, threads, "") == [f"{threads} {threads}"]


@pytest.mark.skipif(not SEES_THREADS, reason="needs /proc and OpenMP")
@pytest.mark.parametrize(
    ("limit", "environment"),
    [("threadpoolctl", {}), ("affinity", {}), ("", {"OMP_NUM_THREADS": "1"})],
    ids=["threadpoolctl", "affinity", "OMP_NUM_THREADS"],
)
def test_by_default_no_more_threads_work_than_the_limits_allow(limit, environment):
    assert run(THREADS_AT_WORK, "default", limit, **environment) == ["1 1"]


IMPORT = """
try:
    import trimatte
except ImportError as error:
    print(error, flush=True)
"""

# Once with a lock of its own, once as mod_wsgi makes them ("legacy").
IN_SUBINTERPRETERS = """
import sys
code, before = sys.argv[1:]
exec(before)
if sys.version_info >= (3, 13):
    import _interpreters
    for kind in ("isolated", "legacy"):
        assert _interpreters.exec(_interpreters.create(kind), code) is None
else:
    import _xxsubinterpreters
    for isolated in (True, False):
        _xxsubinterpreters.run_string(_xxsubinterpreters.create(isolated=isolated), code)
"""


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="the modules for subinterpreters are CPython's")
@pytest.mark.parametrize("before", ["", "import trimatte"], ids=["first", "used before"])
def test_subinterpreters_are_refused_with_a_sentence(before):
    lines = run(IN_SUBINTERPRETERS, IMPORT, before)
    assert len(lines) == 2
    assert all(line.startswith("trimatte cannot be imported in a subinterpreter") for line in lines)


WITHOUT_GIL = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
import trimatte as tm
scenes = [tm.datasets.hair(96, 128, seed=seed) for seed in range(2)]
together = threading.Barrier(4)

def solve(task):
    scene = scenes[task % 2]
    solver = ("multigrid", "cholesky")[task // 2 % 2]
    return tm.estimate_alpha(scene.image, scene.trimap, solver=solver, threads=2, progress=lambda *_: None)

def solve_together(task):
    together.wait()
    return solve(task)

expected = [solve(task) for task in range(4)]
with ThreadPoolExecutor(4) as pool:
    for task, alpha in enumerate(pool.map(solve_together, range(16))):
        assert (alpha == expected[task % 4]).all()
print(sys._is_gil_enabled())
"""


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python has a GIL")
def test_a_free_threaded_python_stays_without_its_gil():
    assert run(WITHOUT_GIL) == ["False"]


READ_ONLY = """
import sys
import trimatte as tm
scene = tm.datasets.hair(48, 64)
layers = tm.estimate_foreground(scene.image, tm.estimate_alpha(scene.image, scene.trimap, method="best"))
folder = sys.argv[1]
jobs = [tm.batch.Job(f"{folder}/image.png", {"cutout": f"{folder}/out.png"}, trimap=f"{folder}/trimap.png")]
summary = tm.batch.run(jobs, processes=1)
assert summary.done == 1, summary
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="takes /proc as a folder where nobody can write")
def test_nothing_but_outputs_is_written_and_nothing_printed(tmp_path):
    """As in AWS Lambda: home, caches and the current folder are read-only."""
    scene = tm.datasets.hair(48, 64)
    tm.io.save_image(tmp_path / "image.png", scene.image)
    tm.io.save_image(tmp_path / "trimap.png", scene.trimap)
    script = tmp_path / "script.py"
    script.write_text("if __name__ == '__main__':\n" + textwrap.indent(READ_ONLY, "    "))
    read_only = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "PYTHONPYCACHEPREFIX"), "/proc")
    done = subprocess.run(
        [sys.executable, script, tmp_path],
        cwd="/proc",
        env={**os.environ, **read_only},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image.png", "out.png", "script.py", "trimap.png"]
