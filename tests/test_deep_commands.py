"""16-bit colour and EXR through the commands: depth, encoding, windows, what is refused."""

import json
import sys

import numpy as np
import pytest
from disc_picture import ALPHA, IMAGE, TRIMAP
from picture_files import raw_read, raw_write
from test_io import DEEP, SRGB

import trimatte as tm
from trimatte.cli import run
from trimatte.colour import linear_from_srgb, srgb_from_linear
from trimatte.io import load_image, read_picture, save_image

oiio = pytest.importorskip("OpenImageIO", reason="extra [vfx] is not installed")

RANDOM = np.random.default_rng(4)
LINEAR = (8 * linear_from_srgb(IMAGE)).astype(np.float16).astype(np.float32)  # highlights, and exact as half


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_image("image.exr", LINEAR, depth="half")
    save_image("deep.png", IMAGE * np.uint16(257) + np.uint16(3), icc_profile=SRGB)
    save_image("trimap.png", TRIMAP)
    save_image("alpha.png", ALPHA)
    return tmp_path


def succeed(capsys, *arguments):
    assert run([str(argument) for argument in arguments]) == 0
    assert capsys.readouterr().err == ""


def test_grey_pictures_of_16_bits_go_through(folder, capsys):
    """Their cutouts are 16-bit colour, which only OpenImageIO reads."""
    save_image("grey.png", IMAGE[..., 0] * np.uint16(257))
    for command in (("foreground", "grey.png", "alpha.png", "--with-alpha"), ("cutout", "grey.png", "trimap.png")):
        succeed(capsys, *command, "-o", "out.png")
        pixels = read_picture("out.png").pixels
        assert (pixels.shape, pixels.dtype) == ((*ALPHA.shape, 4), np.uint16)


def test_exr_in_exr_out(folder, capsys):
    """Scene-linear and premultiplied, with highlights, as compositing programs want it."""
    succeed(capsys, "cutout", "image.exr", "trimap.png", "-o", "cut.exr", "--alpha-output", "a.exr")
    alpha = tm.estimate_alpha(LINEAR, TRIMAP, colour_space="linear")
    foreground = tm.estimate_foreground(LINEAR, alpha, colour_space="linear").foreground
    pixels, spec = raw_read("cut.exr")
    assert str(spec.format) == "half"
    np.testing.assert_array_equal(pixels[..., 3], alpha.astype(np.float16))
    np.testing.assert_array_equal(pixels[..., :3], (foreground * alpha[..., None]).astype(np.float16))
    assert pixels[..., :3].max() > 2
    np.testing.assert_array_equal(load_image("a.exr"), alpha.astype(np.float16))
    opaque = alpha == 1
    np.testing.assert_array_equal(pixels[opaque][:, :3], LINEAR[opaque])  # untouched where nothing is to be done
    succeed(capsys, "cutout", "image.exr", "trimap.png", "-o", "cut.exr", "--bits", "32")
    assert read_picture("cut.exr").depth == "float"


def test_exr_to_display_and_back(folder, capsys):
    succeed(capsys, "cutout", "image.exr", "trimap.png", "-o", "cut.png")
    alpha = tm.estimate_alpha(LINEAR, TRIMAP, colour_space="linear")
    foreground = tm.estimate_foreground(LINEAR, alpha, colour_space="linear").foreground
    shown = np.clip(srgb_from_linear(foreground), 0, 1)
    cut = read_picture("cut.png").pixels
    assert cut.dtype == np.uint16
    assert abs(cut[..., :3] / 65535 - shown).max() < 1e-5
    # 8 bits if asked for
    succeed(capsys, "cutout", "image.exr", "trimap.png", "-o", "cut.png", "--bits", "8")
    assert abs(read_picture("cut.png").pixels[..., :3] / 255 - shown).max() < 0.51 / 255
    # and display colours become linear in EXR
    succeed(capsys, "foreground", "deep.png", "alpha.png", "-o", "f.exr")
    display = load_image("deep.png") / np.float32(65535)
    expected = linear_from_srgb(tm.estimate_foreground(display, load_image("alpha.png")).foreground)
    assert abs(load_image("f.exr") - expected).max() < 1e-3
    assert read_picture("f.exr").depth == "float"  # a half has fewer bits than the picture
    save_image("eight.png", IMAGE)
    succeed(capsys, "foreground", "eight.png", "alpha.png", "-o", "f.exr")
    assert read_picture("f.exr").depth == "half"
    # a profile says nothing about colours that have been encoded anew
    save_image("profile.tif", LINEAR, depth="float", icc_profile=SRGB)
    succeed(capsys, "foreground", "profile.tif", "alpha.png", "-o", "f.png")
    assert read_picture("f.png").icc_profile is None
    succeed(capsys, "foreground", "profile.tif", "alpha.png", "-o", "f.tif")
    assert read_picture("f.tif").icc_profile == SRGB
    assert read_picture("f.tif").depth == "float"
    succeed(capsys, "foreground", "image.exr", "alpha.png", "-o", "f.tif")
    assert read_picture("f.tif").depth == "float"
    assert load_image("f.tif").max() > 2


