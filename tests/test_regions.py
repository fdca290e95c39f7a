"""Unknown regions that do not touch, solved one after another: the same answer in less memory."""

import numpy as np
import pytest
from scipy import ndimage

import trimatte as tm
from trimatte import _check, _regions
from trimatte._regions import independent_parts
from trimatte.errors import ConvergenceError

UNKNOWN = _check.UNKNOWN


@pytest.fixture
def eager(monkeypatch):
    """Divide however little there is to divide."""
    monkeypatch.setattr(_regions, "_LEAST_UNKNOWN", 1)


def parts_of(labels, reach):
    return independent_parts(labels, reach, int((labels == UNKNOWN).sum()))


def random_regions(seed, height=123, width=170, share=0.01):
    """Labels with unknown specks and blots, some of them at the border."""
    rng = np.random.default_rng(seed)
    spots = rng.random((height, width)) < share
    blots = ndimage.binary_dilation(spots, iterations=int(rng.integers(1, 5)))
    labels = rng.integers(0, 2, (height, width)).astype(np.uint8)
    labels[blots] = UNKNOWN
    return labels


@pytest.mark.parametrize("reach", [2, 4, 10])
@pytest.mark.parametrize("seed", range(6))
def test_parts_are_independent(eager, seed, reach):
    labels = random_regions(seed, share=(0.0005, 0.002)[seed % 2])
    parts = parts_of(labels, reach)
    owner = np.zeros(labels.shape, int)
    for number, part in enumerate(parts, 1):
        cut = part.labels(labels)
        own = cut == UNKNOWN
        place = owner[part.rows, part.columns]
        assert not place[own].any()
        place[own] = number
        known = labels[part.rows, part.columns] != UNKNOWN
        assert np.array_equal(cut[known], labels[part.rows, part.columns][known])
        # all windows that hold an own pixel are whole
        y, x = np.nonzero(own)
        for at, s, size in ((y, part.rows, labels.shape[0]), (x, part.columns, labels.shape[1])):
            assert s.start == 0 or at.min() >= reach
            assert s.stop == size or at.max() < s.stop - s.start - reach
    if not parts:
        pytest.fail("these labels should be divided")
    assert np.array_equal(owner > 0, labels == UNKNOWN)
    for number in range(1, len(parts) + 1):
        near = ndimage.binary_dilation(owner == number, np.ones((2 * reach + 1, 2 * reach + 1)))
        assert set(np.unique(owner[near])) <= {0, number}
    assert len(parts) <= 2 * _regions._MOST_PARTS


def test_what_is_not_divided(eager, monkeypatch):
    labels = random_regions(1)
    labels[:, :150] = UNKNOWN  # nearly all in one
    assert parts_of(labels, 2) == []
    assert parts_of(np.zeros((9, 9), np.uint8), 2) == []
    assert parts_of(np.full((40, 40), UNKNOWN, np.uint8), 2) == []
    monkeypatch.setattr(_regions, "_LEAST_UNKNOWN", 10**6)
    assert parts_of(random_regions(2, share=0.001), 2) == []


