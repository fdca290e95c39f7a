"""A trimap from a soft mask: its doubt and its edge."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .. import _check
from ..trimap import FOREGROUND, UNKNOWN, _cores_of_lost_parts, _dilated

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

# How far a mask's edge may be from the true one: a part of the longer side, and pixels.
_BAND = 0.01
_LEAST_BAND = 4.0
DOUBT = (0.04, 0.98)
"""Values between these are a mask's doubt."""
# Pixels up to this many bands away from doubt are unknown too.
_BESIDE_DOUBT = 0.6
# A region in doubt is settled if all of the mask is at least so sure there.
_MILD = 0.6
# The side of a mask's blocks is judged from the rows and the columns between which the mask changes.
# If no more than this many of either do, the mask counts as one without blocks.
_FEWEST_STEPS = 8


def trimap_from_soft_mask(
    mask: npt.ArrayLike, *, band: float | None = None, threshold: float = 0.5
) -> npt.NDArray[np.uint8]:
    """Make a trimap from a soft mask: unknown where the mask is in doubt, and along its edge.

    Parameters
    ----------
    mask : (H, W) array of bool, uint8, uint16, float32 or float64
        In [0, 1], or integers over their whole range. Integers of 0 and 1 are labels.
    band : float, optional
        How far from the mask's edge pixels are unknown, on both sides, in pixels. The default is
        the larger of 1 % of the longer side and 4 pixels.
    threshold : float, default 0.5
        The edge is where the mask crosses this; in (0, 1).

    Returns
    -------
    (H, W) ndarray of uint8
        0 background, 128 unknown, 255 foreground.

    Raises
    ------
    ValueError, TypeError
        If the mask is all foreground or all background, holds NaN or values outside [0, 1], or has
        another shape or dtype; if `band` or `threshold` is out of range.

    Notes
    -----
    The mask doubts between 0.04 and 0.98, and what is within 0.6 bands of its doubt is unknown. So
    a mask that was enlarged from a few hundred pixels, whose edge is wide, gets a wide band. A hard
    mask that was enlarged without smoothing is smoothed first, by half the side of its blocks.

    A part of a hard mask, or a hole, that is thinner than the band keeps its core, if it is at least
    3 pixels thick; so does that of a soft mask if nothing else would be known. A region in doubt
    becomes known if the mask is above 0.6, or below 0.4, all over it: a dark nose in a bright face
    is no hole.
    """
    plane = softened(_check.alpha(mask, None, "mask"))
    edge = _check.number(threshold, "threshold")
    if not 0 < edge < 1:
        raise ValueError(f"threshold: expected a number between 0 and 1, got {threshold}")
    inside = plane >= np.float32(edge)
    for missing, name in ((not inside.any(), "foreground"), (inside.all(), "background")):
        if missing:
            raise ValueError(f"mask: expected some {name} (threshold {edge:g}), got none")
    reach = band_of(plane.shape) if band is None else _check.between(band, 0, 1e6, "band")

    doubt = _doubt(plane)
    unknown = _dilated(doubt, _BESIDE_DOUBT * reach, _BESIDE_DOUBT * reach)
    unknown |= _dilated(inside, reach, reach) & _dilated(~inside, reach, reach)
    hard = is_hard(plane)
    for ours in (inside, ~inside):
        if hard or not (ours & ~unknown).any():
            unknown &= ~(_cores_of_lost_parts(ours, unknown) & ~doubt)
    unknown &= ~_settled(plane, unknown, edge)
    trimap: npt.NDArray[np.uint8] = np.where(inside, np.uint8(FOREGROUND), np.uint8(0))
    trimap[unknown] = UNKNOWN
    return trimap


def band_of(shape: tuple[int, ...]) -> float:
    """Return the default band of a mask, in pixels."""
    return max(_BAND * max(shape), _LEAST_BAND)


def is_hard(plane: Floats) -> bool:
    """Whether a mask has less than one pixel in doubt for each pixel of its edge."""
    inside = plane >= 0.5
    steps = sum(np.count_nonzero(np.diff(inside, axis=axis)) for axis in (0, 1))
    return bool(np.count_nonzero(_doubt(plane)) < steps)


def softened(plane: Floats) -> Floats:
    """Smooth a hard mask that was enlarged without smoothing; other masks come back as they are."""
    if not is_hard(plane):
        return plane
    side = _side_of_blocks(plane)
    if side < 2:
        return plane
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(plane, side / 2, mode="nearest"), np.float32)


def _side_of_blocks(plane: Floats) -> int:
    """Return the side of the blocks, in pixels, that a mask is made of; 1 if it is made of none."""
    sides = []
    for axis in (0, 1):
        steps = np.flatnonzero(np.diff(plane, axis=axis).any(axis=1 - axis))
        if len(steps) <= _FEWEST_STEPS:
            return 1
        sides.append(int(np.quantile(np.diff(steps), 0.1)))
    return min(sides)


def _doubt(plane: Floats) -> Flags:
    return (plane > DOUBT[0]) & (plane < DOUBT[1])


def _settled(plane: Floats, unknown: Flags, edge: float) -> Flags:
    """Return the regions of unknown pixels where the mask doubts mildly, and on one side only."""
    from scipy.ndimage import label

    regions, count = label(unknown, structure=np.ones((3, 3)))
    pieces = regions[unknown]
    values = plane[unknown]
    settled = np.zeros(count + 1, bool)
    for against in (values < max(_MILD, edge), values > min(1 - _MILD, edge)):
        settled |= np.bincount(pieces[against], minlength=count + 1) == 0
    settled[0] = False
    return np.asarray(settled[regions])