def test_the_space_can_be_stated(folder, capsys):
    # display colours in an EXR stay what they are
    save_image("display.exr", IMAGE / np.float32(255), depth="float")
    succeed(capsys, "alpha", "display.exr", "trimap.png", "-o", "a.exr", "--colour-space", "srgb")
    expected = tm.estimate_alpha(IMAGE / np.float32(255), TRIMAP)
    np.testing.assert_array_equal(load_image("a.exr"), expected)
    succeed(capsys, "cutout", "display.exr", "trimap.png", "-o", "cut.exr", "--colour-space", "srgb")
    foreground = tm.estimate_foreground(IMAGE / np.float32(255), expected).foreground
    assert abs(read_picture("cut.exr").pixels[expected > 0.1][:, :3] - foreground[expected > 0.1]).max() < 1e-5
    # linear ones in a TIFF of 16 bits too
    linear = np.round(np.clip(LINEAR / 8, 0, 1) * 65535).astype(np.uint16)
    save_image("linear.tif", linear)
    succeed(capsys, "cutout", "linear.tif", "trimap.png", "-o", "cut.tif", "--colour-space", "linear")
    np.testing.assert_array_equal(read_picture("cut.tif").pixels, tm.cutout(linear, TRIMAP, colour_space="linear"))


def test_sixteen_bits_in_sixteen_bits_out(folder, capsys):
    deep = load_image("deep.png")
    succeed(capsys, "cutout", "deep.png", "trimap.png", "-o", "cut.png", "--alpha-output", "a.png")
    picture = read_picture("cut.png")
    np.testing.assert_array_equal(picture.pixels, tm.cutout(deep, TRIMAP))
    assert picture.icc_profile == SRGB
    assert load_image("a.png").dtype == np.uint16
    succeed(capsys, "cutout", "deep.png", "trimap.png", "-o", "cut.tif")
    np.testing.assert_array_equal(read_picture("cut.tif").pixels, picture.pixels)
    assert read_picture("cut.tif").icc_profile == SRGB
    succeed(capsys, "cutout", "deep.png", "trimap.png", "-o", "cut.webp")
    assert read_picture("cut.webp").pixels.dtype == np.uint8
    succeed(capsys, "cutout", "deep.png", "trimap.png", "-o", "over.png", "-b", "magenta")
    assert load_image("over.png").dtype == np.uint16
    succeed(capsys, "foreground", "deep.png", "alpha.png", "-o", "f.png", "--background-output", "b.tif")
    assert load_image("f.png").dtype == load_image("b.tif").dtype == np.uint16
    mask = (ALPHA > 0.5).astype(np.float32)
    save_image("mask.exr", mask)
    succeed(capsys, "refine", "image.exr", "mask.exr", "-o", "cut.exr", "--no-learn")
    expected = tm.matte_from_mask(LINEAR, mask, learn=False, colour_space="linear")
    np.testing.assert_array_equal(read_picture("cut.exr").pixels[..., 3], expected.astype(np.float16))


