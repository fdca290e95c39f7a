"""What is done with a finished matte: levels, residue, choke, specks, and the box that it fills."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _check
from ._pixels import bands, quantized

__all__ = ["CropBox", "choke", "crop_box", "levels", "remove_specks", "settle"]

WIDEST_CHOKE = 200.0  # pixels
# Where a matte is above this, a part of the subject is seen; less is what noise leaves.
_FAINT = 0.02


class CropBox(NamedTuple):
    """A part of a picture, in pixels, in the order in which ``PIL.Image.crop`` takes it.

    Attributes
    ----------
    left, top : int
        First column and first row.
    right, bottom : int
        One more than the last column and the last row.
    """

    left: int
    top: int
    right: int
    bottom: int

    @property
    def rows(self) -> slice:
        """The rows: ``image[box.rows, box.columns]`` is the part."""
        return slice(self.top, self.bottom)

    @property
    def columns(self) -> slice:
        """The columns."""
        return slice(self.left, self.right)


def levels(alpha: npt.ArrayLike, black: float = 0.0, white: float = 1.0, gamma: float = 1.0) -> npt.NDArray[Any]:
    """Stretch a matte, so that what is nearly clear or nearly opaque becomes so.

    Parameters
    ----------
    alpha : (H, W) array of bool, uint8, uint16, float32 or float64
        Floats in [0, 1]; integers span their whole range.
    black, white : float, default 0 and 1
        Alpha up to `black` becomes 0, from `white` on 1; between them it is stretched linearly.
        Both are in [0, 1], `black` is the smaller one.
    gamma : float, default 1
        The stretched alpha is raised to the power ``1 / gamma``: above 1 soft parts become more
        opaque, below 1 less. From 0.01 to 100.

    Returns
    -------
    (H, W) ndarray of the dtype of `alpha`
        bool becomes uint8.

    Raises
    ------
    ValueError, TypeError
        If `alpha` is no matte, or a number is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> import trimatte as tm
    >>> tm.levels(np.array([[0.01, 0.5, 0.99]]), black=0.02, white=0.98).tolist()
    [[0.0, 0.5, 1.0]]
    """
    plane = _check.plane(alpha, None, "alpha")
    low, high = _check.between(black, 0, 1, "black"), _check.between(white, 0, 1, "white")
    if low >= high:
        raise ValueError(f"black, white: expected black below white, got {black} and {white}")
    power = 1 / _check.between(gamma, 0.01, 100, "gamma")
    out = np.empty_like(plane)
    for rows in bands(len(plane), 8 * plane.shape[1]):
        values = plane[rows] / _check.full_range(plane.dtype)
        stretched = np.clip((values - low) / (high - low), 0, 1)
        out[rows] = quantized(stretched if power == 1 else stretched**power, plane.dtype)
    return out


def settle(alpha: npt.ArrayLike, faint: float = 3.5 / 255, edge: float = 0.1) -> npt.NDArray[Any]:
    """Clear the faint residue that a solve leaves where nothing is, and fill it where all is opaque.

    Parameters
    ----------
    alpha : (H, W) array of bool, uint8, uint16, float32 or float64
        Floats in [0, 1]; integers span their whole range.
    faint : float, default 3.5 / 255
        Alpha below this becomes 0, unless an edge is near, and alpha above ``1 - faint`` becomes 1;
        in [0, 0.5]. The default is half a step above what 8 bits write as 3.
    edge : float, default 0.1
        A pixel keeps its alpha if one of its 8 neighbours is at least this far from 0 (from 1), so
        that the soft rim of an edge stays as it is; in (0, 1].

    Returns
    -------
    (H, W) ndarray of the dtype of `alpha`
        bool becomes uint8.

    Raises
    ------
    ValueError, TypeError
        If `alpha` is no matte, or a number is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> import trimatte as tm
    >>> tm.settle(np.array([[0.01, 0.01, 0.01, 0.5, 0.99, 0.99, 0.99]])).tolist()
    [[0.0, 0.0, 0.01, 0.5, 0.99, 1.0, 1.0]]
    """
    plane = _check.plane(alpha, None, "alpha")
    top = _check.full_range(plane.dtype)
    low = _check.between(faint, 0, 0.5, "faint") * top
    high = _check.number(edge, "edge")
    if not 0 < high <= 1:
        raise ValueError(f"edge: expected a number above 0, up to 1, got {edge}")
    result: npt.NDArray[Any] = plane.copy()
    for values, end in ((plane, 0), (top - plane, top)):
        residue = values < low
        result[residue & ~_near(values >= high * top)] = end
    return result


def _near(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return the pixels of a mask and their 8 neighbours."""
    from scipy import ndimage  # here, so that importing trimatte stays light

    return np.asarray(ndimage.maximum_filter(mask.view(np.uint8), 3, mode="constant") > 0)


