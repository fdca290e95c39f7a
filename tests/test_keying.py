"""Keys, plates and triangulation: rendered subjects before backgrounds that are known."""

import io

import numpy as np
import pytest
from PIL import Image
from reference import known_background
from scipy import ndimage
from tolerances import KNOWN_BACKGROUND, KNOWN_BACKGROUND_CONFIDENCE

import trimatte as tm
from trimatte import _core, priors
from trimatte._context import make_context
from trimatte.errors import TrimatteWarning

KEYS = {"green": (0.15, 0.62, 0.22), "blue": (0.12, 0.22, 0.68), "magenta": (0.85, 0.1, 0.8)}


def shot(kind, key, *, uneven=False, noise=0.008, height=240, width=320):
    """A subject before a key colour, with noise of a camera; and the exact scene."""
    scene = getattr(tm.datasets, kind)(height, width, seed=3)
    y, x = np.mgrid[:height, :width]
    light = (1.05 - 0.35 * (x / width) ** 1.5 - 0.15 * y / height)[..., np.newaxis] if uneven else 1
    behind = np.ones((height, width, 3)) * np.array(KEYS[key]) * light
    cover = scene.alpha[..., np.newaxis]
    picture = cover * scene.foreground + (1 - cover) * behind
    picture += np.random.default_rng(5).normal(0, noise, picture.shape)
    return np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8), scene, behind


def jpeg(pixels, quality=90):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def ordinary(picture, key):
    """What people do: the key's neighbourhood is background, 3 pixels beside it unknown, the rest foreground."""
    background = np.linalg.norm(picture - np.array(KEYS[key]) * 255, axis=2) <= 60
    trimap = np.full(background.shape, 255, np.uint8)
    trimap[ndimage.binary_dilation(background, iterations=3)] = 128
    trimap[background] = 0
    return trimap


def excess(key, foreground, alpha, scene):
    """How much of the key's hue is in the cutout over grey, above the true one, at soft pixels."""
    hue = np.array(KEYS[key]) - np.mean(KEYS[key])
    hue /= np.linalg.norm(hue)
    over = [a[..., np.newaxis] * f + (1 - a[..., np.newaxis]) * 0.5 for f, a in ((foreground, alpha), scene)]
    soft = (scene[1] > 0) & (scene[1] < 1)
    return np.maximum((over[0] - over[1]) @ hue, 0)[soft].mean()


@pytest.mark.parametrize(
    ("kind", "key", "uneven"),
    [
        ("dandelion", "green", True),
        ("hair", "magenta", False),
        ("hair", "blue", False),
        ("net", "green", True),
        ("glass", "magenta", False),
        ("glass", "green", True),
    ],
)
def test_a_key_halves_the_error_and_leaves_no_spill(kind, key, uneven):
    picture, scene, _ = shot(kind, key, uneven=uneven)
    found = tm.matte_from_key(picture, solid=kind != "glass")
    usual = tm.estimate_alpha(picture, ordinary(picture, key), method="closed-form")
    assert abs(found.alpha - scene.alpha).sum() < 0.5 * abs(usual - scene.alpha).sum()
    assert excess(key, found.foreground, found.alpha, (scene.foreground, scene.alpha)) <= 0.02


def test_a_key_in_a_jpeg_halves_the_error_and_leaves_no_spill():
    """Case F4: mixed pixels that were taken for known foreground gave an excess of 0.226."""
    picture, scene, _ = shot("hair", "magenta", noise=0.01, height=300, width=400)
    stored = jpeg(picture)
    found = tm.matte_from_key(stored)
    usual = tm.estimate_alpha(stored, ordinary(stored, "magenta"), method="closed-form")
    assert abs(found.alpha - scene.alpha).sum() < 0.5 * abs(usual - scene.alpha).sum()
    assert excess("magenta", found.foreground, found.alpha, (scene.foreground, scene.alpha)) <= 0.02


def test_blurred_chroma_makes_no_foreground():
    """Soft pixels whose hue the file has blurred away are unknown, not foreground."""
    picture, scene, _ = shot("dandelion", "blue", height=300, width=400)
    stored = jpeg(picture)
    found = tm.matte_from_key(stored)
    usual = tm.estimate_alpha(stored, ordinary(stored, "blue"), method="closed-form")
    assert abs(found.alpha - scene.alpha).sum() < 0.5 * abs(usual - scene.alpha).sum()