def test_composites_of_exr(folder, capsys):
    succeed(capsys, "cutout", "image.exr", "trimap.png", "-o", "cut.exr")
    succeed(capsys, "composite", "cut.exr", "#204060", "-o", "new.png")
    new = load_image("new.png")
    assert new.dtype == np.uint16
    cut = read_picture("cut.exr").pixels
    back = linear_from_srgb(np.array([0x20, 0x40, 0x60], np.uint8))
    light = cut[..., 3:] * cut[..., :3] + (1 - cut[..., 3:]) * back
    assert abs(new / 65535 - np.clip(srgb_from_linear(light), 0, 1)).max() < 1e-4
    succeed(capsys, "composite", "cut.exr", "#204060", "-o", "new.png", "--bits", "8")
    assert (load_image("new.png")[TRIMAP == 0] == (0x20, 0x40, 0x60)).all()
    # over an EXR, into an EXR: the plate again, highlights and all
    succeed(capsys, "cutout", "image.exr", "trimap.png", "-o", "new.exr", "-b", "image.exr")
    assert abs(load_image("new.exr") - LINEAR)[TRIMAP != 128].max() < 0.01
    assert load_image("new.exr").max() > 2
    # over 16 bits and over 8, enlarged or not
    for back in ("deep.png", "alpha.png"):
        succeed(capsys, "composite", "cut.exr", back, "-o", "new.exr")
        behind = linear_from_srgb(np.atleast_3d(load_image(back)))[TRIMAP == 0]
        assert abs(load_image("new.exr")[TRIMAP == 0] - behind).max() < 2e-3
    save_image("large.tif", np.repeat(np.repeat(load_image("deep.png"), 2, 0), 2, 1))
    succeed(capsys, "cutout", "deep.png", "trimap.png", "-o", "new.tif", "-b", "large.tif")
    assert abs(load_image("new.tif").astype(int) - load_image("deep.png"))[TRIMAP != 128].max() < 600


def test_strokes_on_an_exr(folder, capsys):
    painted = LINEAR.copy()
    painted[TRIMAP == 255], painted[TRIMAP == 0] = 1, 0
    save_image("painted.exr", painted)
    image = LINEAR / 9
    save_image("dim.exr", image)
    succeed(capsys, "alpha", "dim.exr", "--scribbles", "painted.exr", "-o", "a.exr")
    shown = [np.clip(srgb_from_linear(p), 0, 1) for p in (image, painted)]
    trimap = tm.trimap_from_scribbles(*shown)
    expected = tm.estimate_alpha(image, trimap, colour_space="linear")
    np.testing.assert_array_equal(load_image("a.exr"), expected)


def test_batches_and_sequences_of_exr(folder, capsys):
    for index in range(2):
        save_image(f"in{index}.exr", LINEAR * np.float32(1 + index), depth="half")
        save_image(f"tri{index}.png", TRIMAP)
    (folder / "jobs.jsonl").write_text(
        "".join(
            json.dumps(
                {"image": f"in{i}.exr", "trimap": f"tri{i}.png", "cutout": f"c{i}.exr", "alpha": f"a{i}.png"}
            )
            + "\n"
            for i in range(2)
        )
    )
    assert run(["batch", "--manifest", "jobs.jsonl", "--memory", "4G", "--quiet"]) == 0
    capsys.readouterr()
    for index in range(2):
        expected = tm.cutout(LINEAR * np.float32(1 + index), TRIMAP, colour_space="linear")
        got = read_picture(f"c{index}.exr").pixels
        np.testing.assert_array_equal(got[..., 3], expected[..., 3].astype(np.float16))
        assert load_image(f"a{index}.png").dtype == np.uint16
    succeed(capsys, "sequence", "in%d.exr", "tri%d.png", "-o", "s%d.exr")
    np.testing.assert_array_equal(read_picture("s0.exr").pixels, read_picture("c0.exr").pixels)
    assert run(["batch", "--manifest", "jobs.jsonl", "--bits", "32"]) == 1  # PNG has no such thing
    assert "PNG has samples of uint8, uint16, not float" in capsys.readouterr().err


