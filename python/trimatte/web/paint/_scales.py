"""A picture at its own size, and at whole parts of it for quick answers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._pixels import eight_bits
from ...colour import displayed
from ...io.picture import Picture


class Scales:
    """A picture at several sizes.

    Parameters
    ----------
    picture : Picture
        Opaque, grey or RGB.

    Attributes
    ----------
    shape : (int, int)
        Height and width.
    shown : (H, W, 3) ndarray of uint8
        The picture as a display shows it.
    """

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.shape = (picture.pixels.shape[0], picture.pixels.shape[1])
        shown = eight_bits(displayed(picture.pixels, picture.colour_space))
        self.shown = shown if shown.ndim == 3 else np.repeat(shown[..., np.newaxis], 3, axis=2)
        self._reduced: dict[int, npt.NDArray[np.uint8]] = {}

    @property
    def holds_floats(self) -> bool:
        """Whether the picture's samples are floats."""
        return self.picture.pixels.dtype.kind == "f"

    def factor(self, most_pixels: float) -> int:
        """Return the least factor at which there are at most so many pixels."""
        return max(1, math.ceil(math.sqrt(self.shape[0] * self.shape[1] / most_pixels)))

    def at(self, factor: int) -> tuple[npt.NDArray[Any], str]:
        """Return the pixels at a part of the size, and their colour space.

        At the whole size they are those of the file, else the shown ones.
        """
        if factor == 1:
            return self.picture.pixels, self.picture.colour_space
        if factor not in self._reduced:
            from PIL import Image

            self._reduced[factor] = np.asarray(Image.fromarray(self.shown).reduce(factor))
        return self._reduced[factor], "srgb"

    def shape_at(self, factor: int) -> tuple[int, int]:
        """Return height and width at a part of the size."""
        return -(-self.shape[0] // factor), -(-self.shape[1] // factor)


def resized(plane: npt.NDArray[np.float32], shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Bring one number per pixel to another size; values stay within [0, 1]."""
    if plane.shape == shape:
        return plane
    from PIL import Image

    out = Image.fromarray(plane).resize(shape[::-1], Image.Resampling.BILINEAR)
    return np.clip(np.asarray(out, np.float32), 0, 1)
