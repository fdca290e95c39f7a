"""Error measures against plain twins, on what they promise, and on bad input."""

import math

import numpy as np
import pytest
import tolerances
from reference import metrics as reference

import trimatte as tm
from trimatte import metrics


def noisy(truth, seed=0, deviation=0.2):
    return np.clip(truth + deviation * np.random.default_rng(seed).standard_normal(truth.shape), 0, 1)


def random_mattes(seed):
    """Blobs of every size, with many equal values and values at the levels themselves."""
    rng = np.random.default_rng(seed)
    coarse = rng.random((9, 7)).repeat(5, 0).repeat(4, 1)
    alpha = np.round(np.clip(coarse + 0.3 * rng.standard_normal(coarse.shape), 0, 1) * 10) / 10
    truth = np.round(np.clip(coarse + 0.1 * rng.standard_normal(coarse.shape), 0, 1) * 255) / 255
    return alpha, truth, rng.random(coarse.shape) < 0.6


@pytest.fixture(scope="module")
def solved():
    """A real matte: the closed-form one of a rendered picture."""
    scene = tm.datasets.dandelion(120, 150, noise=0.02)
    return (
        tm.estimate_alpha(scene.image, scene.trimap, method="closed-form").astype(np.float64),
        scene.alpha,
        scene.trimap,
    )


@pytest.mark.parametrize("seed", range(12))
def test_random_mattes_against_the_twins(seed):
    alpha, truth, region = random_mattes(seed)
    assert metrics.gradient(alpha, truth, region=region) == pytest.approx(
        reference.gradient(alpha, truth, region), abs=tolerances.METRIC
    )
    assert metrics.connectivity(alpha, truth, region=region) == pytest.approx(
        reference.connectivity(alpha, truth, region), abs=tolerances.METRIC
    )
    errors = metrics.evaluate(alpha, truth, region=region)
    difference = (alpha - truth)[region]
    assert errors.sad == pytest.approx(np.abs(difference).sum() / 1000, abs=tolerances.METRIC)
    assert errors.mse == pytest.approx((difference**2).mean(), abs=tolerances.METRIC)
    assert errors.mad == pytest.approx(np.abs(difference).mean(), abs=tolerances.METRIC)
    assert errors.rmse == pytest.approx(math.sqrt((difference**2).mean()), abs=tolerances.METRIC)
    assert errors.pixels == region.sum()


@pytest.mark.parametrize("seed", range(8))
def test_connectivity_where_the_largest_component_changes_between_levels(seed):
    """Pure noise: hundreds of small components, of which now one, now another is the largest."""
    rng = np.random.default_rng(seed)
    alpha, truth = rng.random((2, 23, 17)) ** 0.3
    everywhere = np.ones(alpha.shape, bool)
    for step, levels in ((0.1, 10), (0.02, 50), (1, 1)):
        assert metrics.connectivity(alpha, truth, step=step, theta=0.05) == pytest.approx(
            reference.connectivity(alpha, truth, everywhere, levels, 0.05), abs=tolerances.METRIC
        )


def test_a_real_matte_against_the_twins(solved):
    alpha, truth, trimap = solved
    region = trimap == 128
    errors = metrics.evaluate(alpha, truth, trimap)
    assert errors.gradient == pytest.approx(reference.gradient(alpha, truth, region), abs=tolerances.METRIC)
    assert errors.connectivity == pytest.approx(
        reference.connectivity(alpha, truth, region), abs=tolerances.METRIC
    )
    for sigma in (0.1, 0.8, 10):
        assert metrics.gradient(alpha, truth, trimap, sigma=sigma) == pytest.approx(
            reference.gradient(alpha, truth, region, sigma), abs=tolerances.METRIC
        )
    assert metrics.evaluate(alpha, truth, region=region) == errors
    for name in ("sad", "mse", "mad", "rmse", "gradient", "connectivity"):
        assert getattr(metrics, name)(alpha, truth, trimap) == getattr(errors, name)


def test_the_truth_has_no_error_and_threads_change_nothing(solved):
    alpha, truth, trimap = solved
    errors = metrics.evaluate(truth, truth, trimap)
    assert (errors.sad, errors.mse, errors.gradient, errors.connectivity) == (0, 0, 0, 0)
    assert metrics.evaluate(alpha, truth, trimap, threads=1) == metrics.evaluate(alpha, truth, trimap, threads=5)


def test_a_torn_off_piece_costs_connectivity():
    """The paper's reason for the measure: equal SAD, but one matte has foreground that floats."""
    truth = np.zeros((30, 40))
    truth[10:20, 5:20] = 1
    attached, floating = truth.copy(), truth.copy()
    attached[14:16, 20:25] = 0.8
    floating[14:16, 30:35] = 0.8
    assert metrics.sad(attached, truth) == pytest.approx(metrics.sad(floating, truth))
    assert metrics.connectivity(floating, truth) == pytest.approx(0.8 * 10 / 1000)


