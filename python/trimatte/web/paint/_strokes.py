"""Strokes of a brush, and the pixels that they cover."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _check
from ...trimap import FOREGROUND, UNKNOWN

BRUSHES: Mapping[str, int | None] = {
    "background": 0,
    "unknown": UNKNOWN,
    "foreground": FOREGROUND,
    "eraser": None,
}
"""What each brush leaves in the trimap; the eraser leaves what was there at the start."""

MOST_POINTS = 20_000
_LARGEST = 1e6  # pixels
_LEAST_RADIUS = 0.7072  # such a disc has the centre of a pixel in it wherever it lies


@dataclass(frozen=True, eq=False)
class Stroke:
    """A path of a round brush.

    Attributes
    ----------
    brush : str
        A key of `BRUSHES`.
    size : float
        The brush's diameter in pixels of the picture.
    points : (N, 2) ndarray of float64
        The path, x to the right and y down, in pixels; pixel (0, 0) covers the unit square.
    """

    brush: str
    size: float
    points: npt.NDArray[np.float64]


def strokes_from(value: object) -> list[Stroke]:
    """Return the strokes that a list of objects with brush, size and points stands for.

    Raises
    ------
    ValueError, TypeError
        If a part is missing or out of range.
    """
    if not isinstance(value, list):
        raise TypeError(f"strokes: expected a list, got {type(value).__name__}")
    return [_stroke_from(part) for part in value]


def _stroke_from(value: object) -> Stroke:
    if not isinstance(value, dict):
        raise TypeError(f"strokes: expected objects with brush, size and points, got {type(value).__name__}")
    brush = _check.one_of(value.get("brush"), tuple(BRUSHES), "brush")
    size = _check.between(value.get("size"), 0, _LARGEST, "size")
    given = value.get("points")
    if not isinstance(given, list) or not 0 < len(given) <= MOST_POINTS:
        raise ValueError(f"points: expected 1 to {MOST_POINTS} pairs [x, y]")
    try:
        points = np.array(given, np.float64)
    except (TypeError, ValueError):
        points = np.empty(0)
    if points.ndim != 2 or points.shape[1] != 2 or not (np.abs(points) <= _LARGEST).all():
        raise ValueError(f"points: expected pairs [x, y] of numbers up to {_LARGEST:.0f}")
    return Stroke(brush, size, points)


def as_json(stroke: Stroke) -> dict[str, Any]:
    """Return what `strokes_from` takes."""
    return {"brush": stroke.brush, "size": stroke.size, "points": stroke.points.tolist()}


def covered(stroke: Stroke, shape: tuple[int, ...]) -> tuple[tuple[slice, slice], npt.NDArray[np.bool_]] | None:
    """Return the window of a picture that a stroke touches, and which of its pixels it covers.

    A pixel is covered if its centre is at most half the brush's size from the path. None stands for
    a stroke that lies outside.
    """
    radius = max(stroke.size / 2, _LEAST_RADIUS)
    points = stroke.points
    left, top = np.maximum(np.floor(points.min(axis=0) - radius), 0).astype(int).tolist()
    right, bottom = np.minimum(np.ceil(points.max(axis=0) + radius), shape[1::-1]).astype(int).tolist()
    if left >= right or top >= bottom:
        return None
    # How many segments begin and end at each pixel of a row; their sum from the left says how many cover it.
    steps = np.zeros((bottom - top, right - left + 1), np.int32)
    centres = np.arange(top, bottom) + 0.5
    for a, b in zip(points, points[1:] if len(points) > 1 else points, strict=False):
        first, last = np.searchsorted(centres, [min(a[1], b[1]) - radius, max(a[1], b[1]) + radius])
        rows = np.arange(first, last)
        y = centres[first:last]
        begin = np.ceil(-_rightmost(y, a * (-1, 1), b * (-1, 1), radius) - 0.5).clip(left, right) - left
        end = np.floor(_rightmost(y, a, b, radius) + 0.5).clip(left, right) - left
        some = begin < end
        steps[rows[some], begin[some].astype(int)] += 1
        steps[rows[some], end[some].astype(int)] -= 1
    return (slice(top, bottom), slice(left, right)), np.cumsum(steps, axis=1, out=steps)[:, :-1] > 0


def _rightmost(
    y: npt.NDArray[np.float64], a: npt.NDArray[np.float64], b: npt.NDArray[np.float64], radius: float
) -> npt.NDArray[np.float64]:
    """Return the largest x of each row within `radius` of the segment from `a` to `b`.

    The discs along the segment have their right borders at ``a_x + t d_x + sqrt(r^2 - v^2)`` with
    ``v = y - a_y - t d_y``, which is concave in t, so that its zero of the derivative, clipped to the
    discs that meet the row, is the place of the largest.
    """
    dx, dy = (b - a).tolist()
    if abs(dy) < 1e-9:
        reach = np.sqrt(np.maximum(radius**2 - (y - a[1]) ** 2, 0))
        return np.asarray(max(a[0], b[0]) + reach)
    ends = np.sort(np.stack([y - a[1] - radius, y - a[1] + radius]) / dy, axis=0).clip(0, 1)
    best = -radius * dx * np.sign(dy) / np.hypot(dx, dy)
    t = np.clip((y - a[1] - best) / dy, ends[0], ends[1])
    v = y - a[1] - t * dy
    return np.asarray(a[0] + t * dx + np.sqrt(np.maximum(radius**2 - v**2, 0)))
