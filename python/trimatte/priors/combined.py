"""Several priors at once."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .. import _check
from .._context import Context
from ._base import Guess, Labels, Pixels, Prior, known_alpha


class Combined(Prior):
    """The sum of several priors' terms.

    Parameters
    ----------
    *parts : Prior
        At least one.

    Notes
    -----
    The sum of ``c_i (x - a_i)**2`` is, but for a constant, ``c (x - a)**2`` with c the sum of the
    confidences and a the mean of the guesses weighted by them.
    """

    def __init__(self, *parts: Prior) -> None:
        if not parts:
            raise TypeError("parts: expected at least one Prior, got none")
        for part in parts:
            if not isinstance(part, Prior):
                raise TypeError(f"parts: expected objects of trimatte.priors only, got {_check.kind_of(part)}")
        self.parts = parts
        self.needs_known = any(part.needs_known for part in parts)

    def guess(self, image: Pixels, labels: Labels, context: Context) -> Guess:
        """Make all guesses and add them up."""
        return joined((part.guess(image, labels, context) for part in self.parts), labels)


def joined(guesses: Iterable[Guess], labels: Labels) -> Guess:
    """Return one guess whose term is the sum of those of several."""
    alpha = known_alpha(labels)
    pull = np.zeros(labels.shape, np.float32)
    confidence = np.zeros(labels.shape, np.float32)
    for guess in guesses:
        pull += guess.confidence * guess.alpha
        confidence += guess.confidence
    np.divide(pull, confidence, out=alpha, where=(confidence > 0) & (labels == _check.UNKNOWN))
    return Guess(np.clip(alpha, 0, 1, out=alpha), confidence)
