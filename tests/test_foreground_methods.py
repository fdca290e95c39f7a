import numpy as np
import pytest
from reference import blur_fusion, closed_form_layers
from tolerances import COLOUR_SEEN, COMPOSITE_EXACT, LAYERS, LAYERS_TIGHT

import trimatte as tm

METHODS = list(tm.foreground.METHODS)


@pytest.fixture(scope="module")
def scenes():
    return [make(96, 120, seed=2) for make in (tm.datasets.dandelion, tm.datasets.hair, tm.datasets.net)]


def soft_alpha(height, width, seed):
    """Random numbers with large parts of 0 and of 1, as in a matte."""
    alpha = np.clip(np.random.default_rng(seed).random((height, width)) * 3 - 1, 0, 1)
    alpha[: height // 2, : width // 3] = 0
    alpha[height // 2 :, width // 2 :] = 1
    return alpha


def seen(layers, other, alpha):
    """The largest difference of colours in units of what is seen of them."""
    a = alpha[..., None].astype(float)
    return max((a * abs(layers[0] - other[0])).max(), ((1 - a) * abs(layers[1] - other[1])).max())


def as_finished(F, B, image, alpha):
    a = alpha[..., None]
    return np.where(a == 1, image, np.clip(F, 0, 1)), np.where(a == 0, image, np.clip(B, 0, 1))


@pytest.mark.parametrize("index", [0, 1, 2])
def test_closed_form_keeps_its_promise(scenes, index):
    scene = scenes[index]
    image, alpha = scene.image.astype(float), scene.alpha.astype(float)
    truth = as_finished(*closed_form_layers.estimate(image, alpha), image, alpha)
    layers = tm.estimate_foreground(image, alpha, method="closed-form", exact_composite=False)
    assert seen(layers, truth, alpha) < COLOUR_SEEN


@pytest.mark.parametrize(("height", "width"), [(40, 48), (33, 7), (1, 20), (20, 1), (50, 70)])
def test_closed_form_equals_the_reference(height, width):
    # No pixel is deep, so that the system is solved without cells.
    rng = np.random.default_rng(height)
    image, alpha = rng.random((height, width, 3)), 0.05 + 0.9 * rng.random((height, width)).astype(np.float32)
    truth = as_finished(*closed_form_layers.estimate(image, alpha.astype(float), 1e-3, 0.5), image, alpha)
    method = tm.foreground.ClosedForm(tolerance=1e-5, regularization=1e-3, gradient_weight=0.5)
    layers = tm.estimate_foreground(image, alpha, method=method, exact_composite=False)
    assert abs(layers.foreground - truth[0]).max() < LAYERS_TIGHT
    assert abs(layers.background - truth[1]).max() < LAYERS_TIGHT


def test_closed_form_continues_colours_that_nobody_sees():
    scene = tm.datasets.hair(120, 120)
    image, alpha = scene.image.astype(float), scene.alpha.astype(float)
    truth = as_finished(*closed_form_layers.estimate(image, alpha), image, alpha)
    layers = tm.estimate_foreground(image, alpha, method="closed-form", exact_composite=False)
    assert abs(layers.foreground - truth[0])[alpha == 0].mean() < 0.05


@pytest.mark.parametrize(("radius", "second"), [(5, 2), (3, 0), (90, 6), (1, 60)])
@pytest.mark.parametrize(("height", "width"), [(30, 37), (1, 20), (20, 1), (70, 66)])
def test_blur_fusion_equals_the_reference(height, width, radius, second):
    image, alpha = np.random.default_rng(radius).random((height, width, 3)), soft_alpha(height, width, radius)
    F, B = blur_fusion.estimate(image, alpha, radius, second)
    method = tm.foreground.BlurFusion(radius=radius, second_radius=second)
    layers = tm.estimate_foreground(image, alpha, method=method, exact_composite=False)
    assert abs(layers.foreground - F).max() < LAYERS
    assert abs(layers.background - B).max() < LAYERS


@pytest.mark.parametrize("method", METHODS)
def test_what_all_methods_promise(scenes, method):
    for scene in scenes:
        layers = tm.estimate_foreground(scene.image, scene.alpha, method=method)
        a = scene.alpha[..., None].astype(float)
        assert abs(a * layers.foreground + (1 - a) * layers.background - scene.image).max() < COMPOSITE_EXACT
        assert (layers.foreground[scene.alpha == 1] == scene.image[scene.alpha == 1]).all()
        assert (layers.background[scene.alpha == 0] == scene.image[scene.alpha == 0]).all()
        edge = (scene.alpha > 0.1) & (scene.alpha < 0.9)
        error = abs(layers.foreground - scene.foreground)[edge].mean()
        assert error < 0.8 * abs(scene.image - scene.foreground)[edge].mean()
        for layer in layers:
            assert layer.dtype == np.float32
            assert layer.min() >= 0
            assert layer.max() <= 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("threads", [2, 7])
def test_same_bits_for_any_number_of_threads(method, threads):
    rng = np.random.default_rng(3)
    image, alpha = rng.random((170, 190, 3), dtype=np.float32), soft_alpha(170, 190, 4).astype(np.float32)
    one = tm.estimate_foreground(image, alpha, method=method, threads=1)
    many = tm.estimate_foreground(image, alpha, method=method, threads=threads)
    assert (one.foreground == many.foreground).all()
    assert (one.background == many.background).all()


@pytest.mark.parametrize("method", METHODS)
def test_grey_is_one_channel_and_dtypes_agree(scenes, method):
    scene = scenes[0]
    image, alpha = np.round(scene.image * 255).astype(np.uint8), np.round(scene.alpha * 255).astype(np.uint8)
    grey = tm.estimate_foreground(image[..., 1], alpha, method=method)
    assert grey.foreground.shape == alpha.shape
    layers = tm.estimate_foreground(image, alpha, method=method)
    floats = tm.estimate_foreground(image / 255, alpha / 255, method=method)
    assert seen(layers, floats, alpha / 255) < COLOUR_SEEN
    assert abs(grey.foreground - layers.foreground[..., 1])[alpha > 128].max() < 2 * COLOUR_SEEN


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_constant_alpha(method, value):
    image = np.random.default_rng(2).random((20, 30, 3), dtype=np.float32)
    layers = tm.estimate_foreground(image, np.full((20, 30), value), method=method)
    assert np.isfinite(layers.foreground).all()
    assert np.isfinite(layers.background).all()


@pytest.mark.parametrize("method", METHODS)
def test_hardly_anything_is_soft(method):
    image = np.random.default_rng(2).random((64, 64, 3), dtype=np.float32)
    hard = np.zeros((64, 64))
    hard[:, 32:] = 1
    speck = np.zeros((64, 64))
    speck[30, 30] = 1e-3
    dent = np.full((64, 64), 0.5)
    dent[30, 30] = 0.6
    for alpha in (hard, speck, dent):
        layers = tm.estimate_foreground(image, alpha, method=method)
        assert np.isfinite(layers.foreground).all()
        assert np.isfinite(layers.background).all()


@pytest.mark.parametrize("method", METHODS)
def test_linear_colours_may_be_large(method):
    rng = np.random.default_rng(5)
    image, alpha = 40 * rng.random((40, 50, 3)) - 3, soft_alpha(40, 50, 6)
    layers = tm.estimate_foreground(image, alpha, method=method, colour_space="linear")
    a = alpha[..., None]
    assert abs(a * layers.foreground + (1 - a) * layers.background - image).max() < 40 * COMPOSITE_EXACT


class StopHere(Exception):
    pass


@pytest.mark.parametrize(
    ("method", "phase"),
    [("closed-form", "hierarchy"), ("closed-form", "cg"), ("closed-form", "fill"), ("blur-fusion", "foreground")],
)
def test_an_exception_in_progress_stops_the_call(scenes, method, phase):
    def stop(current, _):
        if current == phase:
            raise StopHere

    with pytest.raises(StopHere):
        tm.estimate_foreground(scenes[0].image, scenes[0].alpha, method=method, progress=stop)


def test_too_few_iterations_give_a_warning(scenes):
    with pytest.warns(tm.TrimatteWarning, match=r"may be off by .* after 1 iterations, where 0.001 was wanted"):
        tm.estimate_foreground(scenes[1].image, scenes[1].alpha, method="closed-form", max_iterations=1)


def test_an_object_is_a_method(scenes):
    scene = scenes[0]
    named = tm.estimate_foreground(scene.image, scene.alpha, method="blur-fusion", radius=9)
    made = tm.estimate_foreground(scene.image, scene.alpha, method=tm.foreground.BlurFusion(radius=9))
    assert (named.foreground == made.foreground).all()
    trimap = scene.trimap
    plain, fused = (
        tm.cutout(scene.image, trimap, method="closed-form"),
        tm.cutout(scene.image, trimap, foreground_method="blur-fusion", method="closed-form"),
    )
    assert (plain[..., 3] == fused[..., 3]).all()
    assert (plain != fused).any()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"method": "closed"}, ValueError, "method: expected one of multi-level, closed-form, blur-fusion, got"),
        ({"method": 3}, TypeError, "method: expected a name or an object of trimatte.foreground, got int"),
        ({"radius": 5}, TypeError, "radius: method 'multi-level' has no such option; it has regularization"),
        ({"method": "blur-fusion", "radius": 0}, ValueError, "radius: expected at least 1, got 0"),
        ({"method": "blur-fusion", "second_radius": 1.5}, TypeError, "second_radius: expected an integer"),
        ({"method": "closed-form", "tolerance": 0}, ValueError, "tolerance: expected a number from 1e-05 to 1"),
        ({"method": "closed-form", "regularization": 0}, ValueError, "regularization: expected a number from"),
        (
            {"method": tm.foreground.BlurFusion(), "radius": 5},
            TypeError,
            r"radius: expected none beside an object as method; say BlurFusion\(radius=...\)",
        ),
    ],
)
def test_bad_arguments(options, error, message):
    with pytest.raises(error, match=message):
        tm.estimate_foreground(np.zeros((5, 6, 3)), np.zeros((5, 6)), **options)


