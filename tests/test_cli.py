"""The command line: what it writes, what it says, its exit codes, and what it leaves behind when it fails."""

import json
import os
import re
import sys
import warnings

import numpy as np
import pytest
from cli_calls import fail, succeed
from disc_picture import ALPHA, HEIGHT, IMAGE, INPUTS, SRGB, TRIMAP, WIDTH, names

import trimatte as tm
from trimatte.cli import run
from trimatte.io import load_image, read_picture, save_image

# --- what the commands write ---


def test_cutout(folder, capsys):
    out = succeed(capsys, "cutout", "image.png", "trimap.png", "-o", "cutout.png")
    assert out.startswith(f"cutout.png: {WIDTH} x {HEIGHT} pixels, {(TRIMAP == 128).sum()} unknown (cholesky)")
    pixels, icc_profile, *_ = read_picture("cutout.png")
    np.testing.assert_array_equal(pixels, tm.cutout(IMAGE, TRIMAP))
    assert icc_profile == SRGB
    assert names(folder) == sorted([*INPUTS, "cutout.png"])


def test_folders_of_outputs_are_made(folder, capsys):
    succeed(capsys, "cutout", "image.png", "trimap.png", "-o", "a/b/c.png", "--alpha-output", "d/alpha.png")
    assert sorted(path.name for path in folder.rglob("*/*.png")) == ["alpha.png", "c.png"]


def test_the_last_line_says_what_auto_took_and_why(folder, capsys):
    """In words of the command: a class of the library is none."""
    save_image("mask.png", (ALPHA > 0.5) * 1.0)
    seen = "since the trimap shows colours of both kinds"
    given = "of alpha, since a mask was given, "
    learnt = "the mask and the colours of known pixels as guesses"
    for call, words in (
        ("alpha image.png trimap.png", f"closed-form+fusion, {seen}"),
        ("refine image.png mask.png", f"closed-form with {learnt} {given}"),
        ("refine image.png mask.png --no-learn", f"closed-form with the mask as a guess {given}"),
    ):
        assert f"; method auto took {words}" in succeed(capsys, *call.split(), "-o", "out.png"), call


def test_cutout_over_a_colour_and_alpha(folder, capsys):
    arguments = ["--background", "#00f", "--alpha-output", "a.png", "--threads", "1", "--free-composite"]
    succeed(capsys, "cutout", "image.png", "trimap.png", "-o", "new.png", *arguments)
    alpha = tm.estimate_alpha(IMAGE, TRIMAP)
    foreground = tm.estimate_foreground(IMAGE, alpha, exact_composite=False).foreground
    pixels, icc_profile, *_ = read_picture("new.png")
    want = tm.composite(foreground, alpha, (0, 0, 1))
    assert abs(pixels / 255 - want).max() <= 0.501 / 255
    assert icc_profile == SRGB
    assert abs(read_picture("a.png").pixels / 255 - alpha).max() <= 0.501 / 255
    assert read_picture("a.png").icc_profile is None


def test_cutout_over_a_picture_as_jpeg(folder, capsys):
    succeed(capsys, "cutout", "image.png", "trimap.png", "-o", "new.jpg", "-b", "wide.png")
    pixels = load_image("new.jpg").astype(int)
    assert abs(pixels[TRIMAP == 0] - [10, 200, 30]).max() < 12
    assert abs(pixels[TRIMAP == 255] - IMAGE[TRIMAP == 255]).max() < 12


def test_options_reach_the_solver(folder, capsys):
    options = "--json --solver cg --radius 2 --epsilon 1e-5 --known-weight 100 --background-threshold 0.2"
    out = succeed(capsys, "alpha", "image.png", "trimap.png", "-o", "a.png", *options.split(), "--threads", "1")
    record = json.loads(out)
    assert record["command"] == "alpha"
    assert record["output"] == "a.png"
    assert (record["width"], record["height"]) == (WIDTH, HEIGHT)
    assert record["alpha"]["solver"] == "cg"
    assert record["alpha"]["threads"] == 1
    assert record["alpha"]["iterations"] > 0
    assert record["alpha"]["unknowns"] == WIDTH * HEIGHT
    assert set(record["seconds"]) == {"read", "alpha", "write"}
    options = {"solver": "cg", "radius": 2, "epsilon": 1e-5, "known_weight": 100, "background_threshold": 0.2}
    want = tm.estimate_alpha(IMAGE, TRIMAP, **options)
    assert abs(load_image("a.png") / 255 - want).max() <= 0.501 / 255


