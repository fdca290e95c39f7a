"""What keys and plates take: pictures in colour, and colours."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _check
from .._pixels import unit_floats

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


def colour_image(value: npt.ArrayLike, name: str = "image") -> Floats:
    """Return a colour image as float32 in [0, 1]."""
    picture = _check.image(value, name)
    if picture.shape[2] != 3:
        raise ValueError(f"{name}: expected shape (H, W, 3), got {np.shape(value)}; a key needs colours")
    return unit_floats(picture)


def like(value: npt.ArrayLike, picture: Floats, name: str) -> Floats:
    """Return another colour image, which must have the picture's size."""
    other = colour_image(value, name)
    if other.shape != picture.shape:
        raise ValueError(f"{name}: expected shape {picture.shape} to match image, got {other.shape}")
    return other


def backdrop(value: npt.ArrayLike, picture: Floats, name: str) -> Floats:
    """Return a picture, or a colour at every pixel."""
    if np.ndim(value) == 1:
        return np.asarray(np.broadcast_to(colour(value, name), picture.shape))
    return like(value, picture, name)


def colour(value: Any, name: str) -> Floats:
    """Return a colour as three float32 in [0, 1]."""
    if isinstance(value, str):
        from PIL import ImageColor

        try:
            return np.asarray(np.divide(ImageColor.getcolor(value, "RGB"), 255), np.float32)
        except ValueError:
            raise ValueError(
                f"{name}: expected a colour such as #00b140, or three numbers, got {value!r}"
            ) from None
    numbers = np.asarray(value)
    if numbers.shape != (3,) or numbers.dtype.kind not in "uif":
        raise TypeError(f"{name}: expected a colour such as #00b140, or three numbers, got {value!r}")
    top = 1 if numbers.dtype.kind == "f" else 255
    if not (numbers.min() >= 0 and numbers.max() <= top):
        raise ValueError(f"{name}: expected numbers from 0 to {top}, got {value!r}")
    return np.asarray(numbers / top, np.float32)
