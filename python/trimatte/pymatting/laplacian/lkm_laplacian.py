"""The Laplacian of large-kernel matting, which is never formed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..util.boxfilter import boxfilter
from ..util.util import mat_vec_dot, vec_vec_dot, vec_vec_outer

Array = npt.NDArray[Any]


def lkm_laplacian(image: Array, epsilon: float = 1e-7, radius: int = 10, return_diagonal: bool = True) -> Any:
    """Return the products with the Laplacian of large-kernel matting (He, Sun, Tang 2010).

    Parameters
    ----------
    image : (H, W, 3) ndarray
        Colours.
    epsilon : float, default 1e-7
        Colour variance that is added to each window.
    radius : int, default 10
        Windows are ``2 radius + 1`` pixels wide and lie inside the image.
    return_diagonal : bool, default True
        Whether the diagonal is returned too.

    Returns
    -------
    matvec : callable
        It takes a vector with an element for each pixel to its product with the Laplacian.
    diagonal : (H * W,) ndarray, only if `return_diagonal`
    """
    height, width = image.shape[:2]
    I = np.asarray(image, np.float64)
    I = I - I.mean(axis=(0, 1))  # no rounding errors of large means
    n = (2 * radius + 1) ** 2
    mu = boxfilter(I, radius, "valid") / n
    products = boxfilter(vec_vec_outer(I, I), radius, "valid") / n
    covariance = products - vec_vec_outer(mu, mu)
    inverse = np.linalg.inv(covariance + epsilon / n * np.eye(I.shape[2]))  # Eq. 12 of Levin et al. 2008
    windows = _spread(np.ones(mu.shape[:2]), radius)

    def matvec(p: Array) -> Array:
        plane = np.asarray(p, np.float64).reshape(height, width)
        mean = boxfilter(plane, radius, "valid") / n
        with_colours = boxfilter(I * plane[..., None], radius, "valid") / n
        a = mat_vec_dot(inverse, with_colours - mu * mean[..., None])  # Eq. 8
        b = mean - vec_vec_dot(a, mu)
        fitted = vec_vec_dot(_spread(a, radius), I) + _spread(b, radius)
        return np.asarray((windows * plane - fitted).reshape(np.shape(p)))

    if not return_diagonal:
        return matvec
    return matvec, _diagonal(I, mu, inverse, windows, radius).ravel()


def _diagonal(I: Array, mu: Array, inverse: Array, windows: Array, radius: int) -> Array:
    """Return ``sum(1 - (1 + (I - mu)' inverse (I - mu)) / n)`` over each pixel's windows."""
    n = (2 * radius + 1) ** 2
    slope = mat_vec_dot(inverse, mu)
    quadratic = np.einsum("...i,...ij,...j->...", I, _spread(inverse, radius), I)
    linear = vec_vec_dot(I, _spread(slope, radius))
    constant = _spread(vec_vec_dot(mu, slope), radius)
    return np.asarray(windows - (windows + quadratic - 2 * linear + constant) / n)


def _spread(values: Array, radius: int) -> Array:
    """Sum the values of all windows that hold a pixel; it reverses the "valid" filter's size."""
    pads = [(2 * radius, 2 * radius)] * 2 + [(0, 0)] * (values.ndim - 2)
    return boxfilter(np.pad(values, pads), radius, "valid")
