"""Methods measured on data sets: records, resumption, failures, comparisons, reports, and the commands."""

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from made_samples import Made

import trimatte as tm
from trimatte.datasets import Dataset
from trimatte.evaluation import Evaluation, Method, evaluate


def test_methods_are_parsed():
    assert Method.parse("best") == Method("best", "best")
    assert Method.parse("closed-form+sampling,epsilon=1e-5").name == "closed-form+sampling,epsilon=1e-5"
    assert Method.parse("mine=closed-form,radius=2") == Method("mine", "closed-form,radius=2")
    assert Method.parse("closed-form,solver=cg")._options() == {"method": "closed-form", "solver": "cg"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("magic", "method: expected one of auto, .* or a folder of alphas, got 'magic'"),
        ("closed-form+magic", r"method: expected a prior of fusion, .* after closed-form\+, got"),
        ("bets", "got 'bets'; did you mean 'best'"),
        ("closed-form,epsilom=1", "method: expected options of .*epsilon.*, got 'epsilom=1'"),
        ("closed-form,threads=1", "method: expected options of"),
        ("", "method: expected one of"),
    ],
)
def test_bad_methods_are_refused(spec, message):
    with pytest.raises(ValueError, match=message):
        Method.parse(spec)


def test_errors_are_those_of_the_metrics(scenes):
    two = scenes.select(["hair", "glass"])
    result = evaluate(["closed-form", "sampling"], [two])
    assert [r.key for r in result.records] == [
        ("scenes", sample, method) for sample in ("hair", "glass") for method in ("closed-form", "sampling")
    ]
    sample = two["hair"]
    alpha = tm.estimate_alpha(sample.image, sample.trimap, method="closed-form")
    record = result.records[0]
    assert record.errors == tm.metrics.evaluate(alpha, sample.truth, sample.trimap).as_dict()
    assert record.info["solver"] == "cholesky"
    assert record.seconds > 0
    means = result.means("scenes")
    assert means["closed-form"]["sad"] == np.mean([r.errors["sad"] for r in result.records[::2]])
    assert means["closed-form"]["rank"] + means["sampling"]["rank"] == 3
    assert str(result).count("\n| ") == 3  # the title, and a line for each method


def test_somebody_elses_function(module):
    result = evaluate([f"{module}:half"], [Dataset("made", [Made("a")])])
    assert result.records[0].errors["mad"] == pytest.approx(abs(128 / 255 - 0.5))


def test_finished_alphas_with_and_without_a_folder_for_the_data_set(tmp_path):
    data = Dataset("made", [Made("a"), Made("b"), Made("c")])
    (tmp_path / "made").mkdir()
    tm.io.save_image(tmp_path / "a.png", np.zeros((8, 12)))
    tm.io.save_image(tmp_path / "made" / "b.png", np.full((8, 12), 65535, np.uint16))
    result = evaluate([f"theirs={tmp_path}"], [data])
    a, b, c = result.records
    assert a.method == "theirs"
    assert a.errors["mad"] == pytest.approx(128 / 255)
    assert b.errors["mad"] == pytest.approx(127 / 255)
    assert a.seconds is a.peak_bytes is None
    assert np.isnan(result.means("made")["theirs"]["seconds"])
    assert c.failure == f"FileNotFoundError: no alpha c.* in {tmp_path}"