def choke(alpha: npt.ArrayLike, pixels: float) -> npt.NDArray[Any]:
    """Move a matte's edge inwards, or outwards with a negative number.

    Parameters
    ----------
    alpha : (H, W) array of bool, uint8, uint16, float32 or float64
        Floats in [0, 1]; integers span their whole range.
    pixels : float
        How far the edge moves, from -200 to 200. Fractions of a pixel work.

    Returns
    -------
    (H, W) ndarray of the dtype of `alpha`
        bool becomes uint8. What lies beyond the border of the picture does not count.

    Raises
    ------
    ValueError, TypeError
        If `alpha` is no matte, or `pixels` is out of range.

    Notes
    -----
    The result is the least, over all pixels q, of ``max(alpha(q), 1 - w)``, where
    ``w = clip(pixels + 1 - distance to q, 0, 1)``: an erosion by a disc with a soft rim. A negative
    number erodes ``1 - alpha``. Time grows with the square of `pixels`.

    Examples
    --------
    >>> import numpy as np
    >>> import trimatte as tm
    >>> alpha = np.array([[0.0, 0.5, 1.0, 1.0, 1.0]])
    >>> tm.choke(alpha, 1).tolist()
    [[0.0, 0.0, 0.5, 1.0, 1.0]]
    """
    plane = _check.plane(alpha, None, "alpha")
    distance = _check.between(pixels, -WIDEST_CHOKE, WIDEST_CHOKE, "pixels")
    if distance == 0:
        return np.array(plane)
    working = np.dtype(np.float64) if plane.dtype == np.float64 else np.dtype(np.float32)
    values = (plane / _check.full_range(plane.dtype)).astype(working)
    eroded = _eroded(values, distance) if distance > 0 else 1 - _eroded(1 - values, -distance)
    return quantized(eroded, plane.dtype)


def _eroded(values: npt.NDArray[Any], radius: float) -> npt.NDArray[Any]:
    """Return the erosion by a disc with a soft rim; `values` are in [0, 1]."""
    height, width = values.shape
    reach = min(math.floor(radius + 1), max(height, width))
    result: npt.NDArray[Any] = values.copy()
    for dy in range(-min(reach, height - 1), min(reach, height - 1) + 1):
        for dx in range(-min(reach, width - 1), min(reach, width - 1) + 1):
            floor = 1 - min(1.0, radius + 1 - math.hypot(dy, dx))
            if floor >= 1:
                continue
            mine = result[max(0, -dy) : height - max(0, dy), max(0, -dx) : width - max(0, dx)]
            other = values[max(0, dy) : height - max(0, -dy), max(0, dx) : width - max(0, -dx)]
            np.minimum(mine, other if floor <= 0 else np.maximum(other, values.dtype.type(floor)), out=mine)
    return result


