"""Trimming against the plainest comparison of pixels and patches."""

import numpy as np
import pytest
from reference import information_flow

import trimatte as tm


def slow_edges(image, trimap, edge):
    """A pixel takes the label of a known one if their colours differ by at most edge - distance."""
    height, width = trimap.shape
    y, x = np.mgrid[0:height, 0:width]
    colours = image.astype(np.float32).astype(np.float64)
    result = trimap.copy()
    for p in np.argwhere(trimap == 128):
        distance = np.hypot(y - p[0], x - p[1])
        difference = 255 * np.sqrt(np.square(colours - colours[tuple(p)]).sum(axis=2))
        close = (distance <= edge) & (difference <= edge - distance)
        kinds = set(trimap[close].tolist()) - {128}
        if len(kinds) == 1:
            result[tuple(p)] = kinds.pop()
    return result


def patches(image):
    """Mean and covariance of the 3 x 3 pixels around each pixel."""
    height, width = image.shape[:2]
    padded = np.pad(image.astype(np.float32).astype(np.float64), ((1, 1), (1, 1), (0, 0)), mode="edge")
    colours = [padded[dy : dy + height, dx : dx + width] for dy in range(3) for dx in range(3)]
    colours = np.stack(colours, axis=2).reshape(-1, 9, 3)
    mean = colours.mean(axis=1)
    centred = colours - mean[:, None]
    return mean, np.einsum("nki,nkj->nij", centred, centred) / 9 + 1e-5 * np.eye(3)


def bhattacharyya(m, S_m, n, S_n):
    S = (S_m + S_n) / 2
    squared = (m - n) @ np.linalg.solve(S, m - n)
    return squared / 8 + np.log(np.linalg.det(S) / np.sqrt(np.linalg.det(S_m) * np.linalg.det(S_n))) / 2


def slow_patches(image, trimap, alike, unlike, agreement, neighbours=10):
    mean, covariance = patches(image)
    labels = np.select([trimap == 0, trimap == 255], [0, 1], 2).astype(np.uint8)
    share, _ = information_flow.known_to_unknown(image, labels)
    result = trimap.ravel().copy()
    kinds = {kind: np.flatnonzero(trimap == kind) for kind in (0, 255)}
    for p in np.flatnonzero(trimap == 128):
        least = {}
        for kind, among in kinds.items():
            near = among[np.argsort(np.square(mean[among] - mean[p]).sum(axis=1), kind="stable")[:neighbours]]
            least[kind] = min(bhattacharyya(mean[p], covariance[p], mean[q], covariance[q]) for q in near)
        for kind, other in ((0, 255), (255, 0)):
            says_so = abs(share.ravel()[p] - kind / 255) <= agreement
            if least[kind] < alike and least[other] > unlike and says_so:
                result[p] = kind
    return result.reshape(trimap.shape)


@pytest.fixture(scope="module")
def picture():
    scene = tm.datasets.hair(36, 44, noise=0.01, seed=3)
    return np.round(scene.image * 255) / 255, scene.trimap


@pytest.mark.parametrize("edge", [1, 4.5, 20, 60])
def test_edges_equal_the_slow_twin(picture, edge):
    image, trimap = picture
    trimmed = tm.trim_trimap(image, trimap, edge=edge, patches=0)
    assert (trimmed == slow_edges(image, trimap, edge)).all()
    assert edge == 1 or (trimmed != trimap).any()


@pytest.mark.parametrize(("alike", "unlike", "agreement"), [(0.25, 0.5, 0.1), (0.25, 0.9, 1), (2, 2.5, 0.4)])
def test_patches_equal_the_slow_twin(picture, alike, unlike, agreement):
    image, trimap = picture
    trimmed = tm.trim_trimap(image, trimap, edge=0, patches=alike, contrast=unlike, agreement=agreement)
    assert (trimmed == slow_patches(image, trimap, alike, unlike, agreement)).all()
    assert (trimmed != trimap).any()


def test_both_steps_follow_one_another(picture):
    image, trimap = picture
    expected = slow_patches(image, slow_edges(image, trimap, 8), 0.25, 0.5, 0.1)
    assert (tm.trim_trimap(image, trimap) == expected).all()


def test_known_pixels_stay_and_nothing_may_be_done(picture):
    image, trimap = picture
    trimmed = tm.trim_trimap(image, trimap)
    assert (trimmed[trimap != 128] == trimap[trimap != 128]).all()
    assert (tm.trim_trimap(image, trimap, edge=0, patches=0) == trimap).all()
    known = np.where(trimap == 128, 0, trimap)
    assert (tm.trim_trimap(image, known) == known).all()


@pytest.mark.parametrize("threads", [2, 7])
def test_same_labels_for_any_number_of_threads(threads):
    scene = tm.datasets.hair(120, 160, noise=0.01)
    one, many = (tm.trim_trimap(scene.image, scene.trimap, threads=n) for n in (1, threads))
    assert (one == many).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_any_dtype_and_grey(picture, dtype):
    image, trimap = picture
    top = {np.uint8: 255, np.uint16: 65535}.get(dtype, 1)
    image = np.asarray(np.round(image * 255) / 255 * top, dtype)
    assert (tm.trim_trimap(image, trimap) == tm.trim_trimap(picture[0], trimap)).mean() > 0.999
    grey = tm.trim_trimap(image[..., 0], trimap)
    assert (grey == tm.trim_trimap(np.repeat(image[..., :1], 3, axis=2), trimap)).all()


@pytest.mark.parametrize("known", [(), (255,), (0,)])
def test_little_that_is_known(picture, known):
    image, trimap = picture
    trimap = np.where(np.isin(trimap, known), trimap, 128).astype(np.uint8)
    trimmed = tm.trim_trimap(image, trimap)
    assert set(np.unique(trimmed)) <= {128, *known}


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 2), (9, 1)])
def test_tiny_pictures(shape):
    trimap = np.full(shape, 128, np.uint8)
    trimap[0, 0] = 255
    trimmed = tm.trim_trimap(np.full((*shape, 3), 0.5), trimap)
    assert trimmed.shape == shape
    assert (tm.trim_trimap(np.full((*shape, 3), 0.5), trimap, edge=0) == trimap).all()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"edge": -1}, ValueError, "edge: expected a number from 0 to 100, got -1"),
        ({"edge": "x"}, TypeError, "edge: expected a number, got str"),
        ({"patches": np.nan}, ValueError, "patches: expected a finite number, got nan"),
        ({"contrast": -1}, ValueError, "contrast: expected a number from 0"),
        ({"agreement": 2}, ValueError, "agreement: expected a number from 0 to 1, got 2"),
        ({"threads": 0}, ValueError, "threads: expected"),
    ],
)
def test_nonsense_is_refused(picture, options, error, message):
    with pytest.raises(error, match=message):
        tm.trim_trimap(*picture, **options)


def test_shapes_must_match(picture):
    with pytest.raises(ValueError, match="trimap: expected shape"):
        tm.trim_trimap(picture[0], picture[1][1:])
