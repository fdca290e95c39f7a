"""Methods measured on data sets: records, resumption, failures, comparisons, reports, and the commands."""

import importlib
import json
import re
import sys

import numpy as np
import pytest

import trimatte as tm
from trimatte.cli import run
from trimatte.datasets import Dataset, Sample
from trimatte.evaluation import Evaluation, Method, Record, compare, evaluate

MODULE = """
import numpy as np

calls = []

def half(image, trimap):
    assert image.dtype == trimap.dtype == np.float64 and image.max() <= 1
    assert set(np.unique(trimap)) <= {0, 0.5, 1}
    return trimap

def wrong_shape(image, trimap):
    return trimap[1:]

def not_a_number(image, trimap):
    return np.where(trimap == 0.5, np.nan, trimap)

def too_large(image, trimap):
    return trimap * 2

def on_some(image, trimap):
    calls.append(image.shape)
    if image.mean() < 0.15:
        raise RuntimeError("too dark\\nfor me")
    return trimap

def dies(image, trimap):
    import os
    if image.mean() < 0.15:
        os._exit(9)
    return trimap
"""


class Made:
    """A sample from memory that counts how often it is loaded."""

    def __init__(self, name, brightness=0.5, seed=0, truth=None, error=None):
        self.name = name
        self.brightness, self.seed, self.truth, self.error = brightness, seed, truth, error
        self.loads = 0

    def load(self):
        self.loads += 1
        if self.error:
            raise self.error
        trimap = np.zeros((8, 12), np.uint8)
        trimap[:, 4:8], trimap[:, 8:] = 128, 255
        rng = np.random.default_rng(self.seed)
        image = np.clip(self.brightness + 0.1 * rng.standard_normal((8, 12, 3)), 0, 1)
        truth = trimap / 255 if self.truth is None else self.truth
        return Sample(self.name, image, trimap, truth)

    def state(self):
        return f"{self.brightness} {self.seed}"


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "their_matting.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield "their_matting"
    sys.modules.pop("their_matting", None)


@pytest.fixture(scope="module")
def scenes():
    return tm.datasets.scenes(height=40, width=56)


def test_methods_are_parsed():
    assert Method.parse("best") == Method("best", "best")
    assert Method.parse("closed-form+sampling,epsilon=1e-5").name == "closed-form+sampling,epsilon=1e-5"
    assert Method.parse("mine=closed-form,radius=2") == Method("mine", "closed-form,radius=2")
    assert Method.parse("closed-form,solver=cg")._options() == {"method": "closed-form", "solver": "cg"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("magic", "method: expected one of closed-form, .* or a folder of alphas, got 'magic'"),
        ("closed-form+magic", "prior: expected one of composite-network"),
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
    alpha = tm.estimate_alpha(sample.image, sample.trimap)
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
    names = ["wrong_shape", "not_a_number", "too_large", "on_some", "missing"]
    result = evaluate([f"{module}:{name}" for name in names] + ["no_such_module:f"], [data])
    failure = {(r.sample, r.method.partition(":")[2]): r.failure for r in result.records}
    assert re.match(r"ValueError: alpha: expected shape", failure["bright", "wrong_shape"])
    assert re.match(r"ValueError: alpha: expected values in \[0, 1\], got nan", failure["bright", "not_a_number"])
    assert re.match(r"ValueError: alpha: expected values in \[0, 1\], got 2", failure["bright", "too_large"])
    assert failure["bright", "on_some"] is None
    assert failure["dark", "on_some"] == "RuntimeError: too dark for me"
    assert re.match("AttributeError", failure["dark", "missing"])
    assert re.match("ModuleNotFoundError", failure["dark", "f"])
    assert failure["torn", "on_some"] == "DatasetError: torn: expected parts of one size"
    assert re.match("ValueError: ", failure["other size", "on_some"])
    means = result.means("made")
    assert means[f"{module}:on_some"]["done"] == 1
    assert np.isnan(means[f"{module}:on_some"]["sad"])  # there is no sample that all methods did
    assert means[f"{module}:on_some"]["rank"] < means[f"{module}:missing"]["rank"]
    assert "0 of 4 samples" in result.table("made")
    assert len(result.failures) == 23


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
        (["best"], 1, {"jobs": 0}, "jobs: expected at least 1"),
    ],
)
def test_bad_arguments_are_refused(methods, datasets, options, message):
    with pytest.raises(ValueError, match=message):
        evaluate(methods, [Dataset("made", [Made("a")])] * datasets, **options)