def test_failures_are_recorded_and_the_run_goes_on(module):
    data = Dataset(
        "made",
        [
            Made("bright", 0.8),
            Made("dark", 0.1),
            Made("torn", error=tm.DatasetError("torn: expected parts of one size")),
            Made("other size", truth=np.zeros((3, 3))),
        ],
    )
    names = ["wrong_shape", "not_a_number", "too_large", "on_some", "exits", "mute", "odd", "nothing"]
    result = evaluate([f"{module}:{name}" for name in names], [data])
    failure = {(r.sample, r.method.partition(":")[2]): r.failure for r in result.records}
    assert re.match(r"ValueError: alpha: expected shape", failure["bright", "wrong_shape"])
    assert re.match(r"ValueError: alpha: expected values in \[0, 1\], got nan", failure["bright", "not_a_number"])
    assert re.match(r"ValueError: alpha: expected values in \[0, 1\], got 2", failure["bright", "too_large"])
    assert failure["bright", "on_some"] is None
    assert failure["dark", "on_some"] == "RuntimeError: too dark for me"
    assert failure["dark", "exits"] == "SystemExit: 0"
    assert failure["dark", "mute"] == "Mute: (its message cannot be read)"
    assert failure["dark", "odd"] == "RuntimeError: \\udcff"
    assert failure["dark", "nothing"] == "TypeError: alpha: expected an array, got None"
    assert failure["torn", "on_some"] == "DatasetError: torn: expected parts of one size"
    assert re.match("ValueError: ", failure["other size", "on_some"])
    means = result.means("made")
    assert means[f"{module}:on_some"]["done"] == 1
    assert means[f"{module}:on_some"]["sad"] > 0  # those that never had an alpha do not count
    assert means[f"{module}:on_some"]["rank"] >= 1
    assert np.isnan([means[f"{module}:exits"][name] for name in ("sad", "rank")]).all()
    assert "1 of 4 samples" in result.table("made")
    assert f"| {module}:exits |{' - |' * 7} 0 |" in result.table("made")
    assert len(result.failures) == 4 * 8 - 1


@pytest.mark.parametrize(
    ("spec", "got"),
    [
        ("their_matting:missing", "AttributeError: module 'their_matting' has no attribute 'missing'"),
        ("their_matting:calls", "list"),
        ("no_such_module:f", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("broken_matting:f", "ZeroDivisionError: division by zero"),
        ("leaving_matting:f", "SystemExit: 3"),
    ],
)
def test_functions_that_cannot_be_had_are_found_before_any_sample(module, tmp_path, spec, got):
    (tmp_path / "broken_matting.py").write_text("1 / 0\n")
    (tmp_path / "leaving_matting.py").write_text("raise SystemExit(3)\n")
    sample = Made("a")
    with pytest.raises(ValueError, match=re.escape(f"method: expected the function {spec}, got {got}")):
        evaluate(["closed-form", spec], [Dataset("made", [sample])], output=tmp_path / "out")
    assert sample.loads == 0
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("closed-form,epsilon=-1", "closed-form,epsilon=-1: epsilon: expected"),
        ("best,tolerance=true", "best,tolerance=true: tolerance: expected"),
        ("closed-form,solver=magic", "closed-form,solver=magic: solver: expected"),
        ("learning-based,solver=multigrid,radius=2", "radius=2: solver: multigrid needs an affinity"),
    ],
)
def test_options_out_of_range_are_found_before_any_sample(tmp_path, spec, message):
    sample = Made("a")
    with pytest.raises(ValueError, match=re.escape(message)):
        evaluate([spec], [Dataset("made", [sample])], output=tmp_path / "out")
    assert sample.loads == 0
    assert not (tmp_path / "out").exists()


def test_side_by_side_gives_the_same_errors(scenes, module):
    three = scenes.select(["hair", "glass", "flower"])
    methods = ["closed-form", f"{module}:half"]
    one, two = (evaluate(methods, [three], jobs=jobs) for jobs in (1, 2))
    assert [(r.key, r.errors) for r in one.records] == [(r.key, r.errors) for r in two.records]


def test_a_process_that_dies_costs_one_record(module, scenes):
    few = scenes.select(["hair", "low-light-hair", "glass", "flower"])
    result = evaluate([f"{module}:dies", f"{module}:half"], [few], jobs=2)
    failed = [r for r in result.records if r.failure]
    assert {r.key[1:] for r in failed} == {
        (s.name, f"{module}:dies") for s in few if (s.image / 255).mean() < 0.15
    }
    assert failed
    assert all("the process died" in r.failure for r in failed)
    assert len(result.records) == 8