@pytest.mark.parametrize("stored", [False, True], ids=["png", "jpeg"])
def test_a_green_stem_before_an_uneven_screen_is_opaque(stored):
    picture, scene, _ = shot("dandelion", "green", uneven=True)
    found = tm.matte_from_key(jpeg(picture) if stored else picture)
    stem = ndimage.binary_erosion(scene.alpha == 1, iterations=2)
    stem[:160] = False
    assert found.alpha[stem].mean() > 0.95


def test_the_trimap_of_a_key_claims_little_that_is_wrong():
    picture, scene, _ = shot("dandelion", "green", uneven=True)
    trimap = tm.trimap_from_key(picture)
    assert (trimap == 128).mean() < 0.25
    assert ((trimap == 0) & (scene.alpha > 0.05)).sum() <= 5
    assert ((trimap == 255) & (scene.alpha < 0.95)).sum() <= 20
    assert (trimap == 0).sum() > 0.9 * (scene.alpha == 0).sum() - 0.1 * scene.alpha.size


def test_the_light_on_a_screen_is_followed():
    picture, _, behind = shot("hair", "green", uneven=True)
    assert abs(tm.matte_from_key(picture).background - behind).max() < 0.02


def test_a_named_key_is_the_found_one():
    picture, _, _ = shot("dandelion", "blue")
    named = tm.trimap_from_key(picture, np.rint(np.array(KEYS["blue"]) * 255).astype(int))
    np.testing.assert_array_equal(named == 0, tm.trimap_from_key(picture) == 0)
    text = "#" + "".join(f"{round(255 * value):02x}" for value in KEYS["blue"])
    np.testing.assert_array_equal(tm.trimap_from_key(picture, text), named)


def test_a_dress_of_nearly_the_keys_hue_is_opaque():
    """The shoulders are of a dark blue, which is known; with solid=False it is not."""
    picture, scene, _ = shot("hair", "blue")
    inside = ndimage.binary_erosion(scene.alpha == 1, iterations=8)
    assert tm.matte_from_key(picture).alpha[inside].mean() > 0.98
    known = [(tm.trimap_from_key(picture, solid=solid)[inside] == 255).mean() for solid in (True, False)]
    assert known[1] < 0.6 < 0.8 < known[0]


def test_a_studios_white_is_a_key():
    scene = tm.datasets.dandelion(240, 320, seed=2)
    picture = tm.composite(scene.foreground, scene.alpha, (0.95, 0.95, 0.94))
    found = tm.matte_from_key(np.rint(picture * 255).astype(np.uint8))
    assert abs(found.alpha - scene.alpha).mean() < 0.02


def plated(shift=(0.0, 0.0), gain=1.0, noise=0.01):
    """A scene's own background as a plate that was shot a little beside it."""
    scene = tm.datasets.hair(240, 320, seed=6)
    rng = np.random.default_rng(1)
    moved = [
        ndimage.shift(scene.background[..., c], (-shift[0], -shift[1]), order=3, mode="nearest") for c in range(3)
    ]
    plate = np.clip(np.stack(moved, 2) * gain + rng.normal(0, noise, scene.image.shape), 0, 1)
    picture = np.clip(scene.image + rng.normal(0, noise, scene.image.shape), 0, 1)
    return picture.astype(np.float32), plate.astype(np.float32), scene


@pytest.mark.parametrize(("shift", "gain"), [((0.0, 0.0), 1.0), ((0.5, -0.5), 1.0), ((3.25, 1.5), 1.08)])
def test_a_plate_beats_the_ordinary_way(shift, gain):
    picture, plate, scene = plated(shift, gain)
    found = tm.matte_from_plate(picture, plate)
    apart = np.linalg.norm(picture - plate, axis=2) > 0.08
    rough = ndimage.binary_opening(ndimage.uniform_filter(apart.astype(np.float32), 5) > 0.5, iterations=2)
    usual = tm.estimate_alpha(picture, tm.trimap_from_mask(rough, erode=4, dilate=6), method="closed-form")
    assert abs(found.alpha - scene.alpha).sum() < 0.7 * abs(usual - scene.alpha).sum()
    assert abs(found.background - scene.background).mean() < 0.02


@pytest.mark.parametrize(
    ("seed", "noise", "shift", "gain"),
    [(1, 0.0, (0, 0), 1.0), (1, 0.01, (0.5, -0.5), 1.0), (3, 0.01, (-7.3, 5.6), 0.8)],
)
def test_lights_out_of_focus_lie_where_the_plate_has_them(seed, noise, shift, gain):
    """The subject's edges drew the plate 21 rows and 12 columns away from where it belongs."""
    scene = tm.datasets.flower(180, 240, seed=seed)
    rng = np.random.default_rng(1)
    moved = [
        ndimage.shift(scene.background[..., c], np.negative(shift), order=3, mode="nearest") for c in range(3)
    ]
    plate, picture = (
        np.clip(pixels + rng.normal(0, noise, pixels.shape), 0, 1).astype(np.float32)
        for pixels in (np.stack(moved, 2) * gain, scene.image)
    )
    found = tm.matte_from_plate(picture, plate)
    assert abs(found.background - scene.background)[20:-20, 20:-20].mean() < 0.001 + noise
    assert abs(found.alpha - scene.alpha).mean() < (0.015 if noise else 0.003)


