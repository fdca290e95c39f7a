"""A Laplacian that does not look at colours."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..util.util import sparse_conv_matrix, weights_to_laplacian


def uniform_laplacian(image: npt.NDArray[Any], radius: int = 1) -> Any:
    """Return the Laplacian whose weights are 1 within windows, divided by the rows' sums.

    Parameters
    ----------
    image : (H, W, ...) ndarray
        Only its size counts.
    radius : int, default 1
        Windows are ``2 radius + 1`` pixels wide; at the border they are clamped.

    Returns
    -------
    (H * W, H * W) csr_matrix
    """
    from scipy import sparse

    size = 2 * radius + 1
    W = sparse_conv_matrix(image.shape[1], image.shape[0], np.ones((size, size)))
    return sparse.csr_matrix(weights_to_laplacian(W))
