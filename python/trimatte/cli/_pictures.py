"""Files and colours on the command line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from .._check import full_range
from .._picture_read import Picture, read_opaque
from .._picture_write import check_folder
from .._results import depth_of
from ..colour import displayed, linear_from_srgb

Pixels = npt.NDArray[Any]


def prepare_outputs(
    outputs: Sequence[tuple[str | None, int]], inputs: Sequence[str], *, bits: int | None = None
) -> None:
    """Refuse outputs ``(path, channels)`` that could not be written, before any work is done."""
    taken = {_identity(path) for path in inputs if os.path.exists(path)}
    seen: set[str] = set()
    for path, channels in outputs:
        if path is None:
            continue
        try:
            depth_of(path, bits, channels)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        if os.path.exists(path) and _identity(path) in taken:
            raise click.UsageError(f"{path}: is an input; choose another name for the output")
        if os.path.realpath(path) in seen:
            raise click.UsageError(f"{path}: is the name of two outputs")
        seen.add(os.path.realpath(path))
        check_folder(path)


def _identity(path: str) -> tuple[int, int]:
    """Tell a file from others, also by another name."""
    info = os.stat(path)
    return info.st_dev, info.st_ino


class Background:
    """A new background: a colour, or a picture that is scaled to cover and cropped at its centre."""

    def __init__(self, colour: tuple[int, ...] | None, picture: Picture | None) -> None:
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
            return cls(colour, None)
        if text.startswith("#") or not (os.path.exists(text) or os.path.splitext(text)[1]):
            raise click.UsageError(f"{text}: neither a colour (#rrggbb or a CSS name) nor a file")
        return cls(None, read_opaque(text))

    def fitted(self, shape: tuple[int, ...], space: str) -> Pixels:
        """Return (H, W, 3): uint8, or float32 if it is linear or deep; a colour is a view of one pixel."""
        pixels: Pixels
        if self._picture is None:
            pixels, own = np.array(self._colour, np.uint8), "srgb"
        else:
            pixels, own = _covering(self._picture.pixels, *shape[:2]), self._picture.colour_space
        if space != own:
            pixels = displayed(pixels, own) if own == "linear" else linear_from_srgb(pixels)
        return np.broadcast_to(pixels, (*shape[:2], 3))


def _covering(pixels: Pixels, height: int, width: int) -> Pixels:
    """Scale a picture to cover and crop it at its centre; uint8 stays, the rest becomes float32."""
    from PIL import Image, ImageOps

    size = (width, height)
    if pixels.dtype == np.uint8:
        return np.asarray(ImageOps.fit(Image.fromarray(pixels).convert("RGB"), size, Image.Resampling.LANCZOS))
    values = np.atleast_3d(pixels).astype(np.float32) / np.float32(full_range(pixels.dtype))
    channels = [Image.fromarray(np.ascontiguousarray(values[..., c])) for c in range(values.shape[2])]
    fitted = np.stack([np.asarray(ImageOps.fit(c, size, Image.Resampling.LANCZOS)) for c in channels], axis=2)
    return fitted.clip(values.min(), values.max())  # the filter overshoots
