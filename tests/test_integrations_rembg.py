"""rembg's `remove` with trimatte's way from mask to cutout; a session here returns given masks."""

import io

import numpy as np
import pytest
from PIL import Image

import trimatte as tm
from trimatte.integrations.rembg import remove


class Given:
    """A session as rembg has them."""

    def __init__(self, *masks):
        self.masks = [Image.fromarray(mask) for mask in masks]

    def predict(self, img):
        return [mask.resize(img.size) for mask in self.masks]


@pytest.fixture(scope="module")
def scene():
    return tm.datasets.hair(64, 72, seed=2)


@pytest.fixture(scope="module")
def pixels(scene):
    return np.round(scene.image * 255).astype(np.uint8)


@pytest.fixture(scope="module")
def mask(scene):
    return ((scene.alpha > 0.5) * 255).astype(np.uint8)


def test_it_is_the_matte_of_the_mask(scene, pixels, mask):
    cutout = remove(pixels, session=Given(mask))
    alpha = tm.matte_from_mask(pixels, mask)
    assert abs(cutout[..., 3] / 255 - alpha).max() <= 0.5 / 255 + 1e-6
    assert abs(cutout[..., 3] / 255 - scene.alpha).mean() < abs(mask / 255 - scene.alpha).mean()
    colours = tm.estimate_foreground(pixels, alpha).foreground
    assert abs(cutout[..., :3] / 255 - colours).max() <= 0.5 / 255 + 1e-6


def test_the_result_is_as_the_picture_was(pixels, mask):
    expected = remove(pixels, session=Given(mask), learn=False)
    picture = remove(Image.fromarray(pixels), session=Given(mask), learn=False)
    assert (np.asarray(picture) == expected).all()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    made = remove(file.getvalue(), session=Given(mask), learn=False)
    assert (np.asarray(Image.open(io.BytesIO(made))) == expected).all()


@pytest.mark.parametrize("mode", ["L", "P", "1", "LA", "RGBA", "CMYK", "I;16"])
def test_pictures_of_all_modes(pixels, mask, mode):
    grey = Image.fromarray(pixels).convert("L")
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    else:
        picture = Image.fromarray(pixels).convert(mode)
    cutout = remove(picture, session=Given(mask), learn=False)
    assert cutout.mode == "RGBA"
    assert cutout.size == (72, 64)


@pytest.mark.filterwarnings("ignore::trimatte.errors.TrimatteWarning")
@pytest.mark.parametrize("value", [0, 255])
def test_masks_of_one_value(pixels, value):
    assert (remove(pixels, session=Given(np.full((8, 8), value, np.uint8)))[..., 3] == value).all()


def test_tiny_pictures(pixels, mask):
    for shape in ((1, 1), (2, 3)):
        assert remove(pixels[: shape[0], : shape[1]], session=Given(mask)).shape == (*shape, 4)


def test_pictures_are_turned_by_their_exif(pixels, mask):
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", exif=exif)
    made = remove(file.getvalue(), session=Given(mask.T.copy()), alpha_matting=False)
    assert Image.open(io.BytesIO(made)).size == (64, 72)


def test_options(pixels, mask):
    assert (remove(pixels, False, session=Given(mask), only_mask=True) == mask).all()
    both = remove(pixels, session=Given(mask, 255 - mask), learn=False)
    assert both.shape == (128, 72, 4)
    speck = mask.copy()
    speck[2, 2] = 255 if mask[2, 2] == 0 else 0
    cleaned = remove(pixels, False, session=Given(speck), only_mask=True, post_process_mask=True)
    assert cleaned[2, 2] == mask[2, 2]
    soft = np.where(mask == 255, 200, 60).astype(np.uint8)
    sure = remove(pixels, True, 200, 60, 3, session=Given(soft), only_mask=True, learn=False)
    assert (sure == remove(pixels, True, 240, 10, 3, session=Given(mask), only_mask=True, learn=False)).all()
    cutout = remove(pixels, session=Given(mask), learn=False)
    over = remove(pixels, session=Given(mask), learn=False, bgcolor=(255, 0, 0, 255))
    assert (over[..., 3] == 255).all()
    assert (over[cutout[..., 3] == 0] == (255, 0, 0, 255)).all()
    clear = remove(pixels, session=Given(mask), learn=False, bgcolor=(255, 0, 0, 0))
    seen = cutout[..., 3] > 0
    assert (clear[seen] == cutout[seen]).all()


@pytest.mark.parametrize(
    ("arguments", "error", "wanted"),
    [
        ({"data": "photo.jpg"}, TypeError, "data: expected a Pillow picture, an ndarray or the bytes"),
        ({"alpha_matting_foreground_threshold": 5}, ValueError, "alpha_matting_foreground_threshold"),
        ({"alpha_matting_background_threshold": -1}, ValueError, "alpha_matting_background_threshold"),
        ({"bgcolor": (1, 2, 3)}, ValueError, "bgcolor: expected red, green, blue and alpha"),
        ({"alpha_matting_erode_size": -1}, ValueError, "band"),
    ],
)
def test_bad_input(pixels, mask, arguments, error, wanted):
    with pytest.raises(error, match=wanted):
        remove(**{"data": pixels, "session": Given(mask), "learn": False, **arguments})
