"""A known background, and what is sure before it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .. import _core
from .._context import make_context
from ..trimap import FOREGROUND, UNKNOWN
from ._inputs import Floats, Mask

_DEEP = 0.03  # how far from the background a pixel is deep inside, as a part of the longer side
_KEYLESS = 0.08  # a pixel is foreground if it has at most this part of the key's hue
# Before a plate, a pixel is foreground if the distances to the background around it vary by no less
# than this: the smallest one as a part of the largest. Looser ones serve if there is no such pixel.
_SOLID_SHARES, _SHARES = (0.5, 0.35, 0.2), (0.7, 0.5, 0.35, 0.2)
# The width of the square with the smallest one, as a part of the longer side; the other is half wider.
_AROUND = 0.015
# Mixtures of known colours miss a colour of the subject's own by more than this; sure ones first.
_OWN_COLOUR = (0.2, 0.1, 0.04)
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
    background = _opened(rms < max(1.45 * behind.noise * np.sqrt(3), 0.012))
    distance = distance_transform_edt(~background) if background.any() else np.full(rms.shape, np.inf)
    deep = max(_DEEP * max(rms.shape), 6.0)
    if behind.hue is None:
        foreground = _far_from(apart, behind.noise, np.asarray(distance > 3), solid)
    else:
        share = maximum_filter(_share_of_hue(picture, behind), 3)
        foreground = _opened((distance > 3) & (share < _KEYLESS))
    if solid and behind.hue is not None and foreground.any():
        foreground = _with_own_colours(picture, behind, foreground, np.asarray(distance > deep), threads)
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


def _far_from(apart: Floats, noise: float, inside: Mask, solid: bool) -> Mask:
    """Whether no pixel around comes near the background, measured by the one that is furthest from it.

    Between hairs the background shines through, so that some pixels are much nearer to it than
    others. If nothing is as sure as it should be, what is surest is taken.
    """
    from scipy.ndimage import gaussian_filter, maximum_filter, minimum_filter

    miss = np.linalg.norm(gaussian_filter(apart, (0.5, 0.5, 0)), axis=2)
    reach = max(7 if solid else 9, round(_AROUND * max(miss.shape)) | 1)
    least, most = minimum_filter(miss, reach), maximum_filter(miss, reach + reach // 2)
    inside = inside & (least > 6 * noise)
    found = np.zeros(miss.shape, bool)
    for share in _SOLID_SHARES if solid else _SHARES:
        found = _opened(inside & (least > share * most))
        if found.any():
            break
    return found


def _opened(mask: Mask) -> Mask:
    """Return the mask without its thinnest parts; what lies beyond the picture's border does not count."""
    from scipy.ndimage import binary_dilation, binary_erosion

    return np.asarray(binary_dilation(binary_erosion(mask, border_value=1)))


def _share_of_hue(picture: Floats, behind: Behind) -> Floats:
    """Return how much of the background's hue each pixel has: 1 for the background, 0 for grey."""
    assert behind.hue is not None
    ours = picture @ behind.hue - picture.mean(2) * behind.hue.sum()
    theirs = behind.colours @ behind.hue - behind.colours.mean(2) * behind.hue.sum()
    return np.asarray(ours / np.maximum(theirs, 1e-3), np.float32)


def _with_own_colours(picture: Floats, behind: Behind, foreground: Mask, deep: Mask, threads: int | None) -> Mask:
    """Add deep pixels whose colour is no mixture of the background with a known foreground colour.

    A subject may have a hue like the key's without being see-through. Colours that mixtures miss
    most are added first, since others may be mixtures of those.
    """
    from scipy.ndimage import uniform_filter

    rng, context = np.random.default_rng(0), make_context(threads, None)
    smooth = np.stack([uniform_filter(picture[..., c], 5) for c in range(3)], axis=2)
    found: Mask = foreground
    for limit in _OWN_COLOUR:
        places = np.flatnonzero(deep & ~found)
        fronts = picture.reshape(-1, 3)[rng.choice(np.flatnonzero(found), 256)]
        miss = np.empty(len(places), np.float32)
        seen, base = (pixels.reshape(-1, 3)[places] for pixels in (smooth, behind.colours))
        _core.miss_of_mixtures(seen, base, fronts, miss, context.threads, context.monitor)
        found = np.asarray(found | (_mostly(places, np.sqrt(miss), found.shape) > max(limit, 4 * behind.noise)))
    return found


def _mostly(places: npt.NDArray[np.intp], values: Floats, shape: tuple[int, ...]) -> Floats:
    """Return the mean of values over 11 x 11 pixels at places; 0 where less than a third of those are places."""
    from scipy.ndimage import uniform_filter

    total, count = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    total.flat[places], count.flat[places] = values, 1
    there = count > 0
    mean_count = uniform_filter(count, 11)
    mean = uniform_filter(total, 11) / np.maximum(mean_count, 1e-6)
    return np.where(there & (mean_count > 1 / 3), mean, 0).astype(np.float32)
