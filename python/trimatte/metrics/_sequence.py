"""Errors of a sequence of mattes, among them flicker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _check
from ._base import Doubles, Record, Region, pixel_region, plane


@dataclass(frozen=True)
class SequenceErrors(Record):
    """Errors of a sequence.

    Attributes
    ----------
    ssda : float
        Mean over frames of the root of the summed squared differences.
    dtssd : float
        Flicker; see :func:`dtssd`.
    messddt : float
        Flicker along the motion, in thousands; see :func:`messddt`.
    frames : int
        Number of frames.
    """

    ssda: float = field(metadata={"unit": ""})
    dtssd: float = field(metadata={"unit": ""})
    messddt: float = field(metadata={"unit": "thousands"})
    frames: int = field(metadata={"unit": ""})


@dataclass(frozen=True)
class _Frame:
    alpha: Doubles
    truth: Doubles
    region: Region

    @property
    def difference(self) -> Doubles:
        return np.asarray(self.alpha - self.truth)


def evaluate_sequence(
    alphas: Iterable[npt.ArrayLike],
    truths: Iterable[npt.ArrayLike],
    trimaps: Iterable[npt.ArrayLike] | None = None,
    *,
    motion: Iterable[npt.ArrayLike] | None = None,
) -> SequenceErrors:
    """Measure a sequence of mattes, frame by frame, with the measures of Erofeev et al. 2015.

    Parameters
    ----------
    alphas, truths : iterable of (H, W) arrays
        At least two frames of one size, which are read one after another. Integers span their whole
        range, floats are in [0, 1].
    trimaps : iterable of (H, W) arrays, optional
        Errors count over the unknown pixels of each frame, by default over all pixels.
    motion : iterable of (H, W, 2) arrays of float, optional
        Distance that each pixel moves from each frame to the next, as columns to the right and rows
        down. By default no pixel moves.

    Returns
    -------
    SequenceErrors
        `ssda`, `dtssd`, `messddt`, `frames`. Printed, it is a table.

    Raises
    ------
    ValueError, TypeError
        If a frame has the wrong shape, dtype or range, if the iterables have different lengths or
        fewer than two frames, or if no pixel counts in a frame.

    Notes
    -----
    Let e be the difference of alpha and truth, N the number of frames and v the motion.
    Sums are over the pixels that count in the earlier frame.

    * ssda is the mean over frames of sqrt(sum e_t²).
    * dtssd is the mean over t < N of sqrt(sum (e_{t+1} - e_t)²). It compares the time derivatives
      of alpha and truth.
    * messddt is the mean over t < N of sum abs(e_t(p)² - e_{t+1}(p + v(p))²) / 1000. Alpha and
      truth are interpolated linearly between pixels. A pixel that leaves the picture does not
      count.

    References
    ----------
    .. [1] M. Erofeev, Y. Gitman, D. Vatolin, A. Fedorov, J. Wang, "Perceptually Motivated Benchmark
       for Video Matting", BMVC 2015, section 4.
    """
    static, derivative, compensated = [], [], []
    before: _Frame | None = None
    flow = None if motion is None else iter(motion)
    for frame in _frames(alphas, truths, trimaps):
        static.append(float(np.sqrt(np.square(frame.difference[frame.region]).sum())))
        if before is not None:
            if before.alpha.shape != frame.alpha.shape:
                raise ValueError(
                    f"alphas: expected frames of one size, got {before.alpha.shape}, {frame.alpha.shape}"
                )
            change = (frame.difference - before.difference)[before.region]
            derivative.append(float(np.sqrt(np.square(change).sum())))
            compensated.append(_along_motion(before, frame, _next_motion(flow, frame.alpha.shape)))
        before = frame
    if len(static) < 2:
        raise ValueError(f"alphas: expected at least 2 frames, got {len(static)}")
    if flow is not None and next(flow, None) is not None:
        raise ValueError(f"motion: expected one array for each frame but the last, {len(static) - 1}, got more")
    ssda, flicker, along = (float(np.mean(values)) for values in (static, derivative, compensated))
    return SequenceErrors(ssda=ssda, dtssd=flicker, messddt=along, frames=len(static))


def dtssd(
    alphas: Iterable[npt.ArrayLike],
    truths: Iterable[npt.ArrayLike],
    trimaps: Iterable[npt.ArrayLike] | None = None,
) -> float:
    """Measure flicker against the truth's time derivative; see :func:`evaluate_sequence`."""
    return evaluate_sequence(alphas, truths, trimaps).dtssd


def messddt(
    alphas: Iterable[npt.ArrayLike],
    truths: Iterable[npt.ArrayLike],
    trimaps: Iterable[npt.ArrayLike] | None = None,
    *,
    motion: Iterable[npt.ArrayLike] | None = None,
) -> float:
    """Measure the change of the squared error along the motion; see :func:`evaluate_sequence`."""
    return evaluate_sequence(alphas, truths, trimaps, motion=motion).messddt


_MISSING: Any = object()


def _frames(
    alphas: Iterable[npt.ArrayLike],
    truths: Iterable[npt.ArrayLike],
    trimaps: Iterable[npt.ArrayLike] | None,
) -> Iterator[_Frame]:
    """Check one frame after another."""
    kinds = [alphas, truths] if trimaps is None else [alphas, truths, trimaps]
    for value, name in zip(kinds, ("alphas", "truths", "trimaps"), strict=False):
        _check.iterable(value, name, "arrays")
    for index, parts in enumerate(zip_longest(*kinds, fillvalue=_MISSING)):
        if any(part is _MISSING for part in parts):
            raise ValueError(f"alphas, truths, trimaps: expected as many of each, got different numbers ({index})")
        alpha, truth, trimap = (*parts, None)[:3]
        exact = plane(truth, None, f"truths[{index}]")
        found = plane(alpha, exact.shape, f"alphas[{index}]", "its truth")
        yield _Frame(found, exact, pixel_region(trimap, None, exact.shape, "its truth"))


def _next_motion(flow: Iterator[npt.ArrayLike] | None, shape: tuple[int, ...]) -> Doubles | None:
    """Check the motion of one frame."""
    if flow is None:
        return None
    value = next(flow, _MISSING)
    if value is _MISSING:
        raise ValueError("motion: expected one array for each frame but the last, got fewer")
    array = _check.unmasked(value, "motion")
    if array.shape != (*shape, 2):
        raise ValueError(f"motion: expected shape {(*shape, 2)}, got {array.shape}")
    if array.dtype.kind != "f":
        raise TypeError(f"motion: expected floating point, got {array.dtype}")
    if not np.isfinite(array).all():
        raise ValueError("motion: expected finite numbers, got NaN or infinity")
    return array.astype(np.float64, copy=False)


def _along_motion(before: _Frame, after: _Frame, motion: Doubles | None) -> float:
    """Return the sum of the changes of the squared error, in thousands."""
    first = np.square(before.difference)
    if motion is None:
        second = np.square(after.difference)
        return float(np.abs(first - second)[before.region].sum()) / 1000
    from scipy.ndimage import map_coordinates

    height, width = first.shape
    y, x = np.nonzero(before.region)
    to_x, to_y = x + motion[y, x, 0], y + motion[y, x, 1]
    inside = (to_x >= 0) & (to_x <= width - 1) & (to_y >= 0) & (to_y <= height - 1)
    there = np.stack([to_y[inside], to_x[inside]])
    second = np.square(map_coordinates(after.difference, there, order=1, mode="nearest"))
    return float(np.abs(first[y[inside], x[inside]] - second).sum()) / 1000
