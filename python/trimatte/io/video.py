"""Clips in: the frames of any video that PyAV (FFmpeg) decodes, upright and as RGB.

PyAV comes with the extra: ``pip install "trimatte[video]"``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import _check
from ..errors import PictureError
from .names import is_url

CLIP_SUFFIXES = (
    ".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mxf", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts",
    ".wmv", ".flv", ".ogv", ".3gp", ".y4m",
)  # fmt: skip
# How far, in seconds, a clip may end before the length that its head states.
_SHORT = 0.25
# Numbers of FFmpeg: of `AVColorSpace` to those of swscale. Without a tag pictures higher than 576
# rows are BT.709, lower ones BT.601, as players take them.
_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
_BT709, _BT601, _HIGHEST_SD = 1, 6, 576
LIMITED, FULL = 1, 2
"""Ranges of samples: from black at 16 to white at 235 of 255, and all numbers."""


class Colours(NamedTuple):
    """What a clip says of its colours, as numbers of ITU-T H.273; 2 means that it does not say."""

    primaries: int
    transfer: int
    matrix: int
    range: int


class ClipFrame(NamedTuple):
    """A frame of a clip.

    Attributes
    ----------
    number : int
        Its place, from 0.
    time : int
        When it is shown, in units of the clip's `time_base`.
    pixels : (H, W, 3) or (H, W, 4) ndarray of uint8 or uint16, or None
        RGB, or straight-alpha RGBA, upright; None for a frame that was passed over.
    """

    number: int
    time: int
    pixels: npt.NDArray[Any] | None


def is_clip(name: str) -> bool:
    """Whether a file's name ends as that of a clip."""
    return os.path.splitext(name)[1].lower() in CLIP_SUFFIXES


def pyav(name: str) -> Any:
    """Return PyAV, or say how to get it; `name` is the clip that needs it."""
    try:
        import av
    except ModuleNotFoundError as error:
        raise PictureError(f'{name}: a clip needs PyAV: pip install "trimatte[video]"') from error
    return av


