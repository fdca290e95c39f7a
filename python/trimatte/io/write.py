"""Writing picture files: complete or not at all."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import _check
from .._pixels import eight_bits, quantized, unit_floats
from ..errors import PictureError, TrimatteWarning
from . import deep
from .formats import default_depth, needs_openimageio, output_format
from .names import STANDARD, is_url, replacing
from .picture import Metadata
from .png import write_png


class Output(NamedTuple):
    """A picture to be written; see `save_image`."""

    path: str | os.PathLike[str]
    pixels: npt.NDArray[Any]
    icc_profile: bytes | None = None
    depth: str | None = None
    metadata: Metadata | None = None


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
    path: str | os.PathLike[str],
    pixels: npt.NDArray[Any],
    *,
    icc_profile: bytes | None = None,
    depth: str | None = None,
    metadata: Metadata | None = None,
) -> None:
    """Write a picture; the suffix of `path` chooses the format.

    The file appears complete or not at all: it is written under a temporary name in the same folder
    and then renamed.

    Parameters
    ----------
    path : str or path-like
        Ends in .png, .jpg, .jpeg, .webp, .tif, .tiff, .bmp, .exr or .dpx; "-" is a PNG on standard
        output.
    pixels : (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) ndarray of uint8, uint16 or floats
        Grey, RGB or straight-alpha RGBA. Floats are in [0, 1] unless they are written as floats.
        RGBA can be written as PNG, WebP, TIFF and EXR, which is premultiplied.
    icc_profile : bytes, optional
        Colour profile of the pixels, as in :class:`Picture`. BMP, EXR and DPX cannot hold one.
    depth : {"uint8", "uint16", "half", "float"}, optional
        Samples of the file: "uint16" for PNG, TIFF and DPX, "half" for EXR, "float" for EXR and
        TIFF. The default is the depth of `pixels`; floats become 8 bits in PNG and TIFF, 16 in DPX.
        Values are rounded to the nearest.
    metadata : Metadata, optional
        As in :class:`Picture`; kept by EXR, DPX, and PNG and TIFF of more than 8 bits.

    Raises
    ------
    ValueError
        If the suffix is unknown, the format cannot hold these pixels or this depth, or a float is
        outside [0, 1], above the largest half, or not finite.
    TypeError
        If `pixels` has another dtype.
    PictureError
        If the file cannot be written, or OpenImageIO is not installed (extra ``[vfx]``) and the
        file is EXR, DPX, or TIFF with more than 8-bit colour.

    Warns
    -----
    TrimatteWarning
        If `icc_profile` is not for this kind of pixels (a grey profile for RGB pixels) and is left
        out.

    Notes
    -----
    JPEG has quality 95 and colour at full resolution. WebP is lossless for grey and RGBA and has
    quality 95 for RGB. PNG is compressed for speed; ``docs/design/pictures.md`` has the figures.
    TIFF is not compressed, or by zip where OpenImageIO writes it. EXR is compressed by zip. DPX has
    as many bits as the metadata says, else 16.
    """
    _save_all([Output(path, pixels, icc_profile, depth, metadata)], stacklevel=3)


def save_pictures(pictures: Sequence[Output], *, mark: str = "", durable: bool = False) -> None:
    """Write several pictures as `save_image` does: all of them or none."""
    _save_all(pictures, stacklevel=3, mark=mark, durable=durable)


def encoded(output: Output) -> bytes:
    """Return what `save_image` would write; the name says the format and is not opened."""
    ready, file = _prepared(output, stacklevel=3), io.BytesIO()
    _write(file, ready)
    return file.getvalue()


def _save_all(pictures: Sequence[Output], stacklevel: int, mark: str = "", durable: bool = False) -> None:
    ready = [_prepared(picture, stacklevel=stacklevel + 1) for picture in pictures]
    for output in ready:
        check_folder(output.path)
    name = ""
    try:
        with ExitStack() as files:
            for output in ready:
                name = os.fspath(output.path)
                _write(files.enter_context(replacing(name, mark, durable=durable)), output)
    except PictureError:
        raise
    except OSError as error:
        raise PictureError(f"{name}: cannot be written: {error.strerror or error}") from error


def _prepared(output: Output, stacklevel: int) -> Output:
    """Check everything that can be checked, and turn the pixels into what the file holds."""
    name, icc_profile = _check.path(output.path), output.icc_profile
    half = np.asarray(output.pixels).dtype == np.float16
    pixels = _check.native(output.pixels, "pixels")
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (3, 4)) or not pixels.size:
        raise ValueError(f"pixels: expected shape (H, W), (H, W, 3) or (H, W, 4), got {pixels.shape}")
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    own = "half" if half else "float" if pixels.dtype.kind == "f" else pixels.dtype.name
    form = output_format(name, channels=channels)
    depth = output.depth or default_depth(form, own)
    output_format(name, channels=channels, depth=depth)
    longest = _LONGEST_SIDE.get(form.kind, 2**31 - 1)
    if max(pixels.shape[:2]) > longest:
        size = f"{pixels.shape[1]} x {pixels.shape[0]}"
        raise ValueError(f"{name}: {form.kind} pictures have at most {longest} pixels a side, got {size}")
    if icc_profile and not _fits(icc_profile, channels):
        message = f"{name}: the colour profile is not for these pixels and is left out"
        warnings.warn(message, TrimatteWarning, stacklevel=stacklevel)
        icc_profile = None
    return Output(name, _of_depth(pixels, depth), icc_profile, depth, output.metadata)


def _of_depth(pixels: npt.NDArray[Any], depth: str) -> npt.NDArray[Any]:
    """Return uint8, uint16 or float32 pixels, scaled and rounded."""
    if depth in ("half", "float"):
        _check.refuse_not_finite(pixels, "pixels")
        with np.errstate(over="ignore"):
            scaled = unit_floats(pixels)
        if pixels.dtype == np.float64 and np.isinf(scaled).any():
            raise ValueError("pixels: expected values that 32-bit floats can hold")
        return scaled
    if pixels.dtype.kind == "f":
        _check.refuse_outside_unit(pixels, "pixels", _check.LINEAR_HINTS[None])
        return quantized(pixels, depth)
    if depth == "uint8":
        return eight_bits(pixels)
    return pixels if pixels.dtype == np.uint16 else pixels * np.uint16(257)


def check_folder(path: str | os.PathLike[str]) -> None:
    """Raise PictureError unless a file can be made (or replaced) at `path`."""
    name = os.fspath(path)
    if is_url(name) or name == STANDARD:
        return
    folder = os.path.dirname(os.path.realpath(name))
    if os.path.isdir(name):
        raise PictureError(f"{name}: is a folder, not a file")
    if not os.path.isdir(folder):
        reason = f"{folder} is not a folder" if os.path.exists(folder) else f"no such folder: {folder}"
        raise PictureError(f"{name}: cannot be written: {reason}")
    if not os.access(folder, os.W_OK):
        raise PictureError(f"{name}: cannot be written: no permission to write in {folder}")
    if os.path.exists(name) and not os.access(name, os.W_OK):
        raise PictureError(f"{name}: cannot be written: the file is read-only")


def _write(file: IO[bytes], output: Output) -> None:
    name, pixels, icc_profile, depth, metadata = output
    assert depth is not None
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    kind = output_format(name, channels=channels).kind
    carries = kind == "PNG" and depth == "uint16" and metadata is not None
    if carries or needs_openimageio(kind, depth, channels):
        _write_deep(file, kind, output)
    elif kind == "PNG":
        write_png(file, pixels, icc_profile)
    else:
        from PIL import Image

        options = dict(_SAVE_OPTIONS[kind])
        if kind == "WEBP" and (pixels.ndim == 2 or pixels.shape[2] == 4):
            options = dict(_WEBP_LOSSLESS)
        if icc_profile and kind != "BMP":
            options["icc_profile"] = icc_profile
        Image.fromarray(pixels).save(file, kind, **options)


def _write_deep(file: IO[bytes], kind: str, output: Output) -> None:
    """Let OpenImageIO write, which takes the name of a file only."""
    name, pixels, icc_profile, depth, metadata = output
    assert depth is not None
    if not isinstance(file, io.BytesIO):
        deep.write(file.name, kind, pixels, depth, icc_profile, metadata, os.fspath(name))
        return
    import tempfile  # here, so that importing trimatte stays light

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "picture" + deep.SUFFIX[kind])
        deep.write(path, kind, pixels, depth, icc_profile, metadata, os.fspath(name))
        with open(path, "rb") as written:
            file.write(written.read())


def _fits(icc_profile: bytes, channels: int) -> bool:
    return icc_profile[16:20] == (b"GRAY" if channels == 1 else b"RGB ")