def test_composites_are_rounded_once(folder, capsys):
    """Whatever the depths of cutout and background."""
    deep = load_image("deep.png")
    save_image("cut.png", np.dstack([IMAGE, np.round(ALPHA * 255).astype(np.uint8)]))
    succeed(capsys, "composite", "cut.png", "deep.png", "-o", "new.tif", "--bits", "16")
    np.testing.assert_array_equal(load_image("new.tif")[ALPHA == 0], deep[ALPHA == 0])
    # a background with highlights stays what it is
    succeed(capsys, "composite", "cut.png", "image.exr", "-o", "new.exr", "--bits", "32")
    np.testing.assert_allclose(load_image("new.exr")[ALPHA == 0], LINEAR[ALPHA == 0], rtol=1e-4)
    succeed(capsys, "cutout", "deep.png", "trimap.png", "-b", "image.exr", "-o", "new.exr")
    np.testing.assert_allclose(load_image("new.exr")[TRIMAP == 0], LINEAR[TRIMAP == 0], rtol=1e-4)
    # linear integers, if that is said
    linear = np.round(np.clip(LINEAR / 9, 0, 1) * 65535).astype(np.uint16)
    save_image("linear.tif", linear)
    save_image("cut.tif", np.dstack([linear[::-1], np.round(ALPHA * 65535).astype(np.uint16)]))
    succeed(capsys, "composite", "cut.tif", "linear.tif", "-o", "new.tif", "--colour-space", "linear")
    np.testing.assert_array_equal(load_image("new.tif")[ALPHA == 0], linear[ALPHA == 0])
    succeed(capsys, "composite", "cut.tif", "image.exr", "-o", "new.tif", "--colour-space", "linear")
    expected = np.clip(LINEAR, 0, 1)[ALPHA == 0] * 65535
    assert abs(load_image("new.tif")[ALPHA == 0] - expected).max() < 1
    succeed(capsys, "composite", "cut.tif", "#808080", "-o", "new.png", "--colour-space", "linear")
    assert abs(load_image("new.png")[ALPHA == 0] / 257 - 128).max() < 0.01  # another format: for the display


def test_backgrounds_lie_in_the_display_window(folder, capsys):
    """A plate that is a crop of what is shown gets the part of the background that belongs there."""
    height, width = TRIMAP.shape
    display = {"full_x": 0, "full_y": 0, "full_width": 3 * width, "full_height": 2 * height}
    raw_write("plate.exr", LINEAR, "half", x=width, y=10, **display)
    back = RANDOM.random((2 * height, 3 * width, 3)).astype(np.float16).astype(np.float32)
    save_image("back.exr", back)
    succeed(capsys, "cutout", "plate.exr", "trimap.png", "-b", "back.exr", "-o", "new.exr")
    pixels, spec = raw_read("new.exr")
    assert (spec.x, spec.y, spec.full_width, spec.full_height) == (width, 10, 3 * width, 2 * height)
    there = back[10 : 10 + height, width : 2 * width]
    np.testing.assert_allclose(pixels[TRIMAP == 0], there[TRIMAP == 0], rtol=1e-3)
    # and a background may be a crop itself
    raw_write("crop.exr", there, "half", x=width, y=10, **display)
    succeed(capsys, "cutout", "plate.exr", "trimap.png", "-b", "crop.exr", "-o", "new.exr")
    np.testing.assert_allclose(load_image("new.exr")[TRIMAP == 0], there[TRIMAP == 0], rtol=1e-3)
    # a window that no memory holds is said to be whose it is
    raw_write("huge.exr", LINEAR, "half", full_width=10**6, full_height=10**6)
    for arguments in (("huge.exr", "deep.png"), ("deep.png", "huge.exr")):
        assert run(["composite", *arguments, "--alpha", "alpha.png", "-o", "x.png"]) == 1
        err = capsys.readouterr().err
        assert "error: huge.exr: expected a display window of fewer pixels, got 1000000 x 1000000" in err
    # pixels outside the display window
    raw_write("plate.exr", LINEAR, "half", x=-5, y=0, full_width=width - 5, full_height=height)
    succeed(capsys, "cutout", "plate.exr", "trimap.png", "-b", "white", "-o", "new.exr")
    np.testing.assert_allclose(load_image("new.exr")[TRIMAP == 0], 1, rtol=1e-3)
    save_image("small.exr", back[:height, : width - 5])
    succeed(capsys, "cutout", "plate.exr", "trimap.png", "-b", "small.exr", "-o", "new.exr")
    new = load_image("new.exr")
    assert (new[:, :5][TRIMAP[:, :5] == 0] == 0).all()
    outside = TRIMAP[:, 5:] == 0
    np.testing.assert_allclose(new[:, 5:][outside], back[:height, : width - 5][outside], rtol=1e-3)


