"""Errors of one matte, as the alphamatting.com benchmark measures them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .. import _check, _core
from .._runtime.threads import thread_count
from ._base import Doubles, Record, Region, pixel_region, plane

SIGMA = 1.4
STEP = 0.1
THETA = 0.15


@dataclass(frozen=True)
class Errors(Record):
    """Errors of a matte over a region of pixels.

    Attributes
    ----------
    sad : float
        Sum of absolute differences, in thousands.
    mse : float
        Mean squared error.
    mad : float
        Mean absolute difference.
    rmse : float
        Root of `mse`.
    gradient : float
        Gradient error, in thousands; see :func:`gradient`.
    connectivity : float
        Connectivity error, in thousands; see :func:`connectivity`.
    pixels : int
        Number of pixels in the region.
    """

    sad: float = field(metadata={"unit": "thousands"})
    mse: float = field(metadata={"unit": ""})
    mad: float = field(metadata={"unit": ""})
    rmse: float = field(metadata={"unit": ""})
    gradient: float = field(metadata={"unit": "thousands"})
    connectivity: float = field(metadata={"unit": "thousands"})
    pixels: int = field(metadata={"unit": ""})


def _arguments(
    alpha: npt.ArrayLike, truth: npt.ArrayLike, trimap: npt.ArrayLike | None, region: npt.ArrayLike | None
) -> tuple[Doubles, Doubles, Region]:
    exact = plane(truth, None, "truth")
    if exact.size == 0:
        raise ValueError(f"truth: expected pixels to measure, got shape {exact.shape}")
    found = plane(alpha, exact.shape, "alpha", "truth")
    return found, exact, pixel_region(trimap, region, exact.shape, "truth")


def evaluate(
    alpha: npt.ArrayLike,
    truth: npt.ArrayLike,
    trimap: npt.ArrayLike | None = None,
    *,
    region: npt.ArrayLike | None = None,
    threads: int | None = None,
) -> Errors:
    """Measure a matte with all error measures of the field.

    Parameters
    ----------
    alpha : (H, W) array of uint8, uint16, float32 or float64
        The matte. Integers span their whole range, floats are in [0, 1]. Values are not stretched.
    truth : (H, W) array of the same dtypes
        The true alpha.
    trimap : (H, W) array, optional
        Errors count over its unknown pixels. Without it and `region` they count over all pixels.
    region : (H, W) array of bool, optional
        The pixels that count, instead of `trimap`.
    threads : int, optional
        Default: all usable cores. The result does not depend on it.

    Returns
    -------
    Errors
        `sad`, `mse`, `mad`, `rmse`, `gradient`, `connectivity`, `pixels`. Printed, it is a table.

    Raises
    ------
    ValueError, TypeError
        If an argument has the wrong shape, dtype or range, or if no pixel counts.

    References
    ----------
    .. [1] C. Rhemann, C. Rother, J. Wang, M. Gelautz, P. Kohli, P. Rott, "A Perceptually Motivated
       Online Benchmark for Image Matting", CVPR 2009.

    Examples
    --------
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(96, 96)
    >>> errors = tm.metrics.evaluate(scene.alpha, scene.alpha, scene.trimap)
    >>> errors.sad, errors.connectivity
    (0.0, 0.0)
    """
    found, exact, inside = _arguments(alpha, truth, trimap, region)
    difference = (found - exact)[inside]
    absolute = np.abs(difference)
    mean_square = float((difference * difference).mean())
    return Errors(
        sad=float(absolute.sum()) / 1000,
        mse=mean_square,
        mad=float(absolute.mean()),
        rmse=math.sqrt(mean_square),
        gradient=_gradient(found, exact, inside, SIGMA, threads),
        connectivity=_connectivity(found, exact, inside, STEP, THETA),
        pixels=int(difference.size),
    )


def sad(
    alpha: npt.ArrayLike,
    truth: npt.ArrayLike,
    trimap: npt.ArrayLike | None = None,
    *,
    region: npt.ArrayLike | None = None,
) -> float:
    """Return the sum of absolute differences, in thousands; :func:`evaluate` has the arguments."""
    found, exact, inside = _arguments(alpha, truth, trimap, region)
    return float(np.abs(found - exact)[inside].sum()) / 1000


def mad(
    alpha: npt.ArrayLike,
    truth: npt.ArrayLike,
    trimap: npt.ArrayLike | None = None,
    *,
    region: npt.ArrayLike | None = None,
) -> float:
    """Return the mean absolute difference; :func:`evaluate` has the arguments."""
    found, exact, inside = _arguments(alpha, truth, trimap, region)
    return float(np.abs(found - exact)[inside].mean())


def mse(
    alpha: npt.ArrayLike,
    truth: npt.ArrayLike,
    trimap: npt.ArrayLike | None = None,
    *,
    region: npt.ArrayLike | None = None,
) -> float:
    """Return the mean squared error; :func:`evaluate` has the arguments."""
    found, exact, inside = _arguments(alpha, truth, trimap, region)
    return float(np.square(found - exact)[inside].mean())


def rmse(
    alpha: npt.ArrayLike,
    truth: npt.ArrayLike,
    trimap: npt.ArrayLike | None = None,
    *,
    region: npt.ArrayLike | None = None,
) -> float:
    """Return the root of the mean squared error; :func:`evaluate` has the arguments."""
    return math.sqrt(mse(alpha, truth, trimap, region=region))


def gradient(
    alpha: npt.ArrayLike,
    truth: npt.ArrayLike,
    trimap: npt.ArrayLike | None = None,
    *,
    region: npt.ArrayLike | None = None,
    sigma: float = SIGMA,
    threads: int | None = None,
) -> float:
    """Measure by the gradient error, in thousands, whether the matte is as sharp as the truth.

    Parameters
    ----------
    alpha, truth, trimap, region, threads
        As in :func:`evaluate`.
    sigma : float, default 1.4
        Standard deviation of the Gaussian whose derivatives are the filters, in pixels.

    Returns
    -------
    float
        Sum over the region of ``(abs(grad alpha) - abs(grad truth))**2``, divided by 1000.

    Raises
    ------
    ValueError, TypeError
        As in :func:`evaluate`; if `sigma` is not between 0.1 and 10.

    Notes
    -----
    The measure is that of section 5 of [1]_ with q = 2. As in the field's common
    script, the two filters (a Gaussian along one axis, its derivative along the other) have unit
    2-norm and end where the Gaussian has fallen to 0.01, at 9 x 9 pixels for a sigma of 1.4. Pixels
    beyond the border repeat the nearest.

    References
    ----------
    .. [1] Rhemann et al., CVPR 2009; see :func:`evaluate`.
    """
    sigma = _check.between(sigma, 0.1, 10, "sigma")
    found, exact, inside = _arguments(alpha, truth, trimap, region)
    return _gradient(found, exact, inside, sigma, threads)


def connectivity(
    alpha: npt.ArrayLike,
    truth: npt.ArrayLike,
    trimap: npt.ArrayLike | None = None,
    *,
    region: npt.ArrayLike | None = None,
    step: float = STEP,
    theta: float = THETA,
) -> float:
    """Measure by the connectivity error, in thousands, whether the foreground hangs together.

    Parameters
    ----------
    alpha, truth, trimap, region
        As in :func:`evaluate`.
    step : float, default 0.1
        Difference of alpha between levels; 1 / step is rounded to a whole number.
    theta : float, default 0.15
        Differences to the connected level that are below this are ignored.

    Returns
    -------
    float
        Sum over the region of ``abs(phi(alpha) - phi(truth))``, divided by 1000.

    Raises
    ------
    ValueError, TypeError
        As in :func:`evaluate`; if `step` is not between 0.005 and 1 or `theta` not between 0 and 1.

    Notes
    -----
    The measure is that of section 5 of [1]_ with p = 1: ``phi(a) = 1 - d`` where ``d =
    a - l`` is at least theta, else 1. The level l is that up to which the pixel belongs to the
    source. As in the field's common script, the source at a level is the largest 4-connected
    component of the pixels where both mattes reach the level; if two have one size, it is the one
    that comes first. l is the last level before the first where the pixel does not belong to the
    source. The paper's lambda, whose definition is ambiguous, is 1.

    References
    ----------
    .. [1] Rhemann et al., CVPR 2009; see :func:`evaluate`.
    """
    step = _check.between(step, 0.005, 1, "step")
    theta = _check.between(theta, 0, 1, "theta")
    found, exact, inside = _arguments(alpha, truth, trimap, region)
    return _connectivity(found, exact, inside, step, theta)


def _gradient(alpha: Doubles, truth: Doubles, region: Region, sigma: float, threads: int | None) -> float:
    monitor = _core.Monitor(None)
    mask = region.view(np.uint8)
    return _core.gradient_error(alpha, truth, mask, sigma, thread_count(threads), monitor) / 1000


def _connectivity(alpha: Doubles, truth: Doubles, region: Region, step: float, theta: float) -> float:
    monitor = _core.Monitor(None)
    return _core.connectivity_error(alpha, truth, region.view(np.uint8), round(1 / step), theta, monitor) / 1000
