"""Chroma of half resolution, as JPEG files and films have it: found in the picture, and sharpened.

A file that is stored as 4:2:0 or 4:2:2 holds luma for every pixel, and chroma for every second row,
column, or both. Decoders interpolate chroma, so that an edge of colours is three pixels wide, where
the edge of luma is sharp. Both facts can be read from the decoded picture.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _check
from ._palette import smoothed

KINDS = ("auto", "full", "half")
"""What the argument `chroma` may be."""

Plane = npt.NDArray[np.float32]

# JFIF: luma is this mixture of red, green and blue; Cb and Cr are these parts of blue - luma and
# red - luma. All planes here are in steps of 8 bits.
_LUMA = (0.299, 0.587, 0.114)
_CB, _CR = 1 / 1.772, 1 / 1.402
# A decoder gives a pixel 3/4 of its own sample of chroma and 1/4 of the sample on its other side.
_OWN, _OTHER = np.float32(0.75), np.float32(0.25)
# Rounding moves chroma by less than this.
_ROUNDING = 1.0
# Chroma is of half resolution if one way to pair rows (or columns) leaves this many times fewer
# pixels unexplained than the other way does. Sharp pictures have a ratio of 1, JPEG files with
# chroma of full resolution one of up to 4.
_RATIO = 16
_FEWEST = 16
# About so many pixels are looked at, in strips of so many rows.
_ENOUGH = 1 << 18
_STRIP = 32
# Variance of luma, in squared steps of 8 bits, below which chroma is not taken to follow luma.
_NOISE = 1.0
# How much of what luma does not explain is added to the sharpened chroma.
_KEPT = np.float32(0.5)
# Known pixels within this distance of the unknown ones are sharpened too: priors look at them.
_MARGIN = 32
# Rows that are worked on at a time, and the distance at which pixels have an effect on others.
_BAND, _REACH = 128, 16


class Pairing(NamedTuple):
    """How pixels share samples of chroma.

    Attributes
    ----------
    rows, columns : int or None
        0 if rows (columns) 0 and 1 are a pair, 1 if 1 and 2 are; None for a sample each.
    """

    rows: int | None
    columns: int | None

    @property
    def is_full(self) -> bool:
        """Whether every pixel has a sample of its own."""
        return self.rows is None and self.columns is None


def mended(image: npt.NDArray[Any], labels: npt.NDArray[np.uint8], kind: str) -> tuple[npt.NDArray[Any], str]:
    """Return a picture whose colours are not coarser than they need be, and what they were.

    Parameters
    ----------
    image, labels, kind
        As for `sharpened`. With "auto" the steps of a palette are smoothed as well.

    Returns
    -------
    (H, W, C) ndarray
        As `sharpened`.
    {"full", "half", "palette"}
        What the picture was taken for; "full" if nothing was done.
    """
    if kind == "auto":
        smooth = smoothed(image)
        if smooth is not image:
            return smooth, "palette"
    sharp = sharpened(image, labels, kind)
    return sharp, "full" if sharp is image else "half"


def sharpened(image: npt.NDArray[Any], labels: npt.NDArray[np.uint8], kind: str) -> npt.NDArray[Any]:
    """Return a picture whose chroma is as sharp as its luma, around the unknown pixels.

    Parameters
    ----------
    image : (H, W, C) ndarray of uint8, uint16, float32 or float64
        Display colours.
    labels : (H, W) ndarray of uint8
        What is known.
    kind : {"auto", "full", "half"}
        "auto" looks whether the picture's chroma is of half resolution, "half" takes it for
        granted, "full" leaves the picture as it is.

    Returns
    -------
    (H, W, C) ndarray
        The same array if there is nothing to do. Else it is float64 if the image is, float32 if
        not.

    Notes
    -----
    At half resolution, the chroma of each window of 3 x 3 samples is fitted by a line to the means
    of luma. The line, taken at the luma of full resolution, is the new chroma; half of what the
    fit leaves is added. Both colours of a sharp edge lie on one line, so that the edge comes back.
    """
    if kind == "full" or image.shape[2] != 3:
        return image
    unknown = labels == _check.UNKNOWN
    pairing = pairing_of(image[_box(unknown, 0, len(unknown))])
    if pairing.is_full and kind == "half":
        pairing = Pairing(0, 0)
    if pairing.is_full:
        return image
    result = _float_copy(image)
    for top in range(0, len(unknown), _BAND):
        _sharpen(result, image, pairing, _box(unknown, top, top + _BAND))
    return result


def _box(unknown: npt.NDArray[np.bool_], top: int, bottom: int) -> tuple[slice, slice]:
    """Return the part of some rows that has unknown pixels, with a margin; it starts at even numbers."""
    near = unknown[max(0, top - _MARGIN) : bottom + _MARGIN]
    rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    first = max(0, top - _MARGIN) + int(rows[0])
    last = max(0, top - _MARGIN) + int(rows[-1])
    left, right = max(0, int(columns[0]) - _MARGIN), int(columns[-1]) + 1 + _MARGIN
    return slice(max(top, first - _MARGIN) & ~1, min(bottom, last + 1 + _MARGIN)), slice(left & ~1, right)


def _float_copy(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if image.dtype.kind == "f":
        return np.array(image)
    return np.asarray(image / np.float32(_check.full_range(image.dtype)), np.float32)


def pairing_of(image: npt.NDArray[Any]) -> Pairing:
    """Judge from an (H, W, 3) picture how its pixels share samples of chroma.

    Interpolated rows (or columns) obey equations that hold for the right pairs only, up to
    rounding. A picture that was enlarged obeys them too, but in its luma as well: it counts as
    full, as does one whose chroma is smooth everywhere.
    """
    if min(image.shape[:2]) < 8:
        return Pairing(None, None)
    step = -(-image.shape[0] * image.shape[1] // _ENOUGH)
    strips = [image[top : top + _STRIP] for top in range(0, image.shape[0] - 7, step * _STRIP)]
    rows, columns = (np.sum([_unexplained(strip, axis) for strip in strips], axis=0) for axis in (0, 1))
    return Pairing(_phase(rows), _phase(columns))


def _phase(counts: npt.NDArray[np.int64]) -> int | None:
    """Return the phase that the numbers of unexplained pixels speak for; rows are luma, chroma."""
    phase = int(counts[1].argmin())
    luma, chroma = counts[:, phase], counts[:, 1 - phase]
    is_half = chroma[1] >= max(_FEWEST, _RATIO * luma[1])
    is_enlarged = chroma[0] >= max(_FEWEST, _RATIO * luma[0])
    return phase if is_half and not is_enlarged else None


def _unexplained(strip: npt.NDArray[Any], axis: int) -> npt.NDArray[np.int64]:
    """Count pixels that interpolation does not explain: (luma, chroma) x (phase 0, phase 1).

    Colours that were cut off at black or white obey no equation, and are left out with their
    neighbours. So are the pixels at both ends, whose neighbours are not known.
    """
    from scipy.ndimage import maximum_filter1d  # here, so that importing trimatte stays light

    top = _check.full_range(strip.dtype)
    cut_off = ((strip <= 0) | (strip >= top)).any(axis=2)
    looked_at = maximum_filter1d(cut_off.view(np.uint8), 7, axis=axis, mode="constant", cval=1) == 0
    counts = np.zeros((2, 2), np.int64)
    for plane, is_chroma in zip(_planes(strip), (0, 1, 1), strict=True):
        for phase in (0, 1):
            again = _doubled(_halved(plane, axis, phase), axis, phase, plane.shape[axis])
            counts[is_chroma, phase] += np.count_nonzero((np.abs(plane - again) > _ROUNDING) & looked_at)
    return counts


def _planes(image: npt.NDArray[Any]) -> tuple[Plane, Plane, Plane]:
    """Return luma, Cb and Cr, in steps of 8 bits."""
    scale = np.float32(255 / _check.full_range(image.dtype))
    red, green, blue = (np.asarray(image[..., c] * scale, np.float32) for c in range(3))
    luma = np.float32(_LUMA[0]) * red + np.float32(_LUMA[1]) * green + np.float32(_LUMA[2]) * blue
    return luma, np.float32(_CB) * (blue - luma), np.float32(_CR) * (red - luma)


def _colours(luma: Plane, cb: Plane, cr: Plane) -> Plane:
    """Return (H, W, 3) colours in [0, 1]."""
    out = np.empty((*luma.shape, 3), np.float32)
    out[..., 0] = luma + cr / np.float32(_CR)
    out[..., 2] = luma + cb / np.float32(_CB)
    rest = luma - np.float32(_LUMA[0]) * out[..., 0] - np.float32(_LUMA[2]) * out[..., 2]
    out[..., 1] = rest / np.float32(_LUMA[1])
    out /= np.float32(255)
    return np.asarray(np.clip(out, 0, 1, out=out))


def _sharpen(
    result: npt.NDArray[Any], image: npt.NDArray[Any], pairing: Pairing, box: tuple[slice, slice]
) -> None:
    """Sharpen the box of a picture into `result`, which holds the picture as floats."""
    around = tuple(slice(max(0, part.start - _REACH), part.stop + _REACH) for part in box)
    inner = tuple(
        slice(part.start - outer.start, part.stop - outer.start) for part, outer in zip(box, around, strict=True)
    )
    if image[box].size:
        result[box] = _sharp(image[around], pairing)[inner]


def _sharp(image: npt.NDArray[Any], pairing: Pairing) -> Plane:
    """Return (H, W, 3) colours in [0, 1] whose chroma follows luma; see `sharpened`."""
    from scipy.ndimage import uniform_filter

    def mean(plane: Plane) -> Plane:
        return np.asarray(uniform_filter(plane, 3, mode="nearest"))

    luma, *chroma = _planes(image)
    shape = luma.shape
    small = _averaged(luma, pairing)
    mean_luma = mean(small)
    variance = np.maximum(mean(small * small) - mean_luma * mean_luma, 0) + np.float32(_NOISE)
    fitted = []
    for plane in chroma:
        samples = _sampled(plane, pairing)
        mean_chroma = mean(samples)
        slope = (mean(small * samples) - mean_luma * mean_chroma) / variance
        offset = mean_chroma - slope * mean_luma
        fit = _interpolated(slope, pairing, shape) * luma + _interpolated(offset, pairing, shape)
        left = samples - _averaged(fit, pairing)
        fitted.append(fit + _KEPT * _interpolated(left, pairing, shape))
    return _colours(luma, *fitted)


def _sampled(plane: Plane, pairing: Pairing) -> Plane:
    """Return the samples that a decoder has made a plane of."""
    for axis, phase in enumerate(pairing):
        plane = plane if phase is None else _halved(plane, axis, phase)
    return plane


def _averaged(plane: Plane, pairing: Pairing) -> Plane:
    """Return the mean of the pixels of each sample."""
    for axis, phase in enumerate(pairing):
        if phase is not None:
            first, second = _pairs(plane, axis, phase)
            plane = np.moveaxis((first + second) * np.float32(0.5), 0, axis)
    return plane


def _interpolated(samples: Plane, pairing: Pairing, shape: tuple[int, ...]) -> Plane:
    """Return the plane that a decoder makes of samples; undoes `_sampled`."""
    for axis, phase in enumerate(pairing):
        samples = samples if phase is None else _doubled(samples, axis, phase, shape[axis])
    return samples


def _pairs(plane: Plane, axis: int, phase: int) -> tuple[Plane, Plane]:
    """Return the first and the second of each pair, along axis 0; border pixels are repeated."""
    moved = np.moveaxis(plane, axis, 0)
    last = (len(moved) + phase) % 2
    if phase or last:
        moved = np.concatenate([moved[:phase], moved, moved[len(moved) - last :]])
    return moved[0::2], moved[1::2]


def _halved(plane: Plane, axis: int, phase: int) -> Plane:
    """Undo `_doubled`: between pairs y and z, the sample of x is ``3/4 (x0 + x1) - 1/4 (y1 + z0)``."""
    first, second = _pairs(plane, axis, phase)
    before = np.concatenate([first[:1], second[:-1]])
    after = np.concatenate([first[1:], second[-1:]])
    return np.moveaxis(_OWN * (first + second) - _OTHER * (before + after), 0, axis)


def _doubled(samples: Plane, axis: int, phase: int, length: int) -> Plane:
    """Interpolate samples along an axis as libjpeg does."""
    own = np.moveaxis(samples, axis, 0)
    out = np.empty((2 * len(own), *own.shape[1:]), np.float32)
    out[0::2] = _OWN * own + _OTHER * np.concatenate([own[:1], own[:-1]])
    out[1::2] = _OWN * own + _OTHER * np.concatenate([own[1:], own[-1:]])
    return np.moveaxis(out[phase : phase + length], 0, axis)
