"""From files to files: the same as the library's functions, one after another."""

import os

import numpy as np
import pytest

import trimatte as tm
from trimatte._pipeline import FinishedAlpha, Guide, Item, RoughMask, Run, Trimap, matte
from trimatte._pipeline.backdrop import Backdrop
from trimatte._pipeline.frames import Frame, Solves
from trimatte._pixels import eight_bits, quantized
from trimatte.io import load_image, save_image

OUTPUTS = {kind: f"{kind}.png" for kind in ("cutout", "composite", "alpha", "foreground", "background")}
COLOUR = (10, 200, 30)


@pytest.fixture
def image(tmp_path, monkeypatch):
    """A picture of 8 bits, in a folder with files that guide its matting."""
    monkeypatch.chdir(tmp_path)
    scene = tm.datasets.hair(48, 64)
    save_image("image.png", quantized(scene.image, np.uint8))
    save_image("trimap.png", scene.trimap)
    save_image("mask.png", eight_bits((scene.alpha > 0.5).astype(float)))
    save_image("given.png", eight_bits(scene.alpha))
    return load_image("image.png")


def one_after_another(image, alpha):
    """What a run must write, made by the public functions."""
    layers = tm.estimate_foreground(image, alpha)
    over = tm.composite(layers.foreground, alpha, np.array(COLOUR) / 255)
    colours = (layers.foreground, over, layers.foreground, layers.background)
    cut, mixed, foreground, background = (quantized(np.clip(c, 0, 1), np.uint8) for c in colours)
    opacity = quantized(alpha, np.uint8)
    return {
        "cutout": np.dstack([cut, opacity]),
        "composite": mixed,
        "alpha": opacity,
        "foreground": foreground,
        "background": background,
    }


@pytest.mark.parametrize("guide", [Trimap("trimap.png"), RoughMask("mask.png"), FinishedAlpha("given.png")])
def test_every_output_is_that_of_the_functions(image, guide):
    if isinstance(guide, Trimap):
        alpha = tm.estimate_alpha(image, load_image("trimap.png"))
    elif isinstance(guide, RoughMask):
        alpha = tm.matte_from_mask(image, load_image("mask.png"))
    else:
        alpha = load_image("given.png") / np.float32(255)
    run = Run()
    info = matte(Item("image.png", guide, OUTPUTS, backdrop=Backdrop("a colour", COLOUR)), run)
    for kind, expected in one_after_another(image, alpha).items():
        np.testing.assert_array_equal(tm.io.read_picture(OUTPUTS[kind]).pixels, expected, err_msg=kind)
    solved = not isinstance(guide, FinishedAlpha)
    assert (info is not None) == solved
    assert (run.record["height"], run.record["width"]) == image.shape[:2]
    assert ("alpha" in run.record) == solved
    assert list(run.clock.seconds) == ["read", *(["alpha"] if solved else []), "foreground", "write"]


def test_alpha_alone_needs_no_colours(image):
    run = Run()
    matte(Item("image.png", Trimap("trimap.png"), {"alpha": "a.png"}), run)
    assert set(run.clock.seconds) == {"read", "alpha", "write"}


class Unread(Guide):
    """Fails the test if it is asked for anything."""

    def read(self, picture, space):
        pytest.fail("read")

    def solve(self, pixels, known, *, colour_space, threads, progress):
        pytest.fail("solved")


@pytest.mark.parametrize(
    ("outputs", "bits", "message"),
    [
        ({"cutout": "a.jpg"}, None, "JPEG has no transparency"),
        ({"alpha": "a.txt"}, None, "expected a name that ends in"),
        ({"alpha": "a.png", "cutout": "b.png"}, 32, "PNG has samples of"),
        ({"alpha": "nowhere/a.png"}, None, "no such folder"),
    ],
)
def test_outputs_are_checked_before_any_work(image, outputs, bits, message):
    before = sorted(os.listdir())
    with pytest.raises((ValueError, tm.PictureError), match=message):
        matte(Item("image.png", Unread(), outputs, bits=bits), Run())
    assert sorted(os.listdir()) == before


def test_what_fails_leaves_its_record_and_no_file(image):
    save_image("small.png", np.full((9, 9), 128, np.uint8))
    before, run = sorted(os.listdir()), Run()
    with pytest.raises(ValueError, match="trimap"):
        matte(Item("image.png", Trimap("small.png"), OUTPUTS), run)
    assert run.record == {"height": 48, "width": 64}
    assert set(run.clock.seconds) == {"read"}
    assert sorted(os.listdir()) == before


def test_frames_are_those_of_a_sequence(image):
    frames = [image, np.roll(image, 1, axis=1), image]
    trimap = load_image("trimap.png")
    for number, frame in enumerate(frames):
        save_image(f"f{number}.png", frame)
    solves = Solves(map("frame {}".format, range(3)), temporal=0.1, change=0.03, options={})
    expected = tm.solve_sequence(frames, [trimap] * 3, temporal=0.1)
    for number, (alpha, info) in enumerate(expected):
        guide = Frame(Trimap("trimap.png"), f"f{number}.png", solves)
        found = matte(Item(f"f{number}.png", guide, {"alpha": f"a{number}.png"}), Run())
        assert found.iterations == info.iterations
        np.testing.assert_array_equal(load_image(f"a{number}.png"), quantized(alpha, np.uint8))
    save_image("deep.png", image[..., 0].astype(np.uint16) * np.uint16(257))
    with pytest.raises(tm.PictureError, match=r"deep.png: expected uint8 samples as in the first"):
        matte(Item("deep.png", Frame(Trimap("trimap.png"), "deep.png", solves), {"alpha": "d.png"}), Run())