def test_cutout_names_the_argument_that_is_wrong():
    with pytest.raises(ValueError, match="foreground_method: expected one of"):
        tm.cutout(np.zeros((5, 6, 3)), np.zeros((5, 6)), foreground_method="none", method="closed-form")


def test_closed_form_counts_the_pixels_that_it_solves_for():
    method = tm.foreground.ClosedForm()
    alpha = np.zeros((50, 90), np.float32)
    assert method.unknowns(alpha) == 0
    assert method.unknowns(alpha + 0.5) == alpha.size
    alpha[20, 40] = 0.5  # with four neighbours, whose neighbours have numbers too
    assert method.unknowns(alpha) == 13
    alpha[20, 60] = 0.5  # 17 pixels between the two are known
    assert method.unknowns(alpha) == 26
    alpha[20, 60], alpha[20, 58] = 0, 0.5  # 15 pixels, which become a part of the run
    assert method.unknowns(alpha) == 23 + 2 * 21 + 2 * 2
    alpha[:] = np.arange(90) >= 45  # two columns at a hard edge, and one on either side of them
    assert method.unknowns(alpha) == 4 * 50


def test_memory_of_closed_form_depends_on_the_unknown_pixels(monkeypatch):
    """It was measured: 0.51 GB where all of a million pixels are soft, 0.13 GB where a tenth is."""
    needs = []
    monkeypatch.setattr(tm.foreground.estimate, "check_need", lambda need, what: needs.append(need))
    image = np.full((100, 100, 3), 0.5)
    for rows in (0, 10, 100):
        alpha = np.zeros((100, 100), np.float32)
        alpha[:rows] = 0.5
        tm.estimate_foreground(image, alpha, method="closed-form")
    assert needs == [800_000, 800_000 + 480 * 100 * 12, 800_000 + 480 * 10_000]
