"""From the matrices of small windows to one sparse matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def window_pixels(height: int, width: int, radius: int) -> Array:
    """Return the pixels of each window that lies inside the image, (windows, pixels of one)."""
    size = 2 * radius + 1
    if min(height, width) < size:
        raise ValueError(f"radius: expected windows that fit into {height} x {width} pixels, got radius {radius}")
    pixels = np.arange(height * width).reshape(height, width)
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (size, size))
    return windows.reshape(-1, size * size)


def assembled(pixels: Array, entries: Array, count: int) -> Any:
    """Add the matrices of all windows up.

    Parameters
    ----------
    pixels : (windows, n) ndarray
        The pixels of each window.
    entries : (windows, n, n) ndarray
        A matrix for each window.
    count : int
        Pixels of the image.
    """
    from scipy import sparse

    n = pixels.shape[1]
    rows = np.repeat(pixels, n, axis=1).ravel()
    columns = np.tile(pixels, (1, n)).ravel()
    return sparse.csr_matrix((entries.ravel(), (rows, columns)), (count, count))
