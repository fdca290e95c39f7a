"""docs/nuke.md: its commands run on EXR plates, and write the files that it describes."""

import shlex
from pathlib import Path

import numpy as np
import pytest

import trimatte as tm
from trimatte.cli import run
from trimatte.colour import linear_from_srgb, srgb_from_linear
from trimatte.io import read_picture, save_image

oiio = pytest.importorskip("OpenImageIO", reason="extra [vfx] is not installed")

PAGE = Path(__file__).parents[1] / "docs" / "nuke.md"

if not PAGE.exists():
    pytest.skip("the page is not beside the tests", allow_module_level=True)

FRAMES = range(1001, 1004)
DATA, DISPLAY = (-8, -5, 120, 90), (0, 0, 104, 80)  # x, y, width, height
ACESCG = (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767)
COMMANDS = [
    line.strip() for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("    trimatte")
]
CUT, BEST, MATTE, PNG = COMMANDS[:4]


def write_exr(name, pixels, names, depth, number=1001):
    """As Nuke writes it: a data window that sticks out, chromaticities, a time code."""
    spec = oiio.ImageSpec(DATA[2], DATA[3], len(names), depth)
    spec.channelnames = names
    spec.x, spec.y = DATA[:2]
    spec.full_x, spec.full_y, spec.full_width, spec.full_height = DISPLAY
    spec.attribute("chromaticities", "float[8]", ACESCG)
    spec.attribute("smpteTimeCode", oiio.TypeTimeCode, (0x01000000 + number, 0))
    file = oiio.ImageOutput.create(name)
    assert file.open(name, spec)
    assert file.write_image(np.ascontiguousarray(pixels, np.float32).reshape(DATA[3], DATA[2], len(names)))
    assert file.close()


def write_trimaps(pixels, names):
    for number in FRAMES:
        write_exr(f"trimap.{number}.exr", pixels, names, "half")


def read_exr(name):
    file = oiio.ImageInput.open(name)
    spec = file.spec()
    pixels = file.read_image("float")
    file.close()
    return pixels, spec


@pytest.fixture(scope="module")
def clip():
    """Plates as half floats with highlights, and trimaps."""
    scenes = tm.datasets.sequence(DATA[3], DATA[2], frames=len(FRAMES))
    return [((4 * linear_from_srgb(s.image)).astype(np.float16).astype(np.float32), s.trimap) for s in scenes]


@pytest.fixture(params=["half", "float"])
def folder(request, tmp_path, monkeypatch, clip):
    monkeypatch.chdir(tmp_path)
    for number, (plate, trimap) in zip(FRAMES, clip, strict=True):
        write_exr(f"plate.{number}.exr", plate, ("R", "G", "B"), request.param, number)
        # A single channel, as Write has it with channels alpha.
        write_exr(f"trimap.{number}.exr", trimap / 255, ("A",), "half", number)
        save_image(f"trimap.{number}.png", trimap)
    return request.param


def call(command, capsys):
    assert run(shlex.split(command)[1:]) == 0
    capsys.readouterr()


def refuse(command, capsys):
    assert run(shlex.split(command)[1:]) == 1
    return capsys.readouterr().err


def as_the_plate(spec, number, names, depth):
    assert tuple(spec.channelnames) == names
    assert str(spec.format) == depth
    assert (spec.x, spec.y, spec.width, spec.height) == DATA
    assert (spec.full_x, spec.full_y, spec.full_width, spec.full_height) == DISPLAY
    np.testing.assert_allclose(spec.getattribute("chromaticities"), ACESCG, rtol=1e-6)
    assert spec.getattribute("smpteTimeCode")[0] == 0x01000000 + number


def test_cutouts_are_premultiplied_and_lie_where_the_plate_does(folder, clip, capsys):
    call(CUT, capsys)
    for number, (plate, trimap) in zip(FRAMES, clip, strict=True):
        pixels, spec = read_exr(f"cut.{number}.exr")
        as_the_plate(spec, number, ("R", "G", "B", "A"), folder)
        alpha = pixels[..., 3:]
        assert pixels[..., :3][alpha[..., 0] == 0].max() == 0
        opaque = alpha[..., 0] == 1
        np.testing.assert_array_equal(pixels[opaque][:, :3], plate[opaque])
        assert plate.max() > 2
        layers = tm.estimate_foreground(plate, alpha[..., 0], colour_space="linear")
        # Merge, over: the plate again before its own background.
        assert abs(pixels[..., :3] + (1 - alpha) * layers.background - plate).max() < 0.01
        assert (alpha[trimap == 255] == 1).all()
        assert (alpha[trimap == 0] == 0).all()


@pytest.mark.parametrize("folder", ["half"], indirect=True)
def test_best_takes_trimaps_in_png(folder, clip, capsys):
    for number in FRAMES[1:]:
        Path(f"plate.{number}.exr").unlink()
    call(BEST, capsys)
    plate, trimap = clip[0]
    pixels, spec = read_exr("cut.1001.exr")
    as_the_plate(spec, 1001, ("R", "G", "B", "A"), folder)
    want = tm.estimate_alpha(plate, trimap, method="best", colour_space="linear")
    assert abs(pixels[..., 3] - want).max() < 1e-3


def test_mattes_have_one_channel_of_floats(folder, clip, capsys):
    call(MATTE, capsys)
    plate, trimap = clip[0]
    pixels, spec = read_exr("matte.1001.exr")
    as_the_plate(spec, 1001, ("Y",), "float")
    want = tm.estimate_alpha(plate, trimap, colour_space="linear")
    assert abs(pixels[..., 0] - want).max() < 1e-6


def test_cutouts_in_png_are_straight_and_for_the_display(folder, clip, capsys):
    call(PNG, capsys)
    plate, trimap = clip[1]
    cut = read_picture("cut.1002.png").pixels
    assert cut.dtype == np.uint16
    assert cut.shape == (DATA[3], DATA[2], 4)
    opaque = trimap == 255
    shown = np.clip(srgb_from_linear(plate[opaque]), 0, 1)
    assert abs(cut[opaque][:, :3] / 65535 - shown).max() < 1e-4


def test_what_the_page_says_of_trimaps_is_true(folder, clip, capsys):
    trimap = clip[0][1]
    rgb = np.repeat(trimap[..., np.newaxis] / 255, 3, axis=2)
    write_trimaps(rgb, ("R", "G", "B"))
    call(CUT, capsys)
    once = read_exr("cut.1001.exr")[0]
    write_trimaps(srgb_from_linear(rgb), ("R", "G", "B"))  # encoded for the display
    call(CUT, capsys)
    np.testing.assert_array_equal(read_exr("cut.1001.exr")[0], once)
    write_trimaps(np.dstack([rgb, rgb[..., 0]]), ("R", "G", "B", "A"))
    assert "trimap: expected an opaque picture" in refuse(CUT, capsys)
    for number in FRAMES:
        save_image(f"trimap.{number}.png", trimap[5:85, 8:112])
    assert "trimap: expected shape (90, 120) to match image, got (80, 104)" in refuse(BEST, capsys)


def test_a_missing_frame_ends_the_sequence_with_a_warning(folder, capsys):
    Path("plate.1002.exr").unlink()
    assert run(shlex.split(CUT)[1:]) == 0
    assert "plate.1002.exr: no such frame; the 1 from 1003 on are left out" in capsys.readouterr().err
