"""Trimaps from masks."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from ._check import full_range, plane
from ._pixels import bands
from .errors import warn

UNKNOWN, FOREGROUND = 128, 255


def trimap_from_mask(
    mask: npt.ArrayLike,
    *,
    erode: float | tuple[float, float],
    dilate: float | tuple[float, float],
    threshold: float = 0.5,
) -> npt.NDArray[np.uint8]:
    """Make a trimap from a rough mask: a band around the mask's edge becomes unknown.

    Parameters
    ----------
    mask : (H, W) ndarray of bool, uint8, uint16, float32 or float64
        Mask that is true, or has large values, where the foreground is. Integers count as fractions
        of their full range (255 or 65535), but a mask with no value above 1 holds labels 0 and 1.
        Floats are in [0, 1].
    erode : float or (float, float)
        Distance by which the unknown band reaches into the mask, in pixels. A pair is (vertical,
        horizontal), the half axes of an ellipse. A pixel of the mask stays foreground if no pixel
        outside the mask is that near.
    dilate : float or (float, float)
        Distance by which the unknown band reaches out of the mask, in the same form.
    threshold : float, default 0.5
        A pixel belongs to the mask if its value is at least this; in (0, 1].

    Returns
    -------
    (H, W) ndarray of uint8
        0 is background, 128 unknown, 255 foreground.

    Raises
    ------
    ValueError
        If `mask` is not (H, W) or empty, holds NaN, floats outside [0, 1] or 8-bit values in
        uint16; if `erode` or `dilate` is negative or not finite; if `threshold` is outside (0, 1].
    TypeError
        If `mask` has another dtype, or a number is not a number.

    Warns
    -----
    TrimatteWarning
        If no foreground or no background is left: such a trimap cannot be matted.

    Notes
    -----
    All that is not clearly inside or outside has to lie in the unknown band. So choose
    the sizes like this:

    * `dilate` is the length of the longest hair or the widest blur that sticks out of the mask.
    * `erode` is the distance by which the mask strays over the true edge, plus half the width of
      that edge. Keep it below half the thickness of the thinnest part that must stay foreground.
    * Start with 1 % of the picture's longer side for both, and look at the result. A band that is
      too wide costs time and some accuracy. One that is too narrow cuts hair off, and no later step
      brings it back.

    A connected part of the mask, or a hole, that is thinner than the band would have no sure pixel.
    If it is at least 3 pixels thick, the pixels further from its edge than half of its own greatest
    distance stay sure.

    What lies beyond the border of the picture does not count, so a mask that touches the border is
    not eroded there. Distances are Euclidean, between the centres of pixels. Time grows with the
    vertical radius.

    Examples
    --------
    >>> import numpy as np
    >>> import trimatte as tm
    >>> mask = np.zeros((5, 9), bool)
    >>> mask[:, :5] = True
    >>> tm.trimap_from_mask(mask, erode=1, dilate=2)[0].tolist()
    [255, 255, 255, 255, 128, 128, 128, 0, 0]
    """
    inside = _binary(mask, threshold)
    erode_radii = _radii(erode, "erode")
    dilate_radii = _radii(dilate, "dilate")

    near_inside = _dilated(inside, *dilate_radii)
    near_outside = _dilated(~inside, *erode_radii)
    trimap: npt.NDArray[np.uint8] = near_inside * np.uint8(UNKNOWN)
    trimap += ~near_outside * np.uint8(FOREGROUND - UNKNOWN)  # they are near the inside, too
    trimap[_cores_of_lost_parts(inside, near_outside)] = FOREGROUND
    trimap[_cores_of_lost_parts(~inside, near_inside)] = 0
    for value, missing, name, option in (
        (FOREGROUND, not inside.any(), "foreground", f"erode={erode}"),
        (0, inside.all(), "background", f"dilate={dilate}"),
    ):
        if not (trimap == value).any():
            reason = f"the mask has no {name}" if missing else f"{option} leaves no {name}"
            warn(f"mask: {reason}; the trimap cannot be matted")
    return trimap


# A part of a mask is kept if it is at least 3 pixels thick; a thinner one may be noise.
_THINNEST_PART = 2.0  # distance of its inmost pixels to pixels outside it
_SMALLEST_PART = 5  # pixels


def _cores_of_lost_parts(ours: npt.NDArray[np.bool_], doubtful: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return the inner pixels of those connected parts of `ours` that are doubtful as a whole.

    They lie further from the part's edge than half the distance of its inmost pixels.
    """
    from scipy import ndimage

    parts, count = ndimage.label(ours)
    lost = np.bincount(parts.ravel(), minlength=count + 1) >= _SMALLEST_PART
    lost[parts[ours & ~doubtful]] = False
    lost[0] = False
    if not lost.any():
        return np.zeros_like(ours)
    distance = np.asarray(ndimage.distance_transform_edt(lost[parts]))
    inmost = np.asarray(ndimage.maximum(distance, parts, np.arange(count + 1)))
    inmost[inmost < _THINNEST_PART] = np.inf
    return np.asarray(distance > inmost[parts] / 2)


