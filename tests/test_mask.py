import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_dilation, distance_transform_edt, gaussian_filter

import trimatte as tm
from trimatte import priors
from trimatte.errors import TrimatteWarning
from trimatte.mask._trust import trust_factor


@pytest.fixture(scope="module")
def scene():
    return tm.datasets.hair(200, 240, seed=1)


def coarse(alpha, factor):
    """What a network gives: alpha at a fraction of the size, enlarged."""
    height, width = alpha.shape
    small = Image.fromarray(alpha.astype(np.float32)).resize(
        (width // factor, height // factor), Image.Resampling.BOX
    )
    return np.clip(np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)), 0, 1)


def error(scene, alpha):
    return abs(alpha - scene.alpha).mean()


def test_the_trimap_is_unknown_along_the_edge_and_where_the_mask_doubts(scene):
    mask = scene.alpha.copy()
    mask[20:30, 100:120] = 0.4  # doubt away from the edge
    trimap = tm.trimap_from_soft_mask(mask, band=10)
    inside, doubt = mask >= 0.5, (mask > 0.04) & (mask < 0.98)
    to_edge = np.where(inside, distance_transform_edt(inside), distance_transform_edt(~inside))
    expected = (to_edge <= 10) | (distance_transform_edt(~doubt) <= 6)
    assert ((trimap == 128) == expected).mean() > 0.999  # but for the cores of thin parts
    known = trimap != 128
    assert (trimap[known] == np.where(inside, 255, 0)[known]).all()


def test_small_parts_and_holes_keep_their_cores():
    """Beside a large part, which alone would stop the band from being made narrower."""
    mask = np.zeros((200, 200), bool)
    mask[20:120, 20:180] = True
    mask[50:58, 60:68] = False
    mask[150:156, 60:66] = True
    trimap = tm.trimap_from_soft_mask(mask, band=8)
    assert (trimap[150:156, 60:66] == 255).any()
    assert (trimap[50:58, 60:68] == 0).any()
    assert (trimap[20:28, 30] == 128).all()


def test_a_region_of_mild_doubt_is_no_hole():
    """A dark nose, whose colour the background has: the mask is 0.8 there and 1 around it."""
    mask = np.zeros((120, 120), np.float32)
    mask[20:100, 20:100] = 1
    mask[50:60, 50:60] = 0.8
    image = np.where(mask[..., np.newaxis] == 1, np.float32([0.8, 0.6, 0.3]), np.float32([0.1, 0.1, 0.1]))
    assert (tm.trimap_from_soft_mask(mask)[50:60, 50:60] == 255).all()
    assert tm.matte_from_mask(image, mask)[50:60, 50:60].min() == 1
    mask[50:60, 50:60] = 0.4
    assert (tm.trimap_from_soft_mask(mask)[50:60, 50:60] == 128).all()


def test_the_band_follows_the_masks_own_softness_and_the_picture(scene):
    hard = scene.alpha > 0.5
    soft = gaussian_filter(hard.astype(np.float32), 6).clip(0, 1)
    band = [(tm.trimap_from_soft_mask(m) == 128).mean() for m in (hard, soft)]
    assert band[1] > 2 * band[0]
    enlarged = [np.kron(hard, np.ones((k, k), bool)) for k in (2, 4)]
    band = [(tm.trimap_from_soft_mask(m) == 128).mean() for m in enlarged]
    assert band[1] == pytest.approx(band[0], rel=0.2)


def test_thin_things_keep_some_foreground():
    mask = np.zeros((100, 100), bool)
    mask[:, 49:52] = True
    trimap = tm.trimap_from_soft_mask(mask, band=10)
    assert (trimap == 255).any()
    assert (trimap[:, :38] == 0).all()
    wire = np.zeros((100, 100), bool)
    wire[:, 50] = True
    assert not (tm.trimap_from_soft_mask(wire, band=10) == 255).any()
    image = np.full((100, 100, 3), 0.2)
    image[:, 50] = 0.9
    alpha = tm.matte_from_mask(image, wire, band=10)
    assert alpha[:, 50].mean() > 0.5
    assert alpha[:, :40].max() == 0


def test_small_things_are_found_with_a_narrower_band():
    mask = np.zeros((400, 400), np.float32)
    mask[197:203, 197:203], mask[198:202, 198:202] = 0.6, 1
    assert (tm.trimap_from_soft_mask(mask, band=10) == 255).any()


def test_a_mask_that_is_mostly_doubt():
    mask = np.tile(np.linspace(0.2, 0.8, 300, dtype=np.float32), (300, 1))
    assert (tm.trimap_from_soft_mask(mask) == 128).all()
    mask[:, :140], mask[:, 160:] = 0, 1
    trimap = tm.trimap_from_soft_mask(mask)
    assert (trimap == 255).any()
    assert (trimap == 0).any()


