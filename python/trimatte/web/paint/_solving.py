"""From a trimap to alpha and colours: at a size that is quick while strokes are painted, or at the whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _check, foreground, methods
from ...alpha import solve_alpha
from ...foreground import estimate_foreground
from ...priors import Combined, Prior
from ...trimap import FOREGROUND, UNKNOWN
from ._labels import Trimap, enlarged, reduced
from ._scales import Scales, resized
from ._start import Start

# While somebody paints, a solve has at most so many unknown pixels and a picture of so many pixels.
_QUICK_UNKNOWN, _QUICK_PIXELS = 120_000, 1.2e6
# The same for a solve while nobody paints. What is shown has at most so many pixels.
_FINE_UNKNOWN, _FINE_PIXELS = 4_000_000, 36e6
# With more unknown pixels than this the whole size is solved only where the fine solve is in doubt.
_MOST_UNKNOWN = 6_000_000
_SURE = 0.998

QUICK = "closed-form"
"""The method that answers at every stroke unless the page names another."""

Tell = Callable[[str, float], None]
"""Takes the name of a phase and how much of it is done, from 0 to 1."""


class Cancelled(Exception):
    """A newer wish has taken the place of this one, or nobody waits for it."""


class Ticket:
    """The right to go on with a solve."""

    def __init__(self) -> None:
        self._over = threading.Event()

    def cancel(self) -> None:
        """Stop the solve at its next report."""
        self._over.set()

    def check(self) -> None:
        """Raise Cancelled if the solve is to stop."""
        if self._over.is_set():
            raise Cancelled


@dataclass(frozen=True)
class Wish:
    """How somebody wants alpha and colours to be found.

    Attributes
    ----------
    method : str
        The method of `trimatte.solve_alpha`.
    options : tuple of (str, value)
        Options of the method's affinity.
    colours : str
        The method of `trimatte.estimate_foreground`.
    """

    method: str = QUICK
    options: tuple[tuple[str, Any], ...] = ()
    colours: str = foreground.DEFAULT

    @classmethod
    def from_json(cls, value: object) -> Wish:
        """Check what a page says.

        Raises
        ------
        ValueError, TypeError
            If there is no such method or option, or if an option is out of range.
        """
        if not isinstance(value, dict):
            raise TypeError(f"wish: expected an object, got {type(value).__name__}")
        options = value.get("options") or {}
        if not isinstance(options, dict):
            raise TypeError(f"options: expected an object, got {type(options).__name__}")
        method = value.get("method", QUICK)
        if not isinstance(method, str):
            raise TypeError(f"method: expected a name, got {type(method).__name__}")
        methods.chosen(method, options)
        colours = _check.one_of(value.get("colours", foreground.DEFAULT), tuple(foreground.METHODS), "colours")
        return cls(method, tuple(sorted(options.items())), colours)


@dataclass(frozen=True, eq=False)
class Result:
    """What a solve has found.

    Attributes
    ----------
    factor : int
        Part of the picture's size: 1 for the whole, 2 for half of height and width.
    alpha : (H, W) ndarray of float32 or float64
    foreground : (H, W) or (H, W, 3) ndarray of float32
    unknown : int
        Pixels that were solved for.
    one_sided : int
        Unknown regions that touch known pixels of one kind only.
    seconds : float
    """

    factor: int
    alpha: npt.NDArray[np.floating]
    foreground: npt.NDArray[Any]
    unknown: int
    one_sided: int
    seconds: float


def quick_factor(scales: Scales, unknown: int) -> int:
    """Return the factor of the size at which strokes are answered."""
    return _factor(scales, unknown, _QUICK_UNKNOWN, _QUICK_PIXELS)


def fine_factor(scales: Scales, unknown: int) -> int:
    """Return the factor of the size that is solved while nobody paints; 1 if the whole can be."""
    return _factor(scales, unknown, _FINE_UNKNOWN, _FINE_PIXELS)


def _factor(scales: Scales, unknown: int, most_unknown: float, most_pixels: float) -> int:
    pixels = scales.shape[0] * scales.shape[1]
    return scales.factor(min(most_pixels, pixels * most_unknown / max(unknown, 1)))


@dataclass(frozen=True, eq=False)
class Question:
    """All that a solve depends on.

    Attributes
    ----------
    scales : Scales
    start : Start
    trimap : (H, W) ndarray of uint8
        At the picture's whole size.
    wish : Wish
    threads : int or None
    """

    scales: Scales
    start: Start
    trimap: Trimap
    wish: Wish
    threads: int | None

    def answer(self, factor: int, near: npt.NDArray[np.float32] | None, ticket: Ticket, tell: Tell) -> Result:
        """Find alpha and colours at a part of the size.

        Parameters
        ----------
        factor : int
            Part of the size.
        near : (h, w) ndarray or None
            An alpha of any size from which iterative solvers start.
        ticket : Ticket
            It may stop the solve.
        tell : callable
            It is told how far the solve is.

        Raises
        ------
        Cancelled
            If the ticket says so.
        ValueError, TrimatteError
            As `solve_alpha` and `estimate_foreground`.
        """
        begin = time.perf_counter()

        def report(phase: str, done: float) -> None:
            ticket.check()
            tell(phase, done)

        run: dict[str, Any] = {"threads": self.threads, "progress": report}
        trimap = reduced(self.trimap, factor)
        pixels, space = self.scales.at(factor)
        ticket.check()
        alpha, info = solve_alpha(
            pixels,
            trimap,
            colour_space=space,
            start=None if near is None else resized(near, trimap.shape),
            **self._method(factor),
            **run,
        )
        ticket.check()
        colours = self.start.foreground(self.scales, factor, alpha, **run)
        if colours is None:
            method = self.wish.colours
            colours = estimate_foreground(pixels, alpha, method=method, colour_space=space, **run).foreground
        one_sided = info.regions.get("constant", 0)
        return Result(factor, alpha, colours, info.unknowns, one_sided, time.perf_counter() - begin)

    def _method(self, factor: int) -> dict[str, Any]:
        """Return the arguments of `solve_alpha` that say which method; the start's prior joins its own."""
        meaning, options = methods.meaning(self.wish.method), dict(self.wish.options)
        given = self.start.prior(self.scales, factor)
        if given is None or meaning.affinity is None:
            return {"method": self.wish.method, **options}
        own = None if meaning.prior is None else methods.prior(meaning.prior, 0)
        prior: Prior = given if own is None else Combined(own, given)
        return {"method": meaning.affinity.name, "prior": prior, **options}

    def unknown(self) -> int:
        """Count unknown pixels at the whole size."""
        return int(np.count_nonzero(self.trimap == UNKNOWN))

    def narrowed(self, fine: Result) -> Question:
        """Return the same question where only pixels are unknown about which a reduced solve is in doubt."""
        from scipy.ndimage import maximum_filter, minimum_filter

        trimap = self.trimap.copy()
        sure = {0: maximum_filter(fine.alpha, 3) <= 1 - _SURE, FOREGROUND: minimum_filter(fine.alpha, 3) >= _SURE}
        for value, where in sure.items():
            inside = enlarged(where.view(np.uint8), fine.factor, trimap.shape).view(bool)
            trimap[inside & (trimap == UNKNOWN)] = value
        return replace(self, trimap=trimap)


def whole(question: Question, near: npt.NDArray[np.float32] | None, ticket: Ticket, tell: Tell) -> Result:
    """Find alpha and colours at the whole size.

    Where more than a few million pixels are unknown, a reduced picture is solved first, and then only
    the pixels about which it is in doubt.
    """
    if question.unknown() > _MOST_UNKNOWN:
        fine = question.answer(fine_factor(question.scales, question.unknown()), near, ticket, tell)
        question, near = question.narrowed(fine), np.asarray(fine.alpha, np.float32)
    return question.answer(1, near, ticket, tell)
