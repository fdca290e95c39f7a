"""Unknown regions that do not touch are systems of their own: solved apart they cost less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._check import BACKGROUND, UNKNOWN

# With fewer unknown pixels (25 megabytes) nothing is worth saving.
_LEAST_UNKNOWN = 100_000
# Of all unknown pixels: with a larger region little is saved.
_LARGEST_SHARE = 0.75
_MOST_PARTS = 8  # or the larger regions decide
_BLOCK = 8


@dataclass(frozen=True)
class Part:
    """A part of the picture that holds some of the unknown regions.

    Attributes
    ----------
    rows, columns : slice
        Where it is; a margin of known pixels, or of other regions, is included.
    own : (h, w) ndarray of bool
        False where unknown pixels are of other regions.
    """

    rows: slice
    columns: slice
    own: npt.NDArray[np.bool_]

    def cut(self, plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Copy the part of a plane, or of an image."""
        return np.array(plane[self.rows, self.columns], order="C")

    def labels(self, labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Cut the part out; what is unknown elsewhere is too far away to matter: background."""
        cut = self.cut(labels)
        cut[~self.own & (cut == UNKNOWN)] = BACKGROUND
        return cut


def independent_parts(labels: npt.NDArray[np.uint8], reach: int, unknowns: int) -> list[Part]:
    """Divide the unknown pixels into parts that can be solved by themselves.

    Parameters
    ----------
    labels : (H, W) ndarray of uint8
        As `_check.labels` returns them.
    reach : int
        Unknown pixels farther apart than this, along x or y, are in no window together.
    unknowns : int
        How many there are.

    Returns
    -------
    list of Part
        Empty if one solve is as good: few unknown pixels, or most of them in one region. Regions
        are told apart by blocks of 8 pixels, so that near ones stay together, and put into parts
        from top to bottom, as many as the largest region has room for.
    """
    if unknowns < _LEAST_UNKNOWN:
        return []
    from scipy import ndimage

    block = max(_BLOCK, reach)
    counts = _counts(labels, block)
    numbers, found = ndimage.label(counts > 0, np.ones((3, 3)))
    sizes = np.bincount(numbers.reshape(-1), counts.reshape(-1), found + 1)
    sizes[0] = 0
    if sizes.max() > _LARGEST_SHARE * unknowns:
        return []
    part_of = np.zeros(found + 1, np.int32)
    room = filled = max(sizes.max(), unknowns / _MOST_PARTS)
    for region in range(1, found + 1):
        filled += sizes[region]
        part_of[region] = part_of[region - 1]
        if filled > room:
            part_of[region] += 1
            filled = sizes[region]
    parts = part_of[numbers]
    height, width = labels.shape
    result = []
    for part, box in enumerate(ndimage.find_objects(parts), 1):
        rows, columns = (
            slice(max(0, s.start * block - reach), min(size, s.stop * block + reach))
            for s, size in zip(box, (height, width), strict=True)
        )
        y, x = (np.arange(s.start, s.stop) // block for s in (rows, columns))
        result.append(Part(rows, columns, (parts == part)[y][:, x]))
    return result


def _counts(labels: npt.NDArray[np.uint8], block: int) -> npt.NDArray[np.int64]:
    """How many unknown pixels each block has."""
    height, width = labels.shape
    starts = np.arange(0, width, block)
    counts = np.empty((-(-height // block), len(starts)), np.int64)
    for i, row in enumerate(counts):
        band = labels[i * block : (i + 1) * block] == UNKNOWN
        row[:] = np.add.reduceat(band.sum(axis=0, dtype=np.int64), starts)
    return counts
