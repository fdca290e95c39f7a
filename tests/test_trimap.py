"""Trimaps from masks, against a Euclidean distance transform and against words."""

import numpy as np
import pytest
from scipy import ndimage

from trimatte.errors import TrimatteWarning
from trimatte.trimap import trimap_from_mask


def blob(height=40, width=61, seed=0):
    noise = np.random.default_rng(seed).random((height, width))
    return ndimage.gaussian_filter(noise, 3) > 0.5


def slow_trimap(mask, erode, dilate):
    """The definition: elliptical distance to the nearest pixel of the other kind."""

    def near(where, radii):
        if 0 in radii:  # a degenerate ellipse is a line
            reach = [int(radius) for radius in radii]
            return ndimage.binary_dilation(where, np.ones([2 * r + 1 for r in reach]))
        distance = ndimage.distance_transform_edt(~where, sampling=[1 / radius for radius in radii])
        return distance <= 1 + 1e-9

    trimap = np.full(mask.shape, 128, np.uint8)
    trimap[~near(mask, dilate)] = 0
    trimap[~near(~mask, erode)] = 255
    for kind, value in ((mask, 255), (~mask, 0)):
        parts, count = ndimage.label(kind)
        for part in range(1, count + 1):
            ours = parts == part
            if (trimap[ours] == value).any():
                continue
            outside = np.argwhere(~ours)
            for y, x in np.argwhere(ours):
                trimap[y, x] = 128
            distances = {(y, x): np.hypot(*(outside - (y, x)).T).min() for y, x in np.argwhere(ours)}
            inmost = max(distances.values())
            for place, distance in distances.items():
                if inmost >= 2 and distance > inmost / 2:
                    trimap[place] = value
    return trimap


@pytest.mark.parametrize(
    ("erode", "dilate"),
    [(1, 1), (3, 5), (2.5, 4.2), ((1, 6), (5, 2)), ((0, 3), (4, 0)), (0.5, 7), (5, (3, 3))],
)
def test_matches_distance_transform(erode, dilate):
    mask = blob()
    pair = [size if isinstance(size, tuple) else (size, size) for size in (erode, dilate)]
    np.testing.assert_array_equal(trimap_from_mask(mask, erode=erode, dilate=dilate), slow_trimap(mask, *pair))


@pytest.mark.parametrize("radius", [254, 255, 300])
def test_radii_around_the_limit_of_eight_bits(radius):
    mask = np.zeros((3, 700), bool)
    mask[1, :10] = True
    trimap = trimap_from_mask(mask, erode=0, dilate=radius)
    np.testing.assert_array_equal(trimap, slow_trimap(mask, (0, 0), (radius, radius)))
    assert trimap[1, 9 + radius] == 128
    assert trimap[1, 10 + radius] == 0


@pytest.mark.parametrize("radius", [45 * 1.4, 0.3 / 0.1])
def test_radii_that_rounding_left_below_a_whole_number(radius):
    assert radius < round(radius)
    mask = np.zeros((200, 200), bool)
    mask[60:140, 60:140] = True
    for of in ((radius, radius), (5, radius), (radius, 5)):
        whole = tuple(round(side) for side in of)
        want = trimap_from_mask(mask, erode=0, dilate=whole)
        np.testing.assert_array_equal(trimap_from_mask(mask, erode=0, dilate=of), want)
        eroded = trimap_from_mask(~mask, erode=of, dilate=0)
        np.testing.assert_array_equal(eroded == 128, want == 128)


def test_eight_bit_values_in_sixteen_bits_are_refused():
    with pytest.raises(ValueError, match="mask: expected uint16 values up to 65535, got 8-bit values up to 255"):
        trimap_from_mask(blob() * np.uint16(255), erode=1, dilate=1)
    labels = trimap_from_mask(blob().astype(np.uint16), erode=1, dilate=1)
    np.testing.assert_array_equal(labels, trimap_from_mask(blob(), erode=1, dilate=1))


def test_zero_sizes_leave_no_unknown():
    mask = blob()
    trimap = trimap_from_mask(mask, erode=0, dilate=0)
    np.testing.assert_array_equal(trimap, np.where(mask, 255, 0))
    assert trimap.dtype == np.uint8


def test_border_of_the_picture_is_not_background():
    mask = np.zeros((20, 20), bool)
    mask[:, :10] = True
    trimap = trimap_from_mask(mask, erode=3, dilate=2)
    assert (trimap[:, :7] == 255).all()
    assert (trimap[:, 7:12] == 128).all()
    assert (trimap[:, 12:] == 0).all()


def test_all_kinds_of_masks_agree():
    mask = blob()
    want = trimap_from_mask(mask, erode=2, dilate=3)
    masks = [
        mask.astype(np.uint8),
        mask.astype(np.uint8) * 255,
        mask.astype(np.uint16) * 65535,
        mask.astype(np.float32),
        mask.astype(np.float64),
        mask.astype(">u2") * 65535,
        np.asfortranarray(mask),
        np.repeat(mask, 2, axis=1)[:, ::2],
    ]
    for other in masks:
        np.testing.assert_array_equal(trimap_from_mask(other, erode=2, dilate=3), want)