def test_what_is_not_finite_is_named_with_its_file(folder, capsys):
    bad = LINEAR.copy()
    bad[5, 7, 1] = np.nan
    raw_write("bad.exr", bad, "half")
    message = r"bad.exr: expected finite values, got nan at (5, 7, 1)"
    for arguments in (
        ["cutout", "bad.exr", "trimap.png", "-o", "c.exr"],
        ["cutout", "image.exr", "trimap.png", "-b", "bad.exr", "-o", "c.exr"],
        ["alpha", "image.exr", "bad.exr", "-o", "c.exr"],
    ):
        assert run(arguments) == 1
        assert message in capsys.readouterr().err
    assert np.isnan(load_image("bad.exr")).sum() == 1  # who wants to mend it can
    with pytest.raises(ValueError, match="32-bit floats can hold"):
        save_image("c.exr", np.full((2, 2), 1e300))
    assert not (folder / "c.exr").exists()


def test_mattes_may_overshoot_a_little(folder, capsys):
    save_image("over.exr", (TRIMAP / 255 * 1.06 - 0.03).astype(np.float32))
    succeed(capsys, "alpha", "image.exr", "over.exr", "-o", "a.exr")
    succeed(capsys, "alpha", "image.exr", "trimap.png", "-o", "b.exr")
    np.testing.assert_array_equal(load_image("a.exr"), load_image("b.exr"))
    save_image("over.exr", LINEAR[..., 0])
    assert run(["alpha", "image.exr", "over.exr", "-o", "c.exr"]) == 1
    assert "over.exr: expected values in [0, 1], got" in capsys.readouterr().err


def test_only_what_is_used_of_a_cutout_must_be_in_range(folder, capsys):
    """Colours may be anything where the transparency is wanted, which may overshoot a little itself."""
    alpha = np.clip(ALPHA * 1.02 - 0.01, -1, 2).astype(np.float32)
    raw_write("cut.exr", np.dstack([5 * LINEAR * alpha[..., None], alpha]), "float")
    succeed(capsys, "foreground", "image.exr", "cut.exr", "-o", "f.exr")
    succeed(capsys, "trimap", "cut.exr", "-o", "t.png", "--erode", "2", "--dilate", "2")
    succeed(capsys, "refine", "image.exr", "cut.exr", "-o", "r.exr", "--no-learn")
    succeed(capsys, "composite", "cut.exr", "magenta", "-o", "new.exr")


def test_deep_grey_stays_grey(folder, capsys, monkeypatch):
    save_image("grey.tif", DEEP[..., 0].repeat(9, 0)[:, :4].repeat(12, 1))
    save_image("grey.png", np.round(ALPHA * 65535).astype(np.uint16))
    monkeypatch.setitem(sys.modules, "OpenImageIO", None)  # which grey does not need
    succeed(capsys, "foreground", "grey.tif", "alpha.png", "-o", "f.tif")
    assert load_image("f.tif").shape == TRIMAP.shape
    assert load_image("f.tif").dtype == np.uint16
    assert run(["cutout", "grey.png", "trimap.png", "-o", "c.tif"]) == 1
    assert 'pip install "trimatte[vfx]"; or 8 bits, or PNG' in capsys.readouterr().err
    succeed(capsys, "cutout", "grey.png", "trimap.png", "-o", "c.tif", "--bits", "8")
    succeed(capsys, "cutout", "grey.png", "trimap.png", "-o", "c.png")


def test_frames_of_one_kind(folder, capsys):
    save_image("f1.exr", LINEAR, depth="half")
    save_image("f2.exr", LINEAR, depth="float")
    for index in (1, 2):
        save_image(f"t{index}.png", TRIMAP)
    assert run(["sequence", "f%d.exr", "t%d.png", "-o", "o%d.exr"]) == 1
    assert "f2.exr: expected half samples as in the first frame, got float" in capsys.readouterr().err


def test_the_memory_of_deep_items_is_estimated(folder):
    from trimatte.batch import Job
    from trimatte.batch._cost import estimated_bytes

    save_image("float.tif", LINEAR, depth="float")
    needs = {}
    for name in ("deep.png", "float.tif", "image.exr"):
        needs[name] = estimated_bytes(Job(name, {"cutout": "c.exr"}, trimap="trimap.png"))
    assert needs["float.tif"] == needs["image.exr"] > needs["deep.png"] > 0
