"""PyMatting's helpers for arrays, pictures and sparse matrices on trimatte."""

import numpy as np
import pytest
import scipy.sparse
from PIL import Image

import trimatte.pymatting as pymatting


def test_trimaps():
    trimap = np.array([[0, 0.05, 0.1, 0.5, 0.9, 1]])
    is_fg, is_bg, is_known, is_unknown = pymatting.trimap_split(trimap)
    assert is_fg.tolist() == [False] * 4 + [True] * 2
    assert is_bg.tolist() == [True] * 3 + [False] * 3
    assert (is_known == (is_fg | is_bg)).all()
    assert (is_unknown == ~is_known).all()
    assert pymatting.trimap_split(trimap, flatten=False)[0].shape == (1, 6)
    assert pymatting.fix_trimap(np.array([0, 0.1, 0.4, 0.9, 1]), 0.2, 0.8).tolist() == [0, 0, 0.5, 1, 1]
    for thresholds, wanted in (
        ((-1, 0.5), "Invalid lower threshold"),
        ((0.1, 2), "Invalid upper threshold"),
        ((0.9, 0.1), "Lower threshold must be smaller than upper threshold"),
    ):
        with pytest.raises(ValueError, match=wanted):
            pymatting.fix_trimap(trimap, *thresholds)


def test_pictures(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (10, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "rgb.png")
    image = pymatting.load_image(tmp_path / "rgb.png")
    assert image.dtype == np.float64
    assert (image == pixels / 255).all()
    assert pymatting.load_image(tmp_path / "rgb.png", "gray").shape == (10, 16)
    for size in (0.5, (8, 5)):
        for resample in ("none", "nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"):
            assert pymatting.load_image(tmp_path / "rgb.png", "RGB", size, resample).shape == (5, 8, 3)
    deep = pixels[..., 0].astype(np.uint16) * 257
    Image.fromarray(deep).save(tmp_path / "deep.png")
    for mode in (None, "GRAY"):
        assert abs(pymatting.load_image(tmp_path / "deep.png", mode) - deep / 65535).max() < 3e-3
    Image.fromarray(pixels[..., 0] > 100).save(tmp_path / "bits.png")
    assert set(np.unique(pymatting.load_image(tmp_path / "bits.png"))) == {0, 1}
    pymatting.save_image(tmp_path / "saved.png", np.full((2, 3, 1), 0.9999))
    assert np.asarray(Image.open(tmp_path / "saved.png")).tolist() == [[254] * 3] * 2
    with pytest.raises(TypeError, match="expected floating point"):
        pymatting.save_image(tmp_path / "saved.png", np.ones((2, 2), int))


def test_files_keep_the_orientation_in_which_they_are_stored(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((4, 9, 3), np.uint8)).save(tmp_path / "turned.jpg", exif=exif)
    assert pymatting.load_image(tmp_path / "turned.jpg").shape == (4, 9, 3)


def test_grids_of_images():
    grey, colour, clear = np.full((2, 3), 0.3), np.ones((4, 3, 3)), np.ones((1, 1, 4))
    grid = pymatting.make_grid([grey, colour, clear])
    assert grid.shape == (8, 6, 4)
    assert grid[0, 0].tolist() == [0.3, 0.3, 0.3, 1]
    assert grid[3, 0].tolist() == [0] * 4
    assert pymatting.make_grid([grey] * 5).shape == (4, 9)
    assert pymatting.make_grid([grey] * 5, ny=1).shape == (2, 15)
    assert pymatting.make_grid([]) is None


def test_arrays():
    a = np.arange(12.0).reshape(3, 4)
    assert pymatting.vec_vec_dot(a, a).tolist() == [14, 126, 366]
    assert pymatting.vec_vec_outer(a, a).shape == (3, 4, 4)
    assert pymatting.mat_vec_dot(np.ones((5, 2, 3)), np.ones((5, 3))).tolist() == [[3, 3]] * 5
    assert pymatting.div_round_up(7, 3) == 3
    assert pymatting.isiterable([]) is True
    assert pymatting.isiterable(3) is False
    x, y = pymatting.grid_coordinates(3, 2, flatten=True)
    assert x.tolist() == [0, 1, 2] * 2
    assert y.tolist() == [0] * 3 + [1] * 3
    assert pymatting.normalize([0, 1, 3, 10]).tolist() == [0, 0.1, 0.3, 1]
    assert pymatting.row_sum(scipy.sparse.csr_matrix(a)).tolist() == [6, 22, 38]
    rows = pymatting.normalize_rows(np.array([[1.0, 1], [1, 2], [0, 0]]), threshold=2.5)
    assert rows[0].tolist() == [1, 1]
    assert rows[1].sum() == 1
    assert rows[2].tolist() == [0, 0]
    doubled = pymatting.apply_to_channels(lambda plane, factor: plane * factor)
    assert (doubled(np.ones((2, 3, 4, 5)), 2) == 2).all()
    assert doubled(np.ones((2, 3)), 2).shape == (2, 3)
    assert pymatting.blend(np.ones((1, 1, 3)), np.zeros(3), np.array([[0.25]])).tolist() == [[[0.25] * 3]]


def test_windows_and_distances():
    src = np.random.default_rng(0).random((9, 11, 2))
    for mode, grow in (("valid", -2), ("same", 0), ("full", 2)):
        sums = pymatting.boxfilter(src, 2, mode)
        padded = np.pad(src, [(grow + 2,) * 2, (grow + 2,) * 2, (0, 0)])
        windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5), axis=(0, 1))
        assert abs(sums - windows.sum(axis=(-1, -2))).max() < 1e-12
    with pytest.raises(ValueError, match="mode: expected"):
        pymatting.boxfilter(src, 2, "half")
    mask = np.ones((3, 4))
    mask[0, 0] = 0
    y, x = np.mgrid[:3, :4]
    assert abs(pymatting.distance_transform(mask) - np.hypot(x, y)).max() < 1e-12
    assert np.isinf(pymatting.distance_transform(np.ones((2, 2)))).all()


