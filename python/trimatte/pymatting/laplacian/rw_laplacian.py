"""The Laplacian of random walk matting."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..util.util import grid_coordinates, weights_to_laplacian

_STEEPNESS = 900.0
"""What squared distances of colours are multiplied by (Grady et al. 2005, Eq. 4)."""


def _rw_laplacian(image: npt.NDArray[Any], sigma: float, r: int) -> Any:
    """Return weights, rows and columns, as `scipy.sparse.coo_matrix` takes them."""
    height, width = image.shape[:2]
    colours = np.asarray(image, np.float64).reshape(height * width, -1)
    x, y = grid_coordinates(width, height, flatten=True)
    offsets = np.arange(-r, r + 1)
    columns = np.stack(
        [
            np.clip(y + dy, 0, height - 1) * width + np.clip(x + dx, 0, width - 1)
            for dy in offsets
            for dx in offsets
        ],
        axis=1,
    )
    distance = np.sum((colours[columns] - colours[:, np.newaxis]) ** 2, axis=2)
    rows = np.repeat(np.arange(height * width), columns.shape[1])
    return np.exp(-_STEEPNESS * distance).ravel(), rows, columns.ravel()


def rw_laplacian(
    image: npt.NDArray[Any], sigma: float = 0.033, radius: int = 1, regularization: float = 1e-8
) -> Any:
    """Return the Laplacian of random walk matting (Grady et al. 2005, Eq. 4).

    Parameters
    ----------
    image : (H, W, C) ndarray
        Colours.
    sigma : float, default 0.033
        It has no effect; weights are ``exp(-900 d^2)``, where d is the distance of two colours.
    radius : int, default 1
        Windows are ``2 radius + 1`` pixels wide; at the border they are clamped.
    regularization : float, default 1e-8
        It is added to the diagonal.

    Returns
    -------
    (H * W, H * W) csr_matrix
        ``(1 + regularization) I - D^-1 W``, where D holds the rows' sums.
    """
    from scipy import sparse

    return sparse.csr_matrix(weights_to_laplacian(rw_weights(image, radius), regularization=regularization))


def rw_weights(image: npt.NDArray[Any], radius: int, least: float = 0.0) -> Any:
    """Return the weights W, each at least so large."""
    from scipy import sparse

    weights, rows, columns = _rw_laplacian(image, 0.033, radius)
    count = image.shape[0] * image.shape[1]
    return sparse.csr_matrix((np.maximum(weights, least), (rows, columns)), (count, count))
