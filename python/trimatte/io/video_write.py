"""Clips out: ProRes 4444 in MOV, VP9 in WebM, both with transparency, by PyAV (FFmpeg)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import _check
from .._pixels import eight_bits, quantized
from ..errors import PictureError
from .names import replacing
from .video import LIMITED, Clip, matrix_for, naming_clip, pyav, quality_flags, swscale_matrix
from .write import check_folder

Pixels = npt.NDArray[Any]

_UNTOLD = 2  # H.273: the file does not say


class ClipFormat(NamedTuple):
    """A kind of clip that can be written.

    Attributes
    ----------
    container, codec : str
        FFmpeg's names.
    samples : str
        FFmpeg's name of the layout of samples; "a" stands in it where there is transparency.
    depth : str
        Samples that the encoder is given.
    options : dict
        Options of the encoder.
    sounds : tuple of str
        How the names of codecs begin whose sound the container can hold.
    sound : str
        The codec for any other sound.
    """

    container: str
    codec: str
    samples: str
    depth: str
    options: dict[str, str]
    sounds: tuple[str, ...]
    sound: str


_PRORES = {"profile": "4444", "vendor": "apl0", "alpha_bits": "16"}
# VP9 cannot have transparency and alternate reference frames at once.
_VP9 = {"crf": "18", "b": "0", "row-mt": "1", "cpu-used": "4", "auto-alt-ref": "0"}
_MOV_SOUNDS = ("aac", "mp2", "mp3", "alac", "ac3", "eac3", "pcm_s", "pcm_f")
CLIP_FORMATS = {
    ".mov": ClipFormat("mov", "prores_ks", "yuv{a}444p10le", "uint16", _PRORES, _MOV_SOUNDS, "pcm_s16le"),
    ".webm": ClipFormat("webm", "libvpx-vp9", "yuv{a}420p", "uint8", _VP9, ("opus", "vorbis"), "libopus"),
}


def clip_format(path: str) -> ClipFormat:
    """Return the format that the end of a clip's name asks for; ValueError if it cannot be written."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in CLIP_FORMATS:
        raise ValueError(
            f"{path}: expected .mov (ProRes 4444) or .webm (VP9), which have transparency, "
            f"got {suffix or 'no suffix'}; frames are written as frames/%04d.png"
        )
    return CLIP_FORMATS[suffix]


class Shape(NamedTuple):
    """What the frames of a clip have in common.

    Attributes
    ----------
    rate, time_base : Fraction
        Frames per second, and seconds of a unit of time.
    primaries, transfer, matrix : int
        Numbers of ITU-T H.273.
    pixel_aspect : Fraction
        Width of a pixel, relative to its height.
    timecode : str or None
        That of the first frame, if there is one.
    """

    rate: Fraction
    time_base: Fraction
    primaries: int = _UNTOLD
    transfer: int = _UNTOLD
    matrix: int = _UNTOLD
    pixel_aspect: Fraction = Fraction(1)
    timecode: str | None = None


def shape_of(clip: Clip) -> Shape:
    """Return what frames that come from a clip keep of it."""
    told = clip.colours
    matrix = matrix_for(told.matrix, clip.height)
    return Shape(
        clip.rate, clip.time_base, told.primaries, told.transfer, matrix, clip.pixel_aspect, clip.timecode
    )


def shape_at(rate: float | Fraction) -> Shape:
    """Return what frames that do not come from a clip have in common, from their number per second."""
    exact = Fraction(rate).limit_denominator(100_000)
    return Shape(exact, 1 / exact)


