"""How much memory and how many threads the items of a batch take side by side."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from batch_jobs import in_threads, jobs

import trimatte as tm
from trimatte.batch import Job, _cost, _run, run
from trimatte.cli._batch import parsed_bytes


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


def test_sizes():
    assert [parsed_bytes(text) for text in ("8g", "500M", "1.5GB", "2GiB", "64KiB", "100")] == [
        8 * 10**9, 5 * 10**8, 15 * 10**8, 2 * 2**30, 64 * 2**10, 100
    ]  # fmt: skip