def test_sixteen_bit_alpha(folder, capsys):
    succeed(capsys, "alpha", "image.png", "trimap.png", "-o", "a.tif", "--bits", "16")
    alpha = load_image("a.tif")
    assert alpha.dtype == np.uint16
    assert abs(alpha / 65535 - tm.estimate_alpha(IMAGE, TRIMAP)).max() <= 0.51 / 65535


def test_foreground(folder, capsys):
    succeed(capsys, "foreground", "image.png", "alpha.png", "-o", "f.png", "--background-output", "b.png")
    layers = tm.estimate_foreground(IMAGE, load_image("alpha.png"))
    for name, want in zip(("f.png", "b.png"), layers, strict=True):
        pixels, icc_profile, *_ = read_picture(name)
        assert abs(pixels / 255 - want).max() <= 0.501 / 255
        assert icc_profile == SRGB


def test_the_method_of_the_foreground_and_its_options(folder, capsys):
    options = ["--foreground-method", "blur-fusion", "--radius", "9", "--second-radius", "0"]
    succeed(capsys, "foreground", "image.png", "alpha.png", "-o", "f.png", *options)
    method = tm.foreground.BlurFusion(radius=9, second_radius=0)
    want = tm.estimate_foreground(IMAGE, load_image("alpha.png"), method=method).foreground
    assert abs(load_image("f.png") / 255 - want).max() <= 0.501 / 255
    succeed(capsys, "cutout", "image.png", "trimap.png", "-o", "c.png", "--foreground-method", "closed-form")
    want = tm.cutout(IMAGE, TRIMAP, foreground_method="closed-form")
    np.testing.assert_array_equal(read_picture("c.png").pixels, want)


def test_an_option_of_another_method_of_the_foreground_is_refused(folder, capsys):
    error = fail(capsys, "foreground", "image.png", "alpha.png", "-o", "f.png", "--radius", "9", code=2)
    assert "radius: method 'multi-level' has no such option" in error


def test_foreground_as_a_cutout_from_the_alpha_of_a_cutout(folder, capsys):
    save_image("mask.png", np.dstack([IMAGE, load_image("alpha.png")]))
    succeed(capsys, "foreground", "image.png", "mask.png", "-o", "f.webp", "--with-alpha")
    pixels = read_picture("f.webp").pixels
    np.testing.assert_array_equal(pixels[..., 3], load_image("alpha.png"))
    np.testing.assert_array_equal(pixels[TRIMAP == 255, :3], IMAGE[TRIMAP == 255])


@pytest.mark.parametrize(
    ("colour", "value"),
    [
        ("#ff8000", (255, 128, 0)),
        ("#f80", (255, 136, 0)),
        ("rebeccapurple", (102, 51, 153)),
        ("Red", (255, 0, 0)),
    ],
)
def test_composite_over_colours(folder, capsys, colour, value):
    rgba = np.dstack([IMAGE, load_image("alpha.png")])
    save_image("cutout.png", rgba, icc_profile=SRGB)
    succeed(capsys, "composite", "cutout.png", colour, "-o", "new.png")
    pixels, icc_profile, *_ = read_picture("new.png")
    np.testing.assert_array_equal(pixels, tm.composite(IMAGE, rgba[..., 3], value))
    assert icc_profile == SRGB


