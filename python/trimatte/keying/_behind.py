"""A known background, and what is sure before it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..trimap import FOREGROUND, UNKNOWN
from ._inputs import Floats, Mask
from ._opaque import BROAD, NARROW, before_plate, opened, with_own_colours

_DEEP = 0.03  # how far from the background a pixel is deep inside, as a part of the longer side
_KEYLESS = 0.08  # a pixel is foreground if it has at most this part of the key's hue
_LEAST_NOISE = 1e-3


class Behind(NamedTuple):
    """A known background.

    Attributes
    ----------
    colours : (H, W, 3) ndarray of float32
        The background of every pixel.
    noise : float
        Standard deviation of the noise of a channel, where 1 is white.
    hue : (3,) ndarray of float32 or None
        The key colour less its grey; None for a plate, or a key that is nearly grey.
    """

    colours: Floats
    noise: float
    hue: Floats | None


def noise_of(miss: npt.NDArray[np.floating]) -> float:
    """Return the noise of a channel from the distances of colours to the background's."""
    return max(float(np.median(miss)) / 1.538, _LEAST_NOISE)  # the median of chi with 3 degrees


def within(miss: npt.NDArray[np.floating], noise: float) -> Mask:
    """Whether distances to the background's colour may be noise."""
    return np.asarray(miss < max(4.5 * noise, 0.01))


def trimap_of(picture: Floats, behind: Behind, solid: bool, threads: int | None = None) -> npt.NDArray[np.uint8]:
    """Label what is surely background and surely foreground."""
    from scipy.ndimage import distance_transform_edt, maximum_filter, uniform_filter

    apart = picture - behind.colours
    rms = np.sqrt(np.maximum(uniform_filter((apart * apart).sum(2), 3), 0))
    background = opened(rms < max(1.45 * behind.noise * np.sqrt(3), 0.012))
    distance = distance_transform_edt(~background) if background.any() else np.full(rms.shape, np.inf)
    deep = max(_DEEP * max(rms.shape), 6.0)
    if behind.hue is None:
        foreground = before_plate(picture, behind, np.asarray(distance > 3), solid, threads)
    else:
        share = maximum_filter(_share_of_hue(picture, behind), 3)
        foreground = opened((distance > 3) & (share < _KEYLESS))
        if solid:
            for inside, scale in ((distance > deep, BROAD), (distance > 3, NARROW)):
                foreground = with_own_colours(picture, behind, foreground, np.asarray(inside), scale, threads)
    trimap = np.full(rms.shape, UNKNOWN, np.uint8)
    trimap[background] = 0
    trimap[foreground & ~background] = FOREGROUND
    return trimap


def surer(trimap: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return a trimap whose foreground is narrower by a pixel, for colours that a file has blurred."""
    from scipy.ndimage import minimum_filter

    foreground = trimap == FOREGROUND
    narrower = minimum_filter(foreground, 3)
    if not narrower.any():
        return trimap
    return np.where(foreground & ~narrower, np.uint8(UNKNOWN), trimap)


def _share_of_hue(picture: Floats, behind: Behind) -> Floats:
    """Return how much of the background's hue each pixel has: 1 for the background, 0 for grey."""
    assert behind.hue is not None
    ours = picture @ behind.hue - picture.mean(2) * behind.hue.sum()
    theirs = behind.colours @ behind.hue - behind.colours.mean(2) * behind.hue.sum()
    return np.asarray(ours / np.maximum(theirs, 1e-3), np.float32)
