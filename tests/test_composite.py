"""Compositing against its one formula, and the cutout against its parts."""

import numpy as np
import pytest

import trimatte as tm

RANDOM = np.random.default_rng(7)
FRONT, BACK = RANDOM.random((2, 9, 11, 3))
ALPHA = RANDOM.random((9, 11))
ALPHA[0], ALPHA[1] = 0, 1
TOPS = {np.uint8: 255, np.uint16: 65535, np.float32: 1, np.float64: 1}


def as_dtype(values, dtype):
    return (values * TOPS[dtype] + (0.5 if TOPS[dtype] > 1 else 0)).astype(dtype)


def slow_composite(front, alpha, back):
    return alpha[..., None] * front + (1 - alpha[..., None]) * back


@pytest.mark.parametrize("background_dtype", TOPS)
@pytest.mark.parametrize("dtype", TOPS)
def test_follows_the_formula_in_every_dtype(dtype, background_dtype):
    front, back = as_dtype(FRONT, dtype), as_dtype(BACK, background_dtype)
    got = tm.composite(front, ALPHA, back)
    want = slow_composite(front / TOPS[dtype], ALPHA, back / TOPS[background_dtype])
    assert got.dtype == dtype
    # half a step from rounding, and what float32 adds
    assert abs(got / TOPS[dtype] - want).max() <= 0.501 / TOPS[dtype] * (TOPS[dtype] > 1) + 1e-6


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_integers_over_a_linear_background_stay_within_their_range(dtype):
    front = np.full((1, 2), 100, dtype)
    got = tm.composite(front, np.array([[0, 0.5]]), np.array([[2.0, -1]]), colour_space="linear")
    assert got.tolist() == [[TOPS[dtype], 0]]


def test_sixteen_bits_are_rounded_as_whole_numbers_say():
    random = np.random.default_rng(3)
    front, back = random.integers(0, 65536, (2, 300, 300, 3), np.uint16)
    alpha = random.integers(0, 65536, (300, 300), np.uint16)
    a, f, b = alpha.astype(np.int64)[..., None], front.astype(np.int64), back.astype(np.int64)
    want = (2 * (a * f + (65535 - a) * b) + 65535) // (2 * 65535)
    np.testing.assert_array_equal(tm.composite(front, alpha, back), want)


@pytest.mark.parametrize("dtype", TOPS)
def test_opaque_and_clear_pixels_are_exact(dtype):
    front, back = as_dtype(FRONT, dtype), as_dtype(BACK, dtype)
    got = tm.composite(front, ALPHA, back)
    np.testing.assert_array_equal(got[0], back[0])
    np.testing.assert_array_equal(got[1], front[1])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_alpha_of_every_dtype(dtype):
    alpha = as_dtype(ALPHA, dtype)
    want = slow_composite(FRONT, alpha / TOPS[dtype], BACK)
    np.testing.assert_allclose(tm.composite(FRONT, alpha, BACK), want, rtol=0, atol=1e-6)


def test_integers_are_rounded_not_truncated():
    white = np.full((1, 4), 255, np.uint8)
    alpha = np.array([[0.4, 0.6, 127.4, 127.6]]) / 255
    assert tm.composite(white, alpha, 0).tolist() == [[0, 1, 127, 128]]


@pytest.mark.parametrize(
    ("dtype", "colour"),
    [
        (np.uint8, (255, 0, 100)),
        (np.uint8, (255.0, 0.0, 100.0)),
        (np.uint16, (65535, 0, 25700)),
        (np.float32, (1, 0, 100 / 255)),
        (np.float64, np.array([1, 0, 100 / 255])),
    ],
)
def test_colour_is_in_the_units_of_the_foreground(dtype, colour):
    front = as_dtype(FRONT, dtype)
    back = np.broadcast_to(np.array([1, 0, 100 / 255]), FRONT.shape)
    got = tm.composite(front, ALPHA, colour)
    np.testing.assert_array_equal(got, tm.composite(front, ALPHA, as_dtype(back, dtype)))


def test_grey_pictures():
    front, back = FRONT[..., 0], BACK[..., 0]
    want = ALPHA * front + (1 - ALPHA) * back
    np.testing.assert_allclose(tm.composite(front, ALPHA, back), want, rtol=0, atol=1e-12)
    np.testing.assert_allclose(tm.composite(front, ALPHA, 0.5), ALPHA * front + (1 - ALPHA) / 2, atol=1e-12)
    over_grey = tm.composite(FRONT, ALPHA, back)
    np.testing.assert_allclose(over_grey, slow_composite(FRONT, ALPHA, back[..., None]), atol=1e-12)