def test_a_stopped_run_goes_on(tmp_path):
    sources = [Made(name) for name in "abcd"]
    data = Dataset("made", sources)

    def stop(done, total, record):
        assert total == 4
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(["closed-form"], [data], output=tmp_path, progress=stop)
    assert not (tmp_path / "results.json").exists()
    with (tmp_path / "records.jsonl").open("a") as file:
        file.write('{"dataset": "made", "sam')  # what a crash may leave
    before = [source.loads for source in sources]
    assert before == [1, 1, 0, 0]
    result = evaluate(["closed-form"], [data], output=tmp_path)
    assert [source.loads for source in sources] == [1, 1, 1, 1]
    assert [r.sample for r in result.records] == list("abcd")
    assert Evaluation.from_json(tmp_path / "results.json").records == result.records
    undisturbed = evaluate(["closed-form"], [data])
    assert [r.errors for r in undisturbed.records] == [r.errors for r in result.records]


def test_what_has_changed_is_run_again(tmp_path, module):
    first = [Made("a"), Made("b")]
    evaluate(["closed-form", f"{module}:on_some"], [Dataset("made", first)], output=tmp_path)
    changed = [Made("a"), Made("b", seed=9)]
    evaluate(["closed-form", f"{module}:on_some"], [Dataset("made", changed)], output=tmp_path)
    assert [source.loads for source in changed] == [0, 1]
    their_matting = importlib.import_module(module)
    their_matting.calls.clear()
    for expected in (1, 2):  # a failure is no result
        evaluate([f"{module}:on_some"], [Dataset("made", [Made("dark", 0.1)])], output=tmp_path)
        assert len(their_matting.calls) == expected
    anew = [Made("a")]
    evaluate(["closed-form"], [Dataset("made", anew)], output=tmp_path, resume=False)
    assert anew[0].loads == 1
    evaluate(["closed-form"], [Dataset("made", anew)], output=tmp_path)
    assert anew[0].loads == 1
    (tmp_path / "alphas" / "closed-form" / "made" / "a.png").unlink()
    evaluate(["closed-form"], [Dataset("made", anew)], output=tmp_path)
    assert (tmp_path / "alphas" / "closed-form" / "made" / "a.png").exists()


def test_a_changed_function_or_alpha_is_run_again(tmp_path, module):
    data = Dataset("made", [Made("a")])
    arguments = [f"{module}:half", f"theirs={tmp_path / 'finished'}"]
    (tmp_path / "finished").mkdir()
    tm.io.save_image(tmp_path / "finished" / "a.png", np.zeros((8, 12)))
    first = evaluate(arguments, [data], output=tmp_path / "out")
    source = tmp_path / f"{module}.py"
    source.write_text(source.read_text().replace("return trimap\n", "return trimap * 0\n", 1))
    sys.modules.pop(module)
    importlib.invalidate_caches()
    tm.io.save_image(tmp_path / "finished" / "a.png", np.ones((8, 12)))
    second = evaluate(arguments, [data], output=tmp_path / "out")
    assert all(a.errors != b.errors for a, b in zip(first.records, second.records, strict=True))


def test_records_of_other_samples_and_methods_stay(tmp_path):
    sources = [Made("a"), Made("b")]
    evaluate(["closed-form"], [Dataset("made", sources)], output=tmp_path)
    evaluate(["sampling"], [Dataset("made", sources[:1])], output=tmp_path)
    seen = []
    both = evaluate(
        ["closed-form", "sampling"],
        [Dataset("made", sources)],
        output=tmp_path,
        progress=lambda done, total, record: seen.append(record.key),
    )
    assert len(both.records) == 4
    assert seen == [("made", "b", "sampling")]


