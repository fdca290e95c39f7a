import numpy as np
import pytest
from reference import multilevel
from tolerances import COMPOSITE_EXACT, LAYERS

import trimatte as tm


@pytest.fixture(scope="module")
def scenes():
    return [make(64, 72, seed=1) for make in (tm.datasets.dandelion, tm.datasets.hair, tm.datasets.net)]


@pytest.mark.parametrize(("height", "width"), [(40, 48), (33, 7), (1, 20), (20, 1), (90, 70)])
def test_equals_the_reference(height, width):
    rng = np.random.default_rng(height)
    image = rng.random((height, width, 3))
    alpha = np.clip(rng.random((height, width)) * 3 - 1, 0, 1)
    F, B = multilevel.estimate(image, alpha)
    layers = tm.estimate_foreground(image, alpha, exact_composite=False)
    assert abs(layers.foreground - F).max() < LAYERS
    assert abs(layers.background - B).max() < LAYERS


def test_equals_the_reference_with_other_parameters(scenes):
    scene = scenes[1]
    options = {"regularization": 1e-3, "gradient_weight": 0.3, "small_iterations": 3, "big_iterations": 5}
    F, B = multilevel.estimate(
        scene.image.astype(float),
        scene.alpha.astype(float),
        1e-3,
        0.3,
        small=20,
        small_iterations=3,
        big_iterations=5,
    )
    layers = tm.estimate_foreground(scene.image, scene.alpha, small_size=20, exact_composite=False, **options)
    assert abs(layers.foreground - F).max() < LAYERS
    assert abs(layers.background - B).max() < LAYERS


def test_grey_is_one_channel(scenes):
    scene = scenes[0]
    layers = tm.estimate_foreground(scene.image, scene.alpha)
    for c in range(3):
        single = tm.estimate_foreground(scene.image[..., c], scene.alpha)
        assert single.foreground.shape == scene.alpha.shape
        assert (single.foreground == layers.foreground[..., c]).all()
        assert (single.background == layers.background[..., c]).all()


def test_solid_pixels_keep_their_colour(scenes):
    for scene in scenes:
        layers = tm.estimate_foreground(scene.image, scene.alpha)
        assert (layers.foreground[scene.alpha == 1] == scene.image[scene.alpha == 1]).all()
        assert (layers.background[scene.alpha == 0] == scene.image[scene.alpha == 0]).all()
        for layer in layers:
            assert layer.dtype == np.float32
            assert layer.min() >= 0
            assert layer.max() <= 1


def test_is_near_the_true_colours(scenes):
    for scene in scenes:
        layers = tm.estimate_foreground(scene.image, scene.alpha)
        edge = (scene.alpha > 0.1) & (scene.alpha < 0.9)
        error = abs(layers.foreground - scene.foreground)[edge].mean()
        naive = abs(scene.image - scene.foreground)[edge].mean()
        assert error < 0.7 * naive


@pytest.mark.parametrize("kind", ["scene", "noise"])
def test_exact_composite(scenes, kind):
    if kind == "scene":
        image, alpha = scenes[1].image, scenes[1].alpha
    else:
        rng = np.random.default_rng(0)
        image = rng.random((50, 60, 3), dtype=np.float32)
        alpha = np.clip(rng.random((50, 60)) * 3 - 1, 0, 1).astype(np.float32)

    def error(layers):
        a = alpha[..., None].astype(float)
        assert min(layers.foreground.min(), layers.background.min()) >= 0
        assert max(layers.foreground.max(), layers.background.max()) <= 1
        return abs(a * layers.foreground + (1 - a) * layers.background - image)

    assert error(tm.estimate_foreground(image, alpha)).max() < COMPOSITE_EXACT
    assert error(tm.estimate_foreground(image, alpha, exact_composite=False)).max() > 1e-3


