"""What a batch is told: manifests, patterns, jobs, arguments, and the command."""

import json
import os
import sys
import warnings
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from batch_jobs import contents, in_threads, jobs

import trimatte as tm
from trimatte.batch import Job, _jobs, jobs_from_files, jobs_from_manifest, run
from trimatte.cli import run as command
from trimatte.io.names import with_slashes


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


def cli(*arguments):
    return command([str(argument) for argument in arguments])


def test_warnings_are_in_the_record_of_their_item(here, capsys):
    pixels = np.dstack([tm.io.load_image("in/p0.png"), np.full((48, 64), 7, np.uint8)])
    tm.io.save_image("in/p0.png", pixels)
    assert cli("batch", "in/*.png", "--trimaps", "tri/{stem}.png", "-o", "out/{stem}.png") == 0
    assert "warning: in/p0.png: the transparency is ignored" in capsys.readouterr().err
    before = list(warnings.filters)
    run(jobs("out/x{stem}.png"), executor=in_threads())
    assert warnings.filters == before


def test_the_command(here, capsys):
    arguments = ["batch", "in/*.png", "--trimaps", "tri/{stem}.png", "-o", "made/{what}/{stem}.png"]
    arguments += ["--what", "alpha", "--what", "cutout", "--processes", "1"]
    Path("in/p0.png").write_bytes(b"")
    assert cli(*arguments) == 1
    printed = capsys.readouterr()
    assert "5 done, 1 failed" in printed.out
    assert "failed: in/p0.png: the file is empty" in printed.err.splitlines()  # a slow run says how far it is, too
    assert sorted(os.listdir("made")) == ["alpha", "batch.jsonl", "cutout"]
    assert len(os.listdir("made/alpha")) == 5
    assert cli(*arguments, "--retry-failed", "--json") == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["error"] == "in/p0.png: the file is empty"
    assert (lines[-1]["done"], lines[-1]["failed"], lines[-1]["skipped"]) == (0, 1, 5)


def test_a_pattern_reaches_the_command_on_windows(here, capsys, monkeypatch):
    """There click would put all names in the place of the pattern, even of a quoted one."""
    windows = ModuleType("os")
    windows.__dict__.update(os.__dict__, name="nt")
    monkeypatch.setattr("click.core.os", windows)
    assert len(list(Path("in").glob("p*.png"))) > 1
    monkeypatch.setattr(
        sys, "argv", ["trimatte", "batch", "in/p*.png", "--trimaps", "none/{stem}.png", "-o", "a.png"]
    )
    assert command() == 1
    assert "is the output of" in capsys.readouterr().err


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
