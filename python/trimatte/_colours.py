"""The picture as `solve_alpha` uses it: checked, and encoded if it is scene-linear."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _check, colour
from .errors import warn

BRIGHTEST = 1e10
"""Largest scene-linear colour that is allowed in windows with unknown pixels.

Up to here float32 and float64 pictures of three scenes with 40 bright pixels gave the same alpha to
2e-3; at 3e10 it was off by up to 1, and from 1e12 on systems were singular.
"""


class Colours(NamedTuple):
    """A picture.

    Attributes
    ----------
    pixels : (H, W, C) ndarray
        Display colours, or encoded scene-linear ones, which may go above 1.
    top : float
        The largest value of `pixels`, at least 1, if they were scene-linear; else 1.
    bright : (H, W, C) ndarray or None
        The scene-linear picture, if some of its colours are above `BRIGHTEST`.
    """

    pixels: npt.NDArray[Any]
    top: float
    bright: npt.NDArray[Any] | None

    @property
    def within_unit(self) -> npt.NDArray[Any]:
        """The pixels divided by the largest value: what priors see."""
        return self.pixels if self.top == 1 else self.pixels / self.pixels.dtype.type(self.top)

    def refuse_bright(self, unknown: npt.NDArray[np.bool_], reach: int | None) -> None:
        """Raise ValueError at the first colour that would spoil an unknown pixel's equations."""
        if self.bright is None:
            return
        from scipy.ndimage import maximum_filter

        if reach is None:
            near = np.full(unknown.shape, unknown.any())
        else:
            near = maximum_filter(unknown.view(np.uint8), 2 * reach + 1) > 0
        found = np.argwhere((self.bright > BRIGHTEST) & near[..., np.newaxis])
        if len(found):
            y, x, c = found[0]
            raise ValueError(
                f"image: expected linear colours up to {BRIGHTEST:g} near unknown pixels, got "
                f"{self.bright[y, x, c]:g} at ({y}, {x})"
            )


def checked_colours(image: npt.ArrayLike, colour_space: str, smallest: int) -> Colours:
    """Check an image, at least `smallest` pixels high and wide; encode a scene-linear one."""
    linear = _check.one_of(colour_space, colour.SPACES, "colour_space") == "linear"
    picture = _check.image(image, smallest=smallest, linear=linear)
    most = _check.most_of_eight_bits(picture)
    if most:
        warn(f"image: expected uint16 values up to 65535, got none above {most}; 8-bit ones belong into uint8")
    if not linear:
        return Colours(picture, 1.0, None)
    bright = picture if picture.max() > BRIGHTEST else None
    encoded, top = colour.encoded(picture)
    return Colours(encoded, top, bright)
