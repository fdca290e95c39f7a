"""Multi-level foreground estimation."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._layers import ByRows, layers_of

Array = npt.NDArray[Any]


def estimate_foreground_ml(
    image: Array,
    alpha: Array,
    regularization: float = 1e-5,
    n_small_iterations: int = 10,
    n_big_iterations: int = 2,
    small_size: int = 32,
    return_background: bool = False,
    gradient_weight: float = 1.0,
) -> Any:
    """Estimate the colours of the foreground (Germer, Uelwer, Conrad, Harmeling 2020).

    Parameters
    ----------
    image : (H, W, C) ndarray
        Floats in [0, 1], which are clipped, or integers that span their whole range.
    alpha : (H, W) ndarray
        Opacity, of the same kinds.
    regularization : float, default 1e-5
        Weight of smoothness; 0 counts as 1e-12.
    n_small_iterations, n_big_iterations, small_size : int, default 10, 2, 32
        Iterations on levels whose sides have at most `small_size` pixels, and on larger ones; 0
        counts as 1.
    return_background : bool, default False
        Whether the background is returned too.
    gradient_weight : float, default 1
        Weight that is added to the smoothness per unit of difference in alpha.

    Returns
    -------
    foreground : (H, W, C) ndarray of float32
    background : (H, W, C) ndarray of float32, only if `return_background`

    Raises
    ------
    TypeError
        If the image is (H, W).
    ValueError
        If an array has NaN, or sizes differ.
    """
    image, alpha = np.asarray(image), np.asarray(alpha)
    if image.ndim != 3:
        raise TypeError(f"image: expected shape (H, W, C), got {image.shape}; pass image[..., np.newaxis]")
    method = ByRows(
        regularization=regularization or 1e-12,
        small_iterations=max(n_small_iterations, 1),
        big_iterations=max(n_big_iterations, 1),
        small_size=max(small_size, 1),
        gradient_weight=gradient_weight,
    )
    layers = layers_of(image, alpha, method=method)
    return tuple(layers) if return_background else layers.foreground
