import io

import numpy as np
import pytest
from PIL import Image
from tolerances import ALPHA_TOLERANCE

import trimatte as tm


@pytest.fixture(scope="module")
def scene():
    return tm.datasets.hair(120, 160, seed=4)


@pytest.fixture(scope="module")
def strokes(scene):
    """A foreground stroke and a background stroke, six pixels wide."""
    marks = np.full(scene.alpha.shape, 128, np.uint8)
    inside, outside = scene.alpha > 0.999, scene.alpha < 0.001
    marks[60:66, 40:120][inside[60:66, 40:120]] = 255
    marks[4:10][outside[4:10]] = 0
    marks[:, 4:10][outside[:, 4:10]] = 0
    assert (marks == 255).sum() > 100
    assert (marks == 0).sum() > 100
    return marks


def painted(image, marks):
    copy = np.round(image * 255).astype(np.uint8)
    copy[marks == 255] = 255
    copy[marks == 0] = 0
    return copy


def jpeg(pixels, quality):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def test_strokes_of_a_lossless_copy_are_found_exactly(scene, strokes):
    image = np.round(scene.image * 255).astype(np.uint8)
    found = tm.trimap_from_scribbles(image, painted(scene.image, strokes))
    unseen = (strokes != 128) & (found == 128)  # where the picture is as white or black already
    assert ((found == strokes) | unseen).all()
    assert unseen.mean() < 0.01
    floats = tm.trimap_from_scribbles(image / 255, painted(scene.image, strokes))
    assert (floats == found).all()


@pytest.mark.parametrize("quality", [95, 80, 60])
def test_strokes_survive_jpeg(scene, strokes, quality):
    image = np.round(scene.image * 255).astype(np.uint8)
    found = tm.trimap_from_scribbles(image, jpeg(painted(scene.image, strokes), quality))
    assert not ((found == 255) & (strokes == 0)).any()
    assert not ((found == 0) & (strokes == 255)).any()
    marked = found != 128
    assert (marked & (strokes == 128)).sum() < 0.1 * marked.sum()  # a stroke's rim, one pixel
    for kind in (0, 255):
        assert (found[strokes == kind] == kind).mean() > 0.7


def test_noise_of_jpeg_in_a_bright_picture_is_no_stroke():
    rng = np.random.default_rng(0)
    image = np.clip(rng.normal(244, 2, (300, 300, 3)), 0, 255).astype(np.uint8)
    image[100:160, 100:160] = 90
    copy = image.copy()
    copy[120:126, 105:155], copy[20:26, 50:250] = 255, 0
    found = tm.trimap_from_scribbles(image, jpeg(copy, 90))
    assert (found == 255).sum() < 400
    assert (found[120:126, 105:155] == 255).mean() > 0.7
    assert (found[20:26, 50:250] == 0).mean() > 0.7


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_soft_rim_of_a_brush_gets_no_wrong_label(mirrored):
    """The rim of a white stroke on black became lighter, so no black stroke is there."""
    image = np.full((40, 60, 3), 10, np.uint8)
    image[:, :20] = 128
    copy = image.copy()
    copy[10:14, 30:50] = 255
    copy[[9, 14], 30:50] = 30
    copy[:, 2:5] = 0
    if mirrored:
        image, copy = 255 - image, 255 - copy
    found = tm.trimap_from_scribbles(image, copy)
    assert (found[[9, 14], 30:50] == 128).all()
    assert (found[10:14, 30:50] == (0 if mirrored else 255)).all()
    assert (found[:, 2:5] == (255 if mirrored else 0)).all()


def test_a_soft_white_brush_on_a_picture_of_dark_noise():
    """No pixel that an antialiased stroke touches may become the opposite label."""
    rng = np.random.default_rng(3)
    image = rng.integers(0, 60, (80, 120, 3)).astype(np.uint8)
    image[:, :30] += np.uint8(100)
    y, x = np.mgrid[:80, :120]
    cover = np.clip(9.3 - np.hypot(y - 40, x - 80), 0, 1)[..., np.newaxis]
    copy = np.round(image + cover * (255.0 - image)).astype(np.uint8)
    copy[:, 3:9] = 0
    found = tm.trimap_from_scribbles(image, copy)
    assert not (found[:, 60:] == 0).any()
    assert (found[cover[..., 0] == 1] == 255).all()
    assert (found[:, 3:9] == 0).all()


