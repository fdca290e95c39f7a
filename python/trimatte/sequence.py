"""Sequences: each frame starts from the alpha of the one before, and may be held to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count, zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import _check, methods
from ._pixels import unit_floats
from ._records import AlphaResult
from .alpha import solve_alpha
from .colour import srgb_from_linear
from .errors import TrimatteError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._arguments import AlphaOptions

__all__ = ["solve_sequence"]

_MISSING: Any = object()


def solve_sequence(
    images: Iterable[npt.ArrayLike],
    trimaps: Iterable[npt.ArrayLike],
    *,
    temporal: float = 0.0,
    change: float = 0.03,
    **options: Unpack[AlphaOptions],
) -> Iterator[AlphaResult]:
    """Estimate the alpha of each frame of a sequence.

    Parameters
    ----------
    images, trimaps : iterable of arrays
        Images and trimaps as for :func:`solve_alpha`, frames of one size; they are taken one by
        one.
    temporal : float, default 0
        How much a frame is held to the alpha of the one before: its confidence as a prior, where
        the picture has not changed. It is meant for a camera and a foreground that stand still: 0.1
        removes a quarter of the flicker that noise of 0.01 makes. What moves is not followed: there
        it does nothing, or harm if `change` is large. The method "auto" is closed-form then, so that
        all frames are made alike.
    change : float, default 0.03
        The change of a [0, 1] colour at which the confidence has fallen to exp(-1); about three
        times the noise.
    **options
        Options of :func:`solve_alpha`. With `temporal` there can be no other prior.

    Yields
    ------
    AlphaResult
        The result of one frame after another. A frame of another size than the one before starts
        anew.

    Raises
    ------
    ValueError, TypeError
        As :func:`solve_alpha`, with the number of the frame, from 0; if there are fewer trimaps
        than images or more, if `temporal` is negative, `change` not above 0, or both `temporal` and
        a prior are given.

    Notes
    -----
    The confidence of a pixel is ``temporal * exp(-(d / change)**2)``, d the largest change of a
    channel there, averaged over 3 x 3 pixels, so that noise counts less than motion.

    Examples
    --------
    >>> import trimatte as tm
    >>> frames = list(tm.datasets.sequence(40, 50, frames=3))
    >>> results = tm.solve_sequence([f.image for f in frames], [f.trimap for f in frames])
    >>> [result.alpha.shape for result in results]
    [(40, 50), (40, 50), (40, 50)]
    """
    return solve_named(
        images, trimaps, map("frame {}".format, count()), temporal=temporal, change=change, **options
    )


def solve_named(
    images: Iterable[npt.ArrayLike],
    trimaps: Iterable[npt.ArrayLike],
    names: Iterator[str],
    *,
    temporal: float,
    change: float,
    **options: Unpack[AlphaOptions],
) -> Iterator[AlphaResult]:
    """Do what `solve_sequence` does; errors call the frames by these names."""
    _check.iterable(images, "images", "arrays")
    _check.iterable(trimaps, "trimaps", "arrays")
    temporal = _check.between(temporal, 0, 1e12, "temporal")
    change = _check.positive(change, "change")
    if temporal and (
        options.get("prior") is not None or methods.has_prior(options.get("method", methods.DEFAULT))
    ):
        raise ValueError("temporal: expected 0 beside a prior or a method that has one; it would be another")
    return _solved(images, trimaps, names, temporal, change, dict(options))


def _solved(
    images: Iterable[npt.ArrayLike],
    trimaps: Iterable[npt.ArrayLike],
    names: Iterator[str],
    temporal: float,
    change: float,
    options: Mapping[str, Any],
) -> Iterator[AlphaResult]:
    linear = options.get("colour_space") == "linear"
    if temporal and options.get("method", methods.AUTO) == methods.AUTO:
        options = {**options, "method": "closed-form"}  # so that all frames are made alike
    before: tuple[npt.NDArray[Any], npt.NDArray[Any]] | None = None
    for index, (image, trimap) in enumerate(zip_longest(images, trimaps, fillvalue=_MISSING)):
        if image is _MISSING or trimap is _MISSING:
            which = "images" if image is _MISSING else "trimaps"
            raise ValueError(f"images, trimaps: expected as many of both, got only {index} {which}")
        with _naming_frame(next(names)):
            picture = _check.image(image, linear=linear)
            more: dict[str, Any] = {}
            if before is not None and before[0].shape == picture.shape:
                more["start"] = before[1]
                if temporal:
                    more["prior"] = before[1]
                    frames = [srgb_from_linear(p) if linear else p for p in (picture, before[0])]
                    more["confidence"] = temporal * _steadiness(frames[0], frames[1], change)
            result = solve_alpha(picture, trimap, **{**options, **more})
        before = picture.copy(), result.alpha.copy()  # the caller may use both again
        yield result


@contextmanager
def _naming_frame(name: str) -> Iterator[None]:
    """Let errors say which frame they are about."""
    try:
        yield
    except (ValueError, TypeError, TrimatteError) as error:
        error.args = (f"{name}: {error}", *error.args[1:])
        raise


def _steadiness(image: npt.NDArray[Any], before: npt.NDArray[Any], change: float) -> npt.NDArray[np.float32]:
    """exp(-(d / change)**2) for each pixel, d its change of colour."""
    from scipy.ndimage import uniform_filter

    now, then = (unit_floats(p) for p in (image, before))
    difference = uniform_filter(np.abs(now - then).max(axis=2), 3)
    return np.asarray(np.exp(-np.square(difference / np.float32(change))), np.float32)
