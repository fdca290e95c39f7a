"""A mask at a picture's size."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .. import _check
from .._pixels import resized
from ..errors import warn

# How far, in pixels of the image, a side may be from the one that the aspect asks for.
_ROUNDING = 1.0


def fitted(mask: npt.ArrayLike, image_shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Return a mask as float32 in [0, 1] at an image's size.

    A mask of another size and the same aspect is scaled, and a warning says so.

    Raises
    ------
    ValueError, TypeError
        If the mask has another aspect, or is wrong by itself.
    """
    plane = _check.alpha(mask, None, "mask")
    height, width = image_shape[:2]
    own_height, own_width = plane.shape
    if plane.shape == (height, width):
        return plane
    wanted, got = f"{width} x {height} pixels", f"{own_width} x {own_height}"
    # The longer side is the finer measure of the scale.
    scale = width / own_width if own_width >= own_height else height / own_height
    if max(abs(own_width * scale - width), abs(own_height * scale - height)) > max(_ROUNDING, scale / 2):
        turned = "; is the mask or the image turned by 90 degrees?" if plane.shape == (width, height) else ""
        raise ValueError(
            f"mask: expected {wanted} as the image has, or another size of the same aspect, got {got}{turned}"
        )
    warn(f"mask: its {got} pixels are scaled to the image's {wanted}")
    return resized(plane, (height, width))
