"""The Laplacian of learning-based matting."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._windows import assembled, window_pixels


def lbdm_laplacian(image: npt.NDArray[Any], epsilon: float = 1e-7, radius: int = 1) -> Any:
    """Return the Laplacian of learning-based matting (Zheng, Kambhamettu 2009).

    Parameters
    ----------
    image : (H, W, C) ndarray
        Colours.
    epsilon : float, default 1e-7
        Weight of the squared coefficients of each window's regression, the bias among them.
    radius : int, default 1
        Windows are ``2 radius + 1`` pixels wide.

    Returns
    -------
    (H * W, H * W) csr_matrix
        The sum of ``(I - F)'(I - F)`` over all windows, where ``F = (X X' + epsilon I)^-1 X X'`` and
        X has the row ``[colour, 1]`` for each pixel of the window.
    """
    height, width = image.shape[:2]
    colours = np.asarray(image, np.float64).reshape(height * width, -1)
    pixels = window_pixels(height, width, radius)
    X = np.concatenate([colours[pixels], np.ones((*pixels.shape, 1))], axis=2)
    gram = X @ X.transpose(0, 2, 1)
    identity = np.eye(pixels.shape[1])
    # I - F = epsilon (X X' + epsilon I)^-1
    residual = identity - np.linalg.solve(gram + epsilon * identity, gram)
    return assembled(pixels, residual.transpose(0, 2, 1) @ residual, height * width)
