"""Reading picture files.

The table in `trimatte.io` says what is kept, what is converted and what is refused.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from .. import _check
from ..errors import PictureError, TrimatteWarning
from . import deep
from .layout import layout_of
from .names import opened
from .orientation import laid_as
from .picture import Picture
from .pillow import decoded, opened_by_pillow, reason
from .png import damage_in

Source = str | os.PathLike[str] | bytes | IO[bytes]
"""The name of a picture file, what it holds, or a file that is open for reading."""

# A matte that was resized by Lanczos and the like goes so far beyond [0, 1].
_OVERSHOOT = 0.1


def load_image(path: Source) -> npt.NDArray[Any]:
    """Read a picture as an array that every function of trimatte takes.

    Parameters
    ----------
    path : str, path-like, bytes or binary file
        A PNG, JPEG, WebP, TIFF, BMP, GIF, AVIF, HEIC, EXR or DPX file, or what such a file holds.

    Returns
    -------
    (H, W) or (H, W, 3) ndarray of uint8, uint16 or float32
        The upright picture. Transparency is dropped; :func:`read_picture` keeps it. float32 is
        scene-linear by convention, with values above 1: pass it with ``colour_space="linear"``.

    Raises
    ------
    PictureError
        As :func:`read_picture`.

    Warns
    -----
    TrimatteWarning
        If the picture has transparent pixels.
    """
    return read_opaque(path, finite=False, stacklevel=3).pixels


def read_finite(path: Source) -> Picture:
    """Read a picture as `read_picture`, but refuse NaN and infinite values by the file's name."""
    picture = read_picture(path)
    _refuse_not_finite(picture.pixels, name_of(path))
    return picture


def read_opaque(path: Source, *, finite: bool = True, stacklevel: int = 2) -> Picture:
    """Read a picture without its transparency, as `load_image` does, with all that the file says.

    With `finite` NaN and infinite values are refused here, where the file's name is known.
    """
    picture = read_finite(path) if finite else read_picture(path)
    pixels, transparent = without_transparency(picture.pixels)
    if transparent:
        message = f"{name_of(path)}: the transparency is ignored"
        warnings.warn(message, TrimatteWarning, stacklevel=stacklevel)
    return picture._replace(pixels=pixels)


def read_picture(path: Source) -> Picture:
    """Read a picture with its transparency and its colour profile.

    Parameters
    ----------
    path : str, path-like, bytes or binary file
        A PNG, JPEG, WebP, TIFF, BMP, GIF, AVIF, HEIC, EXR or DPX file, or what such a file holds.
        "-" is standard input. HEIC needs pillow-heif, AVIF Pillow 11.3.

    Returns
    -------
    Picture
        Pixels, colour profile, depth, metadata. The docstring of `trimatte.io` says what each kind
        of file becomes.

    Raises
    ------
    PictureError
        If the file is missing, empty, damaged, truncated or no picture; if it needs OpenImageIO and
        that is not installed; if it holds samples that cannot be kept; if it has more pixels than
        twice ``PIL.Image.MAX_IMAGE_PIXELS`` (179 million), Pillow's guard against files that are
        made to fill the memory.

    Warns
    -----
    TrimatteWarning
        If a CMYK picture has no usable colour profile, or if the file holds further pictures.
    """
    name = name_of(path)
    try:
        if name != path and not isinstance(path, (str, os.PathLike)):
            return _read(_rewound(path), name)
        with opened(name) as file:
            return _read(file, name)
    except TrimatteWarning:  # a user who turned warnings into errors
        raise
    except PictureError:
        raise
    except OSError as error:
        raise PictureError(f"{name}: {reason(error)}") from error


