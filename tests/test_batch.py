"""Many pictures: jobs, resumption, failures, memory, executors, and the command."""

import json
import os
import signal
import subprocess
import sys
import time
import warnings
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import trimatte as tm
from trimatte.batch import Job, _cost, _jobs, _run, jobs_from_files, jobs_from_manifest, run
from trimatte.batch._journal import Journal
from trimatte.cli import run as command
from trimatte.cli._batch import parsed_bytes
from trimatte.io.names import with_slashes


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Six pictures with trimaps and masks."""
    root = tmp_path_factory.mktemp("pictures")
    for name in ("in", "tri", "masks"):
        (root / name).mkdir()
    for index in range(6):
        scene = (tm.datasets.hair, tm.datasets.flower)[index % 2](48, 64, seed=index)
        tm.io.save_image(root / "in" / f"p{index}.png", scene.image)
        tm.io.save_image(root / "tri" / f"p{index}.png", scene.trimap)
        tm.io.save_image(root / "masks" / f"p{index}.png", (scene.alpha > 0.5).astype(np.float32))
    return root


@pytest.fixture
def here(pictures, tmp_path, monkeypatch):
    """A folder to work in, with links to the pictures."""
    for name in ("in", "tri", "masks"):
        (tmp_path / name).mkdir()
        for path in (pictures / name).iterdir():
            (tmp_path / name / path.name).write_bytes(path.read_bytes())
            os.utime(tmp_path / name / path.name, ns=(10**18, 10**18))
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def jobs(output="out/{stem}.png", **options):
    return jobs_from_files("in/*.png", output, trimaps="tri/{stem}.png", **options)


def in_threads():
    """Quick: the same code as in processes, without starting them."""
    return ThreadPoolExecutor(2)


def contents(folder="out"):
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir()) if path.suffix != ".jsonl"}


def test_outputs_are_those_of_the_functions(here):
    summary = run(jobs("out/{stem}_{what}.png", what=("cutout", "alpha", "foreground")), executor=in_threads())
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
    assert again(options={"epsilon": 1e-5}) == (6, 0)
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
    assert run(jobs(), executor=in_threads(), log="log").done == 1


def test_the_memory_of_a_solve_depends_on_its_way(here):
    """A stencil takes least, products of wide windows more, their rows most."""
    tm.io.save_image("tri/p1.png", np.full((48, 64), 0.5))
    options = ({}, {"radius": 3}, {"radius": 3, "solver": "cholesky"})
    found = [
        _cost.estimated_bytes(Job("in/p1.png", {"alpha": "a.png"}, trimap="tri/p1.png", options=o))
        for o in options
    ]
    assert found == sorted(set(found))


def test_memory_limits_what_runs_side_by_side(here):
    need = _cost.estimated_bytes(jobs()[0])
    tm.io.save_image("tri/p1.png", np.full((48, 64), 0.5))
    assert _cost.estimated_bytes(jobs()[1]) > need > _cost._PROCESS + 48 * 64 * 60
    Path("tri/p1.png").write_bytes(Path("tri/p0.png").read_bytes())
    narrow, wide = (
        _cost.estimated_bytes(Job("in/p0.png", {"alpha": "a.png"}, mask="masks/p0.png", options={"band": band}))
        for band in (1, 20)
    )
    unknown = np.count_nonzero(tm.trimap_from_soft_mask(tm.io.load_image("masks/p0.png"), band=20) == 128)
    assert wide >= _cost._PROCESS + 280 * unknown > narrow
    running, most = set(), []

    class Watching(ThreadPoolExecutor):
        def submit(self, function, task):
            running.add(task.job.key)
            most.append((len(running), task.threads))

            def call():
                time.sleep(0)  # let the others start
                record = function(task)
                running.discard(task.job.key)
                return record

            return super().submit(call)

    run(jobs(), executor=Watching(4), processes=4, memory=int(1.5 * need))
    assert max(count for count, _ in most) == 1
    summary = run(jobs(), executor=in_threads(), memory=need // 2)
    assert summary.failed == 6
    assert "needs about 75.3 MB, more than the memory allowed, 37.6 MB" in summary.failures[0]["error"]
    summary = run(jobs()[:1], executor=in_threads(), memory=5_000_000)
    assert summary.failures[0]["error"].endswith("more than the memory allowed, 5 MB")


def test_a_container_is_the_default_budget(here, monkeypatch):
    need = _cost.estimated_bytes(jobs()[0])
    monkeypatch.setattr(_run, "available_memory", lambda: need // 2)
    summary = run(jobs(), processes=1)
    assert summary.failed == 6
    assert "needs about 75.3 MB, more than the memory allowed, 37.6 MB" in summary.failures[0]["error"]
    assert run(jobs()[:1], executor=in_threads()).done == 1  # its workers may be elsewhere
    # no trimap is read where all items fit whatever it holds
    monkeypatch.setattr(_cost, "unknown_pixels", lambda *_: pytest.fail("it need not be read"))
    assert _cost.estimated_bytes(jobs()[0], enough=10**9) > need


def test_threads_fill_the_cores(here, monkeypatch):
    monkeypatch.setattr(_run, "thread_count", lambda n: 8 if n is None else n)
    asked = []

    class Noting(ThreadPoolExecutor):
        def submit(self, function, task):
            asked.append(task.threads)
            return super().submit(function, task)

    monkeypatch.setattr("trimatte._runtime.jobs.process_pool", Noting)
    run(jobs(), processes=2)
    assert asked[:5] == [4] * 5
    assert asked[5] in (4, 8)  # the last may find that the one before it has just ended
    asked.clear()
    run(jobs()[:1], processes=2)
    assert asked == [8]  # it has nobody beside it
    asked.clear()
    run(jobs(), processes=2, threads=3)
    assert asked == [3] * 6


def test_manifests(here):
    Path("jobs.csv").write_text("image,trimap,output,epsilon,method\nin/p0.png,tri/p0.png,out/a.png,1e-5,\n")
    (job,) = jobs_from_manifest("jobs.csv", options={"epsilon": 1.0, "tolerance": 0.01})
    assert job.options == {"epsilon": 1e-5, "tolerance": 0.01}
    assert job.outputs == {"cutout": "out/a.png"}
    row = {
        "image": "in/p0.png",
        "mask": "masks/p0.png",
        "alpha": "out/a.png",
        "foreground": "out/f.png",
        "seed": 1,
    }
    Path("jobs.jsonl").write_text(json.dumps(row) + "\n\n")
    Path("odd.csv").write_text('image, trimap, output\n0001, "a,b.png", out/\u2028.png\n', encoding="utf-8")
    (odd,) = jobs_from_manifest("odd.csv")
    assert (odd.image, odd.trimap, odd.outputs["cutout"]) == ("0001", "a,b.png", "out/\u2028.png")
    Path("odd.csv").write_bytes("image".encode("utf-16"))
    with pytest.raises(tm.BatchError, match=r"odd.csv: expected UTF-8"):
        jobs_from_manifest("odd.csv")
    (job,) = jobs_from_manifest("jobs.jsonl")
    assert (job.mask, job.trimap) == ("masks/p0.png", None)
    assert set(job.outputs) == {"alpha", "foreground"}
    assert run([job], executor=in_threads()).done == 1


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("m.csv", "image,output\na,b\n", "m.csv: expected columns image, and trimap or mask, got image, output"),
        ("m.csv", "image,trimap\na,b\n", "m.csv: expected a column of output, cutout, alpha, foreground"),
        ("m.csv", "", "m.csv: expected columns image, and trimap or mask, got none"),
        ("m.csv", "image,trimap,output\n", "m.csv: no jobs"),
        ("m.csv", "image,trimap,output\na,b,c.png\n,b,d.png\n", "m.csv, line 3: expected an image"),
        ("m.csv", "image,trimap,output\na,b,c.png\nx,y,c.png\n", "c.png: is the output of .*a and of .*x"),
        ("m.csv", "image,trimap,output\na,b,c.png\nc.png,y,d.png\n", "c.png: is an output of .*a and an input of"),
        ("m.csv", "image,trimap,output\na,b,b\n", "m.csv, line 2: .*b: expected a name that ends in"),
        ("m.csv", "image,trimap,output\na.png,b,a.png\n", "a.png: is an input; choose another name"),
        ("m.csv", "image,trimap,output,speed\na,b,c.png,9\n", "line 2: .*expected options of .* got 'speed'"),
        (
            "m.csv",
            "image,trimap,output,start\na,b,c.png,d.png\n",
            "options of background_threshold, .* got 'start'",
        ),
        (
            "m.csv",
            "image,trimap,output,prior\na,b,c.png,d.png\n",
            "line 2: .*a: expected a prior of fusion, .*, got 'd.png'",
        ),
        ("m.jsonl", '{"image": "a"}\n', "m.jsonl, line 1: .*a: expected a trimap or a mask, got neither"),
        ("m.jsonl", '{"image": "a", "trimap": "b", "mask": "c"}\n', "got both"),
        ("m.jsonl", '{"image": "a", "trimap": "b"}\n', "line 1: .*a: expected an output, got none"),
        ("m.jsonl", '{"image": "a", "trimap": 3}\n', "line 1: trimap: expected a file's name, got 3"),
        ("m.jsonl", "image: a\n", "m.jsonl, line 1: expected a JSON object"),
        ("m.csv", "image,trimap,output\na,0,b,c.png\n", "line 2: got 4 cells, expected 3; quote a name"),
        (
            "m.csv",
            "image,mask,output,method\na,b,c.png,best\n",
            "a mask is refined by closed-form, got method 'best'",
        ),
        (
            "m.csv",
            "image,mask,output,background_threshold\na,b,c.png,0.2\n",
            "line 2: .*a: expected options of .* with a mask, got 'background_threshold'",
        ),
        ("m.jsonl", "[1]\n", "m.jsonl, line 1: expected a JSON object, got list"),
        ("m.jsonl", '{"image": "a", "trimap": "b", "output": "c.jpg"}\n', "c.jpg: JPEG has no transparency"),
    ],
)
def test_bad_manifests_are_refused(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(tm.BatchError, match=message):
        jobs_from_manifest(tmp_path / name)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("in/*.tif", "out/{stem}.png"), r"in/\*.tif: no picture matches"),
        (("in/*.png", "out/{stam}.png"), "output: expected fields of {stem}, {name}, {folder}, {what}"),
        (("in/*.png", "out/x.png"), "out/x.png: is the output of in/p0.png and of in/p1.png"),
        (("in/*.png", "in/{name}"), "is an input"),
        (("in/*.png", "out/{stem.x}.png"), "output: expected fields of"),
        (("in/*.png", "tri/{name}"), "is an input"),
    ],
)
def test_bad_patterns_are_refused(here, arguments, message):
    with pytest.raises(tm.BatchError, match=message):
        jobs_from_files(*arguments, trimaps="tri/{stem}.png")


def test_a_missing_output_folder_costs_no_work(here):
    summary = run(jobs("nowhere/{stem}.png"), executor=in_threads())
    assert summary.failed == 6
    assert all("no such folder: " in record["error"] for record in summary.failures)
    assert all(record["seconds"] == {} for record in summary.failures)


def test_folders_below_the_pattern_can_be_kept(here):
    for name in ("a/x", "b"):
        Path("deep", name).mkdir(parents=True)
        tm.io.save_image(Path("deep", name, "p.png"), tm.io.load_image("in/p0.png"))
    made = jobs_from_files("deep/**/*.png", "out/{folder}/{stem}.png", trimaps="tri/p0.png")
    assert sorted(job.outputs["cutout"] for job in made) == ["out/a/x/p.png", "out/b/p.png"]


@pytest.mark.parametrize("pattern", ["deep/**/*.png", r"deep\**\*.png"])
def test_names_with_backslashes_are_names_with_slashes_on_windows(monkeypatch, pattern):
    monkeypatch.setattr(_jobs, "with_slashes", partial(with_slashes, separator="\\"))
    monkeypatch.setattr(_jobs.glob, "glob", lambda pattern, recursive: [r"deep\b\p.png", r"deep/a\x\p.png"])
    monkeypatch.setattr(_jobs.os.path, "isfile", lambda path: "*" not in path)
    made = jobs_from_files(pattern, "out/{folder}/{stem}.png", trimaps="tri/{name}")
    assert [(job.image, job.trimap, job.outputs["cutout"]) for job in made] == [
        ("deep/a/x/p.png", "tri/p.png", "out/a/x/p.png"),
        ("deep/b/p.png", "tri/p.png", "out/b/p.png"),
    ]


def test_a_generator_of_jobs_is_taken_one_by_one(here):
    taken = []

    def endless():
        for index in range(6):
            taken.append(index)
            yield Job(f"in/p{index}.png", {"alpha": f"out/{index % 5}.png"}, trimap=f"tri/p{index}.png")

    twice = [Job("in/p0.png", {"alpha": "out/x.png"}, trimap=f"tri/p{index}.png") for index in range(2)]
    chain = [
        Job("in/p0.png", {"alpha": "out/x.png"}, trimap="tri/p0.png"),
        Job("in/p1.png", {"alpha": "out/y.png"}, trimap="out/x.png"),
    ]
    for wrong in (twice, chain, chain[::-1], [twice[0]] * 2):
        with pytest.raises(tm.BatchError, match=r"out/x.png: is (an|the) output of"):
            run(wrong, executor=in_threads())
    assert not contents()
    with pytest.raises(tm.BatchError, match=r"out/0.png: is the output of in/p0.png and of in/p5.png"):
        run(endless(), executor=in_threads(), processes=1, log="log")
    assert len(contents()) == 5  # what was done before stays, and is in the log
    assert len(Path("log").read_bytes().splitlines()) == 5


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"processes": 0}, ValueError, "processes: expected at least 1"),
        ({"memory": 0}, ValueError, "memory: expected at least 1"),
        ({"threads": 0}, ValueError, "threads"),
        ({"bits": 12}, ValueError, "bits: expected None or one of 8, 16, 32"),
        ({"only_failed": True}, ValueError, "only_failed: expected a log"),
        ({"only_failed": True, "log": "none.jsonl"}, tm.BatchError, "none.jsonl: no such log, so that nobody"),
        ({"log": "no/such/folder/log"}, OSError, "no/such/folder"),
        ({"executor": 3}, TypeError, "executor: expected an Executor or None, got int"),
        ({"resume": "no"}, TypeError, "resume: expected True or False, got str"),
        ({"only_failed": 1}, TypeError, "only_failed: expected True or False, got int"),
        ({"progress": 1}, TypeError, "progress: expected a callable or None, got int"),
    ],
)
def test_bad_arguments_are_refused(here, options, error, message):
    with pytest.raises(error, match=message):
        run(jobs(), **options)
    assert not contents()


@pytest.mark.skipif(sys.platform == "win32", reason="links")
def test_another_name_of_an_input_is_an_input(here):
    os.link("in/p0.png", "out/hard.png")
    os.symlink(here / "tri" / "p0.png", "out/soft.png")
    for name in ("hard", "soft"):
        with pytest.raises(tm.BatchError, match=rf"out/{name}.png: is an input; choose another name"):
            Job("in/p0.png", {"alpha": f"out/{name}.png"}, trimap="tri/p0.png")
    with pytest.raises(tm.BatchError, match=r"out/../out/a.png: is the name of two outputs"):
        Job("in/p0.png", {"alpha": "out/a.png", "foreground": "out/../out/a.png"}, trimap="tri/p0.png")


def test_what_is_no_job_is_refused():
    with pytest.raises(TypeError, match="jobs: expected an iterable of Job, got int"):
        run(5)
    with pytest.raises(TypeError, match="jobs: expected an iterable of Job, got str in it"):
        run(["in/p0.png"])


def test_nothing_is_written_after_a_run_was_left(here):
    def stop(status):
        if status.done:
            raise ZeroDivisionError

    with ThreadPoolExecutor(4) as executor:
        with pytest.raises(ZeroDivisionError):
            run(jobs(), executor=executor, progress=stop)
        made = contents()
    assert contents() == made


def test_warnings_are_in_the_record_of_their_item(here, capsys):
    pixels = np.dstack([tm.io.load_image("in/p0.png"), np.full((48, 64), 7, np.uint8)])
    tm.io.save_image("in/p0.png", pixels)
    assert cli("batch", "in/*.png", "--trimaps", "tri/{stem}.png", "-o", "out/{stem}.png") == 0
    assert "warning: in/p0.png: the transparency is ignored" in capsys.readouterr().err
    before = list(warnings.filters)
    run(jobs("out/x{stem}.png"), executor=in_threads())
    assert warnings.filters == before


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


def cli(*arguments):
    return command([str(argument) for argument in arguments])


def test_the_command(here, capsys):
    arguments = ["batch", "in/*.png", "--trimaps", "tri/{stem}.png", "-o", "made/{what}/{stem}.png"]
    arguments += ["--what", "alpha", "--what", "cutout", "--processes", "1"]
    Path("in/p0.png").write_bytes(b"")
    assert cli(*arguments) == 1
    printed = capsys.readouterr()
    assert "5 done, 1 failed" in printed.out
    assert printed.err == "failed: in/p0.png: the file is empty\n"
    assert sorted(os.listdir("made")) == ["alpha", "batch.jsonl", "cutout"]
    assert len(os.listdir("made/alpha")) == 5
    assert cli(*arguments, "--retry-failed", "--json") == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["error"] == "in/p0.png: the file is empty"
    assert (lines[-1]["done"], lines[-1]["failed"], lines[-1]["skipped"]) == (0, 1, 5)


def test_the_help_says_that_folders_are_made(capsys):
    assert cli("batch", "--help") == 0
    assert "Folders are made." in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "expected IMAGES and --output, or --manifest"),
        (["in/*.png", "-o", "o/{stem}.png"], 2, "expected --trimaps or --masks"),
        (["in/*.png", "--manifest", "m.csv"], 2, "IMAGES: not with --manifest"),
        (["--manifest", "m.csv"], 1, "m.csv"),
        (["in/*.png", "--trimaps", "t", "-o", "o/{stem}.png", "--memory", "lots"], 2, "--memory: expected a size"),
        (["none/*.png", "--trimaps", "t", "-o", "o/{stem}.png"], 1, "no picture matches"),
    ],
)
def test_the_command_says_what_is_wrong(here, capsys, arguments, code, message):
    assert cli("batch", *arguments) == code
    assert message in capsys.readouterr().err


def test_sizes():
    assert [parsed_bytes(text) for text in ("8g", "500M", "1.5GB", "2GiB", "64KiB", "100")] == [
        8 * 10**9, 5 * 10**8, 15 * 10**8, 2 * 2**30, 64 * 2**10, 100
    ]  # fmt: skip