def test_what_is_no_record_is_left_out(tmp_path):
    evaluate(["closed-form"], [Dataset("made", [Made("a")])], output=tmp_path)
    with (tmp_path / "records.jsonl").open("ab") as file:
        file.write(b'\xff\n[1]\n{"dataset": ["x"]}\n')
        good = json.loads((tmp_path / "records.jsonl").read_bytes().splitlines()[0])
        file.write(json.dumps({**good, "errors": 7}).encode() + b"\n")
    again = [Made("a")]
    evaluate(["closed-form"], [Dataset("made", again)], output=tmp_path)
    assert again[0].loads == 0


def test_two_runs_cannot_share_a_folder(tmp_path):
    refused = []

    def meanwhile(done, total, record):
        with pytest.raises(tm.DatasetError, match="another run is using this folder") as caught:
            evaluate(["sampling"], [Dataset("made", [Made("a")])], output=tmp_path)
        refused.append(caught)

    evaluate(["closed-form"], [Dataset("made", [Made("a"), Made("b")])], output=tmp_path, progress=meanwhile)
    assert len(refused) == 2
    again = [Made("a"), Made("b")]
    evaluate(["closed-form"], [Dataset("made", again)], output=tmp_path)
    assert [sample.loads for sample in again] == [0, 0]
    evaluate(["sampling"], [Dataset("made", again)], output=tmp_path, resume=False)
    assert len((tmp_path / "records.jsonl").read_bytes().splitlines()) == 2


def test_names_that_mean_other_folders_stay_inside(tmp_path):
    data = Dataset("..", [Made("..")])
    evaluate(["..=closed-form", "a=sampling"], [data], output=tmp_path / "out")
    assert len(list((tmp_path / "out" / "alphas").glob("*/*/*.png"))) == 2
    assert os.listdir(tmp_path) == ["out"]


def test_alphas_of_an_evaluation_can_be_measured_again(tmp_path):
    data = Dataset("my data (ü)", [Made("photo ß")])
    first = evaluate(["closed-form"], [data], output=tmp_path)
    again = evaluate([str(tmp_path / "alphas" / "closed-form")], [data])
    assert again.records[0].errors["sad"] == pytest.approx(first.records[0].errors["sad"], abs=1e-3)


def test_finished_alphas_of_other_kinds(tmp_path):
    data = Dataset("made", [Made("a"), Made("b")])
    tm.io.save_image(tmp_path / "a.png", np.zeros((8, 12)))
    (tmp_path / "a.png").rename(tmp_path / "a.PNG")
    tm.io.save_image(tmp_path / "b.png", np.random.default_rng(0).random((8, 12, 3)))
    a, b = evaluate([str(tmp_path)], [data]).records
    assert a.failure is None
    assert re.search(r"b.png: expected grey .* coloured pixels", b.failure)


SCRIPT = """
import sys
import trimatte as tm
sys.path.append({folder!r})
def main():
    data = tm.datasets.scenes(height=40, width=40).select(["hair", "net", "glass"])
    tm.evaluation.evaluate(["their_matting:sleeps"], [data], jobs=2)
"""


def children(pid):
    """Numbers of the processes that `pid` has started. Small Linux containers have no `ps`."""
    if sys.platform == "linux":
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended
                # The state and the parent's number follow the name, which is in brackets and may hold any byte.
                if int((place / "stat").read_bytes().rpartition(b")")[2].split()[1]) == pid:
                    found.append(int(place.name))
        return found
    lines = subprocess.run(["ps", "-eo", "pid,ppid"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return [int(line.split()[0]) for line in lines.splitlines()[1:] if int(line.split()[1]) == pid]


def wait_until(condition):
    for _ in range(600):
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("sign", ["SIGINT", "SIGKILL"])
def test_a_stopped_parent_leaves_no_process_behind(tmp_path, module, sign):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(folder=str(tmp_path)) + "if __name__ == '__main__':\n    main()\n")
    process = subprocess.Popen([sys.executable, script], stderr=subprocess.PIPE)
    assert wait_until(lambda: len(children(process.pid)) >= 3)  # two workers and the resource tracker
    workers = children(process.pid)
    process.send_signal(getattr(signal, sign))
    process.communicate()  # ends when the last process that holds the pipe ends
    assert process.returncode != 0
    for worker in workers:
        assert wait_until(lambda pid=worker: not os.path.exists(f"/proc/{pid}") or sys.platform != "linux")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_the_command_that_is_terminated_runs_no_further_sample(tmp_path, module, jobs):
    data = ["scenes", "--scene-size", "40", "56", "--no-report", "--jobs", jobs, "-o", tmp_path / "out"]
    arguments = [sys.executable, "-m", "trimatte", "evaluate", *data, "-m", f"{module}:sleeps"]
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE, cwd=tmp_path, text=True)
    assert wait_until((tmp_path / f"{module}.py.asleep").exists)
    process.send_signal(signal.SIGTERM)
    assert process.communicate()[1] == "trimatte: stopped\n"
    assert process.returncode == 143
    assert (tmp_path / "out" / "records.jsonl").read_bytes() == b""


