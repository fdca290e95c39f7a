"""The drawing surface of a scene, and what every shape on it shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float32]
Doubles: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """Map from scene units to pixels; 1 is the smaller side, y goes down from the centre."""

    height: int
    width: int

    @property
    def side(self) -> int:
        """Number of pixels in a unit."""
        return min(self.height, self.width)

    @property
    def right(self) -> float:
        """Return the x of the right border, in units; the left border has the negative x."""
        return self.width / (2 * self.side)

    @property
    def bottom(self) -> float:
        """Return the y of the lower border, in units; the upper border has the negative y."""
        return self.height / (2 * self.side)

    def to_pixels(self, points: Doubles) -> Doubles:
        """Convert (..., 2) points (x, y) from units to pixels, whose centres are whole numbers."""
        return points * self.side + (np.array([self.width, self.height]) - 1) / 2

    def rows(self, start: int, stop: int) -> Doubles:
        """Return the y of the pixel rows [start, stop), in units."""
        return (np.arange(start, stop) - (self.height - 1) / 2) / self.side

    def columns(self) -> Doubles:
        """Return the x of all pixel columns, in units."""
        return (np.arange(self.width) - (self.width - 1) / 2) / self.side


@dataclass
class Layer:
    """Shapes painted over each other, with what they let through and their colour.

    Attributes
    ----------
    clear : (H*W,) ndarray of float32
        Product of (1 - coverage) over all shapes; alpha = 1 - clear.
    colour : (H*W*3,) ndarray of float32
        Sum of weight * RGB over all shapes.
    weight : (H*W,) ndarray of float32
        Sum of coverage * 2**order: a shape of higher order shows in front, without sorting.
    """

    view: View
    clear: Floats = field(init=False)
    colour: Floats = field(init=False)
    weight: Floats = field(init=False)

    def __post_init__(self) -> None:
        pixels = self.view.height * self.view.width
        self.clear = np.ones(pixels, np.float32)
        self.colour = np.zeros(3 * pixels, np.float32)
        self.weight = np.zeros(pixels, np.float32)

    def add(self, pixel: npt.NDArray[np.intp], coverage: Floats, weight: Floats, rgb: list[Floats]) -> None:
        """Paint coverage in [0, 1] and colour at flat pixel positions, which may repeat."""
        np.multiply.at(self.clear, pixel, 1 - coverage)
        np.add.at(self.weight, pixel, weight)
        pixel = pixel * 3
        for channel in range(3):
            np.add.at(self.colour, pixel + channel, weight * rgb[channel])


def strip_overlap(distance: Floats, normal_x: Floats, normal_y: Floats) -> Floats:
    """Return the signed area of a pixel between a line through its centre and a parallel line.

    A pixel is a unit box. A line with unit normal (nx, ny) at distance s from its centre cuts it.
    If a is the larger and b the smaller of abs(nx) and abs(ny), the cut is 1/a long where abs(s) <=
    (a - b)/2, and shortens linearly to 0 at abs(s) = (a + b)/2. The area from 0 to s is

        G(s) = sign(s) [ min(abs(s), (a - b)/2) / a + (b² - q²) / (2ab) ]
        with q = clip((a + b)/2 - abs(s), 0, b),

    so a half plane whose edge lies at signed distance s covers 1/2 + G(s), and a strip with edges
    at s0 < s1 covers G(s1) - G(s0). Both are exact.

    Parameters
    ----------
    distance : ndarray of float32
        s in pixels.
    normal_x, normal_y : ndarray of float32
        Components of the unit normal. They are broadcast against `distance`.

    Returns
    -------
    ndarray of float32
        G(s), in [-1/2, 1/2].
    """
    normal_x, normal_y = np.abs(normal_x), np.abs(normal_y)
    a = np.maximum(normal_x, normal_y)
    b = np.maximum(np.minimum(normal_x, normal_y), np.float32(1e-5))  # at 0 there would be 0/0
    size = np.abs(distance)
    q = (a + b) / 2 - size
    np.clip(q, 0, b, out=q)
    np.multiply(q, q, out=q)
    np.subtract(b * b, q, out=q)
    q *= 1 / (2 * a * b)
    np.minimum(size, (a - b) / 2, out=size)
    size *= 1 / a
    size += q
    return np.copysign(size, distance, out=size)
