"""From alpha and layers to files: the depth and the encoding that each file has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import colour
from ._picture_read import Picture
from ._picture_write import Output, output_format
from .composite import stacked

BITS = (8, 16, 32)


def depth_of(path: str, bits: int | None, channels: int, depth: str = "uint8") -> str:
    """Choose the samples of a file.

    Parameters
    ----------
    path : str
        Its name.
    bits : {None, 8, 16, 32}
        What was asked for; 32 and, in EXR, 16 mean floats.
    channels : int
        Of the file.
    depth : str
        Of the picture that was read: what `bits` of None keeps as far as the format can.

    Raises
    ------
    ValueError
        If the format has no such samples.
    """
    form = output_format(path, channels=channels)
    if bits is None:
        if depth in ("half", "float") and "float" not in form.depths:
            depth = form.depths[-1]
        chosen = depth if depth in form.depths else form.depths[0]
    elif bits == 16 and form.kind == "EXR":
        chosen = "half"
    else:
        chosen = {8: "uint8", 16: "uint16", 32: "float"}[bits]
    output_format(path, channels=channels, depth=chosen)
    return chosen


@dataclass(frozen=True)
class Results:
    """What is known about the files of one picture's results.

    Attributes
    ----------
    picture : Picture
        The picture that was matted.
    space : str
        What its colours are: "srgb" or "linear".
    bits : int or None
        See `depth_of`.
    """

    picture: Picture
    space: str
    bits: int | None = None

    def alpha(self, path: str, alpha: npt.NDArray[Any]) -> Output:
        """Write opacity as grey."""
        depth = depth_of(path, self.bits, 1, self.picture.depth)
        return Output(path, alpha, None, depth, self.picture.metadata)

    def colours(self, path: str, layer: npt.NDArray[Any]) -> Output:
        """Write a layer or a composite."""
        depth = depth_of(path, self.bits, 3, self.picture.depth)
        return self._output(path, self._encoded(layer, depth), depth)

    def cutout(self, path: str, foreground: npt.NDArray[Any], alpha: npt.NDArray[Any]) -> Output:
        """Write straight colours with their opacity."""
        depth = depth_of(path, self.bits, 4, self.picture.depth)
        return self._output(path, stacked(self._encoded(foreground, depth), alpha, _dtype(depth)), depth)

    def _output(self, path: str, pixels: npt.NDArray[Any], depth: str) -> Output:
        return Output(path, pixels, self.picture.icc_profile, depth, self.picture.metadata)

    def _encoded(self, layer: npt.NDArray[Any], depth: str) -> npt.NDArray[Any]:
        """Integers are for the display, floats linear, unless picture and file are of one kind."""
        floats = depth in ("half", "float")
        if floats == (self.picture.depth in ("half", "float")):
            return layer if floats or layer.dtype.kind == "u" else np.clip(layer, 0, 1)
        if floats:
            return layer if self.space == "linear" else colour.linear_from_srgb(layer)
        return colour.displayed(layer, self.space)


def _dtype(depth: str) -> str:
    return depth if depth in ("uint8", "uint16") else "float32"
