"""A band that follows strands out of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..trimap import UNKNOWN, _dilated

ROUNDS = 2
"""How often the band grows."""

# A strand leaves the band where alpha is above _VISIBLE within _BORDER pixels of the background.
_VISIBLE = 0.05
_BORDER = 3.0
# How far the band grows there, as a part of the longer side.
_REACH = 0.03


def followed(trimap: npt.NDArray[np.uint8], alpha: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """Make background unknown where alpha has not ended when it meets the background.

    Parameters
    ----------
    trimap : (H, W) ndarray of uint8
        0 background, 128 unknown, 255 foreground.
    alpha : (H, W) ndarray
        Its solution.
    """
    background = trimap == 0
    leaving = (trimap == UNKNOWN) & (alpha > _VISIBLE) & _dilated(background, _BORDER, _BORDER)
    reach = _REACH * max(trimap.shape)
    return np.where(_dilated(leaving, reach, reach) & background, np.uint8(UNKNOWN), trimap)