class Encoder:
    """Encodes frames to packets of a stream of an open file.

    Parameters
    ----------
    container : av.OutputContainer
        The file.
    form : ClipFormat
        Its kind.
    shape : Shape
        What the frames have in common.
    pixels : ndarray
        The first frame, which gives size and channels.
    """

    def __init__(self, container: Any, form: ClipFormat, shape: Shape, pixels: Pixels) -> None:
        channels = pixels.shape[2] if pixels.ndim == 3 else 1
        self._form, self._shape, self._size = form, shape, pixels.shape
        self._target = form.samples.format(a="a" if channels == 4 else "")
        self.stream = container.add_stream(form.codec, rate=shape.rate, options=dict(form.options))
        self.stream.height, self.stream.width = pixels.shape[:2]
        self.stream.pix_fmt = self._target
        context = self.stream.codec_context
        context.time_base = shape.time_base
        context.sample_aspect_ratio = shape.pixel_aspect
        context.color_primaries, context.color_trc = shape.primaries, shape.transfer
        self._matrix = matrix_for(shape.matrix, pixels.shape[0])
        context.colorspace, context.color_range = self._matrix, LIMITED

    def packets(self, pixels: Pixels, time: int) -> list[Any]:
        """Encode a frame."""
        from av import VideoFrame

        if pixels.shape != self._size:
            wanted, got = (
                f"{size[1]} x {size[0]}, {_channels(size)} channels" for size in (self._size, pixels.shape)
            )
            raise ValueError(f"frames: expected {wanted}, as the first one, got {got}")
        kind = {1: "gray", 3: "rgb24", 4: "rgba"}[_channels(pixels.shape)]
        if self._form.depth == "uint16":
            kind = {"gray": "gray16le", "rgb24": "rgb48le", "rgba": "rgba64le"}[kind]
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(samples_of(pixels, self._form.depth)), kind)
        matrix = swscale_matrix(self._matrix)
        frame = frame.reformat(
            format=self._target, dst_colorspace=matrix, dst_color_range=LIMITED, interpolation=quality_flags()
        )
        frame.color_primaries, frame.color_trc = self._shape.primaries, self._shape.transfer
        frame.colorspace, frame.color_range = self._matrix, LIMITED  # ProRes has them in every frame too
        frame.pts, frame.time_base = time, self._shape.time_base
        return list(self.stream.encode(frame))

    def rest(self) -> list[Any]:
        """Return the packets that the encoder has held back."""
        return list(self.stream.encode(None))


def samples_of(pixels: Pixels, depth: str) -> Pixels:
    """Return pixels as uint8 or uint16; floats are in [0, 1]."""
    if pixels.dtype.kind == "f":
        return quantized(pixels, depth)
    if depth == "uint8":
        return eight_bits(pixels)
    return pixels if pixels.dtype == np.uint16 else pixels * np.uint16(257)


def _channels(shape: tuple[int, ...]) -> int:
    return shape[2] if len(shape) == 3 else 1


@contextmanager
def part_writer(path: str, form: ClipFormat, shape: Shape) -> Iterator[Callable[[Pixels], None]]:
    """Give a function that writes frames to a file of their own, which `join_parts` takes.

    The file appears complete or not at all.
    """
    shape = shape._replace(time_base=1 / shape.rate)
    with replacing(path) as file, _muxing(path, file.name, form) as out:
        encoder: Encoder | None = None
        written = 0

        def write(pixels: Pixels) -> None:
            nonlocal encoder, written
            with naming_clip(path):
                encoder = encoder or Encoder(out, form, shape, pixels)
                out.mux(encoder.packets(pixels, written))
            written += 1

        yield write
        with naming_clip(path):
            if encoder is not None:
                out.mux(encoder.rest())


@contextmanager
def _muxing(path: str, temporary: str, form: ClipFormat) -> Iterator[Any]:
    """Open the temporary file of a clip; messages call it `path`."""
    with naming_clip(path):
        out = pyav(path).open(temporary, "w", format=form.container)
    try:
        yield out
    finally:
        with naming_clip(path):
            out.close()


