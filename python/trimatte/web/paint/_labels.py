"""A trimap that strokes change, and that can go back to before any of them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...trimap import FOREGROUND, UNKNOWN
from ._strokes import BRUSHES, Stroke, covered

Trimap = npt.NDArray[np.uint8]

_ENOUGH = 64  # of 255: the part of a reduced pixel from which known pixels of one kind make it known


class _Before(NamedTuple):
    """What a stroke has painted over: a window and its packed pixels; None if it lies outside."""

    window: tuple[slice, slice] | None
    pixels: bytes


class Labels:
    """The trimap of a picture while it is painted.

    Parameters
    ----------
    base : (H, W) ndarray of uint8
        0 background, 128 unknown, 255 foreground: what there is without strokes.

    Attributes
    ----------
    base, trimap : (H, W) ndarray of uint8
        Without and with the strokes.
    strokes : list of Stroke
        All of them, in order.
    """

    def __init__(self, base: Trimap) -> None:
        self.base = base
        self.trimap = base.copy()
        self.strokes: list[Stroke] = []
        self._before: list[_Before] = []

    def paint(self, keep: int, strokes: Iterable[Stroke]) -> None:
        """Go back to the first `keep` strokes and add others."""
        while len(self.strokes) > keep:
            self._take_back()
        for stroke in strokes:
            self._add(stroke)

    def _add(self, stroke: Stroke) -> None:
        found = covered(stroke, self.trimap.shape)
        self.strokes.append(stroke)
        if found is None:
            self._before.append(_Before(None, b""))
            return
        window, inside = found
        self._before.append(_Before(window, zlib.compress(self.trimap[window].tobytes(), 1)))
        value = BRUSHES[stroke.brush]
        np.copyto(self.trimap[window], self.base[window] if value is None else np.uint8(value), where=inside)

    def _take_back(self) -> None:
        self.strokes.pop()
        window, pixels = self._before.pop()
        if window is not None:
            part = self.trimap[window]
            part[...] = np.frombuffer(zlib.decompress(pixels), np.uint8).reshape(part.shape)

    def reduced(self, factor: int) -> Trimap:
        """Return the trimap at a part of its size; `Painting.reduced` does so with the picture.

        A block of pixels is known if a quarter of it is of one kind and nothing of the other, so that
        thin strokes are not lost.
        """
        return reduced(self.trimap, factor)


def reduced(trimap: Trimap, factor: int) -> Trimap:
    """Reduce a trimap; see `Labels.reduced`."""
    if factor == 1:
        return trimap
    from PIL import Image

    part = {
        value: np.asarray(Image.fromarray((trimap == value).view(np.uint8) * np.uint8(255)).reduce(factor))
        for value in (0, FOREGROUND)
    }
    out = np.full(part[0].shape, UNKNOWN, np.uint8)
    out[(part[FOREGROUND] >= _ENOUGH) & (part[0] == 0)] = FOREGROUND
    out[(part[0] >= _ENOUGH) & (part[FOREGROUND] == 0)] = 0
    return out


def enlarged(pixels: npt.NDArray[np.uint8], factor: int, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Repeat pixels of a reduced picture; `shape` is that of the whole one."""
    if factor == 1:
        return pixels
    height, width = shape[:2]
    return np.ascontiguousarray(pixels.repeat(factor, axis=0)[:height].repeat(factor, axis=1)[:, :width])
