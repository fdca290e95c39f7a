"""Sums over square windows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def boxfilter(src: Array, radius: int = 3, mode: str = "same") -> Array:
    """Sum the values of each window of ``2 radius + 1`` pixels a side.

    Parameters
    ----------
    src : (H, W) or (H, W, ...) ndarray
        What lies beyond its border counts as 0.
    radius : int, default 3
    mode : {"same", "valid", "full"}
        Windows around each pixel; only those inside the image; or all that meet the image.

    Returns
    -------
    ndarray
        ``2 radius`` pixels less a side for "valid", and more for "full".
    """
    if mode not in ("same", "valid", "full"):
        raise ValueError(f'mode: expected "same", "valid" or "full", got {mode!r}')
    size = 2 * radius + 1
    if radius < 1 or min(src.shape[:2]) < size:
        raise ValueError(f"radius: expected windows that fit into {src.shape[:2]} pixels, got radius {radius}")
    values = src.astype(np.result_type(src.dtype, np.float32), copy=False)
    for axis in (0, 1):
        values = _along(values, axis, size, mode)
    return values


def _along(values: Array, axis: int, size: int, mode: str) -> Array:
    """Sum `size` neighbours along one axis."""
    reach = {"valid": 0, "same": size // 2, "full": size - 1}[mode]
    pads = [(0, 0)] * values.ndim
    pads[axis] = (reach + 1, reach)
    sums = np.cumsum(np.pad(values, pads), axis=axis)
    count = values.shape[axis] + 2 * reach - size + 1
    upper = np.take(sums, np.arange(size, size + count), axis=axis)
    return np.asarray(upper - np.take(sums, np.arange(count), axis=axis))