def join_parts(
    path: str, form: ClipFormat, shape: Shape, parts: Sequence[str], times: Sequence[int], sound: str | None
) -> None:
    """Write the parts of a clip, and the sound of another one, to a file.

    Parameters
    ----------
    path : str
        The file to write; it appears complete or not at all.
    form, shape : ClipFormat, Shape
        Its kind, and what its frames have in common.
    parts : sequence of str
        Files of `part_writer`, in order.
    times : sequence of int
        When each frame is shown, in units of ``shape.time_base``.
    sound : str or None
        A clip whose sound is copied, or encoded anew where the file's kind cannot hold it.
    """
    av = pyav(path)
    with replacing(path) as file, naming_clip(path), av.open(file.name, "w", format=form.container) as out:
        with av.open(parts[0]) as first:
            stream = _same_stream(out, first.streams.video[0], shape)
        with closing(Sound(out, sound, form)) as track:
            for packet, time in zip(_packets_of(parts), times, strict=True):
                packet.stream = stream
                packet.pts = packet.dts = time
                packet.time_base = shape.time_base
                packet.duration = round(1 / (shape.rate * shape.time_base))
                for heard in track.until(float(time * shape.time_base)):
                    out.mux(heard)
                out.mux(packet)
            for heard in track.until(None):
                out.mux(heard)


def _same_stream(out: Any, theirs: Any, shape: Shape) -> Any:
    """Add a stream for the packets of another file; a template alone loses rate, tag and transparency."""
    ours = out.add_stream_from_template(theirs)
    ours.time_base = shape.time_base
    ours.codec_context.framerate = shape.rate
    ours.codec_context.codec_tag = theirs.codec_context.codec_tag
    if shape.timecode is not None:
        ours.metadata["timecode"] = shape.timecode
    if theirs.metadata.get("alpha_mode"):
        ours.metadata["alpha_mode"] = theirs.metadata["alpha_mode"]
    return ours


def _packets_of(parts: Sequence[str]) -> Iterator[Any]:
    import av

    for part in parts:
        with av.open(part) as container:
            for packet in container.demux(container.streams.video[0]):
                if packet.size:
                    yield packet


class Sound:
    """The sound of a clip, all its tracks, for another one.

    Parameters
    ----------
    out : av.OutputContainer
        The file that gets the sound.
    source : str or None
        The clip that has it.
    form : ClipFormat
        Says which sounds `out` can hold.
    """

    def __init__(self, out: Any, source: str | None, form: ClipFormat) -> None:
        import av

        self._container = None if source is None else av.open(source, metadata_errors="replace")
        self._waiting: Any = None
        heard = [] if self._container is None else self._container.streams.audio
        tracks = [_Track(out, theirs, form) for theirs in heard if theirs.codec_context is not None]
        self._packets = self._through(tracks)

    def _through(self, tracks: list[_Track]) -> Iterator[Any]:
        by_index = {track.index: track for track in tracks}
        if self._container is None or not tracks:
            return
        for packet in self._container.demux([track.theirs for track in tracks]):
            yield from by_index[packet.stream.index].packets(packet)

    def until(self, seconds: float | None) -> Iterator[Any]:
        """Yield the packets that start up to a time; None stands for the end."""
        while True:
            packet, self._waiting = self._waiting or next(self._packets, None), None
            if packet is None:
                return
            if seconds is not None and packet.dts is not None and float(packet.dts * packet.time_base) > seconds:
                self._waiting = packet
                return
            yield packet

    def close(self) -> None:
        """Close the file that the sound is from."""
        if self._container is not None:
            self._container.close()


