"""Reading picture files: what is kept, what is converted, what is refused (the table is in `trimatte.io`)."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import threading
import warnings
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import _check
from .._pixels import bands
from ..errors import PictureError, TrimatteWarning
from . import deep
from .names import is_url, opened
from .picture import Picture, too_large
from .png import damage_in

if TYPE_CHECKING:
    from PIL import Image

# Lanczos and the like, on a matte.
_OVERSHOOT = 0.1

_READABLE = ("PNG", "JPEG", "WEBP", "TIFF", "BMP")

# The warning filters belong to the whole process: two threads must not change them at once.
_quiet_pillow = threading.Lock()


def load_image(path: str | os.PathLike[str]) -> npt.NDArray[Any]:
    """Read a picture as an array that every function of trimatte takes.

    Parameters
    ----------
    path : str or path-like
        A PNG, JPEG, WebP, TIFF, BMP, EXR or DPX file.

    Returns
    -------
    (H, W) or (H, W, 3) ndarray of uint8, uint16 or float32
        Upright. Transparency is dropped: see :func:`read_picture` for RGBA. float32 is scene-linear by
        convention, with values above 1: pass it with ``colour_space="linear"``.

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
        Pixels, colour profile, depth, metadata. The module's docstring says what each kind of file becomes.

    Raises
    ------
    PictureError
        If the file is missing, empty, damaged, truncated or no picture; if it needs OpenImageIO and that is
        not installed; if it holds samples that cannot be kept; if it has more pixels than twice
        ``PIL.Image.MAX_IMAGE_PIXELS`` (179 million), Pillow's guard against files made to fill the memory.

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
        raise PictureError(f"{name}: {_reason(error)}") from error


def read_guide(path: str) -> npt.NDArray[Any]:
    """Read a trimap, alpha or mask: floats a little outside [0, 1], as filters leave them, are cut off."""
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
    """Return how many pixels a file has, from its head if it is here, and whether they are floats."""
    with opened(name) as file:
        head = file.read(32)
        kind = _layout(file, head, name).deep
        if kind is None:
            with _opened_by_pillow(file, head, name) as image:
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
    kind, white_is_zero = _layout(file, head, name)
    if kind is not None:
        picture = _read_deep(file, kind, name)
        return picture._replace(pixels=1 - picture.pixels) if white_is_zero else picture
    with _opened_by_pillow(file, head, name) as image:
        form = str(image.format)
        try:
            image.load()
            image = _upright(image)
        except MemoryError:
            raise
        except Exception as error:  # Pillow's decoders raise many kinds
            raise PictureError(f"{name}: damaged or truncated picture ({_reason(error)})") from error
        pixels, icc_profile = _pixels_of(image, name)
    if white_is_zero:
        pixels = np.invert(pixels)
    return Picture(pixels, icc_profile, str(pixels.dtype), None, form)


def _opened_by_pillow(file: IO[bytes], head: bytes, name: str) -> Image.Image:
    """Read the head of a picture."""
    from PIL import Image, UnidentifiedImageError

    file.seek(0)
    try:
        with _quiet_pillow, warnings.catch_warnings():
            # Up to the limit of the error, large pictures are welcome; other remarks are about metadata.
            warnings.simplefilter("ignore")
            return Image.open(file, formats=_READABLE)
    except UnidentifiedImageError as error:
        kind = "a TIFF that cannot be read" if _is_tiff(head) else "not a picture that can be read"
        raise PictureError(f"{name}: {kind} (PNG, JPEG, WebP, TIFF, BMP, EXR or DPX)") from error
    except Image.DecompressionBombError as error:
        raise too_large(name) from error
    except Exception as error:
        raise PictureError(f"{name}: damaged picture ({_reason(error)})") from error


def _read_deep(file: IO[bytes], kind: str, name: str) -> Picture:
    damage = damage_in(file) if kind == "PNG" else None
    if damage is not None:
        raise PictureError(f"{name}: damaged or truncated picture ({damage})")
    if not is_url(name):
        return deep.read(name, name, kind)
    with tempfile.TemporaryDirectory() as folder:  # OpenImageIO reads files only
        path = os.path.join(folder, "picture" + deep.SUFFIX[kind])
        file.seek(0)
        with open(path, "wb") as copy:
            shutil.copyfileobj(file, copy)
        return deep.read(path, name, kind)


def _upright(image: Image.Image) -> Image.Image:
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    orientation = 1
    # Not `ImageOps.exif_transpose`: broken metadata must not make a good picture unreadable.
    with suppress(Exception), _quiet_pillow, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        orientation = image.getexif().get(0x0112, 1)
    return image.transpose(turns[orientation]) if orientation in turns else image


