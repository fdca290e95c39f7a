"""Trimaps from strokes that are painted over a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from . import _check
from .trimap import FOREGROUND, UNKNOWN

# A copy that was saved without loss differs from the picture by more than this only at strokes.
_SMALLEST_CHANGE = 0.5 / 255
# If the copy went through JPEG, a stroke differs from white or black by at most _PURITY, differs
# from the picture by more than _CHANGE, and has at least _FEWEST_PIXELS connected pixels.
_PURITY = 0.15
_CHANGE = 0.1
_FEWEST_PIXELS = 12
# The copy went through JPEG if more than this part of all pixels changed, but by no stroke.
_LOSSY_FROM = 0.02

Trimap = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


def trimap_from_scribbles(
    image: npt.ArrayLike, scribbled: npt.ArrayLike, *, trimap: npt.ArrayLike | None = None
) -> Trimap:
    """Make a trimap from a picture and a copy of it with white and black strokes painted over.

    Parameters
    ----------
    image : (H, W, 3) or (H, W) array of uint8, uint16, float32 or float64
        The picture. Floats are in [0, 1].
    scribbled : array of the same height and width
        The copy, with white strokes on the foreground and black ones on the background. It may have
        gone through JPEG.
    trimap : (H, W) array, optional
        Trimap to which the strokes are added, where it is unknown.

    Returns
    -------
    (H, W) ndarray of uint8
        0 is background, 128 unknown, 255 foreground.

    Raises
    ------
    ValueError, TypeError
        If the two have different sizes, if no stroke of a kind is found, if a stroke contradicts
        the trimap, or if an array is wrong by itself.

    Notes
    -----
    A pixel belongs to a white stroke if the copy is lighter than the picture there and white, and to
    a black one if it is darker and black. So the soft rim of a brush keeps no wrong label: on black
    fur, the rim of a white stroke is dark but became lighter. If the copy differs a little
    elsewhere, too, as after JPEG, strokes are patches of at least 12 pixels where it differs by
    more than 0.1 and is within 0.15 of white or black. White strokes cannot be seen where the
    picture is white already: let them reach a little beyond it.

    The form is that of Levin et al., "A Closed-Form Solution to Natural Image Matting", IEEE TPAMI
    30(2), 2008.

    Examples
    --------
    >>> import numpy as np
    >>> import trimatte as tm
    >>> image = np.full((4, 6, 3), 0.5)
    >>> scribbled = image.copy()
    >>> scribbled[1, 1:3], scribbled[3] = 1, 0
    >>> tm.trimap_from_scribbles(image, scribbled)[1].tolist()
    [128, 255, 255, 128, 128, 128]
    """
    before = _unit(_check.image(image))
    after = _unit(_check.image(scribbled, "scribbled"))
    if before.shape[:2] != after.shape[:2]:
        raise ValueError(f"scribbled: expected shape {before.shape[:2]} to match image, got {after.shape[:2]}")
    difference = after - before
    rise, fall = difference.max(axis=2), -difference.min(axis=2)
    change = np.maximum(rise, fall)
    white = (after.min(axis=2) >= 1 - _PURITY) & (rise >= fall)
    black = (after.max(axis=2) <= _PURITY) & (fall >= rise)
    changed = change > _SMALLEST_CHANGE
    by_no_stroke = changed & (~(white | black) | (change <= _CHANGE))
    if np.count_nonzero(by_no_stroke) <= _LOSSY_FROM * changed.size:
        found = [changed & white, changed & black]
    else:
        found = [_without_specks((change > _CHANGE) & kind) for kind in (white, black)]
    coloured = (change > _CHANGE) & ~white & ~black
    return _marked(found[0], found[1], trimap, "scribbled", _colours_instead(after[coloured]))


def trimap_from_strokes(
    foreground: npt.ArrayLike, background: npt.ArrayLike, *, trimap: npt.ArrayLike | None = None
) -> Trimap:
    """Make a trimap from a mask of foreground strokes and one of background strokes.

    Parameters
    ----------
    foreground, background : (H, W) arrays of bool, uint8, uint16, float32 or float64
        Masks of the strokes, which are where values are at least half the range.
    trimap : (H, W) array, optional
        Trimap to which the strokes are added, where it is unknown.

    Returns
    -------
    (H, W) ndarray of uint8
        0 is background, 128 unknown, 255 foreground.

    Raises
    ------
    ValueError, TypeError
        If sizes differ, if nothing marks a kind, or if strokes overlap or contradict the trimap.
    """
    marks: list[Mask] = []
    for value, name in ((foreground, "foreground"), (background, "background")):
        mask = _check.plane(value, marks[0].shape if marks else None, name)
        marks.append(mask >= 0.5 * _check.full_range(mask.dtype))
    both = np.argwhere(marks[0] & marks[1])
    if len(both):
        where = (int(both[0][0]), int(both[0][1]))
        raise ValueError(f"background: expected no stroke where foreground has one, got one at {where}")
    return _marked(marks[0], marks[1], trimap, "foreground, background")


def _unit(array: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    return np.asarray(array / np.float32(_check.full_range(array.dtype)), dtype=np.float32)


def _without_specks(mask: Mask) -> Mask:
    from scipy.ndimage import label

    labels, count = label(mask, structure=np.ones((3, 3)))
    large = np.bincount(labels.ravel(), minlength=count + 1) >= _FEWEST_PIXELS
    large[0] = False
    return np.asarray(large[labels])


def _colours_instead(colours: npt.NDArray[np.float32]) -> str:
    """Say which colours strokes have that are neither white nor black; empty if too few pixels changed."""
    if len(colours) < _FEWEST_PIXELS:
        return ""
    levels = np.rint(colours * 5)  # strokes of one brush differ a little after JPEG
    kinds, counts = np.unique(levels, axis=0, return_counts=True)
    commonest = (kinds[counts.argmax()] * 51).astype(int).tolist()
    return (
        f"; {len(colours)} pixels changed to other colours, most of them near {commonest} of 255: paint white on "
        "the foreground and black on the background, or pass one mask for each to trimap_from_strokes"
    )


def _marked(
    foreground: Mask, background: Mask, trimap: npt.ArrayLike | None, name: str, instead: str = ""
) -> Trimap:
    """Put strokes into a trimap, or into one that is all unknown.

    `instead` ends the message if a kind has no stroke.
    """
    if trimap is None:
        labels = np.full(foreground.shape, _check.UNKNOWN, np.uint8)
    else:
        labels = _check.labels(trimap, foreground.shape)
    kinds = ((foreground, _check.FOREGROUND, "foreground"), (background, _check.BACKGROUND, "background"))
    for marks, kind, word in kinds:
        against = np.argwhere(marks & (labels != kind) & (labels != _check.UNKNOWN))
        if len(against):
            where = (int(against[0][0]), int(against[0][1]))
            raise ValueError(f"{name}: expected strokes that agree with trimap, got {word} against it at {where}")
    for marks, kind, _ in kinds:
        labels[marks] = kind
    for _, kind, word in kinds:
        if not (labels == kind).any():
            raise ValueError(f"{name}: expected at least one {word} stroke, got none{instead}")
    result = np.full(labels.shape, UNKNOWN, np.uint8)
    result[labels == _check.FOREGROUND] = FOREGROUND
    result[labels == _check.BACKGROUND] = 0
    return result
