"""Pictures at a smaller scale, and what is found there at the picture's own scale."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _check
from ._base import Labels, Pixels, Plane

_ROWS_OF_A_BAND = 64
_WORKING_PIXELS = 600_000
"""Pixels of a picture at the scale at which its shapes count."""


def working_step(shape: tuple[int, ...]) -> int:
    """Return the height and width of the blocks that become pixels at that scale."""
    return max(1, round(math.sqrt(shape[0] * shape[1] / _WORKING_PIXELS)))


def reduced(pixels: Pixels, step: int) -> npt.NDArray[np.float32]:
    """Return the means of blocks, in [0, 1].

    Parameters
    ----------
    pixels : (H, W, ...) ndarray of uint8, uint16, float32 or float64
        A picture or a plane. Integers span their whole range.
    step : int
        Height and width of a block in pixels. Blocks at the lower and the right border may be smaller.

    Returns
    -------
    (ceil(H / step), ceil(W / step), ...) ndarray of float32
    """
    height, width = pixels.shape[:2]
    columns = np.arange(0, width, step)
    counts = np.minimum(columns + step, width) - columns
    unit = np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1
    result = np.empty((-(-height // step), len(columns), *pixels.shape[2:]), np.float32)
    for row, top in enumerate(range(0, height, step)):
        band = pixels[top : top + step].sum(axis=0, dtype=np.float64)
        sums = np.add.reduceat(band, columns, axis=0)
        area = (min(top + step, height) - top) * counts * float(unit)
        result[row] = sums / area.reshape(-1, *(1,) * (sums.ndim - 1))
    return result


def reduced_labels(labels: Labels, step: int) -> Labels:
    """Return a label for each block: that of its pixels if they have one, else unknown.

    If no block of a kind would be left, the blocks that hold pixels of this kind, and none of the
    other one, are known.
    """
    has = {
        value: reduced((labels == value).astype(np.float32), step) > 0
        for value in (_check.BACKGROUND, _check.FOREGROUND, _check.UNKNOWN)
    }
    background, foreground, unknown = has[_check.BACKGROUND], has[_check.FOREGROUND], has[_check.UNKNOWN]
    result = np.full(unknown.shape, _check.UNKNOWN, np.uint8)
    for value, here, other in (
        (_check.BACKGROUND, background, foreground),
        (_check.FOREGROUND, foreground, background),
    ):
        alone = here & ~other
        pure = alone & ~unknown
        result[pure if pure.any() else alone] = value
    return result


def enlarged(plane: Plane, step: int, shape: tuple[int, ...]) -> Plane:
    """Return a plane of `shape` from one number for each block, linear between their centres."""

    def places(size: int, count: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]:
        at = np.clip((np.arange(size) + 0.5) / step - 0.5, 0, count - 1)
        low = np.minimum(at.astype(np.intp), max(count - 2, 0))
        return low, (at - low).astype(np.float32)

    def between(low: Any, high: Any, part: Any) -> Any:
        return low + part * (high - low)

    rows, down = places(shape[0], plane.shape[0])
    columns, across = places(shape[1], plane.shape[1])
    right = np.minimum(columns + 1, plane.shape[1] - 1)
    result = np.empty(shape, np.float32)
    for top in range(0, shape[0], _ROWS_OF_A_BAND):
        band = slice(top, min(top + _ROWS_OF_A_BAND, shape[0]))
        lower = np.minimum(rows[band] + 1, plane.shape[0] - 1)
        lines = between(plane[rows[band]], plane[lower], down[band, None])
        result[band] = between(lines[:, columns], lines[:, right], across)
    return result
