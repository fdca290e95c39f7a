"""What a picture file holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy.typing as npt

from .._showing import as_html, one_line
from ..errors import PictureError


class Metadata(NamedTuple):
    """What a file says beside its pixels and its colour profile, to be carried into another.

    Attributes
    ----------
    attributes : dict of str to (type, value)
        OpenImageIO's names, types (base, aggregate, meaning, length) and values: "DateTime",
        "Copyright", "smpte:TimeCode", "chromaticities", ...
    data_window, display_window : tuple of 4 int
        In EXR the place of the pixels, and of what is to be shown: x, y, width, height.
    bits : int
        Bits per sample in a DPX file; 0 for other files.
    """

    attributes: Mapping[str, tuple[tuple[str, str, str, int], Any]]
    data_window: tuple[int, int, int, int]
    display_window: tuple[int, int, int, int]
    bits: int


class Picture(NamedTuple):
    """The pixels of a picture file and what else it says.

    Attributes
    ----------
    pixels : (H, W) or (H, W, 3) or (H, W, 4) ndarray of uint8, uint16 or float32
        Grey, RGB or straight-alpha RGBA, upright.
    icc_profile : bytes or None
        The embedded ICC profile, which :func:`save_image` takes.
    depth : {"uint8", "uint16", "half", "float"}
        Samples of the file. The pixels of "half" (16-bit floats) are float32.
    metadata : Metadata or None
        What a file read by OpenImageIO says beside; :func:`save_image` takes it.
    format : str
        "PNG", "JPEG", "WEBP", "TIFF", "BMP", "EXR" or "DPX".
    orientation : int
        The EXIF orientation by which the stored pixels were turned; 1 means that they were not.
    """

    pixels: npt.NDArray[Any]
    icc_profile: bytes | None
    depth: str = "uint8"
    metadata: Metadata | None = None
    format: str = "PNG"
    orientation: int = 1

    def __repr__(self) -> str:
        fields = self._asdict()
        if self.metadata is not None:
            fields["metadata"] = f"{len(self.metadata.attributes)} attributes"
        return one_line(type(self).__name__, fields)

    def _repr_html_(self) -> str:
        return as_html({self.format: self.pixels})

    @property
    def colour_space(self) -> str:
        """What such files hold by convention: "linear" for floating-point samples, else "srgb"."""
        return "linear" if self.depth in ("half", "float") else "srgb"


def most_pixels() -> float:
    """Return how many pixels a picture may have: twice Pillow's limit."""
    from PIL import Image

    return 2 * (Image.MAX_IMAGE_PIXELS or float("inf"))


class TooLargeError(PictureError):
    """A picture has more pixels than `most_pixels` allows."""


def too_large(name: str) -> PictureError:
    """Say that a picture has more pixels than that."""
    return TooLargeError(
        f"{name}: the picture has more than {most_pixels() / 1e6:.0f} million pixels; "
        "set PIL.Image.MAX_IMAGE_PIXELS to read it"
    )


def space_of(picture: Picture, stated: str | None, like: Picture) -> str:
    """Return the colour space of a file beside another, whose space may be stated.

    The stated space counts for both files if they are of one kind.
    """
    floats = [p.colour_space == "linear" for p in (picture, like)]
    same_kind = picture.depth == like.depth or all(floats)
    return stated if stated is not None and same_kind else picture.colour_space
