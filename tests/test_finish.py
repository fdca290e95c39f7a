"""What is done with a finished matte, against slow twins and words."""

import numpy as np
import pytest
from scipy import ndimage

import trimatte as tm


@pytest.fixture(scope="module")
def alpha():
    return tm.datasets.hair(60, 80, seed=2).alpha.astype(np.float32)


DTYPES = [np.uint8, np.uint16, np.float32, np.float64]


def as_dtype(alpha, dtype):
    if np.dtype(dtype).kind == "u":
        return np.rint(alpha * np.iinfo(dtype).max).astype(dtype)
    return alpha.astype(dtype)


def unit(alpha):
    return alpha / np.iinfo(alpha.dtype).max if alpha.dtype.kind == "u" else alpha


@pytest.mark.parametrize("dtype", DTYPES)
def test_levels_stretch_and_keep_the_dtype(alpha, dtype):
    matte = as_dtype(alpha, dtype)
    found = tm.levels(matte, 0.1, 0.8, 2)
    assert found.dtype == dtype
    want = np.sqrt(np.clip((unit(matte).astype(float) - 0.1) / 0.7, 0, 1))
    tolerance = 0.5 / np.iinfo(dtype).max + 1e-9 if np.dtype(dtype).kind == "u" else 1e-6
    np.testing.assert_allclose(unit(found), want, atol=tolerance)
    np.testing.assert_array_equal(tm.levels(matte), matte)


@pytest.mark.parametrize("dtype", DTYPES)
def test_residue_goes_and_edges_keep_every_pixel(dtype):
    alpha = np.zeros((20, 30))
    alpha[:, 20:] = 1
    alpha[:, 17:20] = 0.008, 0.3, 0.99  # an edge and its tails
    alpha[3:6, 3:9] = 0.012  # residue
    alpha[12, 24:28] = 0.99
    alpha[15, 4] = 0.02  # too much to be residue
    found = unit(tm.settle(as_dtype(alpha, dtype)))
    expected = alpha.copy()
    expected[3:6, 3:9], expected[12, 24:28] = 0, 1
    np.testing.assert_array_equal(found, unit(as_dtype(expected, dtype)))
    assert tm.settle(as_dtype(alpha, dtype)).dtype == dtype
    np.testing.assert_array_equal(tm.settle(as_dtype(alpha, dtype), faint=0), as_dtype(alpha, dtype))


def test_best_leaves_little_residue_and_is_nearer_the_truth():
    scene = tm.datasets.hair(600, 800, noise=0.01)
    trimap, truth = scene.trimap, scene.alpha
    left, errors = [], []
    for settle in (False, None):
        alpha = tm.estimate_alpha(scene.image, trimap, method="best", settle=settle)
        steps = np.rint(alpha * 255)
        faint = (truth == 0) & (steps > 0) & (steps <= 3) | (truth == 1) & (steps < 255) & (steps >= 252)
        left.append(np.count_nonzero(faint))
        errors.append([f(alpha, truth, trimap) for f in (tm.metrics.sad, tm.metrics.gradient)])
    assert left[1] < 0.2 * left[0]
    assert errors[1][0] < errors[0][0]
    assert errors[1][1] < 1.002 * errors[0][1]
    box, exact = tm.crop_box(alpha, threshold=0), tm.crop_box(truth, threshold=0)
    assert max(abs(found - true) for found, true in zip(box[:2], exact[:2], strict=True)) <= 2
    plain = tm.estimate_alpha(scene.image, trimap, method="closed-form")
    settled = tm.estimate_alpha(scene.image, trimap, method="closed-form", settle=True)
    np.testing.assert_array_equal(settled, tm.settle(plain))
    assert (settled != plain).any()


def slow_choke(alpha, pixels):
    if pixels < 0:
        return 1 - slow_choke(1 - alpha, -pixels)
    y, x = np.mgrid[: alpha.shape[0], : alpha.shape[1]]
    out = np.empty_like(alpha)
    for place in np.ndindex(alpha.shape):
        weight = np.clip(pixels + 1 - np.hypot(y - place[0], x - place[1]), 0, 1)
        out[place] = np.maximum(alpha, 1 - weight).min()
    return out


@pytest.mark.parametrize("pixels", [0.3, 1, 2.5, 4, -0.5, -3, 100])
def test_choke_against_its_definition(alpha, pixels):
    small = alpha[20:45, 30:60].astype(float)
    np.testing.assert_allclose(tm.choke(small, pixels), slow_choke(small, pixels), atol=1e-12)


