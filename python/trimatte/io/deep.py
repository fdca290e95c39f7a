"""16-bit colour, floating-point and film files, by way of OpenImageIO (extra ``[vfx]``)."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from .._pixels import bands
from .._runtime.threads import thread_count
from ..errors import PictureError, TrimatteWarning
from .orientation import upright
from .picture import Metadata, Picture, most_pixels, too_large

# First bytes of a file: what it is.
MAGIC = {b"\x76\x2f\x31\x01": "EXR", b"SDPX": "DPX", b"XPDS": "DPX"}
SUFFIX = {"EXR": ".exr", "DPX": ".dpx", "PNG": ".png", "TIFF": ".tif"}
_PLUGIN = {"EXR": "openexr", "DPX": "dpx", "PNG": "png", "TIFF": "tiff"}

# Attributes about how a file stores its pixels, which is another matter in the next file.
_OF_STORAGE = ("oiio:", "openexr:", "tiff:", "png:", "ICCProfile")
_OF_STORAGE_TOO = {
    "Orientation",
    "compression",
    "planarconfig",
    "Software",
    "XResolution",
    "YResolution",
    "acesImageContainerFlag",  # a promise about compression and channels
    "name",
    "view",
    "dpx:ImageDescriptor",
    "dpx:Version",
    "dpx:Packing",
    "dpx:EndOfLinePadding",
    "dpx:EndOfImagePadding",
    "dpx:DittoKey",
}
_LOGARITHMIC = ("Logarithmic", "Printing density")
_LARGEST_HALF = 65504.0
_CMYK = 5  # TIFF 6.0, PhotometricInterpretation


_threads = 0  # OpenImageIO's; 0 stands for as many as there are cores


def use_threads(count: int | None) -> None:
    """Let files be packed and unpacked by so many threads."""
    global _threads
    _threads = count or 0


def openimageio(name: str, instead: str = "") -> Any:
    """Return OpenImageIO's module, or say how to get it, or what would do `instead`."""
    try:
        module = importlib.import_module("OpenImageIO")
        # OpenEXR's threads do not survive a fork: a child that writes would wait for them for ever.
        module.attribute("exr_threads", -1)
        return module
    except ImportError as error:
        raise PictureError(
            f"{name}: 16-bit colour, floating-point, EXR and DPX files need OpenImageIO: "
            f'pip install "trimatte[vfx]"{instead and "; " + instead}'
        ) from error


@contextmanager
def _limited(oiio: Any) -> Iterator[None]:
    """Let OpenImageIO use our number of threads, and then its own again."""
    before = oiio.get_int_attribute("threads")
    oiio.attribute("threads", _threads or thread_count(None))
    try:
        yield
    finally:
        oiio.attribute("threads", before)


@contextmanager
def _opened(path: str, name: str) -> Iterator[Any]:
    """Open a file for reading."""
    oiio = openimageio(name)
    wish = oiio.ImageSpec()
    wish.attribute("oiio:UnassociatedAlpha", 1)
    with _limited(oiio):
        file = oiio.ImageInput.open(path, wish)
        if file is None:
            raise PictureError(f"{name}: damaged picture ({_sentence(oiio.geterror())})")
        try:
            yield file
        finally:
            file.close()


def read(path: str, name: str, kind: str) -> Picture:
    """Read a file of a kind; `name` is what messages call it."""
    with _opened(path, name) as file:
        part, first, count = _find_colours(file, kind, name)
        spec = file.spec(part)
        if spec.width * spec.height > most_pixels():
            raise too_large(name)
        depth = _depth(spec, first, count)
        if depth not in ("uint8", "uint16", "half", "float"):
            raise PictureError(f"{name}: samples of type {depth} cannot be read")
        wanted = "float" if depth == "half" else depth
        pixels = file.read_image(part, 0, first, first + count, wanted)
        if pixels is None or file.has_error:
            raise PictureError(f"{name}: damaged or truncated picture ({_sentence(file.geterror())})")
        if kind == "TIFF" and file.seek_subimage(1, 0):
            warnings.warn(f"{name}: the first of several pictures is read", TrimatteWarning, stacklevel=6)
        premultiplied = not spec.get_int_attribute("oiio:UnassociatedAlpha")
        metadata, icc_profile = _metadata(spec)
        orientation = spec.get_int_attribute("Orientation", 1)
    if spec.get_int_attribute("tiff:PhotometricInterpretation") == _CMYK:
        message = f"{name}: 16-bit CMYK is read without its colour profile, the colours are approximate"
        warnings.warn(message, TrimatteWarning, stacklevel=6)
        icc_profile = None
    if metadata.attributes.get("dpx:Transfer", (None, ""))[1] in _LOGARITHMIC:
        message = f"{name}: logarithmic colours are used as they are, and as if they were for the display"
        warnings.warn(message, TrimatteWarning, stacklevel=6)
    if count == 1:
        pixels = pixels[..., 0]
    elif count == 2:
        pixels = pixels[..., [0, 0, 0, 1]]
    if count in (2, 4) and premultiplied:
        _divide_by_alpha(pixels)
    return Picture(upright(pixels, orientation), icc_profile, depth, metadata, kind, orientation)


