"""What the foreign APIs make of a cutout: cropped, scaled, over a background, as a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..finish import CropBox, crop_box
from ..io.read import Source, read_opaque
from ..io.write import Output, encoded
from .errors import Refused

if TYPE_CHECKING:
    from PIL.Image import Image

Colour = tuple[int, int, int, int]
Margin = tuple[float, bool]

_LARGEST_MARGIN = 500


@dataclass(frozen=True)
class Finish:
    """How a cutout becomes a file.

    Attributes
    ----------
    format : str
        "auto", "png", "jpg", "webp" or "zip"; "auto" is PNG if something is transparent, else JPEG.
    channels : str
        "rgba", or "alpha" for alpha alone.
    most_pixels : int or None
        The cutout is reduced to so many pixels.
    crop : bool
        Whether empty borders are cut off.
    margins : tuple of (float, bool)
        What is left on each side of a cropped subject: top, right, bottom, left; in pixels, or, if
        the second value is true, in percent of the subject's size.
    colour : tuple of int or None
        Red, green, blue and alpha, from 0 to 255, of what lies behind.
    needs_subject : bool
        Whether a picture without a subject is refused.
    """

    format: str = "png"
    channels: str = "rgba"
    most_pixels: int | None = None
    crop: bool = False
    margins: tuple[Margin, Margin, Margin, Margin] = ((0, False),) * 4
    colour: Colour | None = None
    needs_subject: bool = False


def finished(
    finish: Finish, cutout: npt.NDArray[Any], icc_profile: bytes | None, backdrop: Source | None
) -> tuple[Mapping[str, bytes], dict[str, str]]:
    """Return the files that a cutout becomes, by name, and headers that describe them.

    Parameters
    ----------
    finish : Finish
        What is wanted.
    cutout : (H, W, 4) ndarray of uint8
        Straight colours and alpha.
    icc_profile : bytes or None
        Profile of the colours.
    backdrop : picture file or None
        What lies behind, in place of a colour.
    """
    from PIL import Image

    box = _subject(cutout, finish.needs_subject)
    image = Image.fromarray(cutout)
    if finish.crop and box is not None:
        image = image.crop(_with_margins(box, finish.margins))
    image = _reduced(image, finish.most_pixels)
    if finish.channels == "rgba":
        image = _over(image, finish.colour, backdrop)
    headers = {"X-Width": str(image.width), "X-Height": str(image.height)}
    if box is not None:
        places = {"Left": box.left, "Top": box.top, "Width": box.right - box.left, "Height": box.bottom - box.top}
        headers.update({f"X-Foreground-{name}": str(value) for name, value in places.items()})
    return _files(finish, np.asarray(image), icc_profile), headers


def _subject(cutout: npt.NDArray[Any], needed: bool) -> CropBox | None:
    try:
        return crop_box(np.ascontiguousarray(cutout[..., 3]))
    except ValueError:
        if needed:
            message = "the picture has no foreground: the guide marks none, or all of it is background"
            raise Refused(400, "unknown_foreground", message) from None
        return None


def _with_margins(box: CropBox, margins: tuple[Margin, ...]) -> tuple[int, int, int, int]:
    sizes = (box.bottom - box.top, box.right - box.left) * 2
    pixels = []
    for (value, relative), size in zip(margins, sizes, strict=True):
        margin = value / 100 * size if relative else value
        pixels.append(round(min(margin, size / 2, _LARGEST_MARGIN)))
    top, right, bottom, left = pixels
    return box.left - left, box.top - top, box.right + right, box.bottom + bottom


def _reduced(image: Image, most_pixels: int | None) -> Image:
    """Reduce a picture; colours count by their opacity, so that no fringe appears."""
    if most_pixels is None or image.width * image.height <= most_pixels:
        return image
    scale = (most_pixels / (image.width * image.height)) ** 0.5
    size = max(1, int(image.width * scale)), max(1, int(image.height * scale))
    return image.convert("RGBa").resize(size).convert("RGBA")


def _over(image: Image, colour: Colour | None, backdrop: Source | None) -> Image:
    from PIL import Image as Pillow
    from PIL import ImageOps

    if backdrop is not None:
        pixels = read_opaque(backdrop).pixels
        if pixels.dtype != np.uint8:
            raise ValueError(f"bg_image_file: expected a picture of 8 bits, got {pixels.dtype}")
        behind = ImageOps.fit(Pillow.fromarray(pixels).convert("RGB"), image.size).convert("RGBA")
    elif colour is not None:
        behind = Pillow.new("RGBA", image.size, colour)
    else:
        return image
    return Pillow.alpha_composite(behind, image)


def _files(finish: Finish, pixels: npt.NDArray[Any], icc_profile: bytes | None) -> Mapping[str, bytes]:
    alpha, colours = np.ascontiguousarray(pixels[..., 3]), np.ascontiguousarray(pixels[..., :3])
    kind = finish.format
    if kind == "auto":
        kind = "png" if finish.channels == "alpha" or (alpha < 255).any() else "jpg"
    if finish.channels == "alpha":
        return {f"alpha.{kind}": _file(f"alpha.{kind}", alpha)} if kind != "zip" else _pair(alpha, colours, None)
    if kind == "zip":
        return _pair(alpha, colours, icc_profile)
    if kind == "jpg":  # there is no transparency: white lies behind
        cover = alpha[..., np.newaxis].astype(np.uint16)
        pixels = ((colours * cover + 255 * (255 - cover) + 127) // 255).astype(np.uint8)
    return {f"result.{kind}": _file(f"result.{kind}", pixels, icc_profile)}


def _pair(alpha: npt.NDArray[Any], colours: npt.NDArray[Any], icc_profile: bytes | None) -> Mapping[str, bytes]:
    return {"color.jpg": _file("color.jpg", colours, icc_profile), "alpha.png": _file("alpha.png", alpha)}


def _file(name: str, pixels: npt.NDArray[Any], icc_profile: bytes | None = None) -> bytes:
    return encoded(Output(name, np.ascontiguousarray(pixels), icc_profile))
