"""From alpha and layers to files: the depth and the encoding that each file has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import colour
from ._picture import Metadata, Picture
from ._picture_write import Output, output_format
from .composite import stacked

Pixels = npt.NDArray[Any]

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
        # Never fewer bits than the picture has, if the format has as many.
        finest = form.depths[-1]
        nearest = {"half": "float" if "float" in form.depths else finest, "float": finest, "uint16": finest}
        chosen = depth if depth in form.depths else nearest.get(depth, form.depths[0])
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
        return Output(path, alpha, None, depth, self._metadata())

    def colours(self, path: str, layer: npt.NDArray[Any]) -> Output:
        """Write a layer or a composite."""
        depth = depth_of(path, self.bits, 3 if layer.ndim == 3 else 1, self.picture.depth)
        return self._output(path, lambda encode: encode(layer), depth)

    def cutout(self, path: str, foreground: npt.NDArray[Any], alpha: npt.NDArray[Any]) -> Output:
        """Write straight colours with their opacity."""
        depth = depth_of(path, self.bits, 4, self.picture.depth)
        dtype = depth if depth in ("uint8", "uint16") else "float32"
        return self._output(path, lambda encode: stacked(encode(foreground), alpha, dtype), depth)

    def check(self, outputs: Iterable[tuple[str | None, int]]) -> None:
        """Raise what writing would raise for the files' formats, before any work is done.

        `outputs` are names and channels, those of a picture in colour: layers of a grey one have one.
        """
        for path, channels in outputs:
            if path is not None:
                own = 1 if channels == 3 and self.picture.pixels.ndim == 2 else channels
                depth_of(path, self.bits, own, self.picture.depth)

    def _output(self, path: str, made: Callable[[Callable[[Pixels], Pixels]], Pixels], depth: str) -> Output:
        """Make the pixels in the encoding of the file.

        A file of the picture's own kind has the picture's encoding, and its profile. Else integers are for the
        display and floats linear.
        """
        floats = depth in ("half", "float")
        own_kind = output_format(path, channels=1).kind == self.picture.format and floats == (
            self.picture.depth in ("half", "float")
        )
        wanted = self.space if own_kind else "linear" if floats else "srgb"

        def encode(layer: Pixels) -> Pixels:
            if wanted != self.space:
                layer = colour.linear_from_srgb(layer) if floats else colour.srgb_from_linear(layer)
            return layer if floats or layer.dtype.kind == "u" else np.clip(layer, 0, 1)

        icc_profile = self.picture.icc_profile if wanted == self.space else None
        return Output(path, made(encode), icc_profile, depth, self._metadata())

    def _metadata(self) -> Metadata | None:
        metadata = self.picture.metadata
        return metadata if metadata is None or self.bits is None else metadata._replace(bits=self.bits)