def size(path: str, kind: str) -> tuple[int, bool]:
    """Return the number of pixels, and whether they are floats, from the file's head."""
    with _opened(path, path) as file:
        part, first, count = _find_colours(file, kind, path)
        spec = file.spec(part)
        return int(spec.width) * int(spec.height), _depth(spec, first, count) in ("half", "float")


def _find_colours(file: Any, kind: str, name: str) -> tuple[int, int, int]:
    """Return the part of an EXR with several, the first channel and the number of channels."""
    seen: list[str] = []
    for wanted in (("R", "G", "B"), ("Y",), ()):
        part = 0
        while (kind == "EXR" or part == 0) and file.seek_subimage(part, 0):
            spec = file.spec(part)
            names = tuple(spec.channelnames)
            if spec.deep:
                raise PictureError(f"{name}: expected one sample per pixel, got deep data; flatten it first")
            found = _channels(names, wanted)
            if found is not None:
                return part, *found
            seen += [n for n in names if n not in seen]
            part += 1
        file.geterror()  # that there are no more parts
    raise PictureError(f"{name}: expected channels R, G, B or Y, got {', '.join(seen)}")


def _channels(names: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[int, int] | None:
    """Return where the wanted channels are and how many there are, with an A that follows them.

    No wanted channels, (), stand for a single grey one.
    """
    upper = tuple(name.upper() for name in names)
    if not wanted:
        return (0, 1) if len(names) == 1 and not upper[0].endswith(("Z", "DEPTH")) else None
    if wanted == ("Y",) and not {"RY", "X"}.isdisjoint(upper):
        return None  # luminance and chroma; CIE XYZ, positions
    for first in range(len(names) - len(wanted) + 1):
        after = first + len(wanted)
        if upper[first:after] == wanted:
            return first, len(wanted) + (upper[after : after + 1] == ("A",))
    return None


def _depth(spec: Any, first: int, count: int) -> str:
    formats = [str(f) for f in spec.channelformats[first : first + count]] or [str(spec.format)]
    widest = (
        max(formats, key=("uint8", "uint16", "half", "float", "double").index) if len(formats) > 1 else formats[0]
    )
    return "float" if widest == "double" else widest


def write(
    path: str,
    kind: str,
    pixels: npt.NDArray[Any],
    depth: str,
    icc_profile: bytes | None,
    metadata: Metadata | None,
    name: str,
) -> None:
    """Write pixels that are ready for `depth`; straight RGBA becomes premultiplied in EXR."""
    oiio = openimageio(name)
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    spec = oiio.ImageSpec(width, height, channels, depth)
    if channels == 1:
        spec.channelnames = ("Y",)
    if channels == 4 and kind != "EXR":
        spec.attribute("oiio:UnassociatedAlpha", 1)
    if metadata is not None:
        _carry(oiio, spec, kind, depth, metadata)
    if kind == "DPX" and metadata is not None and 8 < metadata.bits < 16:
        pixels = _rounded_to(pixels, metadata.bits)
    spec.attribute("compression", "zip")
    spec.attribute("png:compressionLevel", 3)
    if icc_profile:
        profile = np.frombuffer(icc_profile, np.uint8)
        spec.attribute("ICCProfile", oiio.TypeDesc(f"uint8[{len(profile)}]"), profile)
    if channels == 4 and kind == "EXR":
        pixels = pixels.copy()
        pixels[..., :3] *= pixels[..., 3:]
    largest = np.abs(pixels).max() if depth == "half" else 0
    if largest > _LARGEST_HALF:
        raise ValueError(f"{name}: half floats end at {_LARGEST_HALF:g}, got {largest:g}; use 32 bits")
    file = oiio.ImageOutput.create(_PLUGIN[kind])
    if file is None:
        raise PictureError(f"{name}: cannot be written: {_sentence(oiio.geterror())}")
    # OpenImageIO would take two dimensions for rows of channels.
    pixels = np.ascontiguousarray(pixels).reshape(height, width, channels)
    with _limited(oiio):
        done = file.open(path, spec) and file.write_image(pixels)
        done = file.close() and done  # a TIFF that is complete may leave a remark about EXIF behind
    remark = _sentence(file.geterror()).replace(path, name)
    if not done:
        raise PictureError(f"{name}: cannot be written: {remark}")


def _carry(oiio: Any, spec: Any, kind: str, depth: str, metadata: Metadata) -> None:
    for key, (type_, value) in metadata.attributes.items():
        of_other = (key.startswith("dpx:") and kind != "DPX") or (key == "colorInteropID" and depth == "uint16")
        if not of_other:
            base, aggregate, meaning, length = type_
            base, aggregate = getattr(oiio.BASETYPE, base), getattr(oiio.AGGREGATE, aggregate)
            spec.attribute(key, oiio.TypeDesc(base, aggregate, getattr(oiio.VECSEMANTICS, meaning), length), value)
    if kind == "DPX" and metadata.bits > 8:
        spec.attribute("oiio:BitsPerSample", metadata.bits)
    if kind == "EXR" and metadata.data_window[2:] == (spec.width, spec.height):
        spec.x, spec.y = metadata.data_window[:2]
        spec.full_x, spec.full_y, spec.full_width, spec.full_height = metadata.display_window


def _rounded_to(pixels: npt.NDArray[np.uint16], bits: int) -> npt.NDArray[np.uint16]:
    """Round to fewer bits, whose pattern then fills the others: OpenImageIO would cut them off."""
    few = (pixels.astype(np.uint32) * (2**bits - 1) + 32767) // 65535
    return np.asarray(few << (16 - bits) | few >> (2 * bits - 16), np.uint16)


def _metadata(spec: Any) -> tuple[Metadata, bytes | None]:
    attributes = {
        entry.name: (_type(entry.type), entry.value)
        for entry in spec.extra_attribs
        if not entry.name.startswith(_OF_STORAGE) and entry.name not in _OF_STORAGE_TOO
    }
    profile = spec.getattribute("ICCProfile")
    data = (spec.x, spec.y, spec.width, spec.height)
    display = (spec.full_x, spec.full_y, spec.full_width, spec.full_height)
    if spec.get_int_attribute("Orientation", 1) != 1:
        data = display = (0, 0, 0, 0)  # which fits no picture
    bits = spec.get_int_attribute("oiio:BitsPerSample") if "dpx:Version" in spec else 0
    return Metadata(attributes, data, display, bits), None if profile is None else bytes(profile)


def _type(type_: Any) -> tuple[str, str, str, int]:
    return type_.basetype.name, type_.aggregate.name, type_.vecsemantics.name, type_.arraylen


def _divide_by_alpha(pixels: npt.NDArray[Any]) -> None:
    """Make premultiplied colours straight, in place. Where alpha is 0 they stay."""
    top = 1.0 if pixels.dtype.kind == "f" else float(np.iinfo(pixels.dtype).max)
    for rows in bands(len(pixels), pixels[0].nbytes):
        part = pixels[rows]
        alpha = part[..., 3:].astype(np.float32) / np.float32(top)
        with np.errstate(over="ignore"):
            straight = part[..., :3] / np.where(alpha == 0, np.float32(1), alpha)
        # The quotient is infinite where alpha is next to nothing.
        straight = np.where(np.isfinite(straight), straight, part[..., :3])
        if pixels.dtype.kind == "u":
            straight = np.minimum(straight + 0.5, top)
        part[..., :3] = straight.astype(pixels.dtype)


def _sentence(text: str) -> str:
    return " ".join(text.split()) or "no reason given"
