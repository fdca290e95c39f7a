"""Files and colours on the command line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from .._pixels import unit_floats
from ..colour import linear_from_srgb, srgb_from_linear
from ..errors import PictureError
from ..io.formats import depth_of
from ..io.names import local_path
from ..io.picture import Picture, most_pixels
from ..io.read import read_opaque
from ..io.write import check_folder

Pixels = npt.NDArray[Any]
Window = tuple[int, int, int, int]


def prepare_outputs(
    outputs: Sequence[tuple[str | None, int]], inputs: Sequence[str], *, bits: int | None = None
) -> None:
    """Refuse outputs ``(path, channels)`` that could not be written, before any work is done."""
    taken = {_identity(path) for path in map(local_path, inputs) if os.path.exists(path)}
    seen: set[str] = set()
    for path, channels in outputs:
        if path is None:
            continue
        try:
            depth_of(path, bits, channels)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        local = local_path(path)
        if os.path.exists(local) and _identity(local) in taken:
            raise click.UsageError(f"{path}: is an input; choose another name for the output")
        if os.path.realpath(local) in seen:
            raise click.UsageError(f"{path}: is the name of two outputs")
        seen.add(os.path.realpath(local))
        check_folder(path)


def _identity(path: str) -> tuple[int, int]:
    """Tell a file from others, also by another name."""
    info = os.stat(path)
    return info.st_dev, info.st_ino


class Background:
    """A new background: a colour, or a picture that is scaled to cover and cropped at its centre."""

    def __init__(self, name: str, colour: tuple[int, ...] | None, picture: Picture | None) -> None:
        self._name = name
        self._colour = colour
        self._picture = picture

    @classmethod
    def parse(cls, text: str) -> Background:
        """Take `text` as a colour, else as the name of a file, which is read."""
        from PIL import ImageColor

        try:
            colour = ImageColor.getrgb(text)
        except ValueError:
            colour = None
        if colour is not None:
            if len(colour) != 3:
                raise click.UsageError(f"{text}: expected an opaque colour, #rrggbb")
            return cls(text, colour, None)
        if text.startswith("#") or not (os.path.exists(text) or os.path.splitext(text)[1]):
            raise click.UsageError(f"{text}: neither a colour (#rrggbb or a CSS name) nor a file")
        return cls(text, None, read_opaque(text))

    def under(self, front: Picture, name: str, space: str, stated: str | None) -> Pixels:
        """Return what lies behind a picture, in the space of its colours.

        Parameters
        ----------
        front : Picture
            Its size and, in EXR, its place in the display window count.
        name : str
            What messages call it.
        space : str
            Of the result.
        stated : str or None
            What the user says that files such as `front` hold.

        Returns
        -------
        (H, W, 3) ndarray
            uint8, or float32 with highlights; a colour is a view of one pixel.
        """
        pixels: Pixels
        if self._picture is None:
            pixels, own = np.array(self._colour, np.uint8), "srgb"
        else:
            pixels = _placed(self._picture, self._name, front, name)
            own = space_of(self._picture, stated, front)
        if space != own:
            pixels = srgb_from_linear(pixels) if own == "linear" else linear_from_srgb(pixels)
        return np.broadcast_to(pixels, (*front.pixels.shape[:2], 3))


def space_of(picture: Picture, stated: str | None, like: Picture) -> str:
    """Return the space of a file beside another whose space may be stated: that, if both are of one kind."""
    floats = [p.colour_space == "linear" for p in (picture, like)]
    same_kind = picture.depth == like.depth or all(floats)
    return stated if stated is not None and same_kind else picture.colour_space


def _placed(back: Picture, back_name: str, front: Picture, front_name: str) -> Pixels:
    """Scale `back` to cover the display window of `front`, and cut out where the pixels of `front` are."""
    pixels = np.atleast_3d(back.pixels)
    own_data, own_display = _windows(back, back_name)
    data, display = _windows(front, front_name)
    pixels = _window(pixels, own_data, own_display)
    return _window(_covering(pixels, display[3], display[2]), display, data)


def _windows(picture: Picture, name: str) -> tuple[Window, Window]:
    """Return the data window and the display window: the whole picture unless it is an EXR that says more."""
    height, width = picture.pixels.shape[:2]
    metadata = picture.metadata
    if picture.format == "EXR" and metadata is not None and metadata.data_window[2:] == (width, height):
        shown = metadata.display_window[2:]
        if shown[0] * shown[1] > most_pixels():
            raise PictureError(f"{name}: expected a display window of fewer pixels, got {shown[0]} x {shown[1]}")
        return metadata.data_window, metadata.display_window
    return (0, 0, width, height), (0, 0, width, height)


def _window(pixels: Pixels, of: Window, wanted: Window) -> Pixels:
    """Return the pixels of a window from those of another; black where that has none."""
    if of == wanted:
        return pixels
    out = np.zeros((wanted[3], wanted[2], pixels.shape[2]), pixels.dtype)
    (x, y), (left, top) = of[:2], wanted[:2]
    x0, x1 = max(x, left), min(x + of[2], left + wanted[2])
    y0, y1 = max(y, top), min(y + of[3], top + wanted[3])
    if x0 < x1 and y0 < y1:
        out[y0 - top : y1 - top, x0 - left : x1 - left] = pixels[y0 - y : y1 - y, x0 - x : x1 - x]
    return out


def _covering(pixels: Pixels, height: int, width: int) -> Pixels:
    """Scale a picture to cover and crop it at its centre; uint8 stays, the rest becomes float32."""
    from PIL import Image, ImageOps

    scaled: Pixels = pixels if pixels.dtype == np.uint8 else unit_floats(pixels)
    if scaled.shape[:2] == (height, width):
        return scaled
    channels = [Image.fromarray(np.ascontiguousarray(scaled[..., c])) for c in range(scaled.shape[2])]
    size = (width, height)
    fitted = np.stack([np.asarray(ImageOps.fit(c, size, Image.Resampling.LANCZOS)) for c in channels], axis=2)
    return fitted.clip(scaled.min(), scaled.max())  # the filter overshoots