def remove_specks(
    alpha: npt.ArrayLike, area: float, *, holes: bool = True, threshold: float = 0.1
) -> npt.NDArray[Any]:
    """Clear small islands of a matte, and fill small holes.

    Parameters
    ----------
    alpha : (H, W) array of bool, uint8, uint16, float32 or float64
        Floats in [0, 1]; integers span their whole range.
    area : float
        Islands and holes of fewer pixels go.
    holes : bool, default True
        Whether holes are filled.
    threshold : float, default 0.1
        A pixel belongs to an island if its alpha is above this, and to a hole if ``1 - alpha`` is.
        In (0, 0.5]. Pixels that touch at a corner are connected.

    Returns
    -------
    (H, W) ndarray of the dtype of `alpha`
        bool becomes uint8. The faint rim of an island goes with it: fainter pixels belong to the
        nearest island.

    Raises
    ------
    ValueError, TypeError
        If `alpha` is no matte, or a number is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> import trimatte as tm
    >>> alpha = np.array([[1.0, 1.0, 1.0, 0.0, 0.0, 0.05, 0.4]])
    >>> tm.remove_specks(alpha, 2).tolist()
    [[1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]]
    """
    plane = _check.plane(alpha, None, "alpha")
    least = _check.between(area, 0, 1e12, "area")
    limit = _check.number(threshold, "threshold")
    if not 0 < limit <= 0.5:
        raise ValueError(f"threshold: expected a number above 0, up to 0.5, got {threshold}")
    top = _check.full_range(plane.dtype)
    result: npt.NDArray[Any] = plane.copy()
    result[_of_small_parts(plane / top, limit, least)] = 0
    if _check.flag(holes, "holes"):
        result[_of_small_parts(1 - result / top, limit, least)] = top
    return result


def _of_small_parts(values: npt.NDArray[Any], threshold: float, area: float) -> npt.NDArray[np.bool_]:
    """Mark the connected parts above the threshold that are smaller than `area`, with their faint rims."""
    from scipy import ndimage  # here, so that importing trimatte stays light

    parts, count = ndimage.label(values > threshold, structure=np.ones((3, 3)))
    small = np.bincount(parts.ravel(), minlength=count + 1) < area
    small[0] = False
    if not small.any():
        return np.zeros(values.shape, bool)
    nearest = ndimage.distance_transform_edt(parts == 0, return_distances=False, return_indices=True)
    return np.asarray(small[parts[tuple(nearest)]] & (values > 0))


def crop_box(alpha: npt.ArrayLike, threshold: float = _FAINT, margin: int = 0) -> CropBox:
    """Return the smallest box that holds all of a matte's subject.

    Parameters
    ----------
    alpha : (H, W) array of bool, uint8, uint16, float32 or float64
        Floats in [0, 1]; integers span their whole range.
    threshold : float, default 0.02
        Pixels count if their alpha is above this, so that faint residue does not widen the box; in
        [0, 1).
    margin : int, default 0
        So many pixels are added on all sides, as far as the picture goes.

    Returns
    -------
    CropBox
        left, top, right, bottom.

    Raises
    ------
    ValueError, TypeError
        If no pixel is above the threshold, if `alpha` is no matte, or if a number is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> import trimatte as tm
    >>> alpha = np.zeros((6, 8))
    >>> alpha[2:4, 3:7] = 1
    >>> tm.crop_box(alpha, margin=1)
    CropBox(left=2, top=1, right=8, bottom=5)
    """
    plane = _check.plane(alpha, None, "alpha")
    limit = _check.number(threshold, "threshold")
    if not 0 <= limit < 1:
        raise ValueError(f"threshold: expected a number from 0 to below 1, got {threshold}")
    border = _check.at_least(margin, 0, "margin")
    seen = plane > limit * _check.full_range(plane.dtype)
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not rows.size:
        most = float(plane.max(initial=0)) / _check.full_range(plane.dtype)
        raise ValueError(
            f"alpha: expected some pixel above threshold={limit:g}, got at most {most:.3g}; the matte is empty"
        )
    height, width = plane.shape
    return CropBox(
        max(0, int(columns[0]) - border),
        max(0, int(rows[0]) - border),
        min(width, int(columns[-1]) + 1 + border),
        min(height, int(rows[-1]) + 1 + border),
    )
