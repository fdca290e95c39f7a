"""What the EXIF tag "Orientation" does to a picture, and to a guide beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import warn
from .picture import Picture

Pixels = npt.NDArray[Any]


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Undo what the tag says (TIFF 6.0, section 8)."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def laid_as(image: Picture, guide: Picture, name: str) -> Picture:
    """Return a guide that lies as the image does, which its EXIF orientation may have turned.

    A guide without an orientation of its own that has the shape of the image's stored pixels, and
    not that of the upright ones, was made of the stored pixels: it is turned as the image was, and a
    warning says so. Where both shapes are the same, as for squares, a warning says what may be wrong.

    Parameters
    ----------
    image, guide : Picture
        What was read.
    name : str
        What messages call the guide.
    """
    if image.orientation == 1 or guide.orientation != 1:
        return guide
    shown, own = image.pixels.shape[:2], guide.pixels.shape[:2]
    stored = shown[::-1] if image.orientation >= 5 else shown
    because = f"the image is turned by its EXIF orientation ({image.orientation})"
    if _alike(own, stored) and not _alike(own, shown):
        warn(f"{name}: {because}, and this has the size of the pixels as they are stored; it is turned as well")
        return guide._replace(pixels=upright(guide.pixels, image.orientation))
    if stored == shown == own:
        warn(
            f"{name}: {because}, and this has no orientation; if it was made of the pixels as they are stored, "
            "turn it as the image is"
        )
    return guide


def _alike(shape: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether two shapes have the same aspect, but for the rounding of a side to whole pixels."""
    return abs(shape[0] * other[1] - shape[1] * other[0]) <= max(other)