def test_coloured_strokes_are_named():
    image = np.full((40, 60, 3), 128, np.uint8)
    copy = image.copy()
    copy[10:14, 30:50], copy[30:33, 5:55] = (255, 0, 0), (0, 255, 0)
    wanted = r"got none; 230 pixels changed .* near \[0, 255, 0\] of 255: paint white .* trimap_from_strokes"
    with pytest.raises(ValueError, match=wanted):
        tm.trimap_from_scribbles(image, copy)


def test_a_scribbled_picture_is_solved(scene, strokes):
    trimap = tm.trimap_from_scribbles(np.round(scene.image * 255).astype(np.uint8), painted(scene.image, strokes))
    assert (trimap == 128).mean() > 0.8
    alpha, info = tm.solve_alpha(scene.image, trimap, solver="multigrid", method="closed-form")
    assert info.solver == "multigrid"
    direct = tm.estimate_alpha(scene.image, trimap, solver="cholesky", method="closed-form")
    assert abs(alpha - direct).max() < ALPHA_TOLERANCE
    assert abs(alpha - scene.alpha).mean() < 0.3 < abs(0.5 - scene.alpha).mean()


def test_strokes_add_to_a_trimap(scene, strokes):
    image = np.round(scene.image * 255).astype(np.uint8)
    copy = painted(scene.image, strokes)
    found = tm.trimap_from_scribbles(image, copy, trimap=scene.trimap)
    alone = tm.trimap_from_scribbles(image, copy)
    assert (found[scene.trimap != 128] == scene.trimap[scene.trimap != 128]).all()
    added = scene.trimap == 128
    assert (found[added] == alone[added]).all()


def test_masks_of_strokes(strokes):
    found = tm.trimap_from_strokes(strokes == 255, strokes == 0)
    assert (found == strokes).all()
    soft = tm.trimap_from_strokes((strokes == 255) * np.float32(0.7), (strokes == 0) * np.uint8(200))
    assert (soft == strokes).all()


def test_grey_pictures(scene, strokes):
    image = np.round(scene.image[..., 1] * 255).astype(np.uint8)
    copy = np.where(strokes == 128, image, strokes)
    found = tm.trimap_from_scribbles(image, copy)
    assert ((found == strokes) | ((found == 128) & (image == copy))).all()


def test_scribbles_that_say_nothing_or_too_much(scene, strokes):
    image = np.round(scene.image * 255).astype(np.uint8)
    copy = painted(scene.image, strokes)
    with pytest.raises(ValueError, match="scribbled: expected at least one foreground stroke, got none"):
        tm.trimap_from_scribbles(image, image)
    only_white = np.where((strokes == 255)[..., np.newaxis], np.uint8(255), image)
    with pytest.raises(ValueError, match="scribbled: expected at least one background stroke, got none"):
        tm.trimap_from_scribbles(image, only_white)
    with pytest.raises(
        ValueError, match=r"scribbled: expected shape \(120, 160\) to match image, got \(60, 160\)"
    ):
        tm.trimap_from_scribbles(image, copy[:60])
    with pytest.raises(
        ValueError, match=r"scribbled: expected strokes that agree with trimap, got foreground .* at"
    ):
        tm.trimap_from_scribbles(image, copy, trimap=np.where(scene.trimap == 255, 0, scene.trimap))
    with pytest.raises(TypeError, match="scribbled: expected uint8"):
        tm.trimap_from_scribbles(image, copy.astype(int))


def test_strokes_that_overlap(strokes):
    with pytest.raises(
        ValueError, match=r"background: expected no stroke where foreground has one, got one at \(\d"
    ):
        tm.trimap_from_strokes(strokes == 255, strokes >= 128)
    with pytest.raises(ValueError, match=r"background: expected shape \(120, 160\)"):
        tm.trimap_from_strokes(strokes == 255, strokes[:4] == 0)
    with pytest.raises(ValueError, match="foreground, background: expected at least one foreground stroke"):
        tm.trimap_from_strokes(np.zeros(strokes.shape, bool), strokes == 0)
