"""The key colour of a picture, and the light that falls on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._behind import Behind, noise_of, within
from ._inputs import Floats, Mask, colour

_FRAME = 0.02  # the frame in which a key is sought, as a part of the longer side
_NEAR_KEY = 0.15  # a colour within this distance of the key belongs to it when it is sought
_LEAST_SHARE = 0.15  # part of the frame that a key colour must fill
_ORDER = 3  # of the polynomial that follows uneven light
_TERMS = [(i, j) for i in range(_ORDER + 1) for j in range(_ORDER + 1 - i)]  # powers of column and row
_SATURATED = 0.1  # length of a key's hue from which it can be told from grey


def found_key(picture: Floats) -> Floats:
    """Return the colour that fills much of the picture's border; saturated colours count more."""
    from scipy.ndimage import gaussian_filter

    height, width = picture.shape[:2]
    wide = max(2, round(_FRAME * max(height, width)))
    frame = np.ones((height, width), bool)
    frame[wide:-wide, wide:-wide] = False
    colours = picture[frame]
    bins = np.clip((colours * 16).astype(int), 0, 15)
    counts = np.zeros((16, 16, 16))
    np.add.at(counts, tuple(bins.T), 1)
    centres = (np.indices((16, 16, 16)) + 0.5) / 16
    saturation = centres.max(0) - centres.min(0)
    score = gaussian_filter(counts, 0.8, mode="nearest") * (0.15 + saturation)
    key = (np.array(np.unravel_index(score.argmax(), score.shape)) + 0.5) / 16
    share = 0.0
    for _ in range(10):
        near = np.linalg.norm(colours - key, axis=1) < _NEAR_KEY
        share = float(near.mean())
        if not near.any():
            break
        key = np.median(colours[near], axis=0)
    if share < _LEAST_SHARE:
        raise ValueError(
            f"key: expected an even colour along the picture's border, got none that fills more than {share:.0%} "
            'of it; pass the colour, such as key="#00b140"'
        )
    return np.asarray(key, np.float32)


def field(picture: Floats, key: Any) -> Behind:
    """Return the key's colour in the light that falls on each pixel, and the noise."""
    wanted = found_key(picture) if isinstance(key, str) and key == "auto" else colour(key, "key")
    height, width = picture.shape[:2]
    step = max(1, int(np.sqrt(height * width / 40_000)))
    y, x = (_powers(np.linspace(-1, 1, size)) for size in (height, width))
    seen = picture[::step, ::step].reshape(-1, 3)
    some = np.stack([np.outer(y[::step, j], x[::step, i]).ravel() for i, j in _TERMS], axis=1)
    hue = wanted - wanted.mean()
    saturated = float(np.linalg.norm(hue)) > _SATURATED
    inside = _of_key(seen, wanted, saturated)
    least = max(50, 0.01 * len(seen))
    if np.count_nonzero(inside) < least:
        levels = np.round(wanted * 255).astype(int).tolist()
        raise ValueError(
            f"key: expected a colour of the picture's background, got {levels} of 255, which "
            f'{np.count_nonzero(inside) / len(seen):.1%} of the pixels have; pass another, or "auto"'
        )
    for _ in range(6):
        fit, *_ = np.linalg.lstsq(some[inside], seen[inside], rcond=None)
        miss = np.linalg.norm(seen - some @ fit, axis=1)
        noise = noise_of(miss[inside])
        closer = within(miss, noise)
        if np.count_nonzero(closer) < least:
            break
        inside = closer
    colours = np.stack([_evaluated(y, x, channel) for channel in fit.T], axis=2)
    return Behind(colours, noise, hue if saturated else None)


def _of_key(colours: Floats, key: Floats, saturated: bool) -> Mask:
    """Whether colours may be the key's: of its hue in another light, or near it if it is grey."""
    if not saturated:
        return np.asarray(np.linalg.norm(colours - key, axis=1) < 0.12)
    light = colours @ key / (key @ key)
    beside = np.linalg.norm(colours - light[:, np.newaxis] * key, axis=1)
    return np.asarray((beside < 0.06) & (light > 0.55) & (light < 1.4))


def _powers(places: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the powers 0 to 3 of places from -1 to 1, one row for each place."""
    return np.stack([places**power for power in range(_ORDER + 1)], axis=1)


def _evaluated(y: npt.NDArray[np.float64], x: npt.NDArray[np.float64], fit: npt.NDArray[np.float64]) -> Floats:
    """Return the polynomial with the factors `fit` at all rows and columns, whose powers are given."""
    factors = np.zeros((_ORDER + 1, _ORDER + 1))
    for (i, j), factor in zip(_TERMS, fit, strict=True):
        factors[j, i] = factor
    plane: Floats = (y @ factors).astype(np.float32) @ x.T.astype(np.float32)
    np.clip(plane, 0, 1, out=plane)
    return plane
