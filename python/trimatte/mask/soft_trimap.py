"""A trimap from a soft mask: its doubt and its edge."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .. import _check
from ..trimap import FOREGROUND, UNKNOWN, _dilated

# How far a mask's edge may be from the true one: the first two are parts of the longer side, the
# last is in pixels.
_BAND = 0.01
_WIDEST_BAND = 0.05
_LEAST_BAND = 4.0
# Values between these are a mask's doubt.
DOUBT = (0.1, 0.9)


def trimap_from_soft_mask(
    mask: npt.ArrayLike, *, band: float | None = None, threshold: float = 0.5
) -> npt.NDArray[np.uint8]:
    """Make a trimap from a soft mask: unknown where the mask is in doubt, and along its edge.

    Parameters
    ----------
    mask : (H, W) array of bool, uint8, uint16, float32 or float64
        In [0, 1], or integers over their whole range.
    band : float, optional
        How far from the mask's edge pixels are unknown, on both sides, in pixels. The default is
        the largest of 1 % of the longer side, 4 pixels, and the width of the mask's own soft edge
        (a mask enlarged from a few hundred pixels has a wide one), up to 5 % of the longer side.
    threshold : float, default 0.5
        The edge is where the mask crosses this; in (0, 1).

    Returns
    -------
    (H, W) ndarray of uint8
        0 background, 128 unknown, 255 foreground. If the band would leave no foreground or no
        background, it is halved on that side until some is left, or until it is narrower than a
        pixel.

    Raises
    ------
    ValueError, TypeError
        If the mask is all foreground or all background, holds NaN or values outside [0, 1], or has
        another shape or dtype; if `band` or `threshold` is out of range.
    """
    plane = _check.alpha(mask, np.shape(mask), "mask")
    edge = _check.number(threshold, "threshold")
    if not 0 < edge < 1:
        raise ValueError(f"threshold: expected a number between 0 and 1, got {threshold}")
    inside = plane >= np.float32(edge)
    for missing, name in ((not inside.any(), "foreground"), (inside.all(), "background")):
        if missing:
            raise ValueError(f"mask: expected some {name} (threshold {edge:g}), got none")
    doubt = (plane > DOUBT[0]) & (plane < DOUBT[1])
    if band is None:
        longest = max(plane.shape)
        reach = max(_BAND * longest, _LEAST_BAND, min(_edge_width(inside, doubt), _WIDEST_BAND * longest))
    else:
        reach = _check.between(band, 0, 1e6, "band")

    trimap = np.full(plane.shape, UNKNOWN, np.uint8)
    for value, ours in ((FOREGROUND, inside), (0, ~inside)):
        trimap[_sure(ours, doubt, reach)] = value
    return trimap


def _sure(ours: npt.NDArray[np.bool_], doubt: npt.NDArray[np.bool_], reach: float) -> npt.NDArray[np.bool_]:
    """Pixels of ours that are far from others' and from doubt; nearer ones if none are that far."""
    candidates: npt.NDArray[np.bool_] = ours & ~doubt
    sure = np.zeros_like(candidates)
    while candidates.any() and not sure.any():
        sure = candidates & ~_dilated(~ours, reach, reach) & ~_dilated(doubt, reach / 4, reach / 4)
        if reach < 2:
            break
        reach /= 2
    return sure


def _edge_width(inside: npt.NDArray[np.bool_], doubt: npt.NDArray[np.bool_]) -> float:
    """How many pixels in doubt there are for each pixel of the edge."""
    steps = np.count_nonzero(inside[1:] != inside[:-1]) + np.count_nonzero(inside[:, 1:] != inside[:, :-1])
    return float(np.count_nonzero(doubt) / max(1, steps))