def made_evaluation(values, method="m", dataset="d"):
    return Evaluation(
        tuple(
            Record(
                dataset, f"s{i}", method, None if v is None else {"sad": v}, 1.0, 0, "why" if v is None else None
            )
            for i, v in enumerate(values)
        )
    )


def test_compare_tells_a_change_from_noise():
    rng = np.random.default_rng(1)
    base = list(rng.uniform(1, 5, 20))
    (better,) = compare(made_evaluation(base), made_evaluation([0.95 * v for v in base]))
    assert (better.verdict, better.samples) == ("better", 20)
    assert better.low <= better.after - better.before <= better.high < 0
    (worse,) = compare(made_evaluation(base), made_evaluation([v + 0.1 for v in base]))
    assert worse.verdict == "worse"
    shaken = made_evaluation([v + d for v, d in zip(base, rng.normal(0, 0.5, 20), strict=True)])
    (noise,) = compare(made_evaluation(base), shaken)
    assert noise.verdict == "noise"
    assert noise.low < 0 < noise.high
    (same,) = compare(made_evaluation(base), made_evaluation(base))
    assert same.verdict == "same"
    (part,) = compare(made_evaluation(base), made_evaluation([*base[:5], None]))
    assert part.samples == 5
    (renamed,) = compare(made_evaluation(base), made_evaluation(base, "n"))
    assert renamed.method == "m -> n"


def test_compare_refuses_what_cannot_be_compared():
    with pytest.raises(tm.DatasetError, match="samples and methods that both evaluations have"):
        compare(made_evaluation([1.0]), made_evaluation([1.0], dataset="other"))
    with pytest.raises(ValueError, match="measure: expected one of"):
        compare(made_evaluation([1.0]), made_evaluation([1.0]), measure="psnr")


def test_rank_correlation():
    records = []
    for dataset, errors in (("d", (1, 2, 3, 4)), ("e", (10, 30, 20, 40))):
        for method, error in zip("wxyz", errors, strict=True):
            records.append(Record(dataset, "s", method, {"sad": error, "mse": 0, "mad": 0, "rmse": 0,
                                                         "gradient": 0, "connectivity": 0}, 1.0, 0))  # fmt: skip
    result = Evaluation(tuple(records))
    assert result.rank_correlation("d", "e") == pytest.approx(0.8)
    few = Evaluation(tuple(r for r in records if r.method in "wx"))
    with pytest.raises(tm.DatasetError, match="at least 3 methods"):
        few.rank_correlation("d", "e")


def test_the_report_is_one_file_that_needs_no_network(tmp_path, scenes, module):
    data = Dataset("<made & 'odd'>", [*scenes.select(["hair", "net"]).sources, Made("dark", 0.1)])
    result = evaluate(["closed-form", f"{module}:on_some"], [data], output=tmp_path)
    tm.evaluation.write_report(result, [data], tmp_path)
    text = (tmp_path / "report.html").read_text()
    for reference in re.findall(r"""(?:src|href)="([^"]*)""", text):
        assert reference.startswith(("data:", "#"))
    assert "<script" not in text
    assert not re.search(r"url\(\s*['\"]?http", text)
    assert text.count("data:image/png;base64,") == 5 + 5 + 4  # image, trimap, truth, alphas
    assert "&lt;made &amp; &#39;odd&#39;&gt;" in text
    assert "too dark for me" in text
    assert text.count("<svg") == 1
    assert 'class="best"' in text


