"""Pictures of 8 bits, and of 16 bits of grey, by way of Pillow."""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._pixels import bands
from ..errors import PictureError, TrimatteWarning
from .foreign import HEIF_BRANDS, brand, described, is_raw
from .picture import Picture, too_large

if TYPE_CHECKING:
    from PIL import Image

_READABLE = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIF")

_one_at_a_time = threading.Lock()


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep Pillow's warnings back, in one thread at a time.

    The warning filters belong to the whole process.
    """
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def opened_by_pillow(file: IO[bytes], head: bytes, name: str) -> Image.Image:
    """Read the head of a picture."""
    from PIL import Image, UnidentifiedImageError

    if is_raw(name, head):
        raise PictureError(f"{name}: {described(name, head)}")
    if brand(head) in HEIF_BRANDS:
        _learn_heif()
    file.seek(0)
    try:
        # Pictures below the limit of the error are welcome; other warnings concern metadata.
        with quiet_pillow():
            Image.init()
            return Image.open(file, formats=[kind for kind in _READABLE if kind in Image.OPEN])
    except UnidentifiedImageError as error:
        known = described(name, head)
        kind = "a TIFF that cannot be read" if is_tiff(head) else "not a picture that can be read"
        what = known or f"{kind} (PNG, JPEG, WebP, TIFF, BMP, GIF, AVIF, HEIC, EXR or DPX)"
        raise PictureError(f"{name}: {what}") from error
    except Image.DecompressionBombError as error:
        raise too_large(name) from error
    except Exception as error:
        raise PictureError(f"{name}: damaged picture ({reason(error)})") from error


def _learn_heif() -> None:
    """Let Pillow read HEIC, if pillow-heif is installed."""
    with suppress(ImportError):
        from pillow_heif import register_heif_opener

        register_heif_opener()


def decoded(file: IO[bytes], head: bytes, name: str) -> Picture:
    """Read a picture as Pillow does, upright, its colours as `trimatte.io` says."""
    with opened_by_pillow(file, head, name) as image:
        form = "JPEG" if image.format == "MPO" else str(image.format)
        _say_if_first_of_many(image, name)
        try:
            image.load()
            image, orientation = _upright(image)
        except MemoryError:
            raise
        except Exception as error:  # Pillow's decoders raise many kinds
            raise PictureError(f"{name}: damaged or truncated picture ({reason(error)})") from error
        pixels, icc_profile = _pixels_of(image, name)
    return Picture(pixels, icc_profile, str(pixels.dtype), None, form, orientation)


def _say_if_first_of_many(image: Image.Image, name: str) -> None:
    """Warn if a file has more pictures than the one that is read.

    Photographs of phones carry a second one for their own use (MPO); it is not worth a word.
    """
    count = 1
    with suppress(Exception), quiet_pillow():  # broken tags of later pictures are no matter
        count = getattr(image, "n_frames", 1)
        image.seek(0)
    if count > 1 and image.format != "MPO":
        warnings.warn(f"{name}: the first of {count} pictures is read", TrimatteWarning, stacklevel=6)


def _upright(image: Image.Image) -> tuple[Image.Image, int]:
    """Return the picture upright, and the EXIF orientation by which it was turned."""
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
    with suppress(Exception), quiet_pillow():
        orientation = image.getexif().get(0x0112, 1)
    return (image.transpose(turns[orientation]), orientation) if orientation in turns else (image, 1)


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
    warnings.warn(message, TrimatteWarning, stacklevel=6)
    return image.convert("RGB"), None


def is_tiff(head: bytes) -> bool:
    """Whether a file with this head is a TIFF, of 32 or 64 bits."""
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def reason(error: Exception) -> str:
    """Say in a few words why a file could not be read."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "is a folder, not a picture file"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return " ".join(str(error).split()) or type(error).__name__
