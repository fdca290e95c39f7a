"""Closed-form foreground and background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._context import Context
from ..affinities import option
from ..errors import warn
from ._base import Finish, ForegroundMethod, Pixels, Plane

# Known pixels of a row that the core solves for, too, if there are fewer (foreground/layer_system.cpp).
_SHORTEST_GAP = 16


@dataclass(frozen=True)
class ClosedForm(ForegroundMethod):
    """Closed-form foreground and background [1]_, Eq. 19, solved to a tolerance.

    The layers minimise ``(alpha F + (1 - alpha) B - I)**2`` plus the squared differences of
    neighbouring pixels in both layers, which count more where alpha changes. The energy is that of
    multi-level estimation with all pairs of pixels counted twice; here it is made as small as it can
    be.

    Parameters
    ----------
    regularization : float, default 1e-5
        Weight of the smoothness between neighbouring pixels, beside a weight of 1 for the image's
        colour.
    gradient_weight : float, default 1
        Weight that is added to the smoothness per unit of difference in alpha.
    tolerance : float, default 1e-3
        Largest error of a colour, as it is seen: that of the foreground times alpha, that of the
        background times 1 - alpha. Larger values count as 1e-3.
    max_iterations : int, default 200
        Most iterations of conjugate gradients for a channel. If they do not suffice, a
        `TrimatteWarning` says how far the colours may be off.

    Notes
    -----
    A layer has no exact solution where nobody sees it: where alpha is 0 or 1 at a pixel and its
    neighbours, the invisible layer is continued smoothly from the nearest colours.

    References
    ----------
    .. [1] A. Levin, D. Lischinski, Y. Weiss, "A Closed-Form Solution to Natural Image Matting",
       IEEE TPAMI 30(2), 2008.
    """

    name = "closed-form"
    # What `benchmarks/method_memory.py` and pictures of soft and hard strips took
    # (docs/design/foreground.md).
    bytes_per_pixel = 80
    bytes_per_unknown = 480

    regularization: float = option(1e-5, "Smoothness of neighbouring pixels.", least=1e-12, most=1e6)
    gradient_weight: float = option(1.0, "Smoothness per difference in alpha.", least=0, most=1e6)
    tolerance: float = option(1e-3, "Largest error of a visible colour.", least=1e-5, most=1)
    max_iterations: int = option(200, "Most iterations for a channel.", least=1)

    def unknowns(self, alpha: Plane) -> int:
        """Return how many pixels have numbers in the vectors of the system.

        Those are the pixels that are solved for, and their neighbours. Deep pixels, which have alpha
        0, or 1, like their four neighbours, are solved for only where a row has few of them between
        two others.
        """
        solved = (alpha > 0) & (alpha < 1)
        for axis in (0, 1):
            here, there = _pairs(alpha, axis)
            for side in _pairs(solved, axis):
                side |= here != there
        _fill_gaps(solved)
        stored = solved.copy()
        for axis in (0, 1):
            for side, other in zip(_pairs(stored, axis), _pairs(solved, axis)[::-1], strict=True):
                side |= other
        return int(np.count_nonzero(stored))

    def layers(self, image: Pixels, alpha: Plane, finish: Finish, context: Context) -> tuple[Plane, Plane]:
        """Find the layers."""
        foreground, background, about = _core.closed_form_layers(
            image,
            alpha,
            self.regularization,
            self.gradient_weight,
            self.tolerance,
            self.max_iterations,
            *finish,
            context.threads,
            context.monitor,
        )
        if not about["converged"]:
            warn(
                f"the colours of the layers may be off by {about['error_estimate']:.2g} after "
                f"{about['iterations']} iterations, where {self.tolerance:g} was wanted; raise max_iterations, "
                'or take method="multi-level"'
            )
        return foreground, background


def _pairs(plane: npt.NDArray[Any], axis: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return views of all pixels but the last along an axis, and of all but the first."""
    return (plane[:-1], plane[1:]) if axis == 0 else (plane[:, :-1], plane[:, 1:])


def _fill_gaps(solved: npt.NDArray[np.bool_]) -> None:
    """Set what lies between two pixels of a row that are set, if it is short."""
    places = np.flatnonzero(solved)
    is_gap = (np.diff(places) <= _SHORTEST_GAP) & (np.diff(places // solved.shape[1]) == 0)
    depth = np.zeros(solved.size + 1, np.int8)
    depth[places[:-1][is_gap] + 1] += 1
    depth[places[1:][is_gap]] -= 1
    solved |= np.cumsum(depth[:-1], dtype=np.int8).reshape(solved.shape) > 0
