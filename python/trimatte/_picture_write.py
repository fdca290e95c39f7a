"""Writing picture files: complete or not at all."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from . import _check
from ._files import is_url, replacing
from ._pixels import quantized
from ._png import write_png
from .errors import PictureError, TrimatteWarning

Output = tuple[str | os.PathLike[str], npt.NDArray[Any], bytes | None]

_WRITABLE = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
}
_WITH_TRANSPARENCY = ("PNG", "WEBP", "TIFF")
_LONGEST_SIDE = {"JPEG": 65500, "WEBP": 16383}
_SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95},
    "TIFF": {},
    "BMP": {},
}
# Method 1 writes a 4.8-megapixel cutout about five times faster than the default, a tenth larger.
_WEBP_LOSSLESS = {"lossless": True, "exact": True, "method": 1, "quality": 20}


def save_image(
    path: str | os.PathLike[str], pixels: npt.NDArray[Any], *, icc_profile: bytes | None = None
) -> None:
    """Write a picture; the suffix of `path` chooses the format.

    The file appears complete or not at all: it is written under a temporary name in the same folder and
    then renamed.

    Parameters
    ----------
    path : str or path-like
        Ends in .png, .jpg, .jpeg, .webp, .tif, .tiff or .bmp.
    pixels : (H, W) or (H, W, 3) or (H, W, 4) ndarray of uint8, uint16, float32 or float64
        Grey, RGB or straight-alpha RGBA. Floats are in [0, 1] and become 8 bits, rounded to the nearest.
        uint16 can be written as grey PNG or TIFF. RGBA can be written as PNG, WebP and TIFF.
    icc_profile : bytes, optional
        Colour profile of the pixels, as in :class:`Picture`. BMP cannot hold one.

    Raises
    ------
    ValueError
        If the suffix is unknown, the format cannot hold these pixels, or a float is outside [0, 1].
    TypeError
        If `pixels` has another dtype.
    PictureError
        If the file cannot be written.

    Warns
    -----
    TrimatteWarning
        If `icc_profile` is not for this kind of pixels (a grey profile for RGB pixels) and is left out.

    Notes
    -----
    JPEG: quality 95, colour at full resolution. WebP: lossless for grey and RGBA, quality 95 for RGB.
    PNG: see ``DESIGN.md`` for the measurements behind the compression. TIFF: not compressed.
    """
    _save_all([(path, pixels, icc_profile)], stacklevel=3)


def save_pictures(pictures: Sequence[Output], *, mark: str = "", durable: bool = False) -> None:
    """Write several pictures ``(path, pixels, icc_profile)`` as `save_image` does: all of them or none."""
    _save_all(pictures, stacklevel=3, mark=mark, durable=durable)


def _save_all(pictures: Sequence[Output], stacklevel: int, mark: str = "", durable: bool = False) -> None:
    ready = [_prepared(*picture, stacklevel=stacklevel + 1) for picture in pictures]
    name = ""
    try:
        with ExitStack() as files:
            for name, kind, pixels, icc_profile in ready:
                _write(files.enter_context(replacing(name, mark, durable=durable)), kind, pixels, icc_profile)
    except PictureError:
        raise
    except OSError as error:
        raise PictureError(f"{name}: cannot be written: {error.strerror or error}") from error


def _prepared(
    path: str | os.PathLike[str], pixels: npt.NDArray[Any], icc_profile: bytes | None, stacklevel: int
) -> tuple[str, str, npt.NDArray[Any], bytes | None]:
    """Check everything that can be checked, and turn floats into integers."""
    name = os.fspath(path)
    pixels = _check.native(pixels, "pixels")
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (3, 4)) or not pixels.size:
        raise ValueError(f"pixels: expected shape (H, W), (H, W, 3) or (H, W, 4), got {pixels.shape}")
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    kind = output_format(name, channels=channels, depth=16 if pixels.dtype == np.uint16 else 8)
    longest = _LONGEST_SIDE.get(kind, 2**31 - 1)
    if max(pixels.shape[:2]) > longest:
        size = f"{pixels.shape[1]} x {pixels.shape[0]}"
        raise ValueError(f"{name}: {kind} pictures have at most {longest} pixels a side, got {size}")
    if icc_profile and not _fits(icc_profile, channels):
        message = f"{name}: the colour profile is not for these pixels and is left out"
        warnings.warn(message, TrimatteWarning, stacklevel=stacklevel)
        icc_profile = None
    check_folder(name)
    if pixels.dtype.kind == "f":
        _check.refuse_outside_unit(pixels, "pixels")
        pixels = quantized(pixels, np.uint8)
    return name, kind, pixels, icc_profile


def output_format(path: str | os.PathLike[str], *, channels: int, depth: int = 8) -> str:
    """Return the format that `path` asks for; ValueError if it is unknown or cannot hold such pixels."""
    name = os.fspath(path)
    suffix = os.path.splitext(name)[1].lower()
    kind = _WRITABLE.get(suffix)
    if kind is None:
        known = ", ".join(_WRITABLE)
        raise ValueError(f"{name}: expected a name that ends in {known}, got {suffix or 'no suffix'}")
    if channels == 4 and kind not in _WITH_TRANSPARENCY:
        raise ValueError(f"{name}: {kind} has no transparency; use .png, .webp or .tif")
    if depth == 16 and not (kind in ("PNG", "TIFF") and channels == 1):
        raise ValueError(f"{name}: 16-bit pixels are written as grey .png or .tif only; pass 8 bits or floats")
    return kind


def check_folder(path: str | os.PathLike[str]) -> None:
    """Raise PictureError unless a file can be made (or replaced) at `path`."""
    name = os.fspath(path)
    if is_url(name):
        return
    folder = os.path.dirname(os.path.realpath(name))
    if os.path.isdir(name):
        raise PictureError(f"{name}: is a folder, not a file")
    if not os.path.isdir(folder):
        raise PictureError(f"{name}: cannot be written: {folder} is not a folder")
    if not os.access(folder, os.W_OK):
        raise PictureError(f"{name}: cannot be written: no permission to write in {folder}")
    if os.path.exists(name) and not os.access(name, os.W_OK):
        raise PictureError(f"{name}: cannot be written: the file is read-only")


def _write(file: IO[bytes], kind: str, pixels: npt.NDArray[Any], icc_profile: bytes | None) -> None:
    if kind == "PNG":
        write_png(file, pixels, icc_profile)
        return
    from PIL import Image

    options = dict(_SAVE_OPTIONS[kind])
    if kind == "WEBP" and (pixels.ndim == 2 or pixels.shape[2] == 4):
        options = dict(_WEBP_LOSSLESS)
    if icc_profile and kind != "BMP":
        options["icc_profile"] = icc_profile
    Image.fromarray(pixels).save(file, kind, **options)


def _fits(icc_profile: bytes, channels: int) -> bool:
    return icc_profile[16:20] == (b"GRAY" if channels == 1 else b"RGB ")