def test_background_is_scaled_to_cover_and_cropped_at_its_centre(folder, capsys):
    stripes = np.zeros((HEIGHT * 2, WIDTH * 4, 3), np.uint8)
    stripes[:, : WIDTH * 2] = 255, 0, 0
    stripes[:, WIDTH * 2 :] = 0, 0, 255
    stripes[:, : WIDTH // 2] = stripes[:, -WIDTH // 2 :] = 0, 255, 0  # cropped away
    save_image("stripes.png", stripes)
    save_image("clear.png", np.zeros((HEIGHT, WIDTH), np.uint8))
    succeed(capsys, "composite", "image.png", "stripes.png", "-o", "new.png", "--alpha", "clear.png")
    pixels = load_image("new.png")
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    assert (pixels[:, : WIDTH // 2 - 4] == [255, 0, 0]).all()
    assert (pixels[:, WIDTH // 2 + 4 :] == [0, 0, 255]).all()


def test_grey_pictures_go_through(folder, capsys):
    save_image("grey.png", IMAGE[..., 0])
    succeed(capsys, "cutout", "grey.png", "trimap.png", "-o", "cutout.png")
    assert read_picture("cutout.png").pixels.shape == (HEIGHT, WIDTH, 4)
    succeed(capsys, "composite", "grey.png", "grey.png", "-o", "new.png", "--alpha", "alpha.png")
    np.testing.assert_array_equal(load_image("new.png")[..., 1], IMAGE[..., 0])
    save_image("deep.png", IMAGE[..., 0] * np.uint16(257))
    succeed(capsys, "foreground", "deep.png", "alpha.png", "-o", "f.png")
    assert load_image("f.png").dtype == np.uint16


def test_trimap(folder, capsys):
    mask = (ALPHA > 0.5) * np.uint8(255)
    save_image("mask.png", mask)
    out = succeed(capsys, "trimap", "mask.png", "-o", "t.png", "--erode", "3", "--dilate", "2,5")
    np.testing.assert_array_equal(load_image("t.png"), tm.trimap_from_mask(mask, erode=3, dilate=(2, 5)))
    assert "% unknown" in out
    save_image("rough.png", np.dstack([IMAGE, mask]))
    succeed(capsys, "trimap", "rough.png", "-o", "u.png", "--erode", "3", "--dilate", "2,5", "--threshold", "1")
    np.testing.assert_array_equal(load_image("u.png"), load_image("t.png"))


def test_demo(tmp_path, capsys):
    new = tmp_path / "new" / "demo"
    out = succeed(capsys, "demo", "-o", new, "--height", "64", "--width", "80", "--scene", "hair")
    made = ("alpha", "cutout", "image", "over_magenta", "over_picture", "overview", "trimap")
    assert names(new) == [f"{name}.png" for name in made]
    assert "error of alpha over the unknown pixels: mean 0.0" in out
    assert read_picture(new / "cutout.png").pixels.shape == (64, 80, 4)

    size = ("--height", "64", "--width", "80")
    record = json.loads(succeed(capsys, "demo", "-o", tmp_path, *size, "--scene", "net", "--json"))
    scene = tm.datasets.net(64, 80)
    alpha = tm.estimate_alpha((scene.image * 255 + 0.5).astype(np.uint8), scene.trimap)
    error = abs(alpha - scene.alpha)[scene.trimap == 128]
    assert record["mae"] == pytest.approx(error.mean(), abs=1e-5)
    assert record["sad"] == pytest.approx(error.sum() / 1000, abs=1e-3)
    assert {"render", "alpha", "foreground", "composite", "write"} == set(record["seconds"])


def test_a_demo_with_bad_noise_makes_no_folder(tmp_path, capsys):
    message = fail(capsys, "demo", "-o", tmp_path / "d", "--noise", "nan")
    assert "noise: expected a finite number, got nan" in message
    assert not names(tmp_path)


def test_info(capsys):
    assert tm.__version__ in succeed(capsys, "info")
    record = json.loads(succeed(capsys, "info", "--json"))
    assert record["trimatte"] == tm.__version__
    assert record["threads"] >= 1
    assert record["compiler"]
    assert json.loads(succeed(capsys, "info", "--json", "--threads", "3"))["threads"] == 3


def test_quiet_prints_nothing(folder, capsys):
    save_image("transparent.png", np.dstack([IMAGE, load_image("alpha.png")]))
    out = succeed(capsys, "cutout", "transparent.png", "trimap.png", "-o", "c.png", "--quiet")
    assert out == ""


def test_warnings_are_one_line(folder, capsys):
    save_image("transparent.png", np.dstack([IMAGE, load_image("alpha.png")]))
    before = list(warnings.filters), warnings.showwarning
    assert run(["alpha", "transparent.png", "trimap.png", "-o", "a.png"]) == 0
    assert capsys.readouterr().err == "trimatte: warning: transparent.png: the transparency is ignored\n"
    assert (list(warnings.filters), warnings.showwarning) == before


def test_progress_is_shown_only_on_a_terminal(folder, capsys, monkeypatch):
    succeed(capsys, "alpha", "image.png", "trimap.png", "-o", "a.png")  # asserts that standard error is empty
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("trimatte.cli._bar._BAR_AFTER_SECONDS", 0)
    monkeypatch.setattr("trimatte.cli._bar._GUESS_AFTER_SECONDS", 0)
    monkeypatch.setattr("os.get_terminal_size", lambda *_: os.terminal_size((0, 0)))  # as some terminals say
    assert run(["cutout", "image.png", "trimap.png", "-o", "a.png", "--method", "best"]) == 0
    shown = [line for line in re.split(r"[\r\n]", capsys.readouterr().err) if "%|" in line]
    for words in ("learning the colours", "finding alpha", "finding the subject's colours"):
        assert any(line.strip().startswith(words) for line in shown)
    done = [int(re.search(r"(\d+)%", line)[1]) for line in shown]
    assert done == sorted(done)  # one bar, which never goes back
    assert re.search(r"\|, \d+ s left", shown[-1])
    assert run(["alpha", "image.png", "trimap.png", "-o", "a.png", "--quiet"]) == 0
    assert capsys.readouterr().err == ""


# --- help ---


COMMANDS = [
    "cutout",
    "alpha",
    "foreground",
    "composite",
    "trimap",
    "demo",
    "info",
    "refine",
    "evaluate",
    "compare",
    "batch",
    "sequence",
]


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_has_examples_and_fits(capsys, command):
    out = succeed(capsys, *command, "--help")
    assert max(map(len, out.splitlines())) <= 80
    assert f"\n    trimatte {' '.join(command)}" in out
    assert "..." not in out.replace("[ARGS]...", "").replace("DATA...", "")


def test_version(capsys):
    assert tm.__version__ in succeed(capsys, "--version")


def test_methods_and_priors(folder, capsys):
    for options in (["--method", "best"], ["--prior", "sampling"], ["--method", "patch-regression"]):
        record = json.loads(succeed(capsys, "alpha", "image.png", "trimap.png", "-o", "a.png", "--json", *options))
        assert record["alpha"]["method"] == ("auto" if options[0] == "--prior" else options[1])
        assert record["alpha"]["prior"] == {"best": "fusion"}.get(options[1], options[1])
    first, again, other = (
        (
            succeed(capsys, "alpha", "image.png", "trimap.png", "-o", name, "--method", "best", "--seed", seed),
            name,
        )[1]
        for name, seed in (("1.png", 1), ("2.png", 1), ("3.png", 2))
    )
    assert (folder / first).read_bytes() == (folder / again).read_bytes() != (folder / other).read_bytes()


def test_scribbles(folder, capsys):
    scribbled = IMAGE.copy()
    scribbled[2:4, :12], scribbled[8:11, 14:30] = 0, 255
    save_image("painted.png", scribbled)
    succeed(capsys, "alpha", "image.png", "--scribbles", "painted.png", "-o", "a.png")
    expected = tm.estimate_alpha(IMAGE, tm.trimap_from_scribbles(IMAGE, scribbled))
    assert abs(load_image("a.png") / 255.0 - expected).max() < 0.5 / 255 + 1e-3
    succeed(capsys, "cutout", "image.png", "trimap.png", "--scribbles", "painted.png", "-o", "c.png")
    trimap = tm.trimap_from_scribbles(IMAGE, scribbled, trimap=TRIMAP)
    assert (read_picture("c.png").pixels[..., 3][trimap == 0] == 0).all()
    fail(capsys, "cutout", "image.png", "--scribbles", "image.png", "-o", "image.png", code=2)
    threshold = ("--foreground-threshold", "0.5")
    message = fail(capsys, "alpha", "image.png", "--scribbles", "painted.png", "-o", "b.png", *threshold, code=2)
    assert "--foreground-threshold: not with --scribbles" in message
    assert "at least one foreground stroke" in fail(
        capsys, "alpha", "image.png", "--scribbles", "image.png", "-o", "b.png"
    )
    assert "b.png" not in names(folder)


def test_nothing_unknown_is_said_in_words_of_the_command_line(folder, capsys):
    save_image("mask.png", (ALPHA >= 0.5).astype(np.uint8) * np.uint8(255))
    assert run(["cutout", "image.png", "mask.png", "-o", "c.png"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"c.png: {WIDTH} x {HEIGHT} pixels, 0 unknown, ")
    assert err.startswith("trimatte: warning: trimap: no pixel is unknown")
    assert "trimatte refine" in err
    assert run(["refine", "image.png", "mask.png", "-o", "c.png", "--band", "0"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"c.png: {WIDTH} x {HEIGHT} pixels, 0 unknown, ")
    assert err == "trimatte: warning: trimap: no pixel is unknown, so that alpha is the trimap\n"
    assert "(sampling)" in succeed(
        capsys, "alpha", "image.png", "trimap.png", "-o", "a.png", "--method", "sampling"
    )


def test_doubtful_colours_are_warned_of_once(folder, capsys):
    save_image("grey.png", IMAGE[..., 0].astype(np.uint16))
    assert run(["cutout", "grey.png", "trimap.png", "-o", "c.png"]) == 0
    err = capsys.readouterr().err
    assert err.startswith("trimatte: warning: image: expected uint16 values up to 65535, got none above ")
    assert err.count("\n") == 1


def test_messages_without_python(folder, capsys):
    save_image("labels.png", (TRIMAP // 127).astype(np.uint8))
    err = fail(capsys, "alpha", "image.png", "labels.png", "-o", "a.png")
    assert err == (
        "trimatte: error: trimap: expected uint8 values up to 255, got labels up to 2; "
        "scale them so that 255 is white\n"
    )
    few = ["--solver", "cg", "--max-iterations", "1"]
    err = fail(capsys, "alpha", "image.png", "trimap.png", "-o", "a.png", *few)
    assert err.endswith("after 1 iterations, wanted an error of 0.001\n")


def test_refine(folder, capsys):
    save_image("mask.png", (ALPHA >= 0.5).astype(np.uint8) * np.uint8(255))
    out = succeed(capsys, "refine", "image.png", "mask.png", "-o", "c.png", "--alpha-output", "a.png", "--band", 3)
    assert "c.png: " in out
    mask = load_image("mask.png")
    expected = tm.matte_from_mask(IMAGE, mask, band=3)
    assert abs(load_image("a.png") / 255.0 - expected).max() < 0.5 / 255 + 1e-6
    assert (read_picture("c.png").pixels[..., 3] == load_image("a.png")).all()
    record = json.loads(succeed(capsys, "refine", "image.png", "c.png", "-o", "d.png", "--no-learn", "--json"))
    assert record["alpha"]["prior"] == "SoftMask"
    save_image("empty.png", np.zeros_like(mask))
    assert run(["refine", "image.png", "empty.png", "-o", "e.png"]) == 0  # a picture without its subject
    assert "all are background, so that alpha is 0 everywhere" in capsys.readouterr().err
    assert (read_picture("e.png").pixels[..., 3] == 0).all()


def test_a_mask_guides_every_cutout(folder, capsys):
    save_image("mask.png", (ALPHA >= 0.5).astype(np.uint8) * np.uint8(255))
    succeed(capsys, "refine", "image.png", "mask.png", "-o", "a.png", "--trimap-output", "t.png")
    succeed(capsys, "cutout", "image.png", "--mask", "mask.png", "-o", "b.png")
    assert (read_picture("a.png").pixels == read_picture("b.png").pixels).all()
    assert (load_image("t.png") == tm.trimap_from_soft_mask(load_image("mask.png"))).all()
    for more, name in (
        (["trimap.png"], "TRIMAP"),
        (["--key", "auto"], "--key"),
        (["--method", "best"], "--method"),
    ):
        arguments = ["cutout", "image.png", *more, "--mask", "mask.png", "-o", "x.png", "--trimap-output", "y.png"]
        assert run(arguments) == 2
        assert f"{name}: not with --mask" in capsys.readouterr().err.replace("\n", " ")
    save_image("small.png", load_image("mask.png")[::2, ::2])
    assert run(["refine", "image.png", "small.png", "-o", "c.png"]) == 0
    assert "pixels are scaled to the image's" in capsys.readouterr().err
    err = fail(
        capsys, "refine", "image.png", save_image("wide.png", np.eye(9, 99) * 1.0) or "wide.png", "-o", "x.png"
    )
    assert "another size of the same aspect, got 99 x 9" in err
    assert not (folder / "x.png").exists()
    assert not (folder / "y.png").exists()


def test_a_subject_before_a_key_colour_or_with_a_plate(folder, capsys):
    scene = tm.datasets.hair(96, 128, seed=2)
    rng = np.random.default_rng(0)
    for name, behind in (("green", np.full(scene.image.shape, (0.1, 0.7, 0.2))), ("wall", scene.background)):
        shot = tm.composite(scene.foreground, scene.alpha, behind.astype(np.float32))
        for file, pixels in ((name, shot), (f"{name}_empty", behind)):
            save_image(f"{file}.png", np.clip(pixels + rng.normal(0, 0.005, pixels.shape), 0, 1))
    for image, options in (
        ("green", ["--key", "auto"]),
        ("green", ["--key", "#1ab233"]),
        ("wall", ["--plate", "wall_empty.png"]),
    ):
        assert run(["cutout", f"{image}.png", *options, "-o", "c.png", "--alpha-output", "a.png"]) == 0
        assert (
            "with what a network makes of the known background, since the background is known"
            in capsys.readouterr().out
        )
        found, alpha = load_image("a.png") / 255, read_picture("c.png").pixels[..., 3] / 255
        np.testing.assert_array_equal(found, alpha)
        assert abs(found - scene.alpha).mean() < 0.02
    cutout = read_picture("c.png").pixels / 255
    soft = (scene.alpha > 0.3) & (scene.alpha < 0.9)
    assert abs(cutout[..., :3] - scene.foreground)[soft].mean() < 0.12
