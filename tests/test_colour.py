"""Scene-linear colours: the encoding, and what is found on them."""

import numpy as np
import pytest
from scipy.ndimage import maximum_filter

import trimatte as tm
from trimatte.colour import linear_from_srgb, srgb_from_linear

SCENE = tm.datasets.hair(64, 80)
LINEAR = linear_from_srgb(SCENE.image)


def test_the_encoding_is_srgb():
    # IEC 61966-2-1, the two formulas
    x = np.linspace(0, 1, 1001)
    expected = [12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055 for v in x]
    np.testing.assert_allclose(srgb_from_linear(x), expected, rtol=0, atol=1e-12)
    assert abs(srgb_from_linear([0.18])[0] - 0.4613561295) < 1e-9  # middle grey, as everybody's table has it


def test_the_encoding_goes_on_outside_and_has_an_inverse():
    x = np.array([-2.0, -1e-3, 0, 1e-3, 0.3, 1, 1.0001, 4, 65504])
    y = srgb_from_linear(x)
    assert (np.diff(y) > 0).all()
    np.testing.assert_allclose(linear_from_srgb(y), x, rtol=1e-9, atol=0)
    slopes = np.diff(srgb_from_linear([1 - 1e-6, 1, 1 + 1e-6])) / 1e-6
    assert abs(slopes[1] / slopes[0] - 1) < 1e-4


def test_dtypes_and_shapes_of_the_encoding():
    assert srgb_from_linear(np.float32(0.5)).dtype == np.float32
    assert srgb_from_linear(np.zeros((2, 3), np.uint8)).dtype == np.float32
    np.testing.assert_allclose(srgb_from_linear(np.full((2, 3, 3), 65535, np.uint16)), np.ones((2, 3, 3)), 1e-6)
    assert srgb_from_linear(np.ones((4, 5))).dtype == np.float64
    assert srgb_from_linear(np.zeros((0, 3))).shape == (0, 3)
    large = np.random.default_rng(0).random((300, 400, 3), np.float32)
    np.testing.assert_array_equal(srgb_from_linear(large)[7, 9], srgb_from_linear(large[7, 9]))


