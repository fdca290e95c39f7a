"""What a composite is put over: a colour, or a picture.

A picture is scaled to cover what lies over it, and cropped at its centre.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .._pixels import unit_floats
from ..colour import linear_from_srgb, srgb_from_linear
from ..errors import PictureError
from ..io.picture import Picture, most_pixels, space_of
from ..io.read import read_opaque

Pixels = npt.NDArray[Any]
Window = tuple[int, int, int, int]


@dataclass(frozen=True)
class Backdrop:
    """A colour, or a picture file.

    Attributes
    ----------
    name : str
        The file's name, or the colour's.
    colour : tuple of int or None
        Red, green, blue, from 0 to 255; None stands for the file of this name.
    picture : Picture or None
        What `read` has found in the file.
    """

    name: str
    colour: tuple[int, ...] | None = None
    picture: Picture | None = None

    def read(self) -> Backdrop:
        """Return the same with the file read, if it is one."""
        return self if self.colour is not None else replace(self, picture=read_opaque(self.name))

    def under(self, front: Picture, name: str, space: str, stated: str | None) -> Pixels:
        """Return the pixels that lie behind a picture.

        Parameters
        ----------
        front : Picture
            Its size and, in EXR, its place in the display window count.
        name : str
            What messages call it.
        space : str
            The colour space of the result.
        stated : str or None
            What the user says that files such as `front` hold.

        Returns
        -------
        (H, W, 3) ndarray
            uint8, or float32 with highlights; a colour is a view of one pixel.
        """
        pixels: Pixels
        if self.picture is None:
            pixels, own = np.array(self.colour, np.uint8), "srgb"
        else:
            pixels = _placed(self.picture, self.name, front, name)
            own = space_of(self.picture, stated, front)
        if space != own:
            pixels = srgb_from_linear(pixels) if own == "linear" else linear_from_srgb(pixels)
        return np.broadcast_to(pixels, (*front.pixels.shape[:2], 3))


def as_rgb(pixels: Pixels) -> Pixels:
    """Repeat the channel of a grey picture."""
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., np.newaxis], 3, axis=2)


def _placed(back: Picture, back_name: str, front: Picture, front_name: str) -> Pixels:
    """Scale `back` to cover the display window of `front`, and cut out the latter's data window."""
    pixels = np.atleast_3d(back.pixels)
    own_data, own_display = _windows(back, back_name)
    data, display = _windows(front, front_name)
    pixels = _window(pixels, own_data, own_display)
    return _window(_covering(pixels, display[3], display[2]), display, data)


def _windows(picture: Picture, name: str) -> tuple[Window, Window]:
    """Return the data window and the display window.

    Both are the whole picture unless an EXR says otherwise.
    """
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