def _binary(mask: npt.ArrayLike, threshold: float) -> npt.NDArray[np.bool_]:
    if not isinstance(threshold, Real):
        raise TypeError(f"threshold: expected a number, got {type(threshold).__name__}")
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold: expected a number in (0, 1], got {threshold}")
    values = plane(mask, None, "mask")
    if not values.size:
        raise ValueError(f"mask: expected shape (H, W), not empty, got {values.shape}")
    limit = threshold * full_range(values.dtype)
    return np.asarray(values >= (math.ceil(limit - 1e-9) if values.dtype.kind == "u" else threshold))


def _radii(size: float | tuple[float, float], name: str) -> tuple[float, float]:
    pair = tuple(size) if isinstance(size, (tuple, list, np.ndarray)) else (size, size)
    if len(pair) != 2 or any(isinstance(part, bool) or not isinstance(part, Real) for part in pair):
        raise TypeError(f"{name}: expected a number or a pair (vertical, horizontal), got {size!r}")
    if not all(0 <= number < math.inf for number in pair):
        raise ValueError(f"{name}: expected pixels, zero or more, got {size!r}")
    return float(pair[0]), float(pair[1])


# This tolerance keeps pixels that lie exactly on the ellipse, in spite of rounding.
_SLACK = 1e-9


def _dilated(inside: npt.NDArray[np.bool_], vertical: float, horizontal: float) -> npt.NDArray[np.bool_]:
    """Return the pixels with a pixel of `inside` in the ellipse around them.

    The distance to the nearest pixel of `inside` is found once in each row. A pixel is then near
    if, some rows up or down, that distance is at most half the width of the ellipse there. This is
    exact, vectorises well, and is faster than a Euclidean distance transform up to large radii.
    """
    height = len(inside)
    distance = _distance_in_row(inside, math.floor(horizontal + _SLACK))
    near = np.zeros_like(inside)
    reach = min(math.floor(vertical + _SLACK), height - 1)
    for rows in bands(height, inside.shape[1]):
        for offset in range(-reach, reach + 1):
            half_width = horizontal * math.sqrt(max(0, 1 - (offset / vertical) ** 2)) if offset else horizontal
            limit = min(math.floor(half_width + _SLACK), inside.shape[1])
            top, bottom = max(rows.start, -offset), min(rows.stop, height - offset)
            if top < bottom:
                near[top:bottom] |= distance[top + offset : bottom + offset] <= limit
    return near


def _distance_in_row(inside: npt.NDArray[np.bool_], longest: int) -> npt.NDArray[np.unsignedinteger[Any]]:
    """Return distances along rows to the nearest pixel of `inside`, at most `longest` + 1."""
    width = inside.shape[1]
    longest = min(longest, width)
    dtype = np.uint8 if longest < 2**8 - 1 else np.uint16 if longest < 2**16 - 1 else np.uint32
    out = np.empty(inside.shape, dtype)
    column = np.arange(width, dtype=np.int32)
    far = 2 * width + 1
    for rows in bands(len(inside), 8 * width):
        left = np.where(inside[rows], column, np.int32(-far))
        right = np.where(inside[rows], column, np.int32(far))
        np.maximum.accumulate(left, axis=1, out=left)
        backwards = right[:, ::-1]
        np.minimum.accumulate(backwards, axis=1, out=backwards)
        np.subtract(column, left, out=left)
        right -= column
        np.minimum(left, right, out=left)
        np.minimum(left, np.int32(longest + 1), out=left)
        out[rows] = left
    return out
