"""Pictures with a palette: found by their colours, and smoothed as far as the palette's steps."""

import numpy as np
import pytest
from PIL import Image

import trimatte as tm
from trimatte._palette import smoothed


def with_palette(image, colours=64, dither=False):
    picture = Image.fromarray(np.rint(image * 255).astype(np.uint8))
    few = picture.quantize(colours)
    if dither:
        few = picture.quantize(palette=few, dither=Image.Dither.FLOYDSTEINBERG)
    return np.asarray(few.convert("RGB"))


@pytest.fixture(scope="module")
def hair():
    return tm.datasets.hair(150, 200, noise=0.01)


def twin(image):
    """Each pixel by itself: the mean of its surroundings, as near to its own colour as it must be."""
    given = image.astype(float)
    palette = np.unique(image.reshape(-1, 3), axis=0).astype(float)
    reach = np.arange(-2, 3)  # SciPy cuts a Gaussian off after 4 standard deviations
    part = np.exp(-0.5 * (reach / 0.5) ** 2)
    part /= part.sum()
    padded = np.pad(given, ((2, 2), (2, 2), (0, 0)), mode="symmetric")
    out = np.empty_like(given)
    for y, x in np.ndindex(image.shape[:2]):
        mean = np.einsum("i,j,ijc", part, part, padded[y : y + 5, x : x + 5])
        apart = np.sort(np.linalg.norm(palette - given[y, x], axis=1))[1]
        step = mean - given[y, x]
        out[y, x] = given[y, x] + step * min(1, min(apart, 24) / max(np.linalg.norm(step), 1e-6))
    return out / 255


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_a_palette_is_smoothed_as_the_twin_says(hair, dtype):
    few = with_palette(hair.image)[:60, :80]
    image = few if dtype == np.uint8 else few.astype(np.uint16) * 257 if dtype == np.uint16 else few / dtype(255)
    found = smoothed(image)
    assert found.dtype == (np.float64 if dtype == np.float64 else np.float32)
    assert np.abs(found - twin(few)).max() < 1e-5


def test_other_pictures_stay_as_they_are(hair):
    pixels = np.rint(hair.image * 255).astype(np.uint8)
    x = np.arange(64) + np.zeros((64, 1), int)
    drawing = np.where((x // 8 % 2 == 0)[..., np.newaxis], np.uint8([200, 30, 30]), np.uint8([250, 240, 230]))
    disc = np.clip(100 - np.hypot(*(np.mgrid[:400, :400] - 200.3)), 0, 1)[..., np.newaxis]
    logo = np.rint(disc * [60, 200, 90] + (1 - disc) * [230, 40, 160]).astype(np.uint8)
    assert 32 < len(np.unique(logo.reshape(-1, 3), axis=0)) <= 256
    grey = np.repeat(pixels[..., :1], 3, axis=2)
    small = with_palette(hair.image, 256)[:20, :20]
    for image in (pixels, hair.image, drawing, logo, grey, pixels[..., :1], small):
        assert smoothed(image) is image


@pytest.mark.parametrize("dither", [False, True])
def test_the_default_is_better_with_a_smoothed_palette_and_says_so(dither):
    scene = tm.datasets.net(150, 200, noise=0.01)
    image = with_palette(scene.image, dither=dither)
    unknown = scene.trimap == 128
    error = {}
    for chroma in ("full", None):
        alpha, info = tm.solve_alpha(image, scene.trimap, chroma=chroma)
        error[chroma] = np.abs(alpha - scene.alpha)[unknown].mean()
        assert info.chroma == ("full" if chroma else "palette")
    assert error[None] < 0.95 * error["full"]


def test_other_methods_use_the_colours_as_they_are(hair):
    image = with_palette(hair.image)
    assert tm.solve_alpha(image, hair.trimap, method="closed-form").info.chroma == "full"
    assert tm.solve_alpha(image, hair.trimap, method="closed-form", chroma="auto").info.chroma == "palette"