def several(count=6, height=72, width=90):
    """Several heads of hair, far apart, in two rows; between them what is known."""
    scenes = [tm.datasets.hair(height, width, seed=seed, noise=0.01) for seed in range(count)]
    rows = [np.concatenate([getattr(s, name) for s in part], 1) for name in ("image", "trimap", "alpha")
            for part in (scenes[: count // 2], scenes[count // 2 :])]  # fmt: skip
    image, trimap, alpha = (np.concatenate(rows[i : i + 2], 0) for i in (0, 2, 4))
    edge = np.ones((height, width), bool)
    edge[10:-10, 10:-10] = False
    edge = np.tile(edge, (2, count // 2))
    trimap = trimap.copy()
    trimap[edge & (trimap == 128)] = 0
    return image, trimap, alpha


IMAGE, TRIMAP, ALPHA = several()


@pytest.mark.parametrize("solver", ["cholesky", "multigrid", "cg"])
@pytest.mark.parametrize("prior", [None, "sampling", ALPHA])
def test_the_answer_is_the_same(monkeypatch, solver, prior):
    options = {"solver": solver, "prior": prior, "start": 0.9 * ALPHA}
    together, info = tm.solve_alpha(IMAGE, TRIMAP, **options)
    monkeypatch.setattr(_regions, "_LEAST_UNKNOWN", 1)
    assert len(parts_of(_check.labels(TRIMAP, IMAGE.shape), 2)) > 2
    apart, info_apart = tm.solve_alpha(IMAGE, TRIMAP, **options)
    tolerance = {"cholesky": 1e-6, "multigrid": 2e-3, "cg": 1e-3}[solver]
    assert abs(apart - together).max() < tolerance
    assert info_apart.unknowns == info.unknowns
    assert info_apart.solver == solver
    assert info_apart.peak_bytes < 0.5 * info.peak_bytes
    if solver != "cholesky":
        assert 0 < info_apart.error_estimate <= 1e-3


@pytest.mark.parametrize("radius", [2, 3])
def test_larger_windows_too(monkeypatch, radius):
    together = tm.estimate_alpha(IMAGE, TRIMAP, radius=radius, solver="cholesky")
    monkeypatch.setattr(_regions, "_LEAST_UNKNOWN", 1)
    apart = tm.estimate_alpha(IMAGE, TRIMAP, radius=radius, solver="cholesky")
    assert abs(apart - together).max() < 1e-6


def test_other_ways_to_solve(monkeypatch):
    """Soft known pixels make one system of all; linear colours and masks come through."""
    linear = tm.colour.linear_from_srgb(IMAGE) * 5
    calls = [
        lambda: tm.estimate_alpha(IMAGE, TRIMAP, known_weight=100.0),
        lambda: tm.estimate_alpha(IMAGE.astype(np.float64), TRIMAP, method="best", solver="cholesky"),
        lambda: tm.estimate_alpha(linear, TRIMAP, colour_space="linear", solver="cholesky"),
        lambda: tm.estimate_alpha(IMAGE[..., 1], TRIMAP, solver="cholesky"),
        lambda: tm.matte_from_mask(IMAGE, ALPHA > 0.5, learn=False, solver="cholesky"),
    ]
    together = [call() for call in calls]
    monkeypatch.setattr(_regions, "_LEAST_UNKNOWN", 1)
    for expected, call in zip(together, calls, strict=True):
        got = call()
        assert got.dtype == expected.dtype
        assert abs(got - expected).max() < 1e-5


def test_specks_rings_and_one_sided_regions(monkeypatch):
    rng = np.random.default_rng(3)
    image = ndimage.gaussian_filter(rng.random((160, 200, 3)), (4, 4, 0)).astype(np.float32)
    image = (image - image.min()) / (image.max() - image.min())
    trimap = np.zeros((160, 200), np.uint8)
    y, x = np.mgrid[:160, :200]
    radius = np.hypot(y - 80, x - 80)
    trimap[radius < 60] = 255
    trimap[abs(radius - 60) < 3] = 128  # a ring
    trimap[abs(radius - 20) < 4] = 128  # in it a region that touches only foreground
    trimap[5:9, 190:] = 128  # only background, at the border
    trimap[150, 20:190:17] = 128  # specks
    together = tm.estimate_alpha(image, trimap, solver="cholesky")
    monkeypatch.setattr(_regions, "_LEAST_UNKNOWN", 1)
    assert len(parts_of(_check.labels(trimap, image.shape), 2)) > 1
    apart = tm.estimate_alpha(image, trimap, solver="cholesky")
    assert abs(apart - together).max() < 1e-6
    assert (apart[abs(radius - 20) < 4] > 1 - 1e-6).all()
    assert (apart[5:9, 190:] < 1e-6).all()


def test_giving_up_is_said_once(eager):
    with pytest.raises(ConvergenceError, match="after 2 iterations") as error:
        tm.estimate_alpha(IMAGE, TRIMAP, solver="cg", max_iterations=2, relative_residual=1e-12)
    assert error.value.alpha.shape == TRIMAP.shape
    assert (error.value.alpha[TRIMAP == 255] == 1).all()


def test_progress_and_stopping(eager):
    seen = []
    tm.estimate_alpha(IMAGE, TRIMAP, solver="multigrid", progress=lambda *status: seen.append(status))
    assert all(0 <= fraction <= 1 for _, fraction in seen)

    def stop(phase, fraction):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        tm.estimate_alpha(IMAGE, TRIMAP, progress=stop)