def before_another(kind, other, seed=1):
    """A subject before the background of another scene, and that background as its plate; both with noise."""
    scene = getattr(tm.datasets, kind)(180, 240, seed=seed)
    behind = getattr(tm.datasets, other)(180, 240, seed=seed).background
    rng = np.random.default_rng(1)
    picture, plate = (
        np.clip(pixels + rng.normal(0, 0.01, pixels.shape), 0, 1).astype(np.float32)
        for pixels in (tm.composite(scene.foreground, scene.alpha, behind), behind)
    )
    return picture, plate, scene


def test_what_is_fine_all_over_is_not_solid_before_a_plate():
    """2,276 soft pixels of the dandelion's head were taken for foreground, since none is near the plate."""
    picture, plate, scene = before_another("dandelion", "dandelion", seed=0)
    trimap = tm.trimap_from_plate(picture, plate)
    assert ((trimap == 255) & (scene.alpha < 0.95)).sum() < 1000


def test_leaves_before_leaves_are_opaque():
    """A stem and leaves whose colours no known foreground had became see-through: 0.75 in the mean."""
    picture, plate, scene = before_another("flower", "net")
    opaque = ndimage.binary_erosion(scene.alpha == 1, iterations=2)
    assert tm.matte_from_plate(picture, plate).alpha[opaque].mean() > 0.9


def test_triangulation_is_exact():
    scene = tm.datasets.glass(96, 128, seed=1)
    other = tm.datasets.hair(96, 128, seed=2).image
    shots = [tm.composite(scene.foreground, scene.alpha, behind) for behind in (scene.background, other)]
    found = tm.triangulate(shots[0], scene.background, shots[1], other)
    apart = np.linalg.norm(scene.background - other, axis=2) > 0.1
    assert abs(found.alpha - scene.alpha)[apart].max() < 1e-4
    seen = apart & (scene.alpha > 0.1)
    assert abs(found.foreground - scene.foreground)[seen].max() < 1e-3


def test_pixels_where_the_backgrounds_are_alike_take_the_nearest_alpha():
    scene = tm.datasets.hair(96, 128, seed=1)
    behind = np.broadcast_to(np.float32([0.2, 0.9, 0.3]), scene.image.shape).copy()
    other = np.broadcast_to(np.float32([0.9, 0.1, 0.6]), scene.image.shape).copy()
    other[5:8, 100:110] = behind[5:8, 100:110]
    shots = [tm.composite(scene.foreground, scene.alpha, pixels) for pixels in (behind, other)]
    with pytest.warns(TrimatteWarning, match="background_1, background_2: alike at 30 pixels"):
        found = tm.triangulate(shots[0], behind, shots[1], other)
    assert abs(found.alpha - scene.alpha).max() < 1e-4


def test_triangulation_takes_colours_and_integers():
    scene = tm.datasets.net(96, 128, seed=1)
    shots = [
        tm.composite(np.rint(scene.foreground * 255).astype(np.uint8), scene.alpha, colour)
        for colour in ((0, 0, 0), (20, 60, 240))
    ]
    found = tm.triangulate(shots[0], (0, 0, 0), shots[1], (20, 60, 240))
    assert abs(found.alpha - scene.alpha).max() < 0.01


@pytest.mark.parametrize(
    ("grey", "dtype", "seed"), [(False, np.float32, 0), (False, np.uint8, 7), (True, np.float64, 0)]
)
def test_the_prior_equals_its_reference(grey, dtype, seed):
    """The picture's sides are no multiples of a block's, and there are more candidates than are compared."""
    rng = np.random.default_rng(2)
    image, behind = (rng.random((22, 31) if grey else (22, 31, 3)) for _ in range(2))
    if dtype == np.uint8:
        image, behind = ((plane * 255).astype(np.uint8) for plane in (image, behind))
    image, behind = image.astype(dtype), behind.astype(dtype)
    labels = np.full(image.shape[:2], 2)
    labels[:, :4], labels[8:15, 12:20], labels[20:, 25:] = 0, 1, 1
    found = priors.KnownBackground(behind, noise=0.1, candidates=9, weight=0.5, seed=seed).estimate(
        image, np.choose(labels, [0, 255, 128]).astype(np.uint8)
    )
    wide = [plane.reshape(22, 31, -1) / (255.0 if dtype == np.uint8 else 1) for plane in (image, behind)]
    alpha, confidence = known_background.known_background(*wide, labels, 0.1, 9, seed)
    assert abs(found.alpha - alpha).max() < KNOWN_BACKGROUND
    assert abs(found.confidence - 0.5 * confidence).max() < KNOWN_BACKGROUND_CONFIDENCE