def test_integers_span_their_range_and_nothing_is_stretched():
    truth = np.array([[0, 128, 255], [0, 64, 200]], np.uint8)
    alpha = np.array([[0, 128, 255], [0, 64, 100]], np.uint8)
    assert metrics.sad(alpha, truth) == pytest.approx(100 / 255 / 1000)
    assert metrics.sad(alpha * np.uint16(257), truth / 255) == pytest.approx(100 / 255 / 1000)
    dark = truth // 2
    assert metrics.mad(dark, dark) == 0
    assert metrics.mad(dark, truth) > 0.1


def test_errors_print_as_a_table():
    truth = np.zeros((4, 5))
    truth[:, 2:] = 0.5
    lines = str(metrics.evaluate(truth, np.zeros((4, 5)))).splitlines()
    assert [line.split()[0] for line in lines] == list(metrics.evaluate(truth, truth).as_dict())
    assert lines[0].split() == ["sad", "0.006", "thousands"]
    assert lines[-1].split() == ["pixels", "20"]


def test_foreground_counts_where_alpha_is_between(scene):
    layers = tm.estimate_foreground(scene.image, scene.alpha)
    errors = metrics.evaluate_foreground(layers.foreground, scene.foreground, scene.alpha)
    inside = (scene.alpha > 0) & (scene.alpha < 1)
    found, exact = layers.foreground.astype(float), scene.foreground.astype(float)
    assert errors.pixels == inside.sum()
    assert errors.sad == pytest.approx(np.abs(found - exact)[inside].sum() / 1000, abs=tolerances.METRIC)
    assert errors.mse == pytest.approx(((found - exact)[inside] ** 2).mean(), abs=tolerances.METRIC)
    by_channel = [reference.gradient(found[..., c], exact[..., c], inside) for c in range(3)]
    assert errors.gradient == pytest.approx(sum(by_channel), abs=tolerances.METRIC)
    changed = layers.foreground.copy()
    changed[~inside] = 0  # changes gradients nearby, but neither sum
    again = metrics.evaluate_foreground(changed, scene.foreground, scene.alpha)
    assert (again.sad, again.mse) == (errors.sad, errors.mse)


@pytest.fixture
def sequence():
    rng = np.random.default_rng(4)
    truths = rng.random((4, 9, 11))
    alphas = np.stack([noisy(truth, seed) for seed, truth in enumerate(truths)])
    trimaps = np.where(rng.random(truths.shape) < 0.5, 128, 0).astype(np.uint8)
    return alphas, truths, trimaps


def test_sequences_against_formulas(sequence):
    alphas, truths, trimaps = sequence
    errors = metrics.evaluate_sequence(alphas, truths, trimaps)
    e, region = alphas - truths, trimaps == 128
    flicker = [np.sqrt((np.diff(e, axis=0)[t][region[t]] ** 2).sum()) for t in range(3)]
    assert errors.dtssd == pytest.approx(np.mean(flicker), abs=tolerances.METRIC)
    assert errors.ssda == pytest.approx(
        np.mean([np.sqrt((e[t][region[t]] ** 2).sum()) for t in range(4)]), abs=tolerances.METRIC
    )
    still = np.zeros((3, 9, 11, 2))
    assert errors.messddt == pytest.approx(reference.messddt(alphas, truths, region, still), abs=tolerances.METRIC)
    assert metrics.messddt(alphas, truths, trimaps, motion=still) == pytest.approx(errors.messddt, rel=1e-12)
    motion = np.random.default_rng(5).integers(-3, 4, (3, 9, 11, 2)).astype(np.float32)
    assert metrics.messddt(iter(alphas), iter(truths), iter(trimaps), motion=iter(motion)) == pytest.approx(
        reference.messddt(alphas, truths, region, motion), abs=tolerances.METRIC
    )
    assert metrics.dtssd(alphas, truths, trimaps) == errors.dtssd


def test_a_steady_error_does_not_flicker_and_motion_explains_a_moving_one():
    truth = np.zeros((3, 8, 20))
    alphas = truth.copy()
    alphas[:, 2:5, 3:6] = 0.4
    assert metrics.dtssd(alphas, truth) == 0
    moving = truth.copy()
    for t in range(3):
        moving[t, 2:5, 3 + 2 * t : 6 + 2 * t] = 0.4
    assert metrics.dtssd(moving, truth) > 1
    assert metrics.messddt(moving, truth) > 0
    motion = np.zeros((2, 8, 20, 2))
    motion[..., 0] = 2
    assert metrics.messddt(moving, truth, motion=motion) == 0


