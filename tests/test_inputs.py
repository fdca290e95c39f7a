"""Inputs that are no arrays of light: modes of Pillow, other layouts, labels, swapped arguments."""

import numpy as np
import pytest
from PIL import Image

import trimatte as tm
from trimatte.errors import TrimatteWarning


@pytest.fixture(scope="module")
def scene():
    scene = tm.datasets.hair(60, 80, seed=1)
    return np.round(scene.image * 255).astype(np.uint8), scene.trimap


def test_pillow_pictures_mean_what_they_show(scene):
    pixels, trimap = scene
    picture = Image.fromarray(pixels)
    palette = picture.quantize(16)
    want = tm.estimate_alpha(np.asarray(palette.convert("RGB")), trimap, method="closed-form")
    np.testing.assert_array_equal(tm.estimate_alpha(palette, trimap, method="closed-form"), want)
    for mode in ("YCbCr", "HSV"):
        converted = picture.convert(mode)
        want = tm.estimate_alpha(np.asarray(converted.convert("RGB")), trimap, method="closed-form")
        np.testing.assert_array_equal(tm.estimate_alpha(converted, trimap, method="closed-form"), want)
    np.testing.assert_array_equal(
        tm.estimate_alpha(picture, trimap, method="closed-form"),
        tm.estimate_alpha(pixels, trimap, method="closed-form"),
    )


def test_one_bit_pictures_are_black_and_white(scene):
    pixels, trimap = scene
    bits = Image.fromarray(np.asarray(trimap) == 255)
    assert bits.mode == "1"
    np.testing.assert_array_equal(
        tm.trimap_from_mask(bits, erode=2, dilate=2), tm.trimap_from_mask(trimap == 255, erode=2, dilate=2)
    )
    grey = Image.fromarray(pixels[..., 0]).convert("1")
    want = tm.estimate_alpha(np.asarray(grey.convert("L")), trimap, method="closed-form")
    np.testing.assert_array_equal(tm.estimate_alpha(grey, trimap, method="closed-form"), want)


def test_a_trimap_with_a_palette_of_grey_is_taken(scene):
    pixels, trimap = scene
    palette = Image.fromarray(np.asarray(trimap)).convert("P")
    np.testing.assert_array_equal(
        tm.estimate_alpha(pixels, palette, method="closed-form"),
        tm.estimate_alpha(pixels, trimap, method="closed-form"),
    )


@pytest.mark.parametrize(
    ("mode", "remedy"),
    [("CMYK", r'convert\("RGB"\)'), ("LA", r'convert\("L"\)'), ("PA", r'convert\("RGB"\)'), ("LAB", "ImageCms")],
)
def test_modes_that_lose_something_are_refused(scene, mode, remedy):
    _, trimap = scene
    picture = Image.new(mode, (80, 60))
    with pytest.raises(
        TypeError, match=rf"image: expected a picture of mode L, RGB or RGBA, got mode {mode}.*{remedy}"
    ):
        tm.estimate_alpha(picture, trimap, method="closed-form")


@pytest.mark.parametrize(
    ("layout", "way"),
    [
        (lambda a: a.transpose(2, 0, 1), r"image\.transpose\(1, 2, 0\)"),
        (lambda a: a[np.newaxis], r"pass image\[0\]$"),
        (lambda a: a.transpose(2, 0, 1)[np.newaxis], r"image\[0\]\.transpose\(1, 2, 0\)"),
    ],
)
def test_other_layouts_are_named(scene, layout, way):
    pixels, trimap = scene
    with pytest.raises(ValueError, match=way):
        tm.estimate_alpha(layout(pixels), trimap, method="closed-form")


def test_none_is_what_opencv_returns_for_a_file_it_cannot_read(scene):
    with pytest.raises(TypeError, match=r"image: .* got None \(cv2\.imread"):
        tm.estimate_alpha(None, scene[1], method="closed-form")


def test_guides_of_three_equal_channels_are_grey(scene):
    pixels, trimap = scene
    mask = np.where(trimap == 255, np.uint8(255), np.uint8(0))
    three = np.stack([mask] * 3, 2)
    np.testing.assert_array_equal(
        tm.trimap_from_mask(three, erode=3, dilate=3), tm.trimap_from_mask(mask, erode=3, dilate=3)
    )
    np.testing.assert_array_equal(tm.matte_from_mask(pixels, three), tm.matte_from_mask(pixels, mask))
    np.testing.assert_array_equal(tm.composite(pixels, three, (0, 0, 0)), tm.composite(pixels, mask, (0, 0, 0)))


def test_swapped_and_turned_arguments_are_suspected(scene):
    pixels, trimap = scene
    with pytest.raises(ValueError, match=r"trimap: expected grey .*are image and trimap swapped"):
        tm.estimate_alpha(trimap, pixels, method="closed-form")
    with pytest.raises(ValueError, match=r"got \(80, 60\); is the trimap or the image turned by 90 degrees"):
        tm.estimate_alpha(pixels, trimap.T, method="closed-form")


@pytest.mark.parametrize("value", [15, 150])
def test_a_mask_of_two_labels_is_no_half_transparent_mask(scene, value):
    """A mask of 0 and 150 of 255 was taken as 59 % opaque."""
    pixels, trimap = scene
    mask = (trimap == 255) * np.uint8(value)
    for call in (
        lambda: tm.matte_from_mask(pixels, mask),
        lambda: tm.trimap_from_mask(mask, erode=2, dilate=2),
        lambda: tm.trimap_from_soft_mask(mask),
    ):
        with pytest.raises(
            ValueError, match=rf"mask: expected uint8 values up to 255, got only 0 and {value}.*mask > 0"
        ):
            call()
    with pytest.warns(TrimatteWarning, match=f"alpha: the only values are 0 and {value} of 255") as found:
        tm.composite(pixels, mask, (0, 0, 0))
    assert found[0].filename == __file__


def test_alphas_with_more_values_or_one_are_taken_as_they_are(scene):
    pixels, trimap = scene
    few = np.select([trimap == 255, trimap == 128], [150, 40], 0).astype(np.uint8)
    tm.composite(pixels, few, (0, 0, 0))
    tm.composite(pixels, np.full(few.shape, 150, np.uint8), (0, 0, 0))