@contextmanager
def naming_clip(name: str) -> Iterator[None]:
    """Turn what PyAV raises into PictureError."""
    av = pyav(name)
    try:
        yield
    except av.error.InvalidDataError as error:
        raise PictureError(
            f"{name}: damaged, truncated, or no clip; if it was copied or downloaded, do that again"
        ) from error
    except (av.error.FFmpegError, OSError) as error:
        if isinstance(error, PictureError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise PictureError(f"{name}: {reason[:1].lower()}{reason[1:]}") from error


def quality_flags() -> Any:
    """Return how swscale converts: with all of the chroma, and rounded."""
    from av.video.reformatter import Interpolation

    return (
        Interpolation.BICUBIC
        | Interpolation.FULL_CHR_H_INT
        | Interpolation.FULL_CHR_H_INP
        | Interpolation.ACCURATE_RND
    )


def matrix_for(matrix: int, height: int) -> int:
    """Return the matrix of a clip's colours, which an untagged one has by its height."""
    return matrix if matrix in _MATRICES else _BT709 if height > _HIGHEST_SD else _BT601


def swscale_matrix(matrix: int) -> int:
    """Return swscale's number of a matrix."""
    return _MATRICES[matrix]


class Clip:
    """A clip; it yields its frames in order, and may be iterated over several times.

    `open_clip` makes one. The file is open only while frames are taken.

    Attributes
    ----------
    name : str
        The file.
    width, height : int
        Size of the upright frames, in pixels.
    rate : Fraction
        Frames per second, on the average.
    time_base : Fraction
        Seconds of a unit of the frames' times.
    bits : int
        Bits of a sample of the file. Frames of more than 8 are uint16.
    has_alpha : bool
        Whether frames have four channels.
    colours : Colours
        What the file says of its colours.
    pixel_aspect : Fraction
        Width of a pixel, relative to its height.
    timecode : str or None
        That of the first frame, if the file states one.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.name = _check.path(path)
        if is_url(self.name):
            raise PictureError(f"{self.name}: a clip is read from a local file; download it first")
        with _opened(self.name) as container:
            stream = _video_stream(container, self.name)
            first = self._first_frame(container, stream)
            self._note(container, stream, first)

    def _note(self, container: Any, stream: Any, first: Any) -> None:
        """Keep what the file says of itself."""
        context = stream.codec_context
        turned = round(first.rotation) % 180 == 90
        self.width, self.height = (first.height, first.width) if turned else (first.width, first.height)
        self.rate = Fraction(stream.average_rate or stream.guessed_rate or 25)
        self.time_base = Fraction(stream.time_base or 1 / self.rate)
        self.bits = max(part.bits for part in first.format.components)
        self.has_alpha = any(part.is_alpha for part in first.format.components)
        self.colours = _colours_of(context, first)
        aspect = Fraction(context.sample_aspect_ratio or 1) or Fraction(1)
        self.pixel_aspect = 1 / aspect if turned else aspect
        self.timecode = stream.metadata.get("timecode") or container.metadata.get("timecode")
        self._stored = first.width, first.height

    def __iter__(self) -> Iterator[npt.NDArray[Any]]:
        for frame in self.frames():
            assert frame.pixels is not None
            yield frame.pixels

    def __repr__(self) -> str:
        return f"Clip({self.name!r}, {self.width} x {self.height}, {float(self.rate):.5g} a second)"

    def _first_frame(self, container: Any, stream: Any) -> Any:
        with naming_clip(self.name):
            for frame in _decoded(container, stream):
                return frame
        raise PictureError(f"{self.name}: no frame can be decoded; is it complete?")

    def frames(self, wanted: Callable[[int], bool] | None = None) -> Iterator[ClipFrame]:
        """Yield the frames from the first one on.

        Parameters
        ----------
        wanted : callable, optional
            Called with a frame's number; frames for which it is false are decoded but not converted.

        Raises
        ------
        PictureError
            If the clip is damaged, or a frame has another size than the first one.
        """
        with _opened(self.name) as container, naming_clip(self.name):
            stream = _video_stream(container, self.name)
            stream.thread_type = "AUTO"
            for index, frame in enumerate(_decoded(container, stream)):
                self._refuse_other(frame, index)
                time = round(index / (self.rate * self.time_base)) if frame.pts is None else frame.pts
                convert = wanted is None or wanted(index)
                yield ClipFrame(index, time, self._pixels(frame) if convert else None)

    def _refuse_other(self, frame: Any, index: int) -> None:
        size = frame.width, frame.height
        if size != self._stored:
            (width, height), got = self._stored, f"{size[0]} x {size[1]} pixels"
            raise PictureError(
                f"{self.name}: frame {index + 1}: expected {width} x {height} as in the first frame, got {got}; "
                f"give all frames one size first: ffmpeg -i {self.name} -vf scale={width}:{height} new.mov"
            )
        if frame.is_corrupt:
            raise PictureError(f"{self.name}: frame {index + 1}: damaged; get the clip anew, or cut it there")

    def _pixels(self, frame: Any) -> npt.NDArray[Any]:
        deep = self.bits > 8
        target = ("rgba64le" if deep else "rgba") if self.has_alpha else ("rgb48le" if deep else "rgb24")
        options: dict[str, Any] = {}
        if not frame.format.is_rgb:
            full = frame.color_range == FULL or frame.format.name.startswith("yuvj")
            matrix = swscale_matrix(matrix_for(int(frame.colorspace), frame.height))
            options = {
                "src_colorspace": matrix,
                "src_color_range": FULL if full else LIMITED,
                "dst_color_range": FULL,
            }
        pixels = frame.reformat(format=target, interpolation=quality_flags(), **options).to_ndarray()
        if deep and self.has_alpha and self.bits < 16:
            pixels[..., 3] |= pixels[..., 3] >> self.bits  # swscale leaves the lowest bits 0
        turns = round(frame.rotation / 90) % 4
        return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels

    def count(self) -> int:
        """Count the frames without decoding them.

        Raises
        ------
        PictureError
            If the file ends before the length that its head states.
        """
        with _opened(self.name) as container, naming_clip(self.name):
            stream = _video_stream(container, self.name)
            counted, seconds = _surveyed(container, stream)
            last_byte = max((entry.pos + entry.size for entry in stream.index_entries), default=0)
            stated = (container.duration or 0) / 1e6
        if last_byte > os.path.getsize(self.name) or (seconds is not None and seconds < stated - _SHORT):
            length = "" if seconds is None else f" after {seconds:.1f} of {stated:.1f} seconds"
            raise PictureError(
                f"{self.name}: truncated: it ends{length}, with {counted} frames; get the clip anew"
            )
        return counted


def open_clip(path: str | os.PathLike[str]) -> Clip:
    """Open a clip for reading.

    Parameters
    ----------
    path : str or path-like
        A local file of any kind that FFmpeg decodes: MP4, MOV, MKV, WebM, AVI, MXF, ...

    Returns
    -------
    Clip
        An iterable of frames: (H, W, 3) arrays of uint8, or of uint16 if a sample of the file has
        more than 8 bits; (H, W, 4) with straight alpha if the clip has transparency. They are
        upright, and have the colours that the file has, in its own transfer function.

    Raises
    ------
    PictureError
        If PyAV is not installed (extra ``[video]``), or if the file is missing, damaged, no clip, or
        of a codec that FFmpeg does not know.

    Examples
    --------
    >>> import trimatte as tm
    >>> clip = tm.io.open_clip("no such.mp4")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    PictureError: no such.mp4: no such file or directory
    """
    return Clip(path)


def _opened(name: str) -> Any:
    av = pyav(name)
    with naming_clip(name):
        return av.open(name, metadata_errors="replace")


def _video_stream(container: Any, name: str) -> Any:
    streams = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not streams:
        raise PictureError(f"{name}: holds no moving pictures")
    stream = streams[0]
    if getattr(stream, "codec_context", None) is None:
        raise PictureError(f"{name}: no decoder is known for its codec; export it as H.264 or ProRes")
    return stream


def _is_cover(stream: Any) -> bool:
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def _colours_of(context: Any, frame: Any) -> Colours:
    """Return the colours that the file states; where it does not, those that the frame states."""
    names = ("color_primaries", "color_trc", "colorspace", "color_range")
    untold = (2, 2, 2, 0)
    stated = [int(getattr(context, name)) for name in names]
    shown = [int(getattr(frame, name)) for name in names]
    return Colours(*(b if a == none else a for a, b, none in zip(stated, shown, untold, strict=True)))


def _decoded(container: Any, stream: Any) -> Iterator[Any]:
    """Yield frames; VP8 and VP9 with alpha are decoded by libvpx, FFmpeg's own decoders ignore alpha."""
    import av

    names = {key.lower(): value for key, value in stream.metadata.items()}
    decoder = stream.codec_context
    if names.get("alpha_mode") == "1" and decoder.name in ("vp8", "vp9"):
        with suppress(av.codec.codec.UnknownCodecError):
            decoder = av.CodecContext.create("libvpx" if decoder.name == "vp8" else "libvpx-vp9", "r")
    for packet in container.demux(stream):
        for frame in decoder.decode(packet if packet.size else None):
            if frame.pts is not None:
                frame.time_base = stream.time_base
            yield frame


def _surveyed(container: Any, stream: Any) -> tuple[int, float | None]:
    """Return the number of frames, and the seconds at which the last packet of any kind ends."""
    counted, ends = 0, None
    step = float(1 / (stream.average_rate or 25))
    for packet in container.demux():
        if not packet.size:
            continue
        if packet.stream_index == stream.index and not packet.is_discard:
            counted += 1
        if packet.pts is not None and packet.time_base:
            length = float((packet.duration or 0) * packet.time_base)
            video = packet.stream_index == stream.index
            end = float(packet.pts * packet.time_base) + (length or (step if video else 0.0))
            ends = end if ends is None else max(ends, end)
    start = (container.start_time or 0) / 1e6
    return counted, None if ends is None else ends - start