GOOD = np.full((6, 7), 0.5)
KNOWN = np.zeros((6, 7), np.uint8)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((GOOD[:5], GOOD), {}, ValueError, r"alpha: expected shape \(6, 7\) to match truth, got \(5, 7\)"),
        ((GOOD, GOOD, KNOWN[:5]), {}, ValueError, r"trimap: expected shape \(6, 7\) to match truth"),
        ((GOOD, GOOD * 3), {}, ValueError, r"truth: expected values in \[0, 1\], got 1.5"),
        ((GOOD * 255, GOOD), {}, ValueError, "alpha: expected values .*divide 8-bit values by 255"),
        ((GOOD * np.nan, GOOD), {}, ValueError, r"alpha: expected values in \[0, 1\], got nan"),
        ((GOOD, GOOD, KNOWN), {}, ValueError, "trimap: expected unknown pixels to measure, got none"),
        ((GOOD, GOOD), {"region": KNOWN == 1}, ValueError, "region: expected pixels to measure, got none"),
        ((GOOD, GOOD), {"region": KNOWN}, TypeError, "region: expected bool, got uint8"),
        ((GOOD, GOOD), {"region": KNOWN[1:] == 0}, ValueError, "region: expected shape"),
        ((GOOD, GOOD, KNOWN + np.uint8(128)), {"region": KNOWN == 0}, ValueError, "region: expected none beside"),
        (("matte.png", GOOD), {}, TypeError, "alpha: expected an array, got the path"),
        ((np.stack([GOOD] * 5, 2), GOOD), {}, ValueError, r"alpha: expected shape \(H, W\)"),
        ((GOOD.astype(int), GOOD), {}, TypeError, "alpha: expected uint8"),
        ((GOOD[:0], GOOD[:0]), {}, ValueError, r"truth: expected pixels to measure, got shape \(0, 7\)"),
    ],
)
def test_bad_mattes_are_refused(arguments, options, error, message):
    for measure in (metrics.evaluate, metrics.sad, metrics.gradient, metrics.connectivity):
        with pytest.raises(error, match=message):
            measure(*arguments, **options)


@pytest.mark.parametrize(
    ("measure", "option", "message"),
    [
        (metrics.gradient, {"sigma": 0}, "sigma: expected a number from 0.1 to 10"),
        (metrics.connectivity, {"step": 0}, "step: expected a number from 0.005 to 1"),
        (metrics.connectivity, {"theta": 2}, "theta: expected a number from 0 to 1"),
    ],
)
def test_bad_parameters_are_refused(measure, option, message):
    with pytest.raises(ValueError, match=message):
        measure(GOOD, GOOD, **option)


def test_what_is_no_sequence_is_refused():
    with pytest.raises(TypeError, match="alphas: expected an iterable of arrays, got int"):
        metrics.evaluate_sequence(5, [GOOD])


def test_bad_foregrounds_are_refused():
    colours = np.zeros((6, 7, 3))
    with pytest.raises(
        ValueError, match=r"foreground: expected shape \(6, 7, 3\) to match truth, got \(5, 7, 3\)"
    ):
        metrics.evaluate_foreground(colours[1:], colours, GOOD)
    with pytest.raises(ValueError, match=r"alpha: expected shape \(6, 7\) to match truth"):
        metrics.evaluate_foreground(colours, colours, GOOD[1:])
    with pytest.raises(ValueError, match="alpha: expected translucent pixels to measure, got only 0 and 1"):
        metrics.evaluate_foreground(colours, colours, KNOWN)


@pytest.mark.parametrize(
    ("arguments", "motion", "error", "message"),
    [
        (([GOOD], [GOOD]), None, ValueError, "alphas: expected at least 2 frames, got 1"),
        (([GOOD] * 2, [GOOD] * 3), None, ValueError, "expected as many of each"),
        (([GOOD] * 2, [GOOD] * 2, [KNOWN] * 2), None, ValueError, "trimap: expected unknown pixels"),
        (([GOOD, GOOD[1:]], [GOOD, GOOD[1:]]), None, ValueError, "alphas: expected frames of one size"),
        (([GOOD, GOOD[1:]], [GOOD] * 2), None, ValueError, r"alphas\[1\]: expected shape"),
        (([GOOD] * 2, [GOOD] * 2), [], ValueError, "motion: .* got fewer"),
        (([GOOD] * 2, [GOOD] * 2), [np.zeros((6, 7, 2))] * 2, ValueError, "motion: .* got more"),
        (([GOOD] * 2, [GOOD] * 2), [GOOD], ValueError, r"motion: expected shape \(6, 7, 2\)"),
        (([GOOD] * 2, [GOOD] * 2), [np.zeros((6, 7, 2), int)], TypeError, "motion: expected floating point"),
        (([GOOD] * 2, [GOOD] * 2), [np.full((6, 7, 2), np.inf)], ValueError, "motion: expected finite"),
    ],
)
def test_bad_sequences_are_refused(arguments, motion, error, message):
    with pytest.raises(error, match=message):
        metrics.evaluate_sequence(*arguments, motion=motion)