def test_exact_composite_moves_by_the_least():
    rng = np.random.default_rng(1)
    image = rng.random((8, 9), dtype=np.float32)
    alpha = rng.random((8, 9)).astype(np.float32)
    plain = tm.estimate_foreground(image, alpha, exact_composite=False)
    exact = tm.estimate_foreground(image, alpha)
    F = np.linspace(0, 1, 20001)[:, None, None]  # all candidates
    B = (image - alpha.astype(float) * F) / (1 - alpha.astype(float))
    moved = (F - plain.foreground) ** 2 + (B - plain.background) ** 2
    best = np.where((B >= 0) & (B <= 1), moved, np.inf).argmin(axis=0)
    assert abs(exact.foreground - F[best, 0, 0]).max() < 1e-4


@pytest.mark.parametrize("value", [0, 1, 0.5])
def test_constant_alpha(value):
    image = np.random.default_rng(2).random((20, 30, 3), dtype=np.float32)
    layers = tm.estimate_foreground(image, np.full((20, 30), value, np.float32))
    assert np.isfinite(layers.foreground).all()
    assert np.isfinite(layers.background).all()
    if value == 1:
        assert (layers.foreground == image).all()


def test_every_dtype_gives_the_same(scenes):
    image = np.round(scenes[2].image * 255).astype(np.uint8)
    alpha = np.round(scenes[2].alpha * 255).astype(np.uint8)
    layers = tm.estimate_foreground(image, alpha)
    for same_image, same_alpha in (
        (image / 255, alpha / 255),
        (image.astype(np.uint16) * 257, alpha.astype(np.uint16) * 257),
        (np.asfortranarray(image), alpha[..., None]),
        ((image / 255).astype(np.float32), (alpha / 255).astype(">f4")),
    ):
        other = tm.estimate_foreground(same_image, same_alpha)
        assert abs(other.foreground - layers.foreground).max() < LAYERS
    hard = tm.estimate_foreground(image, alpha > 127)
    assert (hard.foreground == tm.estimate_foreground(image, (alpha > 127) * 1.0).foreground).all()


@pytest.mark.parametrize("threads", [2, 7])
def test_same_bits_for_any_number_of_threads(threads):
    rng = np.random.default_rng(3)
    image, alpha = rng.random((150, 170, 3), dtype=np.float32), rng.random((150, 170), dtype=np.float32)
    one = tm.estimate_foreground(image, alpha, threads=1)
    many = tm.estimate_foreground(image, alpha, threads=threads)
    assert (one.foreground == many.foreground).all()
    assert (one.background == many.background).all()


@pytest.mark.parametrize(
    ("alpha", "options", "error", "message"),
    [
        (np.zeros((5, 5)), {}, ValueError, r"alpha: expected shape \(5, 6\) to match image, got \(5, 5\)"),
        (np.zeros((5, 6, 5)), {}, ValueError, r"alpha: expected shape \(H, W\), got \(5, 6, 5\)"),
        (np.full((5, 6), 2.0), {}, ValueError, r"alpha: expected values in \[0, 1\], got 2.0 at \(0, 0\)"),
        (np.zeros((5, 6), int), {}, TypeError, "alpha: expected .* got int64"),
        (np.zeros((5, 6)), {"regularization": 0}, ValueError, "regularization: expected a number from 1e-12 to"),
        (
            np.zeros((5, 6)),
            {"gradient_weight": -1},
            ValueError,
            "gradient_weight: expected a number from 0 to",
        ),
        (np.zeros((5, 6)), {"big_iterations": 0}, ValueError, "big_iterations: expected at least 1, got 0"),
        (
            np.zeros((5, 6)),
            {"exact_composite": "yes"},
            TypeError,
            "exact_composite: expected True or False, got str",
        ),
        (np.zeros((5, 6)), {"threads": -1}, ValueError, "threads: expected at least 1, got -1"),
    ],
)
def test_bad_arguments(alpha, options, error, message):
    with pytest.raises(error, match=message):
        tm.estimate_foreground(np.zeros((5, 6, 3)), alpha, **options)
