"""Unknown regions that know one label only: what a solve can but continue, and colours can tell."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from . import _check

_EVERY_SIDE = np.ones((3, 3), bool)


class Found(NamedTuple):
    """The unknown pixels whose region touches known pixels of one kind only.

    Attributes
    ----------
    mask : (H, W) ndarray of bool
        These pixels.
    regions : int
        The number of their regions.
    """

    mask: npt.NDArray[np.bool_]
    regions: int


def one_sided(labels: npt.NDArray[np.uint8], reach: int = 2) -> Found:
    """Find the unknown regions that touch known pixels of one kind only.

    Parameters
    ----------
    labels : (H, W) ndarray of uint8
        0 = known background, 1 = known foreground, 2 = unknown.
    reach : int, default 2
        Pixels at most so many rows and columns apart touch each other; an affinity says its own,
        closed-form with windows of 3 x 3 pixels has 2.

    Returns
    -------
    Found
        The pixels and the number of the regions.

    Notes
    -----
    Two pixels are at most `reach` rows and columns apart if, and only if, the squares of `reach`
    pixels beside them touch, at corners included.
    """
    from scipy import ndimage  # here, so that importing trimatte stays light

    unknown = labels == _check.UNKNOWN
    squares = ndimage.maximum_filter(unknown.view(np.uint8), reach, mode="constant")
    regions, count = ndimage.label(squares, _EVERY_SIDE)
    touched = np.zeros((2, count + 1), bool)
    for kind in (_check.BACKGROUND, _check.FOREGROUND):
        near = ndimage.maximum_filter((labels == kind).view(np.uint8), 2 * reach + 1, mode="constant")
        touched[kind][regions[unknown & (near > 0)]] = True
    one = touched[0] != touched[1]
    return Found(np.asarray(one[regions] & unknown), int(np.count_nonzero(one)))