def test_bands_make_no_difference():
    front = RANDOM.integers(0, 256, (700, 500, 3), dtype=np.uint8)
    alpha = RANDOM.random((700, 500), dtype=np.float32)
    whole = tm.composite(front, alpha, (9, 200, 30))
    for rows in (slice(0, 1), slice(333, 340), slice(699, 700)):
        np.testing.assert_array_equal(tm.composite(front[rows], alpha[rows], (9, 200, 30)), whole[rows])


def test_inputs_are_not_changed_and_may_have_any_layout():
    front = as_dtype(FRONT, np.uint8)
    want = tm.composite(front, ALPHA, BACK)
    for other in (np.asfortranarray(front), front[::-1][::-1], front.astype(np.uint16).astype(np.uint8)):
        other.setflags(write=False)
        np.testing.assert_array_equal(tm.composite(other, ALPHA, BACK), want)
    deep = as_dtype(FRONT, np.uint16)
    swapped = deep.astype(deep.dtype.newbyteorder())
    np.testing.assert_array_equal(tm.composite(swapped, ALPHA, BACK), tm.composite(deep, ALPHA, BACK))


F8 = as_dtype(FRONT, np.uint8)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((F8, ALPHA[:5], BACK), ValueError, r"alpha: expected shape \(9, 11\) .* got \(5, 11\)"),
        ((F8, ALPHA, BACK[:, :4]), ValueError, r"background: expected .* \(9, 11, 3\) .* got \(9, 4, 3\)"),
        ((F8[..., 0], ALPHA, BACK), ValueError, "background: expected a colour or a picture of shape"),
        ((F8, ALPHA, (0, 0)), ValueError, r"background: expected a picture or 3 numbers, got \(0, 0\)"),
        ((F8, ALPHA, "red"), ValueError, "background: expected a picture or 3 numbers, got 'red'"),
        ((F8, ALPHA, (0, 256, 0)), ValueError, r"whole numbers from 0 to 255 .* got \[0, 256, 0\]"),
        ((F8, ALPHA, (0.2, 0.5, 1)), ValueError, "whole numbers from 0 to 255 for a uint8 foreground"),
        ((F8, ALPHA, (1.0, 0.0, 0.0)), ValueError, r"got floats up to 1, \[1.0, 0.0, 0.0\]; multiply them by 255"),
        ((F8[..., 0], ALPHA, 1.0), ValueError, "got floats up to 1, 1.0; multiply them by 255, or pass integers"),
        ((F8, ALPHA, np.ma.array([0, 0, 0], mask=[1, 0, 0])), TypeError, "background: .* without masked values"),
        ((FRONT, ALPHA, (255, 0, 0)), ValueError, r"numbers in \[0, 1\] for a float64 foreground"),
        ((FRONT, ALPHA, (np.nan, 0, 0)), ValueError, r"numbers in \[0, 1\]"),
        ((FRONT, ALPHA * 2, BACK), ValueError, r"alpha: expected values in \[0, 1\]"),
        ((FRONT * 2, ALPHA, BACK), ValueError, r"foreground: expected values in \[0, 1\]"),
        ((FRONT, ALPHA, BACK * np.nan), ValueError, r"background: expected values in \[0, 1\]"),
        ((F8.astype(int), ALPHA, BACK), TypeError, "foreground: expected uint8"),
        ((np.dstack([F8, F8])[..., :4], ALPHA, BACK), ValueError, r"foreground: expected shape \(H, W, 3\)"),
    ],
)
def test_bad_input(arguments, error, message):
    with pytest.raises(error, match=message):
        tm.composite(*arguments)


# --- cutout ---


def disc(height=40, width=48):
    """A soft red disc on a blue slope, and its trimap."""
    y, x = np.mgrid[:height, :width].astype(float)
    radius = np.hypot(y - height / 2, x - width / 2)
    alpha = np.clip((14 - radius) / 4 + 0.5, 0, 1)
    front = np.stack([0.9 - 0.004 * x, 0.2 + 0.002 * y, 0.1 + 0 * x], -1)
    back = np.stack([0.1 + 0 * x, 0.3 + 0.004 * x, 0.8 - 0.005 * y], -1)
    trimap = np.full(alpha.shape, 128, np.uint8)
    trimap[radius < 10], trimap[radius > 18] = 255, 0
    return slow_composite(front, alpha, back), trimap, alpha, front