@pytest.mark.parametrize("factor", [4, 8])
def test_refined_is_better_than_the_mask(scene, factor):
    mask = coarse(scene.alpha, factor)
    refined = tm.matte_from_mask(scene.image, mask)
    plain = tm.matte_from_mask(scene.image, mask, learn=False)
    assert error(scene, refined) < 0.6 * error(scene, mask)
    assert error(scene, plain) < 0.8 * error(scene, mask)
    eight_bits = tm.matte_from_mask(scene.image, np.round(mask * 255).astype(np.uint8))
    assert abs(eight_bits - refined).mean() < 0.005
    assert refined.dtype == np.float32
    assert tm.matte_from_mask(scene.image.astype(np.float64), mask).dtype == np.float64


def test_it_is_the_three_steps(scene):
    """The learnt colours count by the square of known to unknown pixels, the mask by its inverse."""
    mask = coarse(scene.alpha, 6)
    trimap = tm.trimap_from_soft_mask(mask)
    known, unknown = min((trimap == 255).sum(), (trimap == 0).sum()), (trimap == 128).sum()
    share = min(1.0, known / unknown)
    learnt = priors.Robust(weight=1e-1 * share**2, seed=3), priors.Fusion(weight=2e-2 * share**2, seed=3)
    held = priors.SoftMask(mask, weight=2e-5 / share**2)
    expected = tm.estimate_alpha(scene.image, trimap, prior=priors.Combined(*learnt, held))
    expected = tm.levels(expected, 0.04, 0.96)
    assert (tm.matte_from_mask(scene.image, mask, seed=3) == expected).all()


def test_the_band_follows_strands_out_of_a_hard_mask():
    """At most a tenth of the alpha outside the mask may be lost; without following it was 27 %."""
    scene = tm.datasets.hair(600, 800, noise=0.01)
    mask = scene.alpha > 0.5
    alpha = tm.matte_from_mask(scene.image, mask)
    outside = scene.alpha[~mask]
    lost = outside[alpha[~mask] < 1 / 255].sum() / outside.sum()
    assert lost <= 0.1
    assert abs(alpha - scene.alpha).sum() < 3544


def test_a_hard_mask_that_is_right_is_made_no_worse():
    """Ropes thinner than the band, whose dark stripes colours alone take for background."""
    scene = tm.datasets.net(300, 400, noise=0.01)
    mask = scene.alpha > 0.5
    assert error(scene, tm.matte_from_mask(scene.image, mask)) < 0.9 * error(scene, mask)


@pytest.mark.parametrize("radius", [-2, 0, 2])
def test_a_hard_mask_is_trusted_where_the_picture_confirms_its_edge(radius):
    """A disc; the mask is too small by 2 pixels, right, or too large by 2 pixels."""
    distance = np.hypot(*np.mgrid[-100:100, -100:100])
    alpha = np.clip(60.5 - distance, 0, 1).astype(np.float32)
    mask = (distance <= 60 + radius).astype(np.float32)
    factor = trust_factor(mask, alpha)
    beside = abs(distance - 60 - radius)
    assert (factor[(beside > 2) & (beside < 6)] == (50 if radius == 0 else 1)).all()
    assert (factor[beside < 0.5] == 1).all()


def test_blocks_of_an_enlarged_mask_are_no_edge(scene):
    """A hard mask of an eighth of the size, enlarged by repetition, gets the band of its blocks."""
    small = coarse(scene.alpha, 8)[4::8, 4::8] > 0.5
    blocks = np.kron(small, np.ones((8, 8), bool))
    assert (tm.trimap_from_soft_mask(blocks) == 128).mean() > 1.5 * (
        tm.trimap_from_soft_mask(scene.alpha > 0.5) == 128
    ).mean()
    assert error(scene, tm.matte_from_mask(scene.image, blocks)) < 0.7 * error(scene, blocks)
    rectangle = np.zeros((200, 240), bool)
    rectangle[40:160, 40:200] = True
    band = tm.trimap_from_soft_mask(rectangle) == 128
    assert (band.sum(axis=0)[100], band.sum(axis=1)[100]) == (16, 16)


def test_combined_priors_are_the_sum_of_their_terms(scene):
    first, second = (
        priors.PreviousFrame(np.full(scene.alpha.shape, a), weight=w) for a, w in ((0.2, 3), (0.8, 1))
    )
    guess = priors.Combined(first, second).estimate(scene.image, scene.trimap)
    unknown = scene.trimap == 128
    assert guess.alpha[unknown] == pytest.approx(0.35)
    assert guess.confidence[unknown] == pytest.approx(4)
    nothing = priors.Combined(priors.SoftMask(scene.alpha, weight=0)).estimate(scene.image, scene.trimap)
    assert (nothing.alpha[~unknown] == scene.trimap[~unknown] / 255).all()
    assert np.isfinite(nothing.alpha).all()
    with pytest.raises(TypeError, match=r"parts: expected objects of trimatte.priors only, got ndarray"):
        priors.Combined(scene.alpha)
    with pytest.raises(TypeError, match=r"parts: expected objects of trimatte.priors only, got str"):
        priors.Combined("sampling")
    with pytest.raises(TypeError, match="parts: expected at least one Prior, got none"):
        priors.Combined()


