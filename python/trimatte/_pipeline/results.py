"""From alpha and layers to files: the depth and the encoding that each file has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import colour
from ..composite import stacked
from ..io.formats import depth_of, output_format
from ..io.picture import Metadata, Picture
from ..io.write import Output

Pixels = npt.NDArray[Any]


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
        Bits per sample that were asked for; see `trimatte.io.formats.depth_of`.
    """

    picture: Picture
    space: str
    bits: int | None = None

    def depth(self, path: str, channels: int) -> str:
        """Return the samples of a file; see `trimatte.io.formats.depth_of`."""
        return depth_of(path, self.bits, channels, self.picture.depth)

    def alpha(self, path: str, alpha: npt.NDArray[Any]) -> Output:
        """Write opacity as grey."""
        return Output(path, alpha, None, self.depth(path, 1), self._metadata())

    def colours(self, path: str, layer: npt.NDArray[Any]) -> Output:
        """Write a layer or a composite."""
        depth = self.depth(path, 3 if layer.ndim == 3 else 1)
        return self._output(path, lambda encode: encode(layer), depth)

    def cutout(self, path: str, foreground: npt.NDArray[Any], alpha: npt.NDArray[Any]) -> Output:
        """Write straight colours with their opacity."""
        depth = self.depth(path, 4)
        dtype = depth if depth in ("uint8", "uint16") else "float32"
        return self._output(path, lambda encode: stacked(encode(foreground), alpha, dtype), depth)

    def check(self, outputs: Iterable[tuple[str, int]]) -> None:
        """Raise what writing would raise for the files' formats, before any work is done.

        `outputs` are names and channels. The channels are those that a picture in colour would
        have; the layers of a grey picture have one.
        """
        for path, channels in outputs:
            self.depth(path, 1 if channels == 3 and self.picture.pixels.ndim == 2 else channels)

    def _output(self, path: str, made: Callable[[Callable[[Pixels], Pixels]], Pixels], depth: str) -> Output:
        """Make the pixels in the encoding of the file.

        A file of the picture's own kind gets the picture's encoding and its profile. In other files
        integers are display colours and floats are linear.
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
