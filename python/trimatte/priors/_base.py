"""What every prior is: a guess of alpha, and how much each pixel of it counts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import _check
from .._context import Context, make_context
from .._records import Progress

Pixels = npt.NDArray[Any]
Labels = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]

MOST_WEIGHT = 1e10
"""Largest `weight` of a prior, so that confidences, and sums of several, stay below 1e12."""


class Guess(NamedTuple):
    """A guess of alpha.

    Attributes
    ----------
    alpha : (H, W) ndarray of float32
        The guess, in [0, 1]; 0 or 1 where the trimap knows.
    confidence : (H, W) ndarray of float32
        Weight c of the term ``c (x - alpha)**2`` in the solve; the Laplacian's rows have diagonals
        of about 5. Its value on known pixels is not used.
    """

    alpha: Plane
    confidence: Plane


class Prior(ABC):
    """A way to guess alpha; give one to `trimatte.estimate_alpha` as `prior`.

    A subclass has one method, `guess`, which returns a `Guess`.

    Attributes
    ----------
    needs_known : bool
        Whether the trimap must have known pixels of both kinds.
    """

    needs_known = True

    def estimate(
        self,
        image: npt.ArrayLike,
        trimap: npt.ArrayLike,
        *,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> Guess:
        """Guess alpha from an image and a trimap.

        Parameters
        ----------
        image : (H, W, 3) or (H, W) array of uint8, uint16, float32 or float64
            Display (sRGB) colours; floats in [0, 1].
        trimap : (H, W) array
            At most 0.1 = background, at least 0.9 = foreground, anything between = unknown.
        threads : int, optional
            Default: all usable cores. The result does not depend on it.
        progress : callable, optional
            Called as ``progress(phase, fraction)``.

        Returns
        -------
        Guess
            Alpha and its confidence.

        Raises
        ------
        ValueError, TypeError
            If an argument has the wrong shape, dtype or range, or too little is known to learn
            from.
        """
        picture, labels, context = checked(image, trimap, threads, progress)
        return self.guess(picture, labels, context)

    @abstractmethod
    def guess(self, image: Pixels, labels: Labels, context: Context) -> Guess:
        """Guess from checked arguments.

        Parameters
        ----------
        image : (H, W, C) ndarray of uint8, uint16, float32 or float64
            Display colours, C = 1 or 3.
        labels : (H, W) ndarray of uint8
            0 = known background, 1 = known foreground, 2 = unknown.
        context : Context
            ``context.threads`` is the number of threads that may be used.

        Returns
        -------
        Guess
            Alpha and its confidence.
        """


def checked(
    image: npt.ArrayLike, trimap: npt.ArrayLike, threads: int | None, progress: Progress | None
) -> tuple[Pixels, Labels, Context]:
    """Check and convert what every prior is given."""
    context = make_context(threads, progress)
    picture = _check.image(image)
    return picture, _check.labels(trimap, picture.shape), context


def known_alpha(labels: Labels) -> Plane:
    """Return alpha of the known pixels, and 0 elsewhere."""
    return np.asarray(labels == _check.FOREGROUND, dtype=np.float32)


def need_known(labels: Labels, least: int, purpose: str) -> None:
    """Refuse a trimap with fewer than `least` known pixels of either kind."""
    for value, name in ((_check.FOREGROUND, "foreground"), (_check.BACKGROUND, "background")):
        count = int(np.count_nonzero(labels == value))
        if count < least:
            pixels = "pixel" if least == 1 else "pixels"
            raise ValueError(f"trimap: expected at least {least} {name} {pixels} {purpose}, got {count}")


def sureness(alpha: Plane) -> Plane:
    """Return how far a guess is from undecided: 0.05 at alpha = 1/2, 1.05 at 0 and 1."""
    result = 2 * alpha
    result -= 1
    np.abs(result, out=result)
    result += np.float32(0.05)
    return result
