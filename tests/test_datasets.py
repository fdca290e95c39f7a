"""Scenes: exact compositing, exact coverage, trimaps a person could have painted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from trimatte import datasets
from trimatte.datasets._ellipse import draw_ellipse
from trimatte.datasets._layer import Layer, View, strip_overlap
from trimatte.datasets._scene import make_trimap
from trimatte.datasets._strands import Strands, draw_strands

SCENES = [datasets.dandelion, datasets.flower, datasets.glass, datasets.hair, datasets.net]


@pytest.fixture(scope="module", params=SCENES, ids=lambda scene: scene.__name__)
def scene(request):
    return request.param(150, 220, seed=3)


def alpha_of(points, width, size=(64, 96)):
    """Alpha of one strand through points given in pixels, of a width given in pixels."""
    view = View(*size)
    points = (np.asarray(points, float) - (np.array([view.width, view.height]) - 1) / 2) / view.side
    count = len(points)
    strand = Strands(
        points[None],
        np.full((1, count), width / view.side),
        np.ones((1, 3)),
        np.ones((1, count)),
        np.zeros(1),
    )
    layer = Layer(view)
    draw_strands(layer, strand, floor=0.0)
    return 1 - layer.clear.reshape(size).astype(float)


def test_image_is_exactly_the_composite(scene):
    a = scene.alpha.astype(float)[..., None]
    exact = a * scene.foreground.astype(float) + (1 - a) * scene.background.astype(float)
    assert np.abs(scene.image - exact).max() < 2e-7


def test_types_shapes_and_ranges(scene):
    assert scene._fields == ("image", "trimap", "alpha", "foreground", "background")
    for array in (scene.image, scene.foreground, scene.background):
        assert array.dtype == np.float32
        assert array.shape == (150, 220, 3)
        assert array.min() >= 0
        assert array.max() <= 1
        assert array.std(axis=(0, 1)).min() > 0.01
    assert scene.alpha.dtype == np.float32
    assert scene.alpha.shape == (150, 220)
    assert scene.alpha.min() == 0
    assert scene.alpha.max() == 1
    assert scene.trimap.dtype == np.uint8
    assert set(np.unique(scene.trimap)) == {0, 128, 255}


def test_foreground_and_background_differ(scene):
    unknown = scene.trimap == 128
    distance = np.linalg.norm(scene.foreground - scene.background, axis=-1)[unknown]
    assert np.median(distance) > 0.15


def test_trimap_agrees_with_alpha(scene):
    fractional = (scene.alpha > 0) & (scene.alpha < 1)
    assert np.all(scene.trimap[fractional] == 128)
    assert np.all(scene.alpha[scene.trimap == 255] == 1)
    assert np.all(scene.alpha[scene.trimap == 0] == 0)


def test_unknown_band_is_at_least_two_pixels(scene):
    y, x = np.nonzero((scene.alpha > 0) & (scene.alpha < 1))
    for dy, dx in ((2, 0), (-2, 0), (0, 2), (0, -2), (1, 1), (-1, 1)):
        rows, columns = np.clip(y + dy, 0, 149), np.clip(x + dx, 0, 219)
        assert np.all(scene.trimap[rows, columns] == 128)


@pytest.mark.parametrize("band", [0.001, 0.03, 0.1, 0.17])
def test_trimap_band_is_a_distance(band):
    rng = np.random.default_rng(0)
    alpha = np.where(np.arange(190) < 90, 1, 0) * np.ones((157, 1), np.float32)
    alpha[tuple(rng.integers(0, 157, (2, 12)))] = 0.5
    alpha = alpha.astype(np.float32)
    trimap = make_trimap(alpha, View(157, 190), band)
    distance = distance_transform_edt(alpha != 0.5)
    pixels = max(2.0, 157 * band)
    tolerance = pixels / 2 if pixels > 4 else 0  # wide bands are measured on blocks of a quarter of the band
    assert np.all(trimap[distance <= max(2.0, pixels - tolerance)] == 128)
    known = distance > pixels + tolerance
    assert np.array_equal(trimap[known], np.where(alpha == 1, 255, 0)[known])


@pytest.mark.parametrize("render", SCENES)
@pytest.mark.parametrize(("height", "width"), [(300, 300), (240, 360), (400, 260), (260, 780)])
def test_unknown_share(render, height, width):
    share = np.mean(render(height, width).trimap == 128)
    assert 0.02 < share < 0.28


@pytest.mark.parametrize("render", SCENES)
def test_same_scene_at_any_size(render):
    small, large = render(240, 240, seed=5), render(480, 480, seed=5)
    reduced = large.image.reshape(240, 2, 240, 2, 3).mean(axis=(1, 3))
    assert np.abs(reduced - small.image).mean() < 0.06
    other = render(240, 240, seed=6)
    assert np.abs(reduced - small.image).mean() < 0.6 * np.abs(other.image - small.image).mean()
    assert abs(np.mean(small.trimap == 128) - np.mean(large.trimap == 128)) < 0.12


@pytest.mark.parametrize("render", SCENES)
@pytest.mark.parametrize(("height", "width"), [(64, 64), (64, 192), (192, 64), (65, 97)])
def test_small_pictures_have_both_known_classes(render, height, width):
    for seed in range(2):
        assert set(np.unique(render(height, width, seed=seed).trimap)) == {0, 128, 255}


@pytest.mark.parametrize("render", SCENES)
@pytest.mark.parametrize(("height", "width"), [(32, 32), (32, 96), (96, 32)])
def test_least_sizes(render, height, width):
    found = render(height, width)
    assert found.image.shape == (height, width, 3)
    assert np.all(np.isfinite(found.image))


@pytest.mark.parametrize("render", SCENES)
def test_same_arguments_same_bits(render):
    np.random.seed(1)  # noqa: NPY002  the global state must have no influence
    first = render(70, 90, seed=4, noise=0.01)
    np.random.seed(2)  # noqa: NPY002
    second = render(70, 90, seed=4, noise=0.01)
    for one, other in zip(first, second, strict=True):
        assert one.tobytes() == other.tobytes()
    assert not np.array_equal(first.image, render(70, 90, seed=5, noise=0.01).image)


@pytest.mark.parametrize("render", SCENES)
def test_noise(render):
    clean, noisy = render(150, 200), render(150, 200, noise=0.02)
    for name in ("trimap", "alpha", "foreground", "background"):
        assert np.array_equal(getattr(clean, name), getattr(noisy, name))
    unclipped = (clean.image > 0.1) & (clean.image < 0.9)
    added = (noisy.image - clean.image)[unclipped]
    assert abs(added.mean()) < 5 * 0.02 / math.sqrt(added.size)
    assert added.std() == pytest.approx(0.02, rel=0.03)
    assert noisy.image.min() >= 0
    assert noisy.image.max() <= 1


@pytest.mark.parametrize("width", [0.1, 0.35, 0.9, 1.7, 6.3])
@pytest.mark.parametrize("slope", [0.0, 0.01, 0.3, 0.77, 1.0])
@pytest.mark.parametrize("transposed", [False, True])
def test_straight_strand_covers_its_width(width, slope, transposed):
    start, end = np.array([-20.0, 4.3]), np.array([120.0, 4.3 + 140 * slope])
    points = start + (end - start) * np.array([[0.0], [0.2], [0.37], [0.8], [1.0]])
    alpha = alpha_of(points[:, ::-1], width, (96, 170)).T if transposed else alpha_of(points, width, (170, 96))
    expected = width * math.hypot(1, slope)  # vertical section of a slanted strip
    assert np.abs(alpha.sum(axis=0)[:90] - expected).max() < 1e-3


def test_strand_with_nodes_on_pixel_centres_is_seamless():
    alpha = alpha_of([[-8, 20], [8, 20], [24, 20], [40, 20], [104, 20]], 1.0)
    assert np.abs(alpha[20] - 1).max() < 1e-5
    assert np.abs(np.delete(alpha, 20, axis=0)).max() < 1e-5


def test_area_of_a_whole_strand_is_length_times_width():
    alpha = alpha_of([[12.3, 9.1], [50.2, 30.4], [88.1, 51.7]], 0.7)
    assert alpha.sum() == pytest.approx(0.7 * math.hypot(75.8, 42.6), rel=2e-3)


def test_area_of_a_curved_strand():
    turn = np.linspace(0, 1.5 * np.pi, 40)
    points = np.stack([48 + 22 * np.cos(turn), 32 + 22 * np.sin(turn)], axis=-1)
    assert alpha_of(points, 0.5).sum() == pytest.approx(0.5 * 22 * 1.5 * np.pi, rel=1e-2)
    assert alpha_of(points, 5.0).max() < 1 + 1e-6


def test_strands_combine_as_independent_coverage():
    one = alpha_of([[-5, 20.2], [100, 40.7]], 0.6)
    other = alpha_of([[-5, 45.1], [100, 10.3]], 0.8)
    view = View(64, 96)
    layer = Layer(view)
    for points, width in (([[-5, 20.2], [100, 40.7]], 0.6), ([[-5, 45.1], [100, 10.3]], 0.8)):
        units = (np.array(points) - [47.5, 31.5]) / 64
        draw_strands(
            layer,
            Strands(units[None], np.full((1, 2), width / 64), np.ones((1, 3)), np.ones((1, 2)), np.zeros(1)),
            floor=0.0,
        )
    both = 1 - layer.clear.reshape(64, 96)
    assert np.abs(both - (1 - (1 - one) * (1 - other))).max() < 1e-6


def test_strip_overlap_is_the_area_of_the_cut_box():
    grid = (np.arange(400) + 0.5) / 400 - 0.5
    for angle in (0.0, 0.2, math.pi / 4, 1.2, math.pi / 2, 2.5):
        nx, ny = math.cos(angle), math.sin(angle)
        along = nx * grid + ny * grid[:, None]
        for s in (-0.8, -0.45, -0.1, 0.0, 0.3, 0.52, 0.69, 1.5):
            area = np.mean(along < s) - 0.5
            found = strip_overlap(*(np.array([value], np.float32) for value in (s, nx, ny)))
            assert found[0] == pytest.approx(area, abs=3e-3)


def test_ellipse_covers_its_area():
    view = View(80, 100)
    layer = Layer(view)
    draw_ellipse(layer, np.array([0.013, -0.02]), (0.31, 0.22), np.ones(3), order=0.0)
    assert (1 - layer.clear).sum() == pytest.approx(math.pi * 0.31 * 0.22 * 80**2, rel=1e-3)


def test_thin_strands_are_widened_to_the_floor_and_fewer():
    rng = np.random.default_rng(0)
    count = 400
    y = rng.uniform(-0.45, 0.45, count)
    points = np.stack([np.stack([np.full(count, x), y], axis=-1) for x in (-0.9, 0.0, 0.9)], axis=1)
    strands = Strands(points, np.full((count, 3), 1e-4), np.ones((count, 3)), np.ones((count, 3)), np.zeros(count))
    cover = []
    for floor in (0.0, 0.1):
        layer = Layer(View(200, 300))
        draw_strands(layer, strands, floor=floor)
        cover.append(-np.log(layer.clear).sum())
    assert cover[1] == pytest.approx(cover[0], rel=0.06)


@pytest.mark.parametrize("render", SCENES)
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"height": 31}, ValueError, "height: expected at least 32, got 31"),
        ({"width": 0}, ValueError, "width: expected at least 32, got 0"),
        ({"width": 40.0}, TypeError, "width: expected an integer, got float"),
        ({"height": "40"}, TypeError, "height: expected an integer, got str"),
        ({"height": 2**16, "width": 2**16}, ValueError, "height, width: expected fewer than"),
        ({"seed": -1}, ValueError, "seed: expected at least 0, got -1"),
        ({"seed": 1.5}, TypeError, "seed: expected an integer, got float"),
        ({"noise": -0.1}, ValueError, "noise: expected a finite number >= 0, got -0.1"),
        ({"noise": math.nan}, ValueError, "noise: expected a finite number >= 0, got nan"),
        ({"noise": math.inf}, ValueError, "noise: expected a finite number >= 0, got inf"),
        ({"noise": "0.1"}, TypeError, "noise: expected a number, got str"),
        ({"noise": None}, TypeError, "noise: expected a number, got NoneType"),
    ],
)
def test_bad_arguments(render, arguments, error, message):
    with pytest.raises(error, match=f"^{message}"):
        render(**{"height": 40, "width": 40, **arguments})
