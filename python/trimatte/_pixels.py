"""Small tools for pixel arrays: rounding to integers, bands of rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ._check import full_range

# Large enough that Python's share is nothing, small enough that a band stays in the cache.
_BAND_BYTES = 1 << 18


def bands(height: int, row_bytes: int) -> Iterator[slice]:
    """Yield slices of rows that together cover `height` rows, each about 256 KiB."""
    rows = max(1, _BAND_BYTES // max(1, row_bytes))
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


def quantized(values: npt.NDArray[Any], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Turn floats in [0, 1] into `dtype`; integers are rounded to the nearest, not truncated.

    Parameters
    ----------
    values : (H, W, ...) ndarray of float
        Values in [0, 1]; checked by the caller.
    dtype : uint8, uint16, float32 or float64
        The dtype wanted.

    Returns
    -------
    (H, W, ...) ndarray of `dtype`
    """
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return values.astype(dtype, copy=False)
    out = np.empty(values.shape, dtype)
    scale = values.dtype.type(full_range(dtype))
    half = values.dtype.type(0.5)
    row_bytes = values[0].nbytes if len(values) else 1
    for rows in bands(len(values), row_bytes):
        scaled = values[rows] * scale
        scaled += half
        out[rows] = scaled.astype(dtype)
    return out


def unit_floats(pixels: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Turn integers into float32 in [0, 1]; floats keep their values."""
    return np.asarray(pixels.astype(np.float32) / np.float32(full_range(pixels.dtype)), np.float32)


def eight_bits(pixels: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Turn uint16, or floats in [0, 1], into uint8, rounded; uint8 passes."""
    if pixels.dtype.kind == "f":
        return quantized(pixels, np.uint8)
    if pixels.dtype == np.uint8:
        return pixels
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def resized(plane: npt.NDArray[np.float32], shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Scale a plane of floats in [0, 1] to (H, W), smoothly."""
    if plane.shape == shape:
        return plane
    from PIL import Image

    made = Image.fromarray(np.ascontiguousarray(plane)).resize(shape[::-1], Image.Resampling.BICUBIC)
    return np.clip(np.asarray(made, np.float32), 0, 1)