@pytest.mark.parametrize(
    ("values", "threshold", "first"),
    [
        (np.array([0, 127, 128, 255], np.uint8), 0.5, 2),
        (np.array([0, 50, 51, 255], np.uint8), 0.2, 2),
        (np.array([0, 254, 255], np.uint8), 1.0, 2),
        (np.array([0, 32767, 32768, 65535], np.uint16), 0.5, 2),
        (np.array([0, 0.499, 0.5, 1]), 0.5, 2),
        (np.array([0, 0.5, 0.69, 0.7, 1]), 0.7, 3),
    ],
)
def test_threshold_is_included(values, threshold, first):
    trimap = trimap_from_mask(values[None], erode=0, dilate=0, threshold=threshold)
    assert trimap[0].tolist() == [0] * first + [255] * (len(values) - first)


def test_mask_is_not_changed():
    mask = blob()
    before = mask.copy()
    mask.setflags(write=False)
    trimap_from_mask(mask, erode=2, dilate=2)
    np.testing.assert_array_equal(mask, before)


def test_a_part_thinner_than_the_band_keeps_its_core():
    mask = np.zeros((60, 60), bool)
    mask[5:40, 5:40] = mask[50:54, 50:54] = True
    mask[20:25, 20:25] = False
    trimap = trimap_from_mask(mask, erode=4, dilate=4)
    np.testing.assert_array_equal(np.argwhere(trimap[45:, 45:] == 255), [[6, 6], [6, 7], [7, 6], [7, 7]])
    assert trimap[22, 22] == 0
    np.testing.assert_array_equal(trimap, slow_trimap(mask, (4, 4), (4, 4)))


def test_specks_are_no_parts():
    mask = blob()
    mask[0:2, 0:2] = mask[3:5, 0] = True
    mask[0:6, 2:8] = mask[5:8, 0:8] = False
    trimap = trimap_from_mask(mask, erode=3, dilate=3)
    assert not (trimap[:8, :8] == 255).any()


def test_no_foreground_left_warns():
    mask = np.zeros((20, 20), bool)
    mask[9:11, 9:11] = True
    with pytest.warns(TrimatteWarning, match="mask: erode=5 leaves no foreground"):
        trimap_from_mask(mask, erode=5, dilate=1)


@pytest.mark.parametrize(("value", "missing"), [(0, "foreground"), (1, "background")])
def test_a_mask_that_lacks_one_of_both_is_said_to(value, missing):
    with pytest.warns(TrimatteWarning, match=f"mask: the mask has no {missing}; the trimap cannot be matted"):
        trimap_from_mask(np.full((20, 20), value, np.uint8), erode=1, dilate=1)


def test_no_background_left_warns():
    mask = np.ones((20, 20), bool)
    mask[:, 0] = False
    with pytest.warns(TrimatteWarning, match="mask: dilate=40 leaves no background"):
        trimap_from_mask(mask, erode=1, dilate=40)


NAN_MASK = np.array([[0, 0.5], [np.nan, 1]])


@pytest.mark.parametrize(
    ("mask", "options", "error", "message"),
    [
        (np.zeros((4, 5, 5)), {}, ValueError, r"mask: expected shape \(H, W\), got \(4, 5, 5\)"),
        (np.eye(3)[np.newaxis], {}, ValueError, "mask: expected grey .* are image and mask swapped"),
        (
            blob() * np.uint8(150),
            {},
            ValueError,
            "mask: expected uint8 values up to 255, got only 0 and 150.*mask > 0",
        ),
        (np.zeros((0, 5)), {}, ValueError, r"mask: expected shape .* got \(0, 5\)"),
        (np.full((2, 2), 1.5), {}, ValueError, r"mask: expected values in \[0, 1\], got 1.5 at \(0, 0\)"),
        (NAN_MASK, {}, ValueError, r"mask: expected values in \[0, 1\], got nan at \(1, 0\)"),
        (np.zeros((2, 2), np.int64), {}, TypeError, "mask: expected uint8, .* got int64"),
        (np.ma.masked_less(np.ones((2, 2)), 2), {}, TypeError, "mask: expected an array without masked values"),
        (blob(), {"erode": -1}, ValueError, "erode: expected pixels, zero or more, got -1"),
        (blob(), {"dilate": float("inf")}, ValueError, "dilate: expected pixels"),
        (blob(), {"dilate": float("nan")}, ValueError, "dilate: expected pixels"),
        (blob(), {"erode": "3"}, TypeError, "erode: expected a number or a pair"),
        (blob(), {"dilate": (1, 2, 3)}, TypeError, r"dilate: expected a number or a pair .* got \(1, 2, 3\)"),
        (blob(), {"threshold": 0}, ValueError, r"threshold: expected a number in \(0, 1\], got 0"),
        (blob(), {"threshold": 128}, ValueError, "threshold: expected a number in"),
        (blob(), {"threshold": "half"}, TypeError, "threshold: expected a number, got str"),
    ],
)
def test_bad_input(mask, options, error, message):
    with pytest.raises(error, match=message):
        trimap_from_mask(mask, **{"erode": 1, "dilate": 1, **options})


def test_nothing_is_near_in_rows_beyond_a_wide_ellipse():
    mask = np.zeros((40, 10), bool)
    mask[0, 4] = True
    for dilate in (9, 10, 11, 30):
        trimap = trimap_from_mask(mask, erode=0, dilate=(5, dilate))
        assert (trimap[6:] == 0).all()
        assert (trimap[:5] == 128).any()