def name_of(source: Source) -> str:
    """Return what messages call a picture."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return f"<{len(source)} bytes>"
    if hasattr(source, "read"):
        name = getattr(source, "name", None)
        return name if isinstance(name, str) else f"<{type(source).__name__}>"
    return _check.path(source)


def _rewound(source: Any) -> IO[bytes]:
    """Return the content of bytes or of a binary file, from its present place on."""
    content = source.read() if hasattr(source, "read") else source
    if isinstance(content, str):
        raise TypeError('path: expected a file opened in binary mode ("rb"), got one in text mode')
    return io.BytesIO(content)


def read_guide(path: Source, beside: Picture | None = None) -> npt.NDArray[Any]:
    """Read a trimap, alpha or mask.

    Floats a little outside [0, 1], as filters leave them, are cut off. `beside` is the picture that
    it belongs to: one that was made of the stored pixels of a turned picture is turned as well.
    """
    return as_guide(_laid(path, beside).pixels, name_of(path))


def _laid(path: Source, beside: Picture | None) -> Picture:
    """Read a guide, laid as the picture that it belongs to."""
    guide = read_picture(path)
    return guide if beside is None else laid_as(beside, guide, name_of(path))


def as_guide(pixels: npt.NDArray[Any], path: str) -> npt.NDArray[Any]:
    """Cut floats off as `read_guide` does; `path` is where they are from."""
    if pixels.dtype.kind == "f":
        _refuse_not_finite(pixels, path)
        least, most = pixels.min(), pixels.max()
        if least < -_OVERSHOOT or most > 1 + _OVERSHOOT:
            raise PictureError(f"{path}: expected values in [0, 1], got {least:g} to {most:g}")
        return np.asarray(np.clip(pixels, 0, 1))
    return pixels


def _refuse_not_finite(pixels: npt.NDArray[Any], name: str) -> None:
    try:
        _check.refuse_not_finite(pixels, name)
    except ValueError as error:
        raise PictureError(str(error)) from None


def pixel_count(source: Source) -> tuple[int, bool]:
    """Return how many pixels a file has, and whether they are floats, from its head."""
    name = name_of(source)
    if name != source and not isinstance(source, (str, os.PathLike)):
        return pixel_count_in(_rewound(source), name)
    with opened(name) as file:
        return pixel_count_in(file, name)


def pixel_count_in(file: IO[bytes], name: str) -> tuple[int, bool]:
    """Do the same with a file that is open, or in memory; `name` is what messages call it."""
    head = file.read(32)
    if not head:
        raise PictureError(f"{name}: the file is empty")
    kind = layout_of(file, head, name).deep
    if kind is None:
        with opened_by_pillow(file, head, name) as image:
            return image.size[0] * image.size[1], False
    with _on_disk(file, kind, name) as path:
        return deep.size(path, kind)


def read_single(path: Source, name: str, beside: Picture | None = None) -> npt.NDArray[Any]:
    """Read an alpha or a mask: the transparency of a cutout, else the grey of a grey picture.

    `beside` is as for `read_guide`.
    """
    pixels, path = _laid(path, beside).pixels, name_of(path)
    if pixels.ndim == 2:
        return as_guide(pixels, path)
    colours, transparent = without_transparency(pixels)
    if transparent:
        return as_guide(np.ascontiguousarray(pixels[..., 3]), path)
    if not _check.is_grey(colours):
        raise PictureError(
            f"{path}: expected a grey picture or a cutout for the {name}, got an opaque coloured one"
        )
    return as_guide(np.ascontiguousarray(colours[..., 0]), path)


def without_transparency(pixels: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], bool]:
    """Return the grey or RGB part of `pixels`, and whether it had pixels that are not opaque."""
    if pixels.ndim == 2 or pixels.shape[2] == 3:
        return pixels, False
    transparent = bool((pixels[..., 3] != _check.full_range(pixels.dtype)).any())
    return np.ascontiguousarray(pixels[..., :3]), transparent


def _read(file: IO[bytes], name: str) -> Picture:
    head = file.read(32)
    if not head:
        raise PictureError(f"{name}: the file is empty")
    kind, white_is_zero = layout_of(file, head, name)
    if kind is not None:
        picture = _read_deep(file, kind, name)
        return picture._replace(pixels=1 - picture.pixels) if white_is_zero else picture
    picture = decoded(file, head, name)
    return picture._replace(pixels=np.invert(picture.pixels)) if white_is_zero else picture


def _read_deep(file: IO[bytes], kind: str, name: str) -> Picture:
    damage = damage_in(file) if kind == "PNG" else None
    if damage is not None:
        raise PictureError(f"{name}: damaged or truncated picture ({damage})")
    with _on_disk(file, kind, name) as path:
        return deep.read(path, name, kind)


@contextmanager
def _on_disk(file: IO[bytes], kind: str, name: str) -> Iterator[str]:
    """Give the path of a file; OpenImageIO reads nothing that is in memory."""
    if not isinstance(file, io.BytesIO):
        yield name
        return
    import shutil  # here, so that importing trimatte stays light
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "picture" + deep.SUFFIX[kind])
        file.seek(0)
        with open(path, "wb") as copy:
            shutil.copyfileobj(file, copy)
        yield path
