"""Many pictures: jobs, resumption, failures, memory, executors, and the command."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest
from batch_jobs import QUICK, contents, in_threads, jobs

import trimatte as tm
from trimatte.batch import Job, jobs_from_files, jobs_from_manifest, run
from trimatte.batch._journal import Journal
from trimatte.cli import run as command


def test_outputs_are_those_of_the_functions(here):
    summary = run(
        jobs("out/{stem}_{what}.png", what=("cutout", "alpha", "foreground"), options={"method": "auto"}),
        executor=in_threads(),
    )
    assert (summary.done, summary.failed, summary.skipped) == (6, 0, 0)
    image, trimap = tm.io.load_image("in/p1.png"), tm.io.load_image("tri/p1.png")
    assert np.array_equal(tm.io.read_picture("out/p1_cutout.png").pixels, tm.cutout(image, trimap))
    alpha = tm.estimate_alpha(image, trimap)
    assert np.array_equal(tm.io.load_image("out/p1_alpha.png"), np.round(alpha * 255))
    foreground = tm.estimate_foreground(image, alpha).foreground
    assert np.abs(tm.io.load_image("out/p1_foreground.png") / 255 - foreground).max() < 0.51 / 255
    assert len(contents()) == 18


def test_masks_options_and_sixteen_bits(here):
    made = jobs_from_files(
        "in/p[01].png",
        "out/{stem}.tif",
        masks="masks/{stem}.png",
        what=["alpha"],
        options={"epsilon": 1e-6, "seed": 3},
    )
    assert run(made, executor=in_threads(), bits=16).failed == 0
    alpha = tm.io.load_image("out/p1.tif")
    assert alpha.dtype == np.uint16
    image, mask = tm.io.load_image("in/p1.png"), tm.io.load_image("masks/p1.png")
    expected = tm.matte_from_mask(image, mask, epsilon=1e-6, seed=3)
    assert np.abs(alpha / 65535 - expected).max() < 0.51 / 65535


def test_options_of_masks(here):
    Path("jobs.csv").write_text("image,mask,alpha,band,learn\nin/p0.png,masks/p0.png,out/a.png,7,false\n")
    (job,) = jobs_from_manifest("jobs.csv", options={"threshold": 0.4, "band": 3})
    assert run([job], executor=in_threads()).failed == 0
    image, mask = tm.io.load_image("in/p0.png"), tm.io.load_image("masks/p0.png")
    expected = tm.matte_from_mask(image, mask, band=7, threshold=0.4, learn=False)
    assert np.abs(tm.io.load_image("out/a.png") / 255 - expected).max() < 0.51 / 255
    options = ["--band", "7", "--threshold", "0.4", "--no-learn", "--what", "alpha", "-q"]
    assert command(["batch", "in/p0.png", "--masks", "masks/{stem}.png", "-o", "out/b.png", *options]) == 0
    assert Path("out/b.png").read_bytes() == Path("out/a.png").read_bytes()
    for name, value in (("band", 7), ("threshold", 0.4), ("learn", False)):
        with pytest.raises(tm.BatchError, match=f"in/p0.png: expected options of .* with a trimap, got '{name}'"):
            jobs(options={name: value})


def test_the_name_of_a_file_is_no_pattern(here):
    for name in ("p[0].png", "p0.png"):
        Path("in", name).write_bytes(Path("in/p1.png").read_bytes())
    (job,) = jobs_from_files("in/p[0].png", "out/{folder}/{stem}.png", trimaps="tri/p0.png")
    assert (job.image, job.outputs["cutout"]) == ("in/p[0].png", "out/./p[0].png")
    Path("in/p[0].png").unlink()
    (job,) = jobs_from_files("in/p[0].png", "out/{stem}.png", trimaps="tri/p0.png")
    assert job.image == "in/p0.png"


def test_processes_of_our_own_give_the_same_bits(here):
    run(jobs(), executor=in_threads())
    expected = contents()
    for path in Path("out").iterdir():
        path.unlink()
    log = here / "log.jsonl"
    summary = run(jobs(), processes=2, log=log)
    assert (summary.done, summary.failed) == (6, 0)
    assert contents() == expected
    records = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(records) == 6
    assert os.getpid() not in {record["process"] for record in records}
    assert set(records[0]["seconds"]) == {"read", "alpha", "foreground", "write"}
    assert records[0]["outputs"] == {
        path: os.path.getsize(path) for path in records[0]["outputs"]
    }  # fmt: skip
    assert records[0]["alpha"]["solver"] == "cholesky"


def test_one_bad_item_does_not_stop_the_others(here):
    Path("in/p0.png").write_bytes(b"")
    Path("in/p1.png").write_bytes(Path("in/p1.png").read_bytes()[:300])
    tm.io.save_image("tri/p2.png", np.zeros((10, 10)))
    tm.io.save_image("tri/p3.png", np.full((48, 64), 0.5))
    Path("tri/p4.png").unlink()
    seen = []
    summary = run(jobs(), executor=in_threads(), log="log", progress=seen.append)
    assert (summary.done, summary.failed) == (1, 5)
    errors = {Path(record["image"]).stem: record["error"] for record in summary.failures}
    assert errors["p0"] == "in/p0.png: the file is empty"
    assert "truncated" in errors["p1"]
    assert "trimap: expected shape (48, 64) to match image, got (10, 10)" in errors["p2"]
    assert "trimap" in errors["p3"]
    assert errors["p4"] == "tri/p4.png: no such file"
    assert list(contents()) == ["p5.png"]
    assert [status.done + status.failed for status in seen] == list(range(7))
    assert seen[-1].total == 6


def test_only_what_is_missing_or_changed_is_done_again(here):
    def again(**options):
        summary = run(jobs(**options), executor=in_threads(), log="log")
        return summary.done, summary.skipped

    assert again() == (6, 0)
    assert again() == (0, 6)
    os.utime("in/p0.png", ns=(2 * 10**18, 2 * 10**18))
    assert again() == (1, 5)
    Path("out/p1.png").unlink()
    Path("out/p2.png").write_bytes(b"half")
    assert again() == (2, 4)
    assert again(options={**QUICK, "epsilon": 1e-5}) == (6, 0)
    assert run(jobs(), executor=in_threads(), log="log", resume=False).done == 6


def test_changed_arrays_are_noticed_and_the_same_objects_are_not(here):
    def again(prior):
        job = Job("in/p0.png", {"alpha": "out/a.png"}, trimap="tri/p0.png", options={"prior": prior})
        return run([job], executor=in_threads(), log="log").done

    plane = np.zeros((48, 64), np.float32)
    assert again(plane) == 1
    assert again(plane.copy()) == 0
    plane[20, 20:40] = 1
    assert again(plane) == 1
    assert [again(tm.priors.Combined(tm.priors.GlobalSampling())) for _ in range(2)] == [1, 0]
    os.chdir("out")
    job = Job("../in/p1.png", {"alpha": "b.png"}, trimap="../tri/p1.png")
    assert run([job], executor=in_threads(), log="../log").done == 1
    os.chdir("..")
    job = Job(here / "in" / "p1.png", {"alpha": here / "out" / "b.png"}, trimap=here / "tri" / "p1.png")
    assert run([job], executor=in_threads(), log="log").skipped == 1


def test_only_failed_items_are_retried(here):
    Path("in/p0.png").write_bytes(b"")
    first = run(jobs()[:3], executor=in_threads(), log="log")
    assert (first.done, first.failed) == (2, 1)
    still = run(jobs(), executor=in_threads(), log="log", only_failed=True)
    assert (still.done, still.failed, still.skipped) == (0, 1, 5)
    Path("in/p0.png").write_bytes(Path("in/p1.png").read_bytes())
    assert run(jobs(), executor=in_threads(), log="log", only_failed=True).done == 1
    assert run(jobs(), executor=in_threads(), log="log").done == 3


SCRIPT = """
import sys
from trimatte.batch import jobs_from_files, run
if __name__ == "__main__":
    jobs = jobs_from_files("in/*.png", "out/{stem}.png", trimaps="tri/{stem}.png", options={"method": "best"})
    run(jobs, processes=2, log="out/batch.jsonl", progress=lambda s: print(s.done, flush=True))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("name", ["SIGKILL", "SIGINT"])
