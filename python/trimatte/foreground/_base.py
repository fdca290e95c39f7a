"""What every foreground method is: options, and the two layers of a picture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from .._context import Context
from ..affinities._base import check_options

Pixels = npt.NDArray[Any]
Plane = npt.NDArray[np.float32]


class Layers(NamedTuple):
    """The two layers of a picture.

    Attributes
    ----------
    foreground, background : (H, W, 3) or (H, W) ndarray of float32
        Colours, which are defined at every pixel and in [0, 1] unless they are scene-linear.
    """

    foreground: npt.NDArray[np.float32]
    background: npt.NDArray[np.float32]


class Finish(NamedTuple):
    """What is done to the layers of every method.

    Attributes
    ----------
    exact : bool
        Whether ``alpha F + (1 - alpha) B`` becomes the image.
    low, high : float
        The range that the layers stay within.
    solid : bool
        Whether the foreground becomes the image where alpha is 1, and the background where it is 0.
    """

    exact: bool
    low: float
    high: float
    solid: bool = True


class ForegroundMethod(ABC):
    """A way to find the colours of both layers.

    Give one to `trimatte.estimate_foreground` as `method`. A subclass is a frozen dataclass whose
    fields are its options; `trimatte.affinities.option` says their bounds and their help.

    Attributes
    ----------
    name : str
        The name in the table of methods; empty for a class that is used as an object only.
    bytes_per_pixel : int
        Memory that it needs for each pixel, image and results included (`benchmarks/batch.py --cost`).
    bytes_per_unknown : int
        Memory that it needs besides for each pixel that it solves for; 0 if it solves no system.
    """

    name: ClassVar[str] = ""
    bytes_per_pixel: ClassVar[int] = 66
    bytes_per_unknown: ClassVar[int] = 0

    def __post_init__(self) -> None:
        check_options(self)

    def need(self, pixels: int, unknown: int) -> int:
        """Return the bytes that the layers of a picture need.

        Parameters
        ----------
        pixels, unknown : int
            Pixels of the picture, and those that are solved for.
        """
        return self.bytes_per_pixel * pixels + self.bytes_per_unknown * unknown

    def unknowns(self, alpha: Plane) -> int:
        """Return how many pixels are solved for, or a little more; 0 if no system is solved."""
        return 0

    @abstractmethod
    def layers(self, image: Pixels, alpha: Plane, finish: Finish, context: Context) -> tuple[Plane, Plane]:
        """Return foreground and background of checked arguments.

        Parameters
        ----------
        image : (H, W, C) ndarray of uint8, uint16, float32 or float64
            The picture, C = 1 or 3.
        alpha : (H, W) ndarray of float32
            Opacity in [0, 1].
        finish : Finish
            Whether the composite is made exact, and the range of the layers.
        context : Context
            How to run.

        Returns
        -------
        tuple of two ndarrays of float32
            The layers, with as many numbers as the image. With `finish.solid` the foreground is the
            image where alpha is 1, and the background is where it is 0.
        """
