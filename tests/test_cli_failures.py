"""What the command line says and leaves behind when it fails, and its exit codes."""

import re

import numpy as np
import pytest
from cli_calls import fail
from disc_picture import ALPHA, IMAGE, INPUTS, MATTE, names
from PIL import Image

import trimatte as tm
from trimatte.cli import run
from trimatte.io import load_image


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sculpt"], "No such command"),
        (["cutout", "image.png", "-o", "c.png"], "Missing argument 'TRIMAP'(.|\n)*trimatte trimap mask.png"),
        (["refine", "image.png", "-o", "c.png"], "Missing argument 'MASK'(.|\n)*segmentation network"),
        ([*MATTE, "image.png", "-o", "c.png"], "unexpected extra argument(.|\n)*quote it, so that"),
        (["cutout", "-", "-", "-o", "c.png"], "-: standard input can be read once"),
        ([*MATTE, "-o", "c.png", "--key", "auto"], "TRIMAP: not with --key"),
        (["cutout", "image.png", "-o", "c.png", "--key", "auto", "--plate", "p.png"], "--key: not with --plate"),
        (["cutout", "image.png", "-o", "c.png", "--key", "auto", "--method", "knn"], "--method: not with --key"),
        (["cutout", "image.png", "-o", "c.png", "--key", "greenish"], "--key: expected a colour, #rrggbb"),
        ([*MATTE, "-o", "c.png", "--see-through"], "--see-through: only with --key or --plate"),
        (MATTE, "Missing option '--output'"),
        ([*MATTE, "-o", "c.gif"], r"c.gif: expected a name that ends in .png, .webp, .tif, .tiff, .exr, got .gif"),
        (["alpha", *MATTE[1:], "-o", "a.gif"], r"a.gif: expected a name that ends in .png, .jpg, "),
        ([*MATTE, "-o", "c.jpg"], "c.jpg: JPEG has no transparency"),
        ([*MATTE, "-o", "image.png"], "image.png: is an input"),
        ([*MATTE, "-o", "c.png", "--alpha-output", "./c.png"], "is the name of two outputs"),
        ([*MATTE, "-o", "c.png", "--threads", "0"], "'--threads'"),
        ([*MATTE, "-o", "c.png", "--solver", "magic"], "'--solver'"),
        ([*MATTE, "-o", "c.png", "--epsilon", "small"], "'--epsilon'"),
        ([*MATTE, "-o", "c.png", "-b", "bluish"], "bluish: neither a colour"),
        ([*MATTE, "-o", "c.png", "-b", "#12345"], "#12345: neither a colour"),
        ([*MATTE, "-o", "c.png", "-b", "#ff00ff80"], "expected an opaque colour"),
        (["alpha", *MATTE[1:], "-o", "a.jpg", "--bits", "16"], "JPEG has samples of uint8, not uint16"),
        (["trimap", "alpha.png", "-o", "t.png", "--erode", "x", "--dilate", "1"], "'x': expected pixels"),
        (["trimap", "alpha.png", "-o", "t.png", "--erode", "1,2,3", "--dilate", "1"], "expected pixels"),
        (["trimap", "alpha.png", "-o", "t.png", "--erode", "1", "--dilate", "-1"], "expected pixels"),
        (
            ["trimap", "alpha.png", "-o", "t.png", "--erode", "1", "--dilate", "1", "--threshold", "128"],
            r"--threshold: expected a number in \(0, 1\], got 128",
        ),
        (["demo", "--height", "3"], "'--height'"),
        ([*MATTE, "-o", "c.png", "--radius", "0"], "0 is not in the range x>=1"),
        ([*MATTE, "-o", "c.png", "--epsilon", "0"], "0.0 is not in the range"),
    ],
)
def test_wrong_usage_is_code_2(folder, capsys, arguments, message):
    err = fail(capsys, *arguments, code=2)
    assert re.search(message, err)
    assert names(folder) == INPUTS


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cutout", "none.png", "trimap.png", "-o", "c.png"], "none.png: no such file"),
        (["cutout", "image.png", "none.png", "-o", "c.png"], "none.png: no such file"),
        ([*MATTE, "-o", "c.png", "-b", "none.jpg"], "none.jpg: no such file"),
        ([*MATTE, "-o", "image.png/new/c.png"], "image.png/new/c.png: cannot make the folder image.png/new: "),
        ([*MATTE, "-o", "image.png/c.png"], "image.png/c.png: cannot be written"),
        ([*MATTE, "-o", "c.png", "--alpha-output", "image.png/a.png"], "image.png/a.png: cannot be written"),
        ([*MATTE, "-o", "c.png", "--radius", "20"], "image: expected at least 41 x 41 pixels"),
        (
            [*MATTE, "-o", "c.png", "--background-threshold", "0.95"],
            "background_threshold, foreground_threshold",
        ),
        (["cutout", "image.png", "wide.png", "-o", "c.png"], "trimap: expected"),
        (
            ["foreground", "image.png", "wide.png", "-o", "f.png"],
            "wide.png: expected a grey picture",
        ),
        (["composite", "image.png", "red", "-o", "c.png"], "image.png: expected a cutout with"),
        (["composite", "wide.png", "red", "-o", "c.png", "--alpha", "alpha.png"], "alpha: expected shape"),
        (["demo", "-o", "image.png"], "image.png: cannot make the folder"),
    ],
)
def test_failures_are_code_1_with_one_line(folder, capsys, arguments, message):
    assert message in fail(capsys, *arguments)
    assert names(folder) == INPUTS


