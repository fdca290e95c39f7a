"""The Laplacian of KNN matting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..util.kdtree import knn
from ..util.util import grid_coordinates, weights_to_laplacian


def knn_laplacian(
    image: npt.NDArray[Any],
    n_neighbors: Sequence[int] = (20, 10),
    distance_weights: Sequence[float] = (2.0, 0.1),
    kernel: str = "binary",
) -> Any:
    """Return the Laplacian of KNN matting (Chen, Li, Tang 2013).

    Parameters
    ----------
    image : (H, W, 3) ndarray
        Colours.
    n_neighbors : sequence of int, default (20, 10)
        Numbers of pixels in the lists of nearest pixels; a pixel is in its own.
    distance_weights : sequence of float, default (2, 0.1)
        What positions, from 0 to 1, are multiplied by in each list.
    kernel : {"binary", "soft"}
        Whether a neighbour counts 1, or 1 less a fifth of the sum of absolute differences.

    Returns
    -------
    (H * W, H * W) csr_matrix
        ``I - D^-1 (W + W')``, where D holds the rows' sums.
    """
    from scipy import sparse

    W = knn_weights(image, n_neighbors, distance_weights, kernel)
    return sparse.csr_matrix(weights_to_laplacian(W))


def checked_kernel(kernel: str) -> bool:
    """Return whether near neighbours count more; raise ValueError for another name."""
    if kernel not in ("binary", "soft"):
        raise ValueError(f"kernel must be binary/soft, but not {kernel}.")
    return kernel == "soft"


def knn_weights(
    image: npt.NDArray[Any], n_neighbors: Sequence[int], distance_weights: Sequence[float], kernel: str
) -> Any:
    """Return the weights ``W + W'``."""
    from scipy import sparse

    soft = checked_kernel(kernel)
    height, width = image.shape[:2]
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"image: expected shape (H, W, 3), got {image.shape}")
    colours = np.asarray(image, np.float32).reshape(-1, 3)
    x, y = grid_coordinates(width, height, flatten=True)
    x, y = x / max(width - 1, 1), y / max(height - 1, 1)
    count = height * width
    rows, columns, values = [], [], []
    for k, weight in zip(n_neighbors, distance_weights, strict=True):
        positions = weight * np.stack([x, y], axis=1)
        features = np.concatenate([colours, positions.astype(np.float32)], axis=1)
        _, neighbours = knn(features, features, k=k)
        rows.append(np.repeat(np.arange(count), k))
        columns.append(neighbours.ravel())
        apart = np.abs(features[rows[-1]] - features[columns[-1]]).sum(axis=1)
        values.append(1 - apart.astype(np.float64) / 5 if soft else np.ones(count * k))
    i, j, v = np.concatenate(rows), np.concatenate(columns), np.concatenate(values)
    return sparse.csr_matrix(
        (np.concatenate([v, v]), (np.concatenate([i, j]), np.concatenate([j, i]))), (count, count)
    )