@pytest.mark.parametrize("pixels", [0.25, 0.5, 1, 2.75])
def test_choke_moves_an_edge_by_its_number(pixels):
    """The area of a wide bar shrinks by that much on each side."""
    bar = np.clip(np.minimum(np.arange(80) - 9.5, 69.5 - np.arange(80)), 0, 1) * np.ones((9, 1))
    assert tm.choke(bar, pixels).sum(axis=1) == pytest.approx(bar.sum(axis=1) - 2 * pixels, abs=0.3)
    assert tm.choke(bar, -pixels).sum(axis=1) == pytest.approx(bar.sum(axis=1) + 2 * pixels, abs=0.3)


@pytest.mark.parametrize("dtype", DTYPES)
def test_choke_keeps_the_dtype(alpha, dtype):
    matte = as_dtype(alpha, dtype)
    found = tm.choke(matte, 1.5)
    assert found.dtype == dtype
    assert (found <= matte).all()
    np.testing.assert_array_equal(tm.choke(matte, 0), matte)


def test_islands_and_holes_go_with_their_rims():
    matte = np.zeros((30, 40))
    matte[5:25, 5:25] = 1
    matte[12:14, 12:15] = 0
    matte[11, 12:15] = 0.95
    matte[8:10, 32:34], matte[7, 32:34], matte[8, 35] = 0.9, 0.06, 0.01
    found = tm.remove_specks(matte, 10)
    want = np.zeros((30, 40))
    want[5:25, 5:25] = 1
    np.testing.assert_array_equal(found, want)
    np.testing.assert_array_equal(tm.remove_specks(matte, 10, holes=False)[5:25, 5:25], matte[5:25, 5:25])
    np.testing.assert_array_equal(tm.remove_specks(matte, 4, holes=False), matte)
    np.testing.assert_array_equal(tm.remove_specks(matte, 5, holes=False)[:, 30:], 0)


def test_large_parts_keep_every_pixel(alpha):
    found = tm.remove_specks(alpha, 30)
    parts, count = ndimage.label(alpha > 0.1, np.ones((3, 3)))
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    large = (sizes >= 30)[parts] & (parts > 0)
    assert large.any()
    assert (found[large] >= alpha[large]).all()
    assert (found[(sizes < 30)[parts] & (parts > 0)] == 0).all()


@pytest.mark.parametrize("dtype", [*DTYPES, bool])
def test_the_box_of_a_matte(dtype):
    matte = np.zeros((20, 30))
    matte[4:9, 11:25] = 1
    matte[0, 0] = 0.01  # faint residue
    box = tm.crop_box(as_dtype(matte, dtype) if dtype is not bool else matte > 0.5)
    assert box == (11, 4, 25, 9)
    assert (matte[box.rows, box.columns] == 1).all()
    assert tm.crop_box(matte, margin=7) == (4, 0, 30, 16)
    assert tm.crop_box(matte, threshold=0) == (0, 0, 25, 9)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda a: tm.levels(a, 0.5, 0.5),
            ValueError,
            "black, white: expected black below white, got 0.5 and 0.5",
        ),
        (lambda a: tm.levels(a, -1), ValueError, "black: expected a number from 0 to 1, got -1"),
        (lambda a: tm.levels(a, gamma=0), ValueError, "gamma: expected a number from 0.01 to 100, got 0"),
        (lambda a: tm.settle(a, faint=0.6), ValueError, "faint: expected a number from 0 to 0.5, got 0.6"),
        (lambda a: tm.settle(a, edge=0), ValueError, "edge: expected a number above 0, up to 1, got 0"),
        (lambda a: tm.choke(a, 1000), ValueError, "pixels: expected a number from -200 to 200"),
        (lambda a: tm.choke(a * 9, 1), ValueError, r"alpha: expected values in \[0, 1\]"),
        (lambda a: tm.remove_specks(a, -1), ValueError, "area: expected a number from 0"),
        (
            lambda a: tm.remove_specks(a, 1, threshold=0.9),
            ValueError,
            "threshold: expected a number above 0, up to",
        ),
        (lambda a: tm.crop_box(a * 0), ValueError, "alpha: expected some pixel above .* the matte is empty"),
        (lambda a: tm.crop_box(a, margin=-1), ValueError, "margin: expected at least 0, got -1"),
        (lambda a: tm.crop_box(a, threshold=1), ValueError, "threshold: expected a number from 0 to below 1"),
        (lambda a: tm.crop_box(a[..., None, None]), ValueError, r"alpha: expected shape \(H, W\)"),
    ],
)
def test_bad_input(alpha, call, error, message):
    with pytest.raises(error, match=message):
        call(alpha)
