"""Which parts of a subject are opaque before a known background."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import _core
from .._context import make_context
from ._inputs import Floats, Mask

if TYPE_CHECKING:
    from ._behind import Behind

# The width of the square in which the smallest distance to a plate is sought, as a part of the
# longer side, and the least width in pixels for opaque subjects and for others.
_AROUND, _LEAST_AROUND = 0.015, (7, 9)
_FAR = 6  # an opaque pixel is further from the plate than so many deviations of the noise
# A pixel may be opaque if the smallest distance around it is this part of the largest one; the
# looser ones serve if there is no such pixel.
_SOLID_SHARES, _SHARES = (0.5, 0.35, 0.2), (0.7, 0.5, 0.35, 0.2)
_MIXED = 0.48  # it is not opaque if more of the pixels around it than this may be mixtures
# Where hardly any may be mixtures, a smaller part of the largest distance suffices.
_HARDLY_MIXED, _SHARE_OF_UNMIXED = 0.2, 0.3
_MOST_ALPHA = 0.9  # a mixture has at most this alpha
_MISS = 3.0  # a mixture misses the line by at most so many deviations of the noise


class Scale(NamedTuple):
    """How colours of the subject's own are looked for.

    Attributes
    ----------
    smooth, around : int
        Colours are means over squares of the first width, and what mixtures miss over squares of
        the second, in pixels.
    limits : tuple of float
        Mixtures of known colours miss a colour of the subject's own by more than these; sure ones
        first.
    """

    smooth: int
    around: int
    limits: tuple[float, ...]


BROAD = Scale(5, 11, (0.2, 0.1, 0.04))
"""For what lies deep inside, before a key."""

NARROW = Scale(3, 5, (0.2, 0.1, 0.07))
"""For stems before a key, whose edges a file may have blurred."""

_FINE = Scale(1, 3, (0.2, 0.1, 0.04))  # before a plate


class _Distances(NamedTuple):
    """How far pixels are from the plate: the smallest distance around, and as a part of the largest."""

    least: Floats
    share: Floats


def opened(mask: Mask) -> Mask:
    """Return the mask without its thinnest parts; what lies beyond the picture's border does not count."""
    from scipy.ndimage import binary_dilation, binary_erosion

    return np.asarray(binary_dilation(binary_erosion(mask, border_value=1)))


def before_plate(picture: Floats, behind: Behind, inside: Mask, solid: bool, threads: int | None) -> Mask:
    """Return which pixels inside the subject are opaque.

    Between hairs the background shines through, so that some pixels are much nearer to it than
    others. Stripes of an opaque subject differ as much, but are no mixtures of one colour with the
    background. If nothing is as sure as it should be, what is surest is taken.
    """
    reach = max(_LEAST_AROUND[0 if solid else 1], round(_AROUND * max(inside.shape)) | 1)
    distances = _distances(picture - behind.colours, reach)
    clear = inside & (distances.least > _FAR * behind.noise)
    found = np.zeros(inside.shape, bool)
    for share in _SOLID_SHARES if solid else _SHARES:
        found = opened(clear & (distances.share > share))
        if found.any():
            break
    if not solid:
        return found
    mixed = _mixed_share(picture, behind, reach)
    own = with_own_colours(picture, behind, found, inside, _FINE, threads)
    unmixed = opened(clear & (distances.share > _SHARE_OF_UNMIXED) & (mixed < _HARDLY_MIXED))
    surer = (own & ~found) | unmixed | (found & (mixed < _MIXED))
    return surer if surer.any() else found


def _distances(apart: Floats, reach: int) -> _Distances:
    from scipy.ndimage import gaussian_filter, maximum_filter, minimum_filter

    miss = np.linalg.norm(gaussian_filter(apart, (0.5, 0.5, 0)), axis=2)
    least, most = minimum_filter(miss, reach), maximum_filter(miss, reach + reach // 2)
    return _Distances(least, least / np.maximum(most, 1e-6))


def _mixed_share(picture: Floats, behind: Behind, reach: int) -> Floats:
    """Return how many of the pixels around may be mixtures of the background with a colour beside them.

    That colour is the one that is furthest from the background.
    """
    from scipy.ndimage import gaussian_filter, maximum_filter, uniform_filter

    smooth = gaussian_filter(picture, (0.5, 0.5, 0))
    apart = smooth - behind.colours
    count = apart.shape[0] * apart.shape[1]
    # One number holds a pixel's distance, and below it the pixel's place.
    numbers = (np.linalg.norm(apart, axis=2) * 2**20).astype(np.int64) * count
    numbers += np.arange(count).reshape(numbers.shape)
    furthest = maximum_filter(numbers, reach * 2 // 3 | 1) % count
    line = smooth.reshape(-1, 3)[furthest] - behind.colours
    alpha = (apart * line).sum(2) / np.maximum((line * line).sum(2), 1e-6)
    miss = np.linalg.norm(apart - np.clip(alpha, 0, 1)[..., np.newaxis] * line, axis=2)
    mixed = (alpha > 0) & (alpha < _MOST_ALPHA) & (miss < _MISS * behind.noise)
    return np.asarray(uniform_filter(mixed.astype(np.float32), reach * 5 // 4 | 1))


def with_own_colours(
    picture: Floats, behind: Behind, foreground: Mask, inside: Mask, scale: Scale, threads: int | None
) -> Mask:
    """Add pixels inside whose colour is no mixture of the background with a known foreground colour.

    A subject may have a hue like the key's, or a colour near the plate's, without being
    see-through. Colours that mixtures miss most are added first, since others may be mixtures of
    those.
    """
    from scipy.ndimage import uniform_filter

    rng, context = np.random.default_rng(0), make_context(threads, None)
    smooth = np.stack([uniform_filter(picture[..., c], scale.smooth) for c in range(3)], axis=2)
    found: Mask = foreground
    for limit in scale.limits:
        places = np.flatnonzero(inside & ~found)
        if not (found.any() and len(places)):
            break
        fronts = picture.reshape(-1, 3)[rng.choice(np.flatnonzero(found), 256)]
        miss = np.empty(len(places), np.float32)
        seen, base = (pixels.reshape(-1, 3)[places] for pixels in (smooth, behind.colours))
        _core.miss_of_mixtures(seen, base, fronts, miss, context.threads, context.monitor)
        missed = _mostly(places, np.sqrt(miss), found.shape, scale.around)
        found = np.asarray(found | (missed > max(limit, 4 * behind.noise)))
    return found


def _mostly(places: npt.NDArray[np.intp], values: Floats, shape: tuple[int, ...], width: int) -> Floats:
    """Return the mean of values over squares at places; 0 where less than a third of those are places."""
    from scipy.ndimage import uniform_filter

    total, count = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    total.flat[places], count.flat[places] = values, 1
    there = count > 0
    mean_count = uniform_filter(count, width)
    mean = uniform_filter(total, width) / np.maximum(mean_count, 1e-6)
    return np.where(there & (mean_count > 1 / 3), mean, 0).astype(np.float32)
