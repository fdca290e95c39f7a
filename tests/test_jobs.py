"""Tasks side by side, and the log of what became of them."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import SimpleNamespace

import pytest

from trimatte._runtime.jobs import ExecutorLost, TaskQueue, WorkerDied, in_processes, on_executor
from trimatte._runtime.log import RecordLog
from trimatte._runtime.os_errors import reader_has_gone


def squared(number):
    if number == 7:
        raise ZeroDivisionError("seven")
    if number == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def one_after_another(numbers):
    """What running them side by side must give, in any order."""
    return {n: "seven" if n == 7 else n * n for n in numbers}


def results(ended):
    return {task: str(outcome) if isinstance(outcome, Exception) else outcome for task, outcome in ended}


@pytest.mark.parametrize("count", [1, 3, 50])
def test_every_task_ends_once(count):
    numbers = range(12)
    with ThreadPoolExecutor(3) as executor:
        ended = list(on_executor(TaskQueue(numbers), squared, executor, count))
    assert len(ended) == 12
    assert results(ended) == one_after_another(numbers)


def test_no_task_starts_no_process():
    assert list(in_processes(TaskQueue([]), squared, 0)) == []


def test_no_more_processes_start_than_the_system_allows(monkeypatch):
    """As on Windows, where ProcessPoolExecutor refuses more than 61."""
    asked = []

    class Noting(Executor):
        def __init__(self, count, *_, **__):
            asked.append(count)

        def submit(self, call, *arguments):
            future = Future()
            future.set_result(call(*arguments))
            return future

    monkeypatch.setattr("concurrent.futures.ProcessPoolExecutor", Noting)
    monkeypatch.setattr("trimatte._runtime.pool.MOST_WORKERS", 61)
    for count in (3, 200):
        assert results(in_processes(TaskQueue([2]), squared, count)) == {2: 4}
    assert asked == [3, 61]


SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
from test_jobs import squared
from trimatte._runtime.jobs import TaskQueue, WorkerDied, in_processes
if __name__ == "__main__":
    for task, outcome in sorted(in_processes(TaskQueue(range(5, 17)), squared, 2), key=lambda pair: pair[0]):
        print(task, "died" if isinstance(outcome, WorkerDied) else outcome)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_process_that_is_killed_costs_its_own_task_only(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(folder=os.path.dirname(__file__)))
    done = subprocess.run([sys.executable, script], stdout=subprocess.PIPE, text=True, check=True)
    expected = {**one_after_another(range(5, 17)), 13: "died"}
    assert done.stdout.splitlines() == [f"{task} {outcome}" for task, outcome in expected.items()]


class Breaking(Executor):
    """Breaks at a task, and refuses all that follow."""

    def __init__(self, at):
        self.at, self.broken = at, False

    def submit(self, function, task):
        if self.broken:
            raise BrokenProcessPool("broken")
        future = Future()
        self.broken = task == self.at
        if self.broken:
            future.set_exception(BrokenProcessPool("broken"))
        else:
            future.set_result(function(task))
        return future


def test_an_executor_that_breaks_leaves_the_rest():
    queue, ended = TaskQueue(range(5)), []
    with pytest.raises(ExecutorLost, match="broken"):
        ended.extend(on_executor(queue, squared, Breaking(2), 1))
    assert queue.next(0) == 3
    ended = list(on_executor(TaskQueue(range(3)), squared, Breaking(2), 1))
    assert [task for task, outcome in ended if isinstance(outcome, WorkerDied)] == [2]


def test_who_leaves_early_waits_for_what_runs():
    started, left, ended, leaving = threading.Event(), threading.Event(), [], []

    def work(task):
        if task == 0:
            started.wait()
            return task
        started.set()
        left.wait()
        ended.append(task)
        return task

    def alive():  # is asked while nothing ends, too
        if leaving:
            left.set()
        return True

    with ThreadPoolExecutor(2) as executor:
        running = on_executor(TaskQueue(range(9)), work, executor, 2, alive)
        assert next(running)[0] == 0
        leaving.append(True)
        running.close()
        assert ended == [1]


def opened(path):
    def decode(content):
        if not isinstance(content, dict) or set(content) != {"key", "value"}:
            raise TypeError
        return content

    return RecordLog(path, decode=decode, encode=dict, key=lambda record: record["key"])


def test_the_last_record_of_a_key_counts(tmp_path):
    path = tmp_path / "log"
    with opened(path) as log:
        for key, value in (("a", 1), ("b", 2), ("a", 3)):
            log.add({"key": key, "value": value})
        with pytest.raises(BlockingIOError, match="another run is using it"):
            opened(path)
    with opened(path) as log:
        assert [record["value"] for record in log.records.values()] == [3, 2]
        assert (log.damaged, log.tail) == (0, b"")
        log.clear()
        assert log.records == {}
    assert path.read_bytes() == b""


def test_windows_locks_a_byte_behind_the_records(tmp_path, monkeypatch):
    """A locked byte can be read by nobody, but a log of a run can."""
    locked = []

    def locking(descriptor, mode, size):
        locked.append((os.lseek(descriptor, 0, os.SEEK_CUR), mode, size))

    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(LK_NBLCK=2, locking=locking))
    monkeypatch.setattr("trimatte._runtime.log.sys", SimpleNamespace(platform="win32"))
    with opened(tmp_path / "log") as log:
        log.add({"key": "a", "value": 1})
    assert locked == [(2**30, 2, 1)]
    assert (tmp_path / "log").read_bytes() == b'{"key": "a", "value": 1}\n'


@pytest.mark.parametrize(
    ("error", "windows", "gone"),
    [
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), False, True),
        (OSError(errno.EINVAL, "Invalid argument"), True, True),
        (OSError(errno.EINVAL, "Invalid argument", "standard output"), True, True),
        (OSError(errno.EINVAL, "Invalid argument", "a?.png"), True, False),
        (OSError(errno.EINVAL, "Invalid argument"), False, False),
        (OSError(errno.ENOSPC, "No space left on device", "standard output"), True, False),
    ],
)
def test_a_closed_pipe_is_known_by_its_error(error, windows, gone):
    assert reader_has_gone(error, windows) == gone


def test_what_a_crash_leaves_is_cut_off(tmp_path):
    path = tmp_path / "log"
    line = json.dumps({"key": "a", "value": 1}).encode()
    path.write_bytes(line + b"\nno record\n" + line[:-3])
    with opened(path) as log:
        assert (log.damaged, log.tail) == (1, line[:-3])
        log.cut_tail()
        log.add({"key": "b", "value": 2})
    with opened(path) as log:
        assert list(log.records) == ["a", "b"]
    path.write_bytes(line)  # only its end is missing
    with opened(path) as log:
        assert list(log.records) == ["a"]
    assert path.read_bytes() == line + b"\n"


def test_without_a_file_nothing_is_kept():
    with opened(None) as log:
        log.add({"key": "a", "value": 1})
        log.cut_tail()
        assert list(log.records) == ["a"]