def test_a_script_that_cannot_start_workers_is_told_so(tmp_path, module):
    script = SCRIPT.format(folder=str(tmp_path)) + "main()\n"
    done = subprocess.run([sys.executable, "-"], input=script, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert "no worker process can start; a script that starts some needs" in done.stderr


def test_files_of_an_evaluation(tmp_path, scenes):
    data = scenes.select(["hair", "net"])
    result = evaluate(["closed-form", "mine=closed-form,radius=2"], [data], output=tmp_path)
    lines = (tmp_path / "results.csv").read_text().splitlines()
    assert lines[0].startswith("dataset,sample,method,sad,mse,")
    assert len(lines) == 5
    content = json.loads((tmp_path / "results.json").read_text())
    assert content["means"]["scenes"]["mine"]["sad"] == result.means("scenes")["mine"]["sad"]
    assert content["machine"]["trimatte"] == tm.__version__
    alpha = tm.io.load_image(tmp_path / "alphas" / "mine" / "scenes" / "hair.png")
    assert alpha.shape == (40, 56)
    assert alpha.dtype == np.uint8


@pytest.mark.parametrize(
    ("methods", "datasets", "options", "message"),
    [
        (["best", "best"], 1, {}, "methods: expected different names, got 'best' twice"),
        (["best"], 2, {}, "datasets: expected different names, got 'made' twice"),
        ([], 1, {}, "methods, datasets: expected at least one of each"),
        (["best"], 1, {"output": ""}, "output: expected the name of a folder"),
        (["best"], 1, {"output": __file__}, "output: expected a folder, got the file"),
        (["best"], 1, {"jobs": 0}, "jobs: expected at least 1"),
    ],
)
def test_bad_arguments_are_refused(methods, datasets, options, message):
    with pytest.raises(ValueError, match=message):
        evaluate(methods, [Dataset("made", [Made("a")])] * datasets, **options)


def test_arguments_of_another_kind_are_refused():
    data = Dataset("made", [Made("a")])
    with pytest.raises(TypeError, match="methods: expected a sequence of methods, got 'best'"):
        evaluate("best", [data])
    with pytest.raises(TypeError, match="methods: expected str or Method, got function"):
        evaluate([lambda image, trimap: trimap], [data])
    with pytest.raises(TypeError, match="methods: expected an iterable of str or Method, got int"):
        evaluate(5, [data])
    with pytest.raises(TypeError, match="datasets: expected a sequence of data sets, got one by itself"):
        evaluate(["best"], data)
    with pytest.raises(TypeError, match="datasets: expected a sequence of data sets, got Sample in it"):
        evaluate(["best"], [Made("a").load()])
    with pytest.raises(TypeError, match="datasets: expected an iterable of Dataset, got int"):
        evaluate(["best"], 5)
    with pytest.raises(TypeError, match="resume: expected True or False, got str"):
        evaluate(["best"], [data], resume="no")
    result = evaluate(["closed-form"], [data, Dataset("empty", [])])
    with pytest.raises(tm.DatasetError, match="empty: expected one of made"):
        result.table("empty")