def _pixels_of(image: Image.Image, name: str) -> tuple[npt.NDArray[Any], bytes | None]:
    mode = image.mode
    icc_profile: bytes | None = image.info.get("icc_profile") or None
    transparent = mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info
    if mode.startswith("I"):  # 16-bit grey: wider integers were refused by their tags
        if transparent:
            raise PictureError(f"{name}: 16-bit grey with a transparent value cannot be read")
        return _array(image, np.uint16), icc_profile
    if mode == "CMYK":
        image, icc_profile = _cmyk_to_srgb(image, name)
    elif mode in ("La", "RGBa"):
        image = image.convert("LA" if mode == "La" else "RGBA").convert("RGBA")
    elif mode not in ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "YCbCr"):
        raise PictureError(f"{name}: a picture of mode {mode} cannot be read; convert it to 8-bit RGB")
    elif transparent:
        image = image.convert("RGBA")
    else:
        image = image.convert("L" if mode in ("1", "L") else "RGB")
    return _array(image, np.uint8), icc_profile


def _array(image: Image.Image, dtype: type[np.uint8] | type[np.uint16]) -> npt.NDArray[Any]:
    """Copy in bands: `numpy.array(image)` holds the whole picture twice more on the way."""
    channels = len(image.getbands())
    width, height = image.size
    out = np.empty((height, width) if channels == 1 else (height, width, channels), dtype)
    for rows in bands(height, width * channels):
        out[rows] = np.asarray(image.crop((0, rows.start, width, rows.stop)))
    return out


def _cmyk_to_srgb(image: Image.Image, name: str) -> tuple[Image.Image, bytes | None]:
    from PIL import ImageCms

    embedded = image.info.get("icc_profile")
    if embedded and embedded[16:20] == b"CMYK":
        with suppress(ImageCms.PyCMSError, OSError):
            srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
            source = ImageCms.ImageCmsProfile(io.BytesIO(embedded))
            converted = ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")
            if converted is not None:
                return converted, srgb.tobytes()
    message = f"{name}: CMYK without a usable colour profile, the colours are approximate"
    warnings.warn(message, TrimatteWarning, stacklevel=5)
    return image.convert("RGB"), None


class _Layout(NamedTuple):
    """What must be known before Pillow sees a file.

    Attributes
    ----------
    deep : str or None
        The kind of file if Pillow cannot read it, or would silently reduce its samples.
    white_is_zero : bool
        Whether this is grey of the TIFF kind that Pillow (16 bits) and OpenImageIO (floats) read upside down.
    """

    deep: str | None
    white_is_zero: bool = False


def _layout(file: IO[bytes], head: bytes, name: str) -> _Layout:
    """Look at a file's head and, of a TIFF, its tags; refuse samples that nobody here reads."""
    if head[:8] == b"\x89PNG\r\n\x1a\n" and head[12:16] == b"IHDR":
        return _Layout("PNG" if head[24] == 16 and head[25] != 0 else None)
    if not _is_tiff(head):
        return _Layout(deep.MAGIC.get(head[:4]))
    tags = _tiff_tags(file)
    bits, photometric = max(tags.get("bits", (1,))), max(tags.get("photometric", (1,)))
    kind = {2: "signed", 5: "complex", 6: "complex"}.get(max(tags.get("kind", (1,))))
    floating = max(tags.get("kind", (1,))) == 3
    if photometric in (8, 9, 10):
        raise PictureError(f"{name}: Lab colour cannot be read; convert it to RGB")
    if kind or 8 < bits < 16 or (bits > 16 and not floating):
        samples_are = f"{bits}-bit {kind} samples" if kind else f"{bits}-bit samples"
        raise PictureError(
            f"{name}: a TIFF with {samples_are} cannot be read; scale them to [0, 1] and pass the array"
        )
    samples = max(tags.get("samples", (1,)))
    white_is_zero = photometric == 0 and (floating or bits == 16)
    if white_is_zero and samples > 1:
        raise PictureError(f"{name}: grey with transparency, white as 0, cannot be read; save it with black as 0")
    if floating or (bits == 16 and (samples > 1 or photometric > 1)):
        return _Layout("TIFF", white_is_zero)
    return _Layout(None, white_is_zero)


def _is_tiff(head: bytes) -> bool:
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _tiff_tags(file: IO[bytes]) -> dict[str, tuple[int, ...]]:
    """Return the sample layout of the first picture; nothing where the file is too damaged to say."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    wanted = {"bits": 258, "photometric": 262, "samples": 277, "kind": 339}
    found: dict[str, tuple[int, ...]] = {}
    with suppress(Exception), _quiet_pillow, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file.seek(0)
        header = file.read(8)
        if 43 in header[2:4]:
            header += file.read(8)
        tags = ImageFileDirectory_v2(header)
        file.seek(tags.next)
        tags.load(file)
        for key, tag in wanted.items():
            if tag in tags:
                value = tags[tag]
                found[key] = tuple(value) if isinstance(value, tuple) else (value,)
    return found


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "is a folder, not a picture file"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return " ".join(str(error).split()) or type(error).__name__