def test_a_run_that_was_killed_goes_on_and_ends_with_the_same_bytes(here, name):
    """The parent is killed when two items are done; whatever its workers do then, the next run puts it right."""
    sign = getattr(signal, name)
    Path("script.py").write_text(SCRIPT)
    run(jobs(options={"method": "best"}), executor=in_threads())
    expected = contents()
    for path in Path("out").iterdir():
        path.unlink()
    process = subprocess.Popen(
        [sys.executable, "script.py"], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) == 2:
            os.killpg(process.pid, signal.SIGKILL) if sign == signal.SIGKILL else process.send_signal(sign)
            break
    process.stdout.close()
    assert process.wait() != 0
    if sign == signal.SIGINT:
        assert not list(Path("out").glob(".trimatte-*"))
    known = len(Path("out/batch.jsonl").read_bytes().splitlines())
    assert 2 <= known < 6
    with Journal("out/batch.jsonl") as journal:
        leftover = Path("out") / f".trimatte-{journal.mark}0123.tmp"
    leftover.write_bytes(b"half a picture")
    subprocess.run([sys.executable, "script.py"], check=True, stdout=subprocess.DEVNULL)
    assert contents() == expected


def test_a_cut_off_log_is_mended_and_a_wrong_one_refused(here):
    run(jobs(), executor=in_threads(), log="log")
    whole = Path("log").read_bytes()
    Path("log").write_bytes(whole[:-40])
    assert run(jobs(), executor=in_threads(), log="log").done == 1
    assert len(Path("log").read_bytes().splitlines()) == 6
    Path("notes.txt").write_text("not a log\n")
    for content in (
        "not a log\n",
        "not a log",
        '{"my": "config"}',
        '{"my": "config"}\n',
        '{"image": 1}\n',
        "[]\n",
    ):
        Path("notes.txt").write_text(content)
        with pytest.raises(tm.BatchError, match=r"notes.txt: expected the log of a batch"):
            run(jobs(), executor=in_threads(), log="notes.txt")
        assert Path("notes.txt").read_text() == content
    lines = whole.splitlines(keepends=True)
    Path("log").write_bytes(b"".join([lines[0], b"garbage\n", *lines[2:]]))
    with pytest.warns(tm.TrimatteWarning, match="log: 1 damaged lines are left out"):
        assert run(jobs(), executor=in_threads(), log="log").done == 1
    with pytest.raises(tm.BatchError, match="a log is a local file"):
        run(jobs(), executor=in_threads(), log="s3://bucket/log")


