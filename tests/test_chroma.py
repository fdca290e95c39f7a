"""Chroma of half resolution: found in the picture, and sharpened by luma."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import distance_transform_edt

import trimatte as tm
from trimatte import _chroma
from trimatte._pipeline import Item, Run, Trimap, matte

DARK, WARM = (30, 30, 30), (240, 200, 90)


def jpeg(pixels, quality=90, subsampling="4:2:0"):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(file))


def eight_bits(image):
    return np.rint(image * 255).astype(np.uint8)


@pytest.fixture(scope="module")
def hair():
    return tm.datasets.hair(150, 200, noise=0.01)


@pytest.fixture(scope="module")
def discs():
    """Antialiased discs, and a band of 8 pixels around their edges."""
    fine, size = 8, 160
    y, x = (np.mgrid[: size * fine, : size * fine] + 0.5) / fine
    inside = np.zeros(y.shape, bool)
    for cy, cx, radius in ((50.3, 46.7, 30.2), (45.1, 115.4, 24.6), (115.2, 48.9, 20.3), (112.6, 112.2, 33.1)):
        inside |= np.hypot(y - cy, x - cx) < radius
    alpha = inside.reshape(size, fine, size, fine).mean((1, 3))
    distance = np.where(alpha >= 0.5, distance_transform_edt(alpha >= 0.5), distance_transform_edt(alpha < 0.5))
    trimap = np.where(distance <= 4, 128, np.where(alpha >= 0.5, 255, 0)).astype(np.uint8)
    return alpha, trimap


def width(alpha, truth):
    """The width of the soft edge in pixels; that of the truth is about 0.95."""
    soft = [np.count_nonzero((a > 0.05) & (a < 0.95)) for a in (alpha, truth)]
    return 0.95 * soft[0] / soft[1]


@pytest.mark.parametrize("quality", [95, 85])
def test_edges_of_flat_colours_are_narrow_after_jpeg(discs, quality):
    truth, trimap = discs
    image = jpeg(np.rint(truth[..., np.newaxis] * np.subtract(DARK, WARM) + WARM).astype(np.uint8), quality)
    blurred = tm.estimate_alpha(image, trimap)
    assert width(blurred, truth) > 1.55
    sharp, info = tm.solve_alpha(image, trimap, chroma="auto")
    assert info.chroma == "half"
    assert width(sharp, truth) < 1.3
    assert abs(sharp - truth).sum() < 0.5 * abs(blurred - truth).sum()


@pytest.mark.parametrize("scene", [tm.datasets.hair(150, 200, noise=0.01), tm.datasets.dandelion(200, 200)])
def test_hair_and_seeds_lose_nothing(scene):
    image, unknown = jpeg(eight_bits(scene.image)), scene.trimap == 128
    before, after = (
        abs(tm.estimate_alpha(image, scene.trimap, chroma=kind) - scene.alpha)[unknown].sum()
        for kind in ("full", "auto")
    )
    assert after < before


@pytest.mark.parametrize(
    ("subsampling", "pairing"), [("4:4:4", (None, None)), ("4:2:2", (None, 0)), ("4:2:0", (0, 0))]
)
@pytest.mark.parametrize("quality", [50, 75, 95])
def test_the_picture_tells_its_subsampling(hair, subsampling, pairing, quality):
    assert _chroma.pairing_of(jpeg(eight_bits(hair.image), quality, subsampling)) == pairing


def test_pairs_may_begin_anywhere_and_depth_does_not_matter(hair):
    image = jpeg(eight_bits(hair.image))
    assert _chroma.pairing_of(image[1:, 2:]) == (1, 0)
    assert _chroma.pairing_of(image[2:, 1:].transpose(1, 0, 2)) == (1, 0)
    assert _chroma.pairing_of(image / np.float32(255)) == (0, 0)
    assert _chroma.pairing_of(image.astype(np.uint16) * 257) == (0, 0)


def sharp_pictures():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (120, 160, 3), np.uint8)
    checks = np.indices((120, 160)).sum(0) % 2
    flat = np.zeros((120, 160, 3), np.uint8)
    flat[:] = 90, 200, 40
    drawing = flat.copy()
    drawing[30:80, 41:121] = 200, 30, 60
    small = Image.fromarray(rng.integers(0, 256, (60, 80, 3), np.uint8))
    return {
        "noise": noise,
        "mild noise": (128 + noise // 32).astype(np.uint8),
        "checks": np.where(checks[..., np.newaxis], [255, 0, 0], [0, 80, 255]).astype(np.uint8),
        "flat": flat,
        "drawing": drawing,
        "enlarged": np.asarray(small.resize((160, 120), Image.Resampling.BILINEAR)),
        "repeated": noise[:60, :80].repeat(2, 0).repeat(2, 1),
        "grey": noise[..., :1].repeat(3, 2),
        "tiny": noise[:5, :7],
    }


@pytest.mark.parametrize("name", sharp_pictures())
def test_no_false_alarm(name):
    image = sharp_pictures()[name]
    assert _chroma.pairing_of(image).is_full
    labels = np.full(image.shape[:2], 2, np.uint8)
    assert _chroma.sharpened(image, labels, "auto") is image


def test_scenes_are_sharp():
    for scene in (tm.datasets.hair(100, 120), tm.datasets.net(100, 120), tm.datasets.glass(100, 120)):
        assert _chroma.pairing_of(eight_bits(scene.image)).is_full


def test_samples_are_found_exactly():
    samples = np.random.default_rng(1).normal(0, 30, (20, 24)).astype(np.float32)
    for phase in (0, 1):
        plane = _chroma._doubled(_chroma._doubled(samples, 0, phase, 39), 1, phase, 46)
        again = _chroma._halved(_chroma._halved(plane, 0, phase), 1, phase)
        np.testing.assert_allclose(
            again[2:-2, 2:-2], samples[2 : len(again) - 2, 2 : again.shape[1] - 2], atol=1e-4
        )


def test_luma_stays_and_far_pixels_too(hair):
    image = jpeg(eight_bits(hair.image))
    labels = np.ones(image.shape[:2], np.uint8)
    labels[40:50, 150:160] = 2
    sharp = _chroma.sharpened(image, labels, "auto")
    assert sharp.dtype == np.float32
    assert (sharp[:, :110] == image[:, :110] / np.float32(255)).all()
    inside = ((image > 40) & (image < 215)).all(axis=2)
    luma = abs(sharp * 255 - image)[inside] @ [0.299, 0.587, 0.114]
    signed = (sharp * 255 - image)[inside] @ [0.299, 0.587, 0.114]
    assert abs(signed).max() < 0.05
    assert luma.max() > 3


def test_bands_leave_no_seam(hair, monkeypatch):
    image = jpeg(eight_bits(hair.image))
    labels = np.full(image.shape[:2], 2, np.uint8)
    whole = _chroma.sharpened(image, labels, "auto")
    monkeypatch.setattr(_chroma, "_BAND", 26)
    np.testing.assert_allclose(_chroma.sharpened(image, labels, "auto"), whole, rtol=0, atol=1e-5)


def test_who_looks(hair):
    image = jpeg(eight_bits(hair.image))
    plain = tm.solve_alpha(image, hair.trimap)
    assert plain.info.chroma == "full"
    assert (plain.alpha == tm.estimate_alpha(image, hair.trimap, chroma="full")).all()
    assert tm.solve_alpha(image, hair.trimap, method="best").info.chroma == "half"
    assert tm.solve_alpha(image, hair.trimap, method="best", chroma="full").info.chroma == "full"
    forced = tm.solve_alpha(eight_bits(hair.image), hair.trimap, chroma="half")
    assert forced.info.chroma == "half"
    assert tm.solve_alpha(image[..., 0], hair.trimap, chroma="half").info.chroma == "full"
    linear = tm.solve_alpha(image, hair.trimap, chroma="half", colour_space="linear")
    assert linear.info.chroma == "full"
    assert tm.estimate_alpha(image / 255, hair.trimap, chroma="auto").dtype == np.float64
    with pytest.raises(ValueError, match="chroma: expected one of auto, full, half, got '4:2:0'"):
        tm.estimate_alpha(image, hair.trimap, chroma="4:2:0")


def over_white(truth, image, trimap, chroma):
    alpha = tm.estimate_alpha(image, trimap, chroma="auto")
    layers = tm.estimate_foreground(image, alpha, chroma=chroma)
    return abs(tm.composite(layers.foreground, alpha, (1.0, 1, 1)) - truth)[trimap == 128].mean()


def test_the_colours_of_a_cutout_are_sharpened_too(discs, tmp_path):
    """A sharp edge with blurred colours would show the old background in a ring."""
    alpha, trimap = discs
    front, back = np.array([200, 60, 40]), np.array([120, 200, 235])
    image = jpeg(np.rint(alpha[..., np.newaxis] * (front - back) + back).astype(np.uint8), 85)
    truth = alpha[..., np.newaxis] * (front / 255) + 1 - alpha[..., np.newaxis]
    assert over_white(truth, image, trimap, "auto") < 0.7 * over_white(truth, image, trimap, "full")

    Image.fromarray(trimap).save(tmp_path / "trimap.png")
    Image.fromarray(image).save(tmp_path / "photo.png")
    guide = Trimap(str(tmp_path / "trimap.png"), options={"chroma": "auto"})
    matte(Item(str(tmp_path / "photo.png"), guide, {"foreground": str(tmp_path / "f.png")}), Run())
    found = tm.estimate_foreground(image, tm.estimate_alpha(image, trimap, chroma="auto"), chroma="auto")
    written = tm.io.load_image(tmp_path / "f.png")
    assert abs(written / 255 - found.foreground).max() < 0.6 / 255
