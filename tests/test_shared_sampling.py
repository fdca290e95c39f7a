"""Shared sampling against its reference, and where samples are hard to find."""

import numpy as np
import pytest
from reference import shared_samples, shared_sampling
from tolerances import SHARED_SAMPLING

import trimatte as tm
from trimatte import priors


def labels_of(trimap):
    return np.where(trimap == 128, 2, (trimap == 255).astype(int))


def scene(name, noise=0.02, grey=False, height=40, width=48):
    made = getattr(tm.datasets, name)(height, width, noise=noise, seed=3)
    image = made.image[..., 1] if grey else made.image
    return image, made.trimap


@pytest.mark.parametrize(("name", "grey"), [("hair", False), ("dandelion", False), ("net", True)])
def test_it_equals_the_reference(name, grey):
    """In float32 a few choices between nearly equal pairs may differ, and with them their surroundings."""
    image, trimap = scene(name, grey=grey)
    wide = np.repeat(image[..., np.newaxis], 3, axis=2) if grey else image
    expected = shared_sampling.shared_sampling(wide.astype(np.float64), labels_of(trimap))
    found = priors.SharedSampling().samples(image, trimap)
    unknown = trimap == 128
    for plane, twin in zip(found, expected, strict=True):
        ours = np.repeat(plane[..., np.newaxis], 3, axis=2) if grey and twin.ndim == 3 else plane
        difference = abs(ours - twin)[unknown]
        assert np.quantile(difference, 0.95) < SHARED_SAMPLING
        assert difference.mean() < 10 * SHARED_SAMPLING
        assert (ours[~unknown] == twin.astype(np.float32)[~unknown]).all()


def test_samples_stay_without_own_colours():
    """Float32 makes more choices differ then: nothing else sets small differences to zero."""
    image, trimap = scene("hair")
    expected = shared_sampling.shared_sampling(image.astype(np.float64), labels_of(trimap), own_colours=False)
    found = priors.SharedSampling(own_colours=False).samples(image, trimap)
    for plane, twin in zip(found, expected, strict=True):
        assert np.quantile(abs(plane - twin)[trimap == 128], 0.9) < SHARED_SAMPLING
    assert abs(found.alpha - priors.SharedSampling().samples(image, trimap).alpha).max() > 0.05


def test_the_expansion_takes_the_nearest_pixel_of_like_colour():
    rng = np.random.default_rng(1)
    image = (rng.integers(0, 2, (30, 40, 3)) / 2).astype(np.float32)
    labels = rng.choice([0, 1, 2], (30, 40), p=[0.02, 0.02, 0.96])
    expected = shared_samples.expand(image.astype(np.float64), labels)
    trimap = np.choose(labels, [0, 255, 128]).astype(np.uint8)
    found = priors.SharedSampling(sharing_radius=1).samples(image, trimap)
    grown = (expected != 2) & (labels == 2)
    assert grown.sum() > 100
    # Equal distances in place and colour leave it open which label is taken.
    assert (found.alpha == expected)[grown].mean() > 0.9
    assert (found.confidence[grown] == 1).all()
    assert np.isin(found.alpha[grown], [0, 1]).all()


def test_known_pixels_are_exact_and_keep_their_colours():
    image, trimap = scene("hair")
    found = priors.SharedSampling().samples(image, trimap)
    known = trimap != 128
    assert (found.alpha[known] == (trimap[known] == 255)).all()
    assert (found.confidence[known] == 1).all()
    assert (found.foreground[known] == image[known]).all()
    assert (found.background[known] == image[known]).all()
    assert found.foreground.dtype == found.background.dtype == np.float32


def test_the_colours_explain_the_picture_where_it_is_sure():
    image, trimap = scene("hair", height=96, width=120)
    alpha, confidence, foreground, background = priors.SharedSampling(smoothing_radius=0).samples(image, trimap)
    mixed = alpha[..., np.newaxis] * foreground + (1 - alpha[..., np.newaxis]) * background
    sure = (trimap == 128) & (confidence > 0.9)
    assert sure.sum() > 100
    assert abs(mixed - image)[sure].max() < 0.03


def test_the_guess_is_these_samples():
    image, trimap = scene("hair")
    found = priors.SharedSampling().samples(image, trimap)
    guess = priors.SharedSampling(weight=0.25).estimate(image, trimap)
    assert (guess.alpha == found.alpha).all()
    expected = 0.25 * found.confidence**4 * (abs(2 * found.alpha - 1) + 0.05)
    assert guess.confidence == pytest.approx(expected, rel=1e-5)
    alone = tm.estimate_alpha(image, trimap, method="shared-sampling")
    assert (alone == found.alpha).all()


@pytest.mark.parametrize("options", [{}, {"rays": 1}, {"rays": 8, "sharing_radius": 0, "smoothing_radius": 0}])
def test_same_bits_for_any_number_of_threads(options):
    image, trimap = scene("dandelion", height=150, width=200)
    prior = priors.SharedSampling(**options)
    one = prior.samples(image, trimap, threads=1)
    for threads in (2, 7):
        for plane, twin in zip(one, prior.samples(image, trimap, threads=threads), strict=True):
            assert (plane == twin).all()


def no_hole(image, trimap, prior=None):
    """All that a solve needs is there for every pixel."""
    found = (prior or priors.SharedSampling()).samples(image, trimap)
    for plane in found:
        assert np.isfinite(plane).all()
        assert plane.min() >= 0
        assert plane.max() <= 1 + 1e-6
    return found


