"""Tiny clips, written by PyAV."""

from fractions import Fraction

import av
import numpy as np

HEIGHT, WIDTH, COUNT = 48, 64, 6


def subject(number, count=COUNT):
    """Alpha of a disc that moves."""
    yy, xx = np.mgrid[:HEIGHT, :WIDTH]
    distance = np.hypot(yy - 24, xx - 20 - 4 * number)
    return np.clip(14.5 - distance, 0, 1)


def over(alpha, colour, seed=0):
    """An orange subject over a colour, with some texture and noise; uint8."""
    rng = np.random.default_rng(seed)
    texture = 0.1 * np.sin(np.mgrid[:HEIGHT, :WIDTH][1])[..., None]
    front = np.array([0.85, 0.45, 0.15]) + texture
    picture = alpha[..., None] * front + (1 - alpha[..., None]) * np.array(colour)
    return np.rint(np.clip(picture + rng.normal(0, 0.004, picture.shape), 0, 1) * 255).astype(np.uint8)


def frames(colour=(0.15, 0.2, 0.5), count=COUNT, missing=()):
    """Frames and their alphas; the subject is not in some."""
    alphas = [subject(number) * (number not in missing) for number in range(count)]
    return [over(alpha, colour, number) for number, alpha in enumerate(alphas)], alphas


def grey(plane):
    """A mask or trimap in [0, 1] as an RGB frame."""
    return np.repeat(np.rint(plane * 255).astype(np.uint8)[..., None], 3, axis=2)


def trimap(alpha):
    """A narrow trimap of the disc."""
    from scipy.ndimage import maximum_filter, minimum_filter

    return np.where(minimum_filter(alpha, 5) > 0.99, 1.0, np.where(maximum_filter(alpha, 5) < 0.01, 0.0, 0.5))


def write(
    path, pictures, *, rate=Fraction(24000, 1001), codec="libx264", layout="yuv444p", sound=None, options=None
):
    """Write a clip; `sound` is the codec of a tone."""
    with av.open(str(path), "w", options=options or {}) as out:
        video = out.add_stream(codec, rate=rate, options={"crf": "8"} if codec == "libx264" else {})
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt = layout
        context = video.codec_context
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = 9, 16, 1, 1
        audio = None if sound is None else out.add_stream(sound, rate=48000, layout="stereo")
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(
                format=layout, dst_colorspace="ITU709", dst_color_range="MPEG"
            )
            frame.pts, frame.time_base = number, 1 / rate
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        if audio is not None:
            tone(out, audio, len(pictures) / float(rate))
    return path


def tone(out, audio, seconds):
    """Encode a sine."""
    wave = 0.3 * np.sin(np.arange(int(48000 * seconds)) / 20)
    frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]).astype(np.float32), "fltp", layout="stereo")
    frame.sample_rate, frame.pts = 48000, 0
    context = audio.codec_context
    resampler = av.AudioResampler(context.format, context.layout, 48000, context.frame_size or 1024)
    for part in [*resampler.resample(frame), *resampler.resample(None)]:
        out.mux(audio.encode(part))
    out.mux(audio.encode(None))


def decoded(path, kind="audio"):
    """The samples of the sound, or the names of the codecs of all streams."""
    with av.open(str(path)) as file:
        if kind == "codecs":
            return [stream.codec_context.name for stream in file.streams]
        return np.concatenate([frame.to_ndarray() for frame in file.decode(audio=0)], axis=1)
