"""Colours of the scene and colours of the display.

The numbers that cameras and renderers write into EXR are proportional to light ("linear"). Pictures
for the display are encoded (sRGB), roughly as the eye sees differences. Affinities and priors
compare colours, so alpha is found on encoded colours. Foregrounds mix with backgrounds as light
does, so layers are found on linear colours.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from . import _check
from ._pixels import bands

__all__ = ["linear_from_srgb", "srgb_from_linear"]

SPACES = ("srgb", "linear")

# IEC 61966-2-1
_LINEAR_SLOPE, _TOE, _OFFSET, _GAMMA = 12.92, 0.0031308, 0.055, 2.4


def srgb_from_linear(linear: npt.ArrayLike) -> npt.NDArray[np.floating]:
    """Encode scene-linear values for the display.

    Parameters
    ----------
    linear : array of any shape; uint8, uint16, float32 or float64
        Values of which 1 is diffuse white. Floats may be above 1 (highlights) or below 0 (colours
        out of gamut). Integers span [0, 1].

    Returns
    -------
    ndarray of the same shape, float64 if `linear` is, else float32
        The sRGB encoding (IEC 61966-2-1) in [0, 1]. Its formulas go on outside, the straight toe
        below 0 and the power above 1, so that 10 becomes 2.70. Results that are too large for the
        dtype are infinite.

    Raises
    ------
    ValueError, TypeError
        If a value is NaN or infinite, or of another dtype.

    Examples
    --------
    >>> import trimatte as tm
    >>> tm.colour.srgb_from_linear([0.0, 0.2140411, 1.0]).round(4).tolist()
    [0.0, 0.5, 1.0]
    """
    return _converted(linear, "linear", _encode)


def linear_from_srgb(encoded: npt.ArrayLike) -> npt.NDArray[np.floating]:
    """Decode values that :func:`srgb_from_linear` encodes; parameters and errors are alike.

    Examples
    --------
    >>> import trimatte as tm
    >>> tm.colour.linear_from_srgb([0.0, 0.5, 1.0]).round(4).tolist()
    [0.0, 0.214, 1.0]
    """
    return _converted(encoded, "encoded", _decode)


def _encode(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    y = (1 + _OFFSET) * np.maximum(x, _TOE) ** (1 / _GAMMA) - _OFFSET
    return np.where(x <= _TOE, _LINEAR_SLOPE * x, y)


def _decode(y: npt.NDArray[Any]) -> npt.NDArray[Any]:
    toe = _LINEAR_SLOPE * _TOE
    x = ((np.maximum(y, toe) + _OFFSET) / (1 + _OFFSET)) ** _GAMMA
    return np.where(y <= toe, y / _LINEAR_SLOPE, x)


def _converted(values: npt.ArrayLike, name: str, curve: Any) -> npt.NDArray[np.floating]:
    array = _check.native(values, name)
    _check.refuse_not_finite(array, name)
    top = _check.full_range(array.dtype)
    out = np.empty(array.shape, np.float64 if array.dtype == np.float64 else np.float32)
    flat, flat_out = array.reshape(-1), out.reshape(-1)
    with np.errstate(over="ignore"):
        for part in bands(flat.size, out.itemsize):
            flat_out[part] = curve(flat[part].astype(out.dtype) / out.dtype.type(top))
    return out


def encoded(image: npt.NDArray[Any]) -> tuple[npt.NDArray[np.floating], float]:
    """Encode a linear image for an affinity; return colours from 0 and the largest, at least 1."""
    out = srgb_from_linear(image)
    np.maximum(out, 0, out=out)
    return out, max(1.0, float(out.max(initial=0)))


def displayed(pixels: npt.NDArray[Any], space: str) -> npt.NDArray[Any]:
    """Return colours for the display; only linear floats are encoded, and clipped to [0, 1]."""
    if space == "linear":
        pixels = srgb_from_linear(pixels)
    return np.clip(pixels, 0, 1) if pixels.dtype.kind == "f" else pixels