def cli(*arguments):
    return run([str(argument) for argument in arguments])


@pytest.fixture
def pictures(tmp_path):
    """Files as alphamatting.com's training set has them, of a rendered scene."""
    root = tmp_path / "set"
    scene = tm.datasets.hair(40, 56)
    for folder, pixels in (
        ("input_training_lowres", scene.image),
        ("trimap_training_lowres/Trimap1", scene.trimap),
        ("gt_training_lowres", scene.alpha),
    ):
        (root / folder).mkdir(parents=True)
        for name in ("GT01", "GT02"):
            tm.io.save_image(root / folder / f"{name}.png", pixels)
    return root


def test_the_command_evaluates_and_compares(pictures, tmp_path, capsys):
    out = tmp_path / "out"
    assert cli("evaluate", pictures, "-m", "closed-form", "-m", "sampling", "-o", out) == 0
    printed = capsys.readouterr()
    assert "| closed-form |" in printed.out
    assert "[4/4] set/Trimap1 GT02, sampling: SAD" in printed.err
    assert {p.name for p in out.iterdir()} == {
        "alphas", "records.jsonl", "report.html", "results.csv", "results.json"
    }  # fmt: skip
    assert cli("evaluate", pictures, "-m", "closed-form", "--no-report", "--json", "-o", tmp_path / "two") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["means"]["set/Trimap1"]["closed-form"]["done"] == 2
    finished = out / "alphas" / "sampling" / "set" / "Trimap1"
    assert cli("evaluate", pictures, "-m", finished, "--no-report", "--json", "-o", tmp_path / "three") == 0
    means = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)["means"]["set/Trimap1"]["Trimap1"]
    assert means["seconds"] is None
    assert means["sad"] > 0
    assert cli("compare", out / "results.json", tmp_path / "two" / "results.json", "--fail-if-worse") == 0
    assert "closed-form: sad" in capsys.readouterr().out
    assert cli("compare", out / "results.csv", out / "results.json") == 1
    assert "expected the JSON of an evaluation" in capsys.readouterr().err


def test_the_command_fails_if_a_method_fails(pictures, tmp_path, capsys, monkeypatch):
    (tmp_path / "local_method.py").write_text("def f(image, trimap):\n    raise KeyError('no')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    code = cli("evaluate", pictures, "-m", "local_method:f", "-m", "closed-form", "-q", "-o", tmp_path / "out")
    assert code == 1
    assert json.loads((tmp_path / "out" / "results.json").read_text())["records"][0]["failure"] == "KeyError: 'no'"
    sys.modules.pop("local_method", None)


def test_the_command_with_patterns_and_a_worse_result(pictures, tmp_path, capsys):
    images, truths = pictures / "input_training_lowres" / "*.png", pictures / "gt_training_lowres"
    arguments = ["evaluate", images, "--truths", truths / "{stem}.png", "--radius", "3", "--no-report", "-q"]
    assert cli(*arguments, "-m", "m=closed-form", "-o", tmp_path / "a") == 0
    assert cli(*arguments, "-m", "m=closed-form,epsilon=1", "-o", tmp_path / "b") == 0
    paths = [tmp_path / name / "results.json" for name in "ab"]
    assert cli("compare", *paths, "--fail-if-worse") == 1
    assert cli("compare", *paths[::-1], "--fail-if-worse") == 0
    assert "better" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere"], 1, "nowhere: no such folder"),
        (["scenes", "-m", "magic"], 1, "method: expected one of"),
        (["scenes", "--sample", "GT99"], 1, "no sample 'GT99'"),
        (["*.jpg"], 2, "needs --truths"),
        (["*.jpg", "--truths", "x"], 1, r"\*.jpg: no file matches"),
    ],
)
def test_the_command_says_what_is_wrong(arguments, code, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli("evaluate", *arguments, "-o", "out") == code
    assert re.search(message, capsys.readouterr().err)
    assert not (tmp_path / "out").exists()
