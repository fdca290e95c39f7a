"""The kinds of files that can be written, by the endings of their names, and what each can hold."""

from __future__ import annotations

import os
from typing import NamedTuple

from .deep import openimageio
from .names import STANDARD

BITS = (8, 16, 32)
"""Sizes of a sample that can be asked for; 32 and, in EXR, 16 mean floats."""


class Format(NamedTuple):
    """What a kind of file can hold; the first of its depths is that of display colours."""

    kind: str
    depths: tuple[str, ...] = ("uint8",)
    transparency: bool = False


_PNG = Format("PNG", ("uint8", "uint16"), True)
_TIFF = Format("TIFF", ("uint8", "uint16", "float"), True)
_FORMATS = {
    ".png": _PNG,
    ".jpg": Format("JPEG"),
    ".jpeg": Format("JPEG"),
    ".webp": Format("WEBP", transparency=True),
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".bmp": Format("BMP"),
    ".exr": Format("EXR", ("half", "float"), True),
    ".dpx": Format("DPX", ("uint16",)),
}


def output_format(path: str | os.PathLike[str], *, channels: int, depth: str | None = None) -> Format:
    """Return the format that the end of a file's name asks for.

    ValueError is raised if it is unknown or cannot hold such pixels.
    """
    name = os.fspath(path)
    suffix = ".png" if name == STANDARD else os.path.splitext(name)[1].lower()
    form = _FORMATS.get(suffix)
    if form is None:
        known = ", ".join(end for end, known in _FORMATS.items() if known.transparency or channels != 4)
        raise ValueError(f"{name}: expected a name that ends in {known}, got {suffix or 'no suffix'}")
    if channels == 4 and not form.transparency:
        raise ValueError(f"{name}: {form.kind} has no transparency; use .png, .webp, .tif or .exr")
    if depth is not None and depth not in form.depths:
        raise ValueError(f"{name}: {form.kind} has samples of {', '.join(form.depths)}, not {depth}")
    if needs_openimageio(form.kind, depth, channels):
        openimageio(name, "or 8 bits, or PNG" if form.kind == "TIFF" else "")
    return form


def needs_openimageio(kind: str, depth: str | None, channels: int) -> bool:
    """Whether Pillow cannot write such samples."""
    deep = depth == "float" or (depth == "uint16" and channels > 1)
    return kind in ("EXR", "DPX") or (kind == "TIFF" and deep)


def default_depth(form: Format, own: str) -> str:
    """Return the samples of a file, if nobody has chosen them, for pixels of `own` depth."""
    if own in ("half", "float") and form.kind == "TIFF":
        return "uint8"
    if own == "uint16" and form.depths == ("uint8",):
        return own  # which is refused: nobody said that half of the bits may go
    return own if own in form.depths else form.depths[0]


def depth_of(path: str, bits: int | None, channels: int, depth: str = "uint8") -> str:
    """Choose the samples of a file.

    Parameters
    ----------
    path : str
        Its name.
    bits : {None, 8, 16, 32}
        What was asked for; 32 and, in EXR, 16 mean floats.
    channels : int
        Channels of the file.
    depth : str
        Samples of the picture that was read. With `bits` of None the file gets as fine ones as its
        format can hold.

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