@pytest.mark.parametrize("reach", [0, 5])
def test_unknown_pixels_far_from_known_ones(reach):
    """The rays of nearly all pixels pass by the two dots, and the windows of sharing do not reach."""
    rng = np.random.default_rng(0)
    image = rng.uniform(0, 0.2, (150, 200, 3)).astype(np.float32)
    image[:, 100:] += 0.7
    trimap = np.full((150, 200), 128, np.uint8)
    trimap[10, 10], trimap[140, 190] = 0, 255
    found = no_hole(image, trimap, priors.SharedSampling(expansion_radius=reach))
    assert found.alpha[:, :95].mean() < 0.2
    assert found.alpha[:, 105:].mean() > 0.8
    alpha = tm.estimate_alpha(image, trimap, method="closed-form+shared-sampling")
    assert np.isfinite(alpha).all()


def test_scribbles():
    image, _ = scene("dandelion", height=120, width=160)
    trimap = np.full((120, 160), 128, np.uint8)
    trimap[5, 10:150] = trimap[10:110, 5] = 0
    trimap[60:64, 70:90] = 255
    no_hole(image, trimap)


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (1, 3), (3, 1), (2, 2), (1, 200), (200, 1), (17, 65)])
@pytest.mark.parametrize("channels", [1, 3])
def test_tiny_and_thin_pictures(shape, channels):
    rng = np.random.default_rng(2)
    image = rng.random((*shape, channels), dtype=np.float32)
    trimap = np.full(shape, 128, np.uint8)
    trimap.flat[0], trimap.flat[-1] = 0, 255
    no_hole(image, trimap)


def test_flat_colours():
    image = np.full((40, 40, 3), 0.5)
    trimap = np.full((40, 40), 128, np.uint8)
    trimap[:5], trimap[-5:] = 0, 255
    no_hole(image, trimap)
    no_hole(image, trimap, priors.SharedSampling(expansion_radius=0))
    image[20:] = 1
    found = no_hole(image, trimap)
    assert (found.alpha[:20] == 0).all()
    assert (found.alpha[20:] == 1).all()


def test_every_dtype_and_layout():
    image, trimap = scene("hair")
    eight = np.round(image * 255).astype(np.uint8)
    expected = priors.SharedSampling().samples(eight, trimap)
    mirrored = eight[:, ::-1].copy()[:, ::-1]
    for other in (eight / 255, np.asfortranarray(eight), mirrored, eight.astype(np.uint16) * 257):
        found = priors.SharedSampling().samples(other, trimap)
        assert abs(found.alpha - expected.alpha).mean() < 1e-3
    assert expected.foreground.shape == eight.shape
    assert priors.SharedSampling().samples(eight[..., 0], trimap).foreground.shape == trimap.shape


def test_a_picture_without_unknown_pixels():
    image, trimap = scene("hair")
    found = priors.SharedSampling().samples(image, np.where(trimap == 255, trimap, 0))
    assert (found.alpha == (trimap == 255)).all()
    assert (found.foreground == image).all()


@pytest.mark.parametrize("kind", [0, 255])
def test_one_label_missing(kind):
    image, trimap = scene("hair")
    name = {0: "background", 255: "foreground"}[kind]
    message = f"trimap: expected at least 1 {name} pixel to sample their colours, got 0"
    with pytest.raises(ValueError, match=message):
        priors.SharedSampling().samples(image, np.where(trimap == kind, 128, trimap))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"expansion_radius": -1}, ValueError, "expansion_radius: expected at least 0, got -1"),
        ({"expansion_radius": 21}, ValueError, "expansion_radius: expected at most 20, got 21"),
        ({"expansion_threshold": np.nan}, ValueError, "expansion_threshold: expected a finite"),
        ({"expansion_threshold": 3}, ValueError, "expansion_threshold: expected a number from 0"),
        ({"rays": 0}, ValueError, "rays: expected at least 1, got 0"),
        ({"rays": 9}, ValueError, "rays: expected at most 8, got 9"),
        ({"rays": 2.5}, TypeError, "rays: expected an integer, got float"),
        ({"sharing_radius": 21}, ValueError, "sharing_radius: expected at most 20"),
        ({"smoothing_radius": True}, TypeError, "smoothing_radius: expected an integer, got bool"),
        ({"weight": -1}, ValueError, "weight: expected a number from 0"),
    ],
)
def test_options_out_of_range(options, error, message):
    with pytest.raises(error, match=message):
        priors.SharedSampling(**options)


def test_progress_and_cancel():
    image, trimap = scene("dandelion", height=300, width=400)
    trimap[20:280, 20:380] = 128
    trimap[150, 200] = 255
    phases = []
    calls = []

    def watch(phase, fraction):
        assert 0 <= fraction <= 1
        phases.append(phase)

    priors.SharedSampling().estimate(image, trimap, threads=1, progress=watch)
    assert set(phases) <= {"expansion", "sampling", "sharing", "smoothing"}

    def stop(phase, fraction):
        calls.append(phase)
        raise RuntimeError("enough")

    prior = priors.SharedSampling(rays=8, sharing_radius=20, expansion_radius=20)
    large = np.tile(image, (3, 3, 1)), np.tile(trimap, (3, 3))
    with pytest.raises(RuntimeError, match="enough"):
        prior.estimate(*large, progress=stop)
    assert len(calls) == 1