class _Track:
    """A track of sound: copied, or encoded where the file's kind cannot hold its codec."""

    def __init__(self, out: Any, theirs: Any, form: ClipFormat) -> None:
        from av import AudioResampler

        self.theirs, self.index = theirs, theirs.index
        self._resampler: Any = None
        if theirs.codec_context.codec.canonical_name.startswith(form.sounds):
            self._ours = out.add_stream_from_template(theirs)
            return
        mono = theirs.codec_context.layout.nb_channels == 1
        self._ours = out.add_stream(form.sound, rate=48000, layout="mono" if mono else "stereo")
        context = self._ours.codec_context
        context.open()
        self._resampler = AudioResampler(context.format, context.layout, context.rate, context.frame_size or 1024)

    def packets(self, packet: Any) -> Iterator[Any]:
        """Yield what becomes of a packet; an empty one is the last."""
        if self._resampler is None:
            if packet.size and packet.dts is not None:
                packet.stream = self._ours
                yield packet
            return
        for frame in self.theirs.decode(packet):
            for part in self._resampler.resample(frame):
                yield from self._ours.encode(part)
        if not packet.size:
            for part in self._resampler.resample(None):
                yield from self._ours.encode(part)
            yield from self._ours.encode(None)


def save_clip(
    path: str | os.PathLike[str],
    frames: Iterable[npt.NDArray[Any]],
    *,
    like: Clip | None = None,
    rate: float | Fraction | None = None,
    sound: bool = True,
) -> None:
    """Write a clip; the suffix of `path` chooses the format.

    The file appears complete or not at all.

    Parameters
    ----------
    path : str or path-like
        Ends in .mov (ProRes 4444, 10 bits a sample) or .webm (VP9, 8 bits).
    frames : iterable of (H, W), (H, W, 3) or (H, W, 4) arrays of uint8, uint16 or floats
        Grey, RGB or straight-alpha RGBA, all of one size; floats are in [0, 1]. They are taken one
        by one. VP9 needs an even width and height.
    like : Clip, optional
        A clip from which the frames were made: their times, the rate, colour tags, pixel aspect and
        sound are taken from it.
    rate : float or Fraction, optional
        Frames per second, if there is no `like`.
    sound : bool, default True
        Whether the sound of `like` is kept. It is copied as it is, and encoded (Opus, PCM) where the
        format cannot hold it.

    Raises
    ------
    ValueError, TypeError
        If the suffix is another, if the frames differ in size, if there is none, or if neither
        `like` nor `rate` is given.
    PictureError
        If PyAV is not installed (extra ``[video]``) or the file cannot be written.

    Examples
    --------
    >>> import numpy as np
    >>> import trimatte as tm
    >>> tm.io.save_clip("x.mp4", [np.zeros((4, 4, 4))], rate=24)
    Traceback (most recent call last):
    ValueError: x.mp4: expected .mov (ProRes 4444) or .webm (VP9), which have transparency, got .mp4; \
frames are written as frames/%04d.png
    """
    name, form = _check.path(path), clip_format(_check.path(path))
    keep_sound = _check.flag(sound, "sound")
    if (like is None) == (rate is None):
        raise ValueError("rate: expected frames per second, or a clip as like, one of the two")
    shape = shape_of(like) if like is not None else shape_at(_check.positive(rate, "rate"))
    _check.iterable(frames, "frames", "arrays")
    check_folder(name)
    import tempfile  # here, so that importing trimatte stays light

    with tempfile.TemporaryDirectory() as folder:
        part = os.path.join(folder, "part" + os.path.splitext(name)[1])
        count = 0
        with part_writer(part, form, shape) as write:
            for frame in frames:
                write(np.asarray(frame))
                count += 1
            if not count:
                raise ValueError("frames: expected at least one, got none")
        times = list(range(count)) if like is None else _times(like, count)
        join_parts(name, form, shape, [part], times, like.name if like is not None and keep_sound else None)


def _times(like: Clip, count: int) -> list[int]:
    times = [frame.time for frame in like.frames(lambda _: False)][:count]
    if len(times) < count:
        raise ValueError(f"frames: expected at most {len(times)}, as {like.name} has, got {count}")
    return times


def check_clip(path: str, form: ClipFormat, width: int, height: int) -> None:
    """Raise, before any work is done, what writing a clip of this format and size would raise."""
    check_folder(path)
    if "420" in form.samples and (width % 2 or height % 2):
        raise PictureError(
            f"{path}: WebM needs an even width and height, got {width} x {height}; write a .mov, or frames"
        )
