"""Distances to a mask."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def distance_transform(mask: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the Euclidean distance of each pixel to the nearest zero of a mask (H, W).

    It is infinite if the mask has no zero.
    """
    from scipy import ndimage

    if mask.ndim != 2:
        raise ValueError(f"mask: expected shape (H, W), got {mask.shape}")
    outside = mask != 0
    if outside.all():
        return np.full(mask.shape, np.inf)
    return np.asarray(ndimage.distance_transform_edt(outside), np.float64)
