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
    """Errors of a matte over a region.

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
        Pixels of the region.
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
        The matte. Integers span their whole range, floats are in [0, 1]; nothing is stretched.
    truth : (H, W) array of the same dtypes
        The true alpha.
    trimap : (H, W) array, optional
        Errors count over its unknown pixels. By default, without `region`, over all pixels.
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
    .. [1] C. Rhemann, C. Rother, J. Wang, M. Gelautz, P. Kohli, P. Rott, "A Perceptually Motivated Online
       Benchmark for Image Matting", CVPR 2009.

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
    """Sum of absolute differences, in thousands. Arguments and errors are those of :func:`evaluate`."""
    found, exact, inside = _arguments(alpha, truth, trimap, region)
    return float(np.abs(found - exact)[inside].sum()) / 1000


def mad(
    alpha: npt.ArrayLike,
    truth: npt.ArrayLike,
    trimap: npt.ArrayLike | None = None,
    *,
    region: npt.ArrayLike | None = None,
) -> float:
    """Mean absolute difference. Arguments and errors are those of :func:`evaluate`."""
    found, exact, inside = _arguments(alpha, truth, trimap, region)
    return float(np.abs(found - exact)[inside].mean())


def mse(
    alpha: npt.ArrayLike,
    truth: npt.ArrayLike,
    trimap: npt.ArrayLike | None = None,
    *,
    region: npt.ArrayLike | None = None,
) -> float:
    """Mean squared error. Arguments and errors are those of :func:`evaluate`."""
    found, exact, inside = _arguments(alpha, truth, trimap, region)
    return float(np.square(found - exact)[inside].mean())


def rmse(
    alpha: npt.ArrayLike,
    truth: npt.ArrayLike,
    trimap: npt.ArrayLike | None = None,
    *,
    region: npt.ArrayLike | None = None,
) -> float:
    """Root of the mean squared error. Arguments and errors are those of :func:`evaluate`."""
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
    """Measure whether the matte is sharp and smooth where the truth is: gradient error, in thousands.

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
    Section 5 of [1]_ with q = 2. As in the field's common script, the two filters (Gaussian along one axis, its
    derivative along the other) have unit 2-norm, end where the Gaussian has fallen to 0.01 (9 x 9 pixels at 1.4),
    and pixels beyond the border repeat the nearest.

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
    """Measure whether the foreground hangs together where it should: connectivity error, in thousands.

    Parameters
    ----------
    alpha, truth, trimap, region
        As in :func:`evaluate`.
    step : float, default 0.1
        Distance between levels; 1 / step is rounded to a whole number.
    theta : float, default 0.15
        Differences to the connected level below this are ignored.

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
    Section 5 of [1]_ with p = 1: ``phi(a) = 1 - d`` where ``d = a - l`` is at least theta, else 1. l is the level
    up to which the pixel belongs to the source. As in the field's common script, the source at a level is the
    largest 4-connected component of the pixels where both mattes reach the level (of two of one size, the one
    that comes first), l is the last level before the first where the pixel does not belong to it, and the paper's
    lambda, whose definition is ambiguous, is 1. The components of all levels form a tree, found in one pass.

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