def test_foreground_far_from_the_unknown_region_is_compared_if_there_is_no_other():
    image, behind = np.random.default_rng(3).random((2, 9, 60, 3))
    labels = np.zeros((9, 60), int)
    labels[:, :3], labels[:, 50:] = 2, 1
    found = priors.KnownBackground(behind, noise=0.1).estimate(
        image, np.choose(labels, [0, 255, 128]).astype(np.uint8)
    )
    alpha, _ = known_background.known_background(image, behind, labels, 0.1)
    assert abs(found.alpha - alpha).max() < KNOWN_BACKGROUND


def test_the_miss_of_mixtures_equals_its_definition():
    rng = np.random.default_rng(4)
    colours, behind, fronts = (rng.random((count, 3), np.float32) for count in (1100, 1100, 17))
    found = np.empty(1100, np.float32)
    for threads in (1, 2, 7):
        found[:] = np.nan
        context = make_context(threads, None)
        _core.miss_of_mixtures(colours, behind, fronts, found, context.threads, context.monitor)
        for i in range(0, 1100, 50):
            least = known_background.mixture(colours[i] - behind[i], fronts - behind[i])[1].min()
            assert abs(found[i] - least) < KNOWN_BACKGROUND


def test_the_same_guess_for_any_number_of_threads():
    rng = np.random.default_rng(5)
    image, behind = rng.random((2, 120, 160, 3), np.float32)
    trimap = np.full((120, 160), 128, np.uint8)
    trimap[:, :30], trimap[40:60, 70:90] = 0, 255
    guesses = [priors.KnownBackground(behind, noise=0.1).estimate(image, trimap, threads=n) for n in (1, 2, 7)]
    for other in guesses[1:]:
        np.testing.assert_array_equal(other.alpha, guesses[0].alpha)
        np.testing.assert_array_equal(other.confidence, guesses[0].confidence)


def test_the_same_bits_for_any_number_of_threads():
    picture, _, _ = shot("hair", "green", height=120, width=160)
    one, two = (tm.matte_from_key(picture, threads=threads) for threads in (1, 2))
    np.testing.assert_array_equal(one.alpha, two.alpha)
    np.testing.assert_array_equal(one.foreground, two.foreground)


GREY = np.full((40, 50, 3), 0.5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tm.trimap_from_key(GREY, "#00ff00"), ValueError, r"key: .* \[0, 255, 0\] of 255, which 0.0% of"),
        (lambda: tm.trimap_from_key(GREY, "greenish"), ValueError, "key: expected a colour such as #00b140"),
        (lambda: tm.trimap_from_key(GREY, (1, 2)), TypeError, "key: expected a colour such as #00b140"),
        (lambda: tm.trimap_from_key(GREY, (0, 300, 0)), ValueError, "key: expected numbers from 0 to 255"),
        (lambda: tm.trimap_from_key(GREY[..., 0]), ValueError, "image: expected shape .* a key needs colours"),
        (lambda: tm.trimap_from_key(GREY, solid="no"), TypeError, "solid: expected True or False"),
        (lambda: tm.matte_from_key(GREY), ValueError, "image: expected some foreground before the background"),
        (lambda: tm.matte_from_plate(GREY, GREY[1:]), ValueError, "plate: expected shape .* to match image"),
        (
            lambda: tm.triangulate(GREY, GREY, GREY, GREY),
            ValueError,
            "background_1, background_2: expected two that",
        ),
        (lambda: tm.triangulate(GREY, GREY, GREY[1:], GREY), ValueError, "image_2: expected shape"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_border_of_all_colours_has_no_key():
    colours = np.random.default_rng(0).random((60, 80, 3))
    with pytest.raises(ValueError, match="key: expected an even colour along the picture's border"):
        tm.trimap_from_key(colours)


def test_a_plate_of_another_scene_is_refused():
    picture = tm.datasets.hair(120, 160, seed=1).image
    plate = np.random.default_rng(0).random(picture.shape)
    with pytest.raises(ValueError, match=r"plate: .* is it of another scene\?"):
        tm.trimap_from_plate(picture, plate)