def test_what_a_dtype_cannot_hold_becomes_infinite():
    """Without a warning, which the tests take for an error."""
    assert srgb_from_linear(np.float32([-3e37, 3e38])).tolist() == [-np.inf, srgb_from_linear(np.float32(3e38))]
    assert np.isfinite(srgb_from_linear(np.float32(3e38)))
    assert linear_from_srgb(np.float32([1e17, 1])).tolist() == [np.inf, 1]
    assert linear_from_srgb(1e150) == np.inf
    image = LINEAR.copy()
    image[tuple(np.argwhere(SCENE.trimap == 0)[0])] = -3e37
    alpha = tm.estimate_alpha(image, SCENE.trimap, colour_space="linear", method="closed-form")
    assert (
        abs(alpha - tm.estimate_alpha(LINEAR, SCENE.trimap, colour_space="linear", method="closed-form")).max()
        < 1e-3
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_must_be_finite(bad):
    image = LINEAR.copy()
    image[3, 4, 1] = bad
    for call in (
        lambda: srgb_from_linear(image),
        lambda: linear_from_srgb(image),
        lambda: tm.solve_alpha(image, SCENE.trimap, colour_space="linear", method="closed-form"),
        lambda: tm.estimate_foreground(image, SCENE.alpha, colour_space="linear"),
        lambda: tm.composite(image, SCENE.alpha, (0, 0, 0), colour_space="linear"),
    ):
        with pytest.raises(ValueError, match=rf"expected finite values, got {bad} at \(3, 4, 1\)"):
            call()


def test_a_space_must_be_known():
    for call in (tm.solve_alpha, tm.estimate_foreground, tm.cutout):
        with pytest.raises(ValueError, match="colour_space: expected one of srgb, linear, got 'aces'"):
            call(SCENE.image, SCENE.trimap, colour_space="aces")
    with pytest.raises(ValueError, match="colour_space"):
        tm.composite(SCENE.image, SCENE.alpha, (0, 0, 0), colour_space="aces")


def test_alpha_of_linear_colours_is_that_of_their_encoding():
    expected = tm.estimate_alpha(srgb_from_linear(LINEAR), SCENE.trimap, method="closed-form")
    assert np.array_equal(
        tm.estimate_alpha(LINEAR, SCENE.trimap, colour_space="linear", method="closed-form"), expected
    )
    assert (
        abs(tm.estimate_alpha(LINEAR, SCENE.trimap, method="closed-form") - expected).max() > 0.01
    )  # or the test says nothing
    # integers too
    deep = np.round(np.clip(LINEAR, 0, 1) * 65535).astype(np.uint16)
    alpha = tm.estimate_alpha(deep, SCENE.trimap, colour_space="linear", method="closed-form")
    assert abs(alpha - expected).max() < 5e-3


@pytest.mark.parametrize("method", ["closed-form", "best"])
def test_a_highlight_far_away_changes_nothing(method):
    """Colours are divided by the highlight, epsilon by its square: the system is the same."""
    image = LINEAR.astype(np.float64)
    y, x = np.argwhere(SCENE.trimap == 0)[0]
    expected = tm.estimate_alpha(image, SCENE.trimap, colour_space="linear", solver="cholesky", method=method)
    image[y, x] = 500.0
    image[y, x + 1] = -3.0
    alpha = tm.estimate_alpha(image, SCENE.trimap, colour_space="linear", solver="cholesky", method=method)
    near = tm.estimate_alpha(image / image.max() * 0.9 + 0.1, SCENE.trimap, solver="cholesky", method=method)
    difference = abs(alpha - expected).mean()
    assert difference < (1e-7 if method == "closed-form" else 0.02)
    assert abs(near - expected).mean() > max(difference, 0.01)


def test_a_highlight_costs_no_iterations():
    image = LINEAR.astype(np.float64)
    alpha, info = tm.solve_alpha(
        image, SCENE.trimap, colour_space="linear", solver="multigrid", method="closed-form"
    )
    image[tuple(np.argwhere(SCENE.trimap == 0)[0])] = 1e30
    bright = tm.solve_alpha(image, SCENE.trimap, colour_space="linear", solver="multigrid", method="closed-form")
    assert bright.info.iterations == info.iterations
    assert np.array_equal(bright.alpha, alpha)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_too_bright_near_unknown_pixels_is_refused(dtype):
    image = LINEAR.astype(dtype)
    unknown = SCENE.trimap == 128
    for distance in (0, 2):
        near = maximum_filter(unknown, 2 * distance + 1) & ~maximum_filter(unknown, max(1, 2 * distance - 1))
        y, x = np.argwhere(near if distance else unknown)[0]
        bright = image.copy()
        bright[y, x, 1] = 1e10
        assert np.isfinite(
            tm.estimate_alpha(bright, SCENE.trimap, colour_space="linear", method="closed-form")
        ).all()
        bright[y, x, 1] = 2e10
        message = rf"image: expected linear colours up to 1e\+10 near unknown pixels, got 2e\+10 at \({y}, {x}\)"
        with pytest.raises(ValueError, match=message):
            tm.estimate_alpha(bright, SCENE.trimap, colour_space="linear", method="closed-form")
    far = image.copy()
    far[tuple(np.argwhere(SCENE.trimap == 0)[0])] = 1e30
    with pytest.raises(ValueError, match="near unknown pixels"):
        tm.estimate_alpha(far, SCENE.trimap, colour_space="linear", known_weight=100)


def test_layers_of_linear_colours_keep_highlights():
    image = 20 * LINEAR.astype(np.float32) - 0.3
    layers = tm.estimate_foreground(image, SCENE.alpha, colour_space="linear")
    alpha = SCENE.alpha[..., None]
    mixed = alpha * layers.foreground + (1 - alpha) * layers.background
    assert abs(mixed - image).max() < 1e-5 * image.max()
    for layer, opaque in zip(layers, (1, 0), strict=True):
        assert np.array_equal(layer[SCENE.alpha == opaque], image[SCENE.alpha == opaque])  # the very bits
        assert layer.min() >= image.min()
        assert layer.max() <= image.max()
    assert layers.foreground.max() > 5
    # within [0, 1] nothing differs from display colours
    plain = tm.estimate_foreground(SCENE.image, SCENE.alpha)
    linear = tm.estimate_foreground(SCENE.image, SCENE.alpha, colour_space="linear")
    assert np.array_equal(plain.foreground, linear.foreground)
    # and the range is only a scale: a twin by hand
    low, span = image.min(), image.max() - image.min()
    by_hand = tm.estimate_foreground((image - low) / span, SCENE.alpha).foreground * span + low
    assert abs(layers.foreground - by_hand).max() < 1e-5 * span


def test_one_strange_value_costs_no_digits_elsewhere():
    image = LINEAR.astype(np.float64)
    image[3, 3] = -1e6
    layers = tm.estimate_foreground(image, SCENE.alpha, colour_space="linear")
    alpha = SCENE.alpha[..., None]
    off = abs(alpha * layers.foreground + (1 - alpha) * layers.background - image)
    off[3, 3] = 0
    assert off.max() < 1e-6


def test_a_range_that_no_scale_can_hold():
    for image in (np.full((8, 8), 1e300), np.linspace(-3e38, 3e38, 64, dtype=np.float32).reshape(8, 8)):
        with pytest.raises(ValueError, match=r"image: expected a range of values up to 1e\+30"):
            tm.estimate_foreground(image, np.full((8, 8), 0.5), colour_space="linear")


def test_cutout_and_composite_of_linear_colours():
    image = 4 * LINEAR.astype(np.float32)
    cut = tm.cutout(image, SCENE.trimap, colour_space="linear", method="closed-form")
    assert cut.dtype == np.float32
    assert cut[..., :3].max() > 1
    alpha = tm.estimate_alpha(image, SCENE.trimap, colour_space="linear", method="closed-form")
    assert np.array_equal(cut[..., 3], alpha)
    new = tm.composite(cut[..., :3], cut[..., 3], (0.0, 7.0, -0.5), colour_space="linear")
    np.testing.assert_allclose(new[alpha == 0], np.broadcast_to([0, 7, -0.5], new[alpha == 0].shape))
    assert np.array_equal(new[alpha == 1], image[alpha == 1])
    for bad in (image, cut[..., :3]):
        with pytest.raises(ValueError, match=r"expected values in \[0, 1\]"):
            tm.composite(bad, cut[..., 3], (0, 0, 0))
    with pytest.raises(ValueError, match=r"image: expected values in \[0, 1\]"):
        tm.cutout(image, SCENE.trimap, method="closed-form")


def test_masks_and_sequences_of_linear_colours():
    mask = (SCENE.alpha > 0.5).astype(np.float32)
    expected = tm.matte_from_mask(srgb_from_linear(LINEAR), mask, learn=False)
    assert np.array_equal(tm.matte_from_mask(LINEAR, mask, learn=False, colour_space="linear"), expected)
    frames, trimaps = [3 * LINEAR, 3 * LINEAR], [SCENE.trimap] * 2
    results = list(tm.solve_sequence(frames, trimaps, temporal=0.1, colour_space="linear", method="closed-form"))
    alone = tm.estimate_alpha(3 * LINEAR, SCENE.trimap, colour_space="linear", method="closed-form")
    assert np.array_equal(results[0].alpha, alone)
    assert abs(results[1].alpha - alone).mean() < 2e-3  # nothing moved