def test_a_url_of_this_machine_is_the_file(folder, capsys):
    url = f"file://{folder}/image.png"
    for image, output in ((url, "image.png"), ("image.png", url), (url, url), (url, "./image.png")):
        assert "is an input" in fail(capsys, "cutout", image, "trimap.png", "-o", output, code=2)
    twice = ["-o", f"file://{folder}/c.png", "--alpha-output", "c.png"]
    assert "is the name of two outputs" in fail(capsys, *MATTE, *twice, code=2)
    np.testing.assert_array_equal(load_image("image.png"), IMAGE)


@pytest.mark.parametrize("content", [b"", b"not a picture", None])
def test_bad_files(folder, capsys, content):
    if content is None:
        content = (folder / "image.png").read_bytes()[:900]
    (folder / "bad.png").write_bytes(content)
    assert "bad.png: " in fail(capsys, "alpha", "bad.png", "trimap.png", "-o", "a.png")
    assert "bad.png: " in fail(capsys, "alpha", "image.png", "bad.png", "-o", "a.png")
    assert names(folder) == sorted([*INPUTS, "bad.png"])


def test_folders_in_the_place_of_files(folder, capsys):
    (folder / "thing.png").mkdir()
    assert "thing.png: " in fail(capsys, "alpha", "thing.png", "trimap.png", "-o", "a.png")
    assert "thing.png: is a folder" in fail(capsys, *MATTE, "-o", "thing.png")
    assert names(folder) == sorted([*INPUTS, "thing.png"])
    assert names(folder / "thing.png") == []


def test_second_output_that_fails_takes_the_first_with_it(folder, capsys, monkeypatch):
    save = Image.Image.save

    def no_room(image, file, kind, **options):
        if kind == "TIFF":
            raise OSError(28, "No space left on device")
        save(image, file, kind, **options)

    monkeypatch.setattr(Image.Image, "save", no_room)
    err = fail(capsys, *MATTE, "-o", "c.png", "--alpha-output", "a.tif")
    assert err == "trimatte: error: a.tif: cannot be written: No space left on device\n"
    assert names(folder) == INPUTS


def test_no_convergence_is_one_line(folder, capsys, monkeypatch):
    def give_up(*arguments, **options):
        raise tm.ConvergenceError("cg: relative residual 1\nafter 2 iterations", ALPHA, None)

    monkeypatch.setattr("trimatte._pipeline.guides.solve_alpha", give_up)
    assert "cg: relative residual 1 after 2 iterations" in fail(capsys, *MATTE, "-o", "c.png")
    assert names(folder) == INPUTS


@pytest.mark.parametrize(
    ("trouble", "code", "message"),
    [
        (KeyboardInterrupt(), 130, "trimatte: stopped"),
        (MemoryError(), 1, "trimatte: error: not enough memory"),
        (MemoryError("2 GB"), 1, "trimatte: error: not enough memory (2 GB)"),
        (PermissionError(13, "Permission denied", "x"), 1, "trimatte: error: x: Permission denied"),
    ],
)
def test_other_trouble(folder, capsys, monkeypatch, trouble, code, message):
    def break_down(*arguments, **options):
        raise trouble

    monkeypatch.setattr("trimatte._pipeline.guides.solve_alpha", break_down)
    assert run([*MATTE, "-o", "c.png"]) == code
    assert capsys.readouterr().err.strip() == message
    assert names(folder) == INPUTS


def test_a_bug_is_not_hidden(folder, monkeypatch):
    def break_down(*arguments, **options):
        raise ZeroDivisionError

    monkeypatch.setattr("trimatte._pipeline.guides.solve_alpha", break_down)
    with pytest.raises(ZeroDivisionError):
        run([*MATTE, "-o", "c.png"])


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ([*MATTE, "-o", "c.png", "-b", ""], "'--background' / '-b'"),
        ([*MATTE, "-o", "c.png", "--alpha-output", ""], "'--alpha-output'"),
        ([*MATTE, "-o", ""], "'--output' / '-o'"),
        (["composite", "image.png", "red", "-o", "c.png", "--alpha", ""], "'--alpha'"),
        (["composite", "image.png", "", "-o", "c.png", "--alpha", "alpha.png"], "'BACKGROUND'"),
        (["evaluate", "scenes", "", "-o", "out"], "'DATA...'"),
    ],
)
def test_empty_values_are_refused(folder, capsys, arguments, name):
    err = fail(capsys, *arguments, code=2)
    assert f"Invalid value for {name}: expected a value, got an empty one" in err
    assert names(folder) == INPUTS