@pytest.mark.skipif(sys.platform == "win32", reason="devices")
def test_a_log_is_a_file(here):
    os.mkfifo("pipe")
    for name in ("/dev/zero", "out", "pipe"):  # the first never ends
        with pytest.raises(tm.BatchError, match=f"{name}: expected the name of a log, got something else than a"):
            run(jobs(), executor=in_threads(), log=name)
    assert run(jobs(), executor=in_threads(), log=os.devnull).done == 6


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has a disk that is always full")
def test_a_full_disk_is_named(here):
    with Journal("log") as journal:
        journal._log._file.close()
        journal._log._file = open("/dev/full", "r+b")  # noqa: SIM115
        with pytest.raises(OSError, match=r"No space left on device: 'log'"):
            journal.add({"key": "a"})
        with pytest.raises(OSError, match=r"No space left on device: 'log'"):
            journal.close()


def test_two_runs_cannot_share_a_log(here):
    with Journal("log"), pytest.raises(tm.BatchError, match="log: another run is using this log"):
        run(jobs(), executor=in_threads(), log="log")


class Dying(Executor):
    """Runs everything at once, except that the process dies at some pictures."""

    def __init__(self, deadly):
        self.deadly = deadly

    def submit(self, function, task):
        future = Future()
        if task.job.image in self.deadly:
            future.set_exception(BrokenProcessPool("dead"))
        else:
            future.set_result(function(task))
        return future


def test_a_lost_worker_is_recorded(here):
    with pytest.raises(tm.BatchError, match="the executor is broken; run again to go on"):
        run(jobs(), executor=Dying({"in/p2.png"}), processes=1, log="log")
    records = [json.loads(line) for line in Path("log").read_text().splitlines()]
    assert [record["error"] for record in records] == [None, None, "the worker that did it was lost"]
    assert run(jobs(), executor=in_threads(), log="log").done == 4
    last = run(jobs("out/again{stem}.png"), executor=Dying({"in/p5.png"}), processes=1)
    assert (last.done, last.failed) == (5, 1)


DEADLY = """
import multiprocessing, os, signal, sys
from trimatte.batch import _work, jobs_from_files, run

real, context = _work._do, multiprocessing.get_context("fork")

def do(task, notes):
    if task.job.image.endswith("p3.png"):
        os.kill(os.getpid(), signal.SIGKILL)
    real(task, notes)

if __name__ == "__main__":
    _work._do = do  # a forked process has this, too
    multiprocessing.get_context = lambda _: context
    jobs = jobs_from_files("in/*.png", "out/{stem}.png", trimaps="tri/{stem}.png")
    summary = run(jobs, processes=2, log="log")
    print(summary.done, summary.failed, summary.failures[0]["image"], summary.failures[0]["error"])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks")
def test_a_killed_process_costs_one_item(here):
    """As Linux does when memory is short."""
    Path("script.py").write_text(DEADLY)
    done = subprocess.run([sys.executable, "script.py"], check=True, stdout=subprocess.PIPE, text=True)
    assert done.stdout.startswith("5 1 in/p3.png the process that did it was killed, perhaps for lack of memory")
    assert not list(Path("out").glob(".trimatte-*"))
    assert run(jobs(options={}), executor=in_threads(), log="log").done == 1


def test_nothing_is_written_after_a_run_was_left(here):
    def stop(status):
        if status.done:
            raise ZeroDivisionError

    with ThreadPoolExecutor(4) as executor:
        with pytest.raises(ZeroDivisionError):
            run(jobs(), executor=executor, progress=stop)
        made = contents()
    assert contents() == made


def test_an_executor_that_is_gone_ends_the_run(here):
    class Deaf(Executor):
        def submit(self, function, task):
            return Future()

    with pytest.raises(tm.BatchError, match="the executor is gone; run again"):
        run(jobs(), executor=Deaf(), log="log", alive=lambda: False)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user who may not write everywhere")
def test_no_permission(here):
    Path("out").chmod(0o500)
    summary = run(jobs(), executor=in_threads())
    assert summary.failed == 6
    assert "no permission" in summary.failures[0]["error"]


def test_a_full_disk(here, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trimatte.io.write._write", full)
    summary = run(jobs(), executor=in_threads(), log="log")
    assert summary.failed == 6
    assert "No space left on device" in summary.failures[0]["error"]
    assert not list(Path("out").iterdir())
    monkeypatch.undo()
    os.chdir(here)
    assert run(jobs(), executor=in_threads(), log="log").done == 6
