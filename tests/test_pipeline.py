"""From files to files: the same as the library's functions, one after another."""

import os
import warnings

import numpy as np
import pytest
from PIL import Image

import trimatte as tm
from trimatte._pipeline import FinishedAlpha, Guide, Item, RoughMask, Run, Trimap, matte
from trimatte._pipeline.backdrop import Backdrop
from trimatte._pipeline.frames import Frame, Solves
from trimatte._pixels import eight_bits, quantized
from trimatte.errors import TrimatteWarning
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


def turned(path, pixels, orientation):
    """Write a picture as a camera stores it that says how to turn it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = {3: np.rot90(pixels, 2), 6: np.rot90(pixels), 8: np.rot90(pixels, -1)}[orientation]
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif)


def matted(image, guide, output):
    matte(Item(image, guide, {"alpha": output}), Run())
    return load_image(output)


@pytest.mark.parametrize("orientation", [6, 8])
def test_a_guide_of_the_stored_pixels_of_a_turned_picture_is_turned(tmp_path, monkeypatch, orientation):
    monkeypatch.chdir(tmp_path)
    scene = tm.datasets.hair(60, 80, seed=1)
    photo, mask = quantized(scene.image, np.uint8), np.uint8(255) * (scene.alpha > 0.5)
    turned("photo.png", photo, orientation)
    for name, guide in (("trimap", scene.trimap), ("mask", mask), ("small", mask[::2, ::2])):
        save_image(f"{name}.png", guide)
        turned("raw.png", guide, orientation)
        save_image(f"{name}_raw.png", np.asarray(Image.open("raw.png")))  # without its orientation
    for kind, name in ((Trimap, "trimap"), (RoughMask, "mask"), (RoughMask, "small")):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")  # the small mask is scaled
            want = matted("photo.png", kind(f"{name}.png"), "want.png")
            assert not any("EXIF" in str(warning.message) for warning in caught)
            np.testing.assert_array_equal(matted("photo.png", kind(f"{name}_raw.png"), "got.png"), want)
        heard = [str(warning.message) for warning in caught]
        assert any(
            text.startswith(f"{name}_raw.png: the image is turned by its EXIF orientation") for text in heard
        )


@pytest.mark.parametrize(("orientation", "width"), [(3, 80), (6, 60)])
def test_a_guide_that_may_be_turned_is_doubted(tmp_path, monkeypatch, orientation, width):
    """No size tells whether the mask of a square, or of a picture upside down, is upright."""
    monkeypatch.chdir(tmp_path)
    scene = tm.datasets.hair(60, width, seed=1)
    turned("photo.png", quantized(scene.image, np.uint8), orientation)
    save_image("trimap.png", scene.trimap)
    with pytest.warns(
        TrimatteWarning, match=r"trimap.png: .* \(\d\), and this has no orientation; if it was made"
    ):
        matted("photo.png", Trimap("trimap.png"), "doubted.png")
    turned("own.png", scene.trimap, orientation)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        want = matted("photo.png", Trimap("own.png"), "sure.png")
    np.testing.assert_array_equal(load_image("doubted.png"), want)
