"""Priors from an alpha that is already there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .. import _check
from .._context import Context
from ._base import MOST_WEIGHT, Guess, Labels, Pixels, Plane, Prior, known_alpha, sureness


def _given(value: npt.ArrayLike, labels: Labels, name: str) -> Plane:
    plane = _check.alpha(value, labels.shape, name)
    return np.where(labels == _check.UNKNOWN, plane, known_alpha(labels))


@dataclass(frozen=True, eq=False)
class SoftMask(Prior):
    """A segmentation network's soft mask.

    Parameters
    ----------
    mask : (H, W) array
        In [0, 1], or integers over their whole range.
    weight : float, default 1e-3
        The confidence is ``weight * (abs(2 mask - 1) + 0.05)``: a mask is surest at its ends.
    """

    needs_known = False

    mask: npt.ArrayLike
    weight: float = 1e-3

    def __post_init__(self) -> None:
        _check.between(self.weight, 0, MOST_WEIGHT, "weight")

    def guess(self, image: Pixels, labels: Labels, context: Context) -> Guess:
        """Return the mask."""
        alpha = _given(self.mask, labels, "mask")
        return Guess(alpha, np.float32(self.weight) * sureness(alpha))


@dataclass(frozen=True, eq=False)
class PreviousFrame(Prior):
    """The alpha of the frame before, for sequences.

    Parameters
    ----------
    alpha : (H, W) array
        In [0, 1], or integers over their whole range.
    weight : float, default 1e-3
        The confidence, the same everywhere. It should be smaller the more the picture moves.
    """

    needs_known = False

    alpha: npt.ArrayLike
    weight: float = 1e-3

    def __post_init__(self) -> None:
        _check.between(self.weight, 0, MOST_WEIGHT, "weight")

    def guess(self, image: Pixels, labels: Labels, context: Context) -> Guess:
        """Return the alpha."""
        alpha = _given(self.alpha, labels, "alpha")
        return Guess(alpha, np.full(alpha.shape, self.weight, np.float32))
