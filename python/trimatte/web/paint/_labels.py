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

_MOST_BYTES = 500e6
_ENOUGH = 64  # of 255: the part of a reduced pixel from which known pixels of one kind make it known


class _Before(NamedTuple):
    """What a stroke has painted over: a window and its packed pixels; None if it lies outside."""

    window: tuple[slice, slice] | None
    pixels: bytes


def _bytes(stroke: Stroke, before: _Before) -> int:
    return stroke.points.nbytes + len(before.pixels)


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
    bytes : int
        Memory that the strokes and what lies under them take.
    """

    def __init__(self, base: Trimap) -> None:
        self.base = base
        self.trimap = base.copy()
        self.strokes: list[Stroke] = []
        self.bytes = 0
        self._before: list[_Before] = []

    def paint(self, keep: int, strokes: Iterable[Stroke]) -> None:
        """Go back to the first `keep` strokes and add others.

        Raises
        ------
        ValueError
            If the strokes take too much memory; those that were added before stay.
        """
        while len(self.strokes) > keep:
            self._take_back()
        for stroke in strokes:
            self._add(stroke)

    def _add(self, stroke: Stroke) -> None:
        if self.bytes > _MOST_BYTES:
            most = f"strokes: expected at most {_MOST_BYTES / 1e6:.0f} MB of them, got more"
            raise ValueError(f"{most}; save the trimap and go on from it")
        found = covered(stroke, self.trimap.shape)
        before = _Before(None, b"")
        if found is not None:
            window, inside = found
            before = _Before(window, zlib.compress(self.trimap[window].tobytes(), 1))
            value = BRUSHES[stroke.brush]
            np.copyto(self.trimap[window], self.base[window] if value is None else np.uint8(value), where=inside)
        self.strokes.append(stroke)
        self._before.append(before)
        self.bytes += _bytes(stroke, before)

    def _take_back(self) -> None:
        stroke, before = self.strokes.pop(), self._before.pop()
        self.bytes -= _bytes(stroke, before)
        window, pixels = before
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
