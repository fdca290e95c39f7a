"""Errors of an estimated foreground."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .. import _check
from ._alpha import SIGMA, _gradient
from ._base import Record, in_double, plane, same_shape


@dataclass(frozen=True)
class ForegroundErrors(Record):
    """Errors of foreground colours where the object is translucent.

    Attributes
    ----------
    sad : float
        Sum of absolute differences over pixels and channels, in thousands.
    mse : float
        Mean squared error over pixels and channels.
    gradient : float
        Gradient error summed over channels, in thousands.
    pixels : int
        Number of pixels with 0 < alpha < 1.
    """

    sad: float = field(metadata={"unit": "thousands"})
    mse: float = field(metadata={"unit": ""})
    gradient: float = field(metadata={"unit": "thousands"})
    pixels: int = field(metadata={"unit": ""})


def evaluate_foreground(
    foreground: npt.ArrayLike, truth: npt.ArrayLike, alpha: npt.ArrayLike, *, threads: int | None = None
) -> ForegroundErrors:
    """Measure foreground colours where 0 < alpha < 1.

    Parameters
    ----------
    foreground : (H, W, 3) or (H, W) array of uint8, uint16, float32 or float64
        The estimated colours. Integers span their whole range, floats are in [0, 1].
    truth : array of the same shape
        The true colours.
    alpha : (H, W) array
        The true alpha. The foreground does not matter where it is 0, and is seen where it is 1.
    threads : int, optional
        Default: all usable cores. The result does not depend on it.

    Returns
    -------
    ForegroundErrors
        `sad`, `mse`, `gradient`, `pixels`. Printed, it is a table.

    Raises
    ------
    ValueError, TypeError
        If an argument has the wrong shape, dtype or range, or if alpha is 0 or 1 everywhere.

    Notes
    -----
    The measures and the region are those of [1]_. The gradient error is that of
    :func:`gradient`, summed over the channels.

    References
    ----------
    .. [1] T. Germer, T. Uelwer, S. Conrad, S. Harmeling, "Fast Multi-Level Foreground Estimation",
       ICPR 2020, section IV.
    """
    exact = in_double(_check.image(truth, "truth"))
    found = in_double(_check.image(foreground, "foreground"))
    same_shape(found, exact.shape, "foreground", "truth")
    opacity = plane(alpha, exact.shape[:2], "alpha", "truth")
    inside = (opacity > 0) & (opacity < 1)
    if not inside.any():
        raise ValueError("alpha: expected translucent pixels to measure, got only 0 and 1")
    difference = (found - exact)[inside]
    planes = ([np.ascontiguousarray(colours[..., c]) for colours in (found, exact)] for c in range(exact.shape[2]))
    return ForegroundErrors(
        sad=float(np.abs(difference).sum()) / 1000,
        mse=float(np.square(difference).mean()),
        gradient=sum(_gradient(a, b, inside, SIGMA, threads) for a, b in planes),
        pixels=int(np.count_nonzero(inside)),
    )