def test_a_mask_wider_than_its_edge_is_pulled_in(scene):
    """A network that takes some background with the foreground."""
    mask = binary_dilation(scene.alpha > 0.5, iterations=4)
    assert error(scene, tm.matte_from_mask(scene.image, mask, band=12)) < 0.6 * error(scene, mask)


@pytest.mark.parametrize(
    ("mask", "options", "kind", "message"),
    [
        (np.full((200, 240), 0.4), {}, ValueError, "mask: expected some foreground .*got none"),
        (np.full((200, 240), 0.6), {}, ValueError, "mask: expected some background .*got none"),
        (np.full((200, 240), np.nan), {}, ValueError, r"mask: expected values in \[0, 1\], got nan"),
        (np.full((200, 240), 7.0), {}, ValueError, r"mask: expected values in \[0, 1\], got 7"),
        (
            np.zeros((100, 240)),
            {},
            ValueError,
            r"mask: expected 240 x 200 pixels .* same aspect, got 240 x 100; a mask that shows",
        ),
        (np.zeros((240, 200)), {}, ValueError, r"mask: .*, got 200 x 240; is the mask or the image turned by 90"),
        (np.zeros((200, 240), int), {}, TypeError, "mask: expected uint8"),
        (
            np.eye(200, 240, dtype=np.uint8) * np.uint8(2),
            {},
            ValueError,
            "mask: .* labels up to 2; pass mask == 1",
        ),
        (np.eye(200, 240, dtype=np.uint8) * np.uint8(150), {}, ValueError, "mask: .* only 0 and 150, .* mask > 0"),
        (None, {"band": -1}, ValueError, "band: expected a number from 0"),
        (None, {"band": "wide"}, TypeError, "band: expected a number"),
        (None, {"threshold": 0}, ValueError, "threshold: expected a number between 0 and 1"),
        (None, {"mask_weight": -1}, ValueError, "^mask_weight: expected a number from 0"),
        (None, {"learn": "no"}, TypeError, "learn: expected True or False, got str"),
        (
            None,
            {"prior": "sampling"},
            TypeError,
            "prior: matte_from_mask has none, .* expected options of .*, solver",
        ),
        (None, {"method": "best"}, TypeError, "method: matte_from_mask has none"),
        (None, {"confidence": 1.0}, TypeError, "confidence: matte_from_mask has none"),
        (None, {"background_threshold": 0.6}, TypeError, "background_threshold: matte_from_mask has none"),
    ],
)
def test_masks_of_no_use(scene, mask, options, kind, message):
    with pytest.raises(kind, match=message):
        tm.matte_from_mask(scene.image, scene.alpha if mask is None else mask, **options)


def test_a_thin_part_of_a_colour_of_its_own_stays():
    """A blue disc on a red pole no wider than the band: no known pixel is red."""
    y, x = np.mgrid[:200, :160]
    pole = (abs(x - 80) < 4) & (y > 90)
    disc = np.hypot(x - 80, y - 55) < 40
    image = np.full((200, 160, 3), 0.35)
    image[pole], image[disc] = (0.8, 0.15, 0.15), (0.15, 0.25, 0.8)
    image += np.random.default_rng(0).normal(0, 0.008, image.shape)
    alpha = tm.matte_from_mask(image, disc | pole)
    assert alpha[110:, 77:84].mean() > 0.9


@pytest.mark.parametrize(("value", "kind"), [(0, "background"), (255, "foreground")])
def test_a_mask_without_edges_is_a_matte_without_edges(scene, value, kind):
    """A frame without its subject has a black mask, and gets a black matte, as with a black trimap."""
    mask = np.full(scene.alpha.shape, value, np.uint8)
    mask[3, 4:6] ^= np.array([9, 5], np.uint8)  # noise of JPEG
    with pytest.warns(TrimatteWarning, match=f"all are {kind}"):
        alpha = tm.matte_from_mask(scene.image, mask)
    assert (alpha == value / 255).all()


def test_a_mask_of_another_size_is_scaled(scene):
    """A quarter of the size, or three times it, of the same aspect up to a pixel."""
    for height, width in ((50, 60), (67, 80), (600, 720)):
        small = np.asarray(Image.fromarray(scene.alpha.astype(np.float32)).resize((width, height)))
        with pytest.warns(TrimatteWarning, match=rf"mask: its {width} x {height} pixels are scaled .* 240 x 200"):
            alpha = tm.matte_from_mask(scene.image, np.clip(small, 0, 1))
        assert alpha.shape == (200, 240)
        assert error(scene, alpha) < 0.02


def test_labels_are_a_mask_everywhere(scene):
    mask = scene.alpha > 0.5
    labels = mask.astype(np.uint8)
    for function in (
        lambda m: tm.matte_from_mask(scene.image, m, learn=False),
        tm.trimap_from_soft_mask,
        lambda m: tm.trimap_from_mask(m, erode=2, dilate=3),
        lambda m: tm.cutout(scene.image, mask=m, learn=False),
    ):
        np.testing.assert_array_equal(function(labels), function(mask))
        with pytest.raises(ValueError, match="only 0 and 150, as in a mask of labels; pass mask > 0"):
            function(labels * np.uint8(150))
