"""The commands that evaluate and compare, and the report."""

import json
import re
import sys

import numpy as np
import pytest
from made_samples import Made

import trimatte as tm
from trimatte.cli import run
from trimatte.datasets import Dataset
from trimatte.evaluation import evaluate


def test_the_report_is_one_file_that_needs_no_network(tmp_path, scenes, module):
    data = Dataset("<made & 'odd'>", [*scenes.select(["hair", "net"]).sources, Made("dark", 0.1)])
    result = evaluate(["_a$b^{$=closed-form", f"{module}:on_some"], [data], output=tmp_path)
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
    assert text.count("_a$b^{$") > 5  # one of them in the plot's legend
    assert "rows 0-40, columns 0-56" in text
    tm.evaluation.write_report(result, [data, Dataset("empty", [])], tmp_path)
    damaged = next((tmp_path / "alphas").glob("*/*/hair.png"))
    damaged.write_bytes(b"half")
    tm.evaluation.write_report(result, [data], tmp_path)
    assert (tmp_path / "report.html").read_text().count("data:image/png") == 13


def test_a_report_of_finished_alphas_has_no_plot(tmp_path):
    tm.io.save_image(tmp_path / "a.png", np.zeros((8, 12)))
    data = Dataset("made", [Made("a")])
    result = evaluate([str(tmp_path)], [data], output=tmp_path / "out")
    tm.evaluation.write_report(result, [data], tmp_path / "out")
    assert "<svg" not in (tmp_path / "out" / "report.html").read_text()


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
        for name in ("GT01", "GT02", "GT03", "GT04", "GT05"):
            tm.io.save_image(root / folder / f"{name}.png", pixels)
    return root


def test_the_command_evaluates_and_compares(pictures, tmp_path, capsys):
    out = tmp_path / "out"
    assert cli("evaluate", pictures, "-m", "closed-form", "-m", "sampling", "-o", out) == 0
    printed = capsys.readouterr()
    assert "| closed-form |" in printed.out
    assert "[10/10] set/Trimap1 GT05, sampling: SAD" in printed.err
    assert {p.name for p in out.iterdir()} == {
        "alphas", "records.jsonl", "report.html", "results.csv", "results.json"
    }  # fmt: skip
    assert cli("evaluate", pictures, "-m", "closed-form", "--no-report", "--json", "-o", tmp_path / "two") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["means"]["set/Trimap1"]["closed-form"]["done"] == 5
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


def test_a_method_that_prints_and_moves_disturbs_nothing(pictures, tmp_path, capsys, module, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli("evaluate", pictures, "-m", f"{module}:prints_and_moves", "--json", "-o", "out", "--no-report") == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["command"] == "evaluate"
    assert "hello" in printed.err
    assert (tmp_path / "out" / "results.json").exists()


def test_the_command_with_patterns_and_a_worse_result(pictures, tmp_path, capsys):
    images, truths = pictures / "input_training_lowres" / "*.png", pictures / "gt_training_lowres"
    arguments = ["evaluate", images, "--truths", truths / "{stem}.png", "--radius", "3", "--no-report", "-q"]
    assert cli(*arguments, "-m", "m=closed-form", "-o", tmp_path / "a") == 0
    assert cli(*arguments, "-m", "m=closed-form,epsilon=1", "-o", tmp_path / "b") == 0
    paths = [tmp_path / "a", tmp_path / "b" / "results.json"]
    assert cli("compare", *paths, "--fail-if-worse") == 1
    assert cli("compare", *paths[::-1], "--fail-if-worse") == 0
    assert "better" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere"], 1, "nowhere: no such folder"),
        (["scenes", "-m", "magic"], 1, "method: expected one of"),
        (
            ["scenes", "-m", "no_such_module:f"],
            1,
            "error: method: expected the function no_such_module:f, got Mod",
        ),
        (["scenes", "--sample", "GT99"], 1, "no sample 'GT99' in scenes"),
        (["scenes", "--trimap-files", "x"], 2, "--trimap-files: nothing in DATA that it is for"),
        (["scenes", "--radius", "3"], 2, "--radius: nothing in DATA"),
        (["a.png", "b.png", "--truths", "x"], 2, "a.png: is a file; quote a pattern"),
        (["*.jpg"], 2, "needs --truths"),
        (["*.jpg", "--truths", "x"], 1, r"\*.jpg: no file matches"),
    ],
)
def test_the_command_says_what_is_wrong(arguments, code, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png"):
        (tmp_path / name).touch()
    assert cli("evaluate", *arguments, "-o", "out") == code
    assert re.search(message, capsys.readouterr().err)
    assert not (tmp_path / "out").exists()