@pytest.mark.parametrize("dtype", TOPS)
def test_cutout_is_alpha_and_foreground_in_the_dtype_of_the_image(dtype):
    image, trimap, true_alpha, true_front = disc()
    image = as_dtype(image, dtype)
    rgba = tm.cutout(image, trimap, method="closed-form")
    assert rgba.shape == (40, 48, 4)
    assert rgba.dtype == dtype

    alpha = tm.estimate_alpha(image, trimap, method="closed-form")
    layers = tm.estimate_foreground(image, alpha)
    step = 0.501 / TOPS[dtype] * (TOPS[dtype] > 1) + 1e-6
    assert abs(rgba[..., 3] / TOPS[dtype] - alpha).max() <= step
    assert abs(rgba[..., :3] / TOPS[dtype] - layers.foreground).max() <= step

    assert abs(rgba[..., 3] / TOPS[dtype] - true_alpha).max() < 0.02
    seen = true_alpha > 0.3
    assert abs(rgba[..., :3] / TOPS[dtype] - true_front)[seen].max() < 0.1
    if dtype in (np.uint8, np.uint16):
        opaque = rgba[..., 3] == TOPS[dtype]
        np.testing.assert_array_equal(rgba[opaque & (trimap == 255), :3], image[opaque & (trimap == 255)])


def test_cutout_of_a_grey_image_is_rgba():
    image, trimap, *_ = disc()
    rgba = tm.cutout(as_dtype(image[..., 0], np.uint8), trimap, method="closed-form")
    assert rgba.shape == (40, 48, 4)
    assert (rgba[..., :3] == rgba[..., :1]).all()


def test_cutout_passes_its_options_on():
    image, trimap, *_ = disc()
    image = as_dtype(image, np.uint8)
    phases = []
    tm.cutout(
        image, trimap, threads=1, progress=lambda phase, fraction: phases.append(phase), method="closed-form"
    )
    assert phases
    free = tm.cutout(image, trimap, solver="cg", exact_composite=False, method="closed-form")
    alpha = tm.estimate_alpha(image, trimap, method="closed-form")
    layers = tm.estimate_foreground(image, alpha, exact_composite=False)
    assert abs(free[..., 3] / 255 - alpha).max() <= 0.51 / 255
    assert abs(free[..., :3] / 255 - layers.foreground).max() <= 0.51 / 255
    with pytest.raises(ValueError, match="solver: expected one of"):
        tm.cutout(image, trimap, solver="magic", method="closed-form")
    with pytest.raises(TypeError, match="exact_composite: expected True or False, got int"):
        tm.cutout(image, trimap, exact_composite=1, method="closed-form")
    with pytest.raises(TypeError, match=r"colour: expected an argument .*; did you mean 'colour_space'"):
        tm.cutout(image, trimap, colour=1, method="closed-form")


def test_a_cutout_takes_one_guide():
    scene = tm.datasets.hair(64, 80)
    mask = scene.alpha > 0.5
    alpha = tm.matte_from_mask(scene.image, mask, band=4)
    foreground = tm.estimate_foreground(scene.image, alpha).foreground
    made = tm.cutout(scene.image, mask=mask, band=4)
    np.testing.assert_array_equal(made, np.dstack([foreground, alpha]))
    painted = np.where(scene.trimap[..., np.newaxis] == 128, scene.image, scene.trimap[..., np.newaxis] / 255.0)
    strokes = tm.trimap_from_scribbles(scene.image, painted)
    np.testing.assert_array_equal(tm.cutout(scene.image, scribbles=painted), tm.cutout(scene.image, strokes))


@pytest.mark.parametrize(
    ("guides", "kind", "message"),
    [
        ({}, ValueError, "trimap: expected a trimap, or mask=, or scribbles=, got none; mask_from_model makes a"),
        ({"mask": 1, "trimap": 1}, ValueError, "mask: expected no trimap beside it"),
        ({"mask": 1, "scribbles": 1}, ValueError, "mask: expected no scribbles beside it"),
        ({"mask": 1, "method": "best"}, TypeError, "method: matte_from_mask has none"),
        ({"trimap": 1, "band": 3}, TypeError, "band"),
    ],
)
def test_cutouts_without_one_guide(guides, kind, message):
    scene = tm.datasets.hair(64, 80)
    arrays = {"trimap": scene.trimap, "mask": scene.alpha, "scribbles": scene.image}
    guides = {name: arrays.get(name, value) for name, value in guides.items()}
    with pytest.raises(kind, match=message):
        tm.cutout(scene.image, **guides)
