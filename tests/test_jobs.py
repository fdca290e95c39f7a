"""Tasks side by side, and the log of what became of them."""

import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest

from trimatte._runtime.jobs import ExecutorLost, TaskQueue, WorkerDied, in_processes, on_executor
from trimatte._runtime.log import RecordLog


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
