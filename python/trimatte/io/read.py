"""Reading picture files.

The table in `trimatte.io` says what is kept, what is converted and what is refused.
"""

from __future__ import annotations

import os
import warnings
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from .. import _check
from ..errors import PictureError, TrimatteWarning
from . import deep
from .layout import layout_of
from .names import is_url, opened
from .picture import Picture
from .pillow import decoded, opened_by_pillow, reason
from .png import damage_in

# A matte that was resized by Lanczos and the like goes so far beyond [0, 1].
_OVERSHOOT = 0.1


def load_image(path: str | os.PathLike[str]) -> npt.NDArray[Any]:
    """Read a picture as an array that every function of trimatte takes.

    Parameters
    ----------
    path : str or path-like
        A PNG, JPEG, WebP, TIFF, BMP, EXR or DPX file.

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


def read_finite(path: str | os.PathLike[str]) -> Picture:
    """Read a picture as `read_picture`, but refuse NaN and infinite values by the file's name."""
    picture = read_picture(path)
    _refuse_not_finite(picture.pixels, os.fspath(path))
    return picture


def read_opaque(path: str | os.PathLike[str], *, finite: bool = True, stacklevel: int = 2) -> Picture:
    """Read a picture without its transparency, as `load_image` does, with all that the file says.

    With `finite` NaN and infinite values are refused here, where the file's name is known.
    """
    picture = read_finite(path) if finite else read_picture(path)
    pixels, transparent = without_transparency(picture.pixels)
    if transparent:
        message = f"{os.fspath(path)}: the transparency is ignored"
        warnings.warn(message, TrimatteWarning, stacklevel=stacklevel)
    return picture._replace(pixels=pixels)


def read_picture(path: str | os.PathLike[str]) -> Picture:
    """Read a picture with its transparency and its colour profile.

    Parameters
    ----------
    path : str or path-like
        A PNG, JPEG, WebP, TIFF, BMP, EXR or DPX file.

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
        If a CMYK picture has no usable colour profile.
    """
    name = _check.path(path)
    try:
        with opened(name) as file:
            return _read(file, name)
    except TrimatteWarning:  # a user who turned warnings into errors
        raise
    except PictureError:
        raise
    except OSError as error:
        raise PictureError(f"{name}: {reason(error)}") from error


def read_guide(path: str) -> npt.NDArray[Any]:
    """Read a trimap, alpha or mask.

    Floats a little outside [0, 1], as filters leave them, are cut off.
    """
    return as_guide(read_picture(path).pixels, path)


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


def pixel_count(name: str) -> tuple[int, bool]:
    """Return how many pixels a file has, and whether they are floats.

    The head of a local file is enough; a deep file behind a URL is read whole.
    """
    with opened(name) as file:
        head = file.read(32)
        kind = layout_of(file, head, name).deep
        if kind is None:
            with opened_by_pillow(file, head, name) as image:
                return image.size[0] * image.size[1], False
        if not is_url(name):
            return deep.size(name, kind)
        pixels = _read_deep(file, kind, name).pixels
        return pixels.shape[0] * pixels.shape[1], pixels.dtype.kind == "f"


def read_single(path: str, name: str) -> npt.NDArray[Any]:
    """Read an alpha or a mask: the transparency of a cutout, else the grey of a grey picture."""
    pixels = read_picture(path).pixels
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
    if not is_url(name):
        return deep.read(name, name, kind)
    import shutil  # here, so that importing trimatte stays light
    import tempfile

    with tempfile.TemporaryDirectory() as folder:  # OpenImageIO reads files only
        path = os.path.join(folder, "picture" + deep.SUFFIX[kind])
        file.seek(0)
        with open(path, "wb") as copy:
            shutil.copyfileobj(file, copy)
        return deep.read(path, name, kind)
