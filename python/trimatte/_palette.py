"""Pictures of at most 256 colours, as GIF files and PNG files with a palette have them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from . import _check

# With fewer colours a picture is a drawing, whose edges are meant to be hard.
_FEWEST, _MOST = 33, 256
# A picture with fewer pixels for each of its colours need not have a palette.
_PIXELS = 16
# A picture is a drawing, too, if more than this part of its pixels have the colour of the next one in the
# row: 0.97 to 0.99 in logos with soft edges, 0.3 to 0.78 in photographs of 64 or 256 colours.
_ALIKE = 0.9
# So many pixels are looked at before all are.
_SAMPLE = 1 << 16
# Standard deviation of the smoothing, in pixels.
_BLUR = 0.5
# No colour moves farther than this, in steps of 8 bits.
_FARTHEST = 24.0
# Colours that are nearer to each other than this in the median, in steps of 8 bits, are shades of a ramp.
_COARSE = 3.0


def smoothed(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a picture without the steps that a palette of 33 to 256 colours makes.

    Parameters
    ----------
    image : (H, W, C) ndarray of uint8, uint16, float32 or float64
        Display colours.

    Returns
    -------
    (H, W, C) ndarray
        The same array if the picture has more or fewer colours, or is a drawing. Else it is float64 if
        the image is, float32 if not.

    Notes
    -----
    A palette's colours lie so far apart that a smooth run of colours becomes a flight of steps, or, if
    it was dithered, noise. Each pixel takes the mean of its surroundings by a Gaussian of 0.5 pixels,
    but moves no farther than the palette's nearest other colour is away, and at most 24 steps of 8
    bits: a true edge stays.
    """
    found = _packed(image)
    if found is None:
        return image
    packed, palette = found
    colours = np.stack([palette >> 16, palette >> 8 & 255, palette & 255], axis=1).astype(np.float64)
    # Imported here, since importing SciPy takes longer than NumPy.
    from scipy.ndimage import gaussian_filter
    from scipy.spatial import KDTree

    apart = KDTree(colours).query(colours, k=2)[0][:, 1]
    if np.median(apart) < _COARSE:
        return image
    limit = np.minimum(apart, _FARTHEST).astype(np.float32)[np.searchsorted(palette, packed)]
    kind = np.float64 if image.dtype == np.float64 else np.float32
    given = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=2).astype(np.float32)
    step = gaussian_filter(given, (_BLUR, _BLUR, 0)) - given
    length = np.sqrt((step * step).sum(axis=2))
    step *= np.minimum(1, limit / np.maximum(length, 1e-6))[..., np.newaxis]
    return np.asarray((given + step) / 255, kind)


def _packed(image: npt.NDArray[Any]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]] | None:
    """Return each pixel's colour as one number, and all colours; None if there is no palette of this size."""
    if image.shape[2] != 3:
        return None
    pixels = image.reshape(-1, 3)
    some = _numbers(pixels[:: max(1, len(pixels) // _SAMPLE)])
    if some is None or len(np.unique(some)) > _MOST:
        return None
    packed = _numbers(pixels)
    if packed is None:
        return None
    seen = np.zeros(1 << 24, bool)
    seen[packed] = True
    palette = np.flatnonzero(seen)
    if not _FEWEST <= len(palette) <= _MOST or len(packed) < _PIXELS * len(palette):
        return None
    packed = packed.reshape(image.shape[:2])
    alike = np.count_nonzero(packed[:, 1:] == packed[:, :-1])
    return (packed, palette) if alike <= _ALIKE * packed.size else None


def _numbers(pixels: npt.NDArray[Any]) -> npt.NDArray[np.uint32] | None:
    """Return colours, (N, 3), as numbers of 24 bits; None if they are no whole steps of 8 bits."""
    if pixels.dtype != np.uint8:
        steps = pixels * (255 / _check.full_range(pixels.dtype))
        whole = np.rint(steps)
        if np.abs(steps - whole).max(initial=0) > 1e-3:
            return None
        pixels = whole
    red, green, blue = pixels.astype(np.uint32).T
    return np.asarray((red << 16) | (green << 8) | blue, np.uint32)
