"""A PNG writer for speed: it uses one filter and the fastest zlib that is installed.

Pillow tries five filters for every row. So does this writer where a small file is wanted.

PNG Specification, third edition (W3C 2025): chunks in section 5 and 11, filters in section 9.2, the
choice among them by the least sum of absolute values in section 12.7.
"""

from __future__ import annotations

import struct
import zlib
from typing import IO, Any, Literal

import numpy as np
import numpy.typing as npt

from .._pixels import bands

_COLOUR_TYPE = {1: 0, 3: 2, 4: 6}
_UP = 2
Quality = Literal["fast", "small"]
QUALITIES = ("fast", "small")
_PIECE = 2**20
Bytes = npt.NDArray[np.uint8]


def write_png(file: IO[bytes], pixels: npt.NDArray[Any], icc_profile: bytes | None, quality: str = "fast") -> None:
    """Write (H, W), (H, W, 3) or (H, W, 4) pixels of uint8 or uint16."""
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    depth = 8 * pixels.itemsize
    file.write(b"\x89PNG\r\n\x1a\n")
    _chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, depth, _COLOUR_TYPE[channels], 0, 0, 0))
    if icc_profile:
        _chunk(file, b"iCCP", b"ICC profile\0\0" + zlib.compress(icc_profile))
    row_bytes = width * channels * pixels.itemsize
    small = quality == "small"
    packer = zlib.compressobj(9) if small else _compressor()
    step = channels * pixels.itemsize
    above = np.zeros(row_bytes, np.uint8)
    for rows in bands(height, row_bytes):
        part = np.ascontiguousarray(pixels[rows].astype(pixels.dtype.newbyteorder(">"), copy=False))
        part = part.reshape(-1).view(np.uint8).reshape(-1, row_bytes)
        filtered = (_least if small else _up)(part, above, step)
        above = part[-1]
        _chunk(file, b"IDAT", packer.compress(filtered.data))
    _chunk(file, b"IDAT", packer.flush())
    _chunk(file, b"IEND", b"")


def _up(part: Bytes, above: Bytes, step: int) -> Bytes:
    """Return rows by the filter "Up", behind its number."""
    filtered = np.empty((len(part), 1 + part.shape[1]), np.uint8)
    filtered[:, 0] = _UP
    np.subtract(part[0], above, out=filtered[0, 1:])
    np.subtract(part[1:], part[:-1], out=filtered[1:, 1:])
    return filtered


def _least(part: Bytes, above: Bytes, step: int) -> Bytes:
    """Return each row by the filter that leaves the least sum, behind the filter's number.

    Parameters
    ----------
    part : (N, row bytes) ndarray of uint8
        Rows.
    above : (row bytes,) ndarray of uint8
        The row above the first one.
    step : int
        Bytes from a sample to that of the pixel before.
    """
    b = np.concatenate([above[np.newaxis], part[:-1]]).astype(np.int16)
    x = part.astype(np.int16)
    a, c = np.zeros_like(x), np.zeros_like(x)
    a[:, step:], c[:, step:] = x[:, :-step], b[:, :-step]
    guesses = (np.int16(0), a, b, (a + b) // 2, _paeth(a, b, c))
    rows = np.stack([(x - guess).astype(np.uint8) for guess in guesses])
    best = np.abs(rows.view(np.int8).astype(np.int16)).sum(axis=2, dtype=np.int64).argmin(axis=0)
    return np.concatenate([best[:, np.newaxis].astype(np.uint8), rows[best, np.arange(len(part))]], axis=1)


def _paeth(a: npt.NDArray[np.int16], b: npt.NDArray[np.int16], c: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """Return which of left, above and above left is nearest to left + above - above left."""
    to_a, to_b, to_c = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    return np.where((to_a <= to_b) & (to_a <= to_c), a, np.where(to_b <= to_c, b, c))


def _compressor() -> Any:
    """Return ISA-L's compressor if it is installed (extra [fast]), else the standard library's.

    ISA-L is three to four times faster.
    """
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib.compressobj(1, strategy=zlib.Z_RLE)
    return isal_zlib.compressobj(1)


def _chunk(file: IO[bytes], kind: bytes, content: bytes) -> None:
    """Write a chunk; an empty one only if it is the last."""
    if content or kind == b"IEND":
        file.write(struct.pack(">I", len(content)) + kind)
        file.write(content)
        file.write(struct.pack(">I", zlib.crc32(content, zlib.crc32(kind))))


def damage_in(file: IO[bytes]) -> str | None:
    """Say what is wrong with the chunks that hold the picture, or None. libpng would print it."""
    file.seek(8)
    while len(head := file.read(8)) == 8:
        size, kind = struct.unpack(">I4s", head)
        checksum = zlib.crc32(kind)
        while size and (piece := file.read(min(size, _PIECE))):
            checksum = zlib.crc32(piece, checksum)
            size -= len(piece)
        expected = file.read(4)
        if kind in (b"IHDR", b"IDAT"):
            if size or len(expected) < 4:
                return "the file ends early"
            if expected != checksum.to_bytes(4, "big"):
                return f"{kind.decode()}: incorrect checksum"
        if kind == b"IEND":
            break
    return None
