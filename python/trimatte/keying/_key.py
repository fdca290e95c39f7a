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
    terms = _polynomial(height, width)
    seen, some = picture[::step, ::step].reshape(-1, 3), terms[::step, ::step].reshape(-1, terms.shape[2])
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
    colours = np.clip(terms @ fit, 0, 1).astype(np.float32)
    return Behind(colours, noise, hue if saturated else None)


def _of_key(colours: Floats, key: Floats, saturated: bool) -> Mask:
    """Whether colours may be the key's: of its hue in another light, or near it if it is grey."""
    if not saturated:
        return np.asarray(np.linalg.norm(colours - key, axis=1) < 0.12)
    light = colours @ key / (key @ key)
    beside = np.linalg.norm(colours - light[:, np.newaxis] * key, axis=1)
    return np.asarray((beside < 0.06) & (light > 0.55) & (light < 1.4))


def _polynomial(height: int, width: int) -> npt.NDArray[np.float64]:
    """Return the terms of a polynomial in both places, each pixel from -1 to 1."""
    y = np.linspace(-1, 1, height)[:, np.newaxis]
    x = np.linspace(-1, 1, width)[np.newaxis]
    powers = [(i, j) for i in range(_ORDER + 1) for j in range(_ORDER + 1 - i)]
    return np.asarray(np.stack([x**i * y**j for i, j in powers], axis=2))