def test_nearest_neighbours():
    points = np.random.default_rng(0).random((60, 3)).astype(np.float32)
    distances, indices = pymatting.knn(points, points[:7], k=4)
    apart = np.linalg.norm(points[:7, np.newaxis] - points, axis=2)
    assert (indices == np.argsort(apart, axis=1)[:, :4]).all()
    assert abs(distances - np.sort(apart, axis=1)[:, :4]).max() < 1e-6
    assert pymatting.KDTree(points, min_leaf_size=3).query(points, k=1)[1].shape == (60, 1)
    with pytest.raises(ValueError, match="less than the number of neighbors requested"):
        pymatting.knn(points[:3], points, k=5)
    with pytest.raises(ValueError, match="expected finite values"):
        pymatting.KDTree(points * np.nan)


def test_correlation_as_a_matrix():
    rng = np.random.default_rng(0)
    plane, kernel = rng.random((5, 6)), rng.random((3, 3))
    padded = np.pad(plane, 1, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    expected = (windows * kernel).sum(axis=(2, 3))
    assert abs(pymatting.sparse_conv_matrix(6, 5, kernel) @ plane.ravel() - expected.ravel()).max() < 1e-12
    right = pymatting.sparse_conv_matrix_with_offsets(3, 2, [1.0, -2.0], [0, 1], [0, 0]).toarray()
    assert right[0].tolist() == [1, -2, 0, 0, 0, 0]
    assert right[2].tolist() == [0, 0, -1, 0, 0, 0]


def test_two_colours():
    foreground, background = np.array([1.0, 0.2, 0]), np.array([0, 0.1, 1.0])
    image = np.stack([foreground, background, (foreground + background) / 2])[np.newaxis]
    cut = pymatting.remove_background_bicolor(image, foreground, background)
    assert np.allclose(cut[0, :, 3], [1, 0, 0.5])
    assert np.allclose(cut[0, 0, :3], foreground)
    assert np.allclose(cut[0, 2, :3], foreground)


def test_timer(capsys):
    timer = pymatting.Timer()
    assert timer.stop() >= 0
    timer.stop("Time")
    assert capsys.readouterr().out.startswith("Time - ")
