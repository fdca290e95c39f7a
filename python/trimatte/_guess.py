"""What `solve_alpha` does with a prior: which one is meant, and its guess."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from . import _check, methods, priors
from ._colours import Colours
from ._context import Context

DEFAULT_CONFIDENCE = 4e-3
"""Default confidence for a prior that is passed as an array."""


class Source(NamedTuple):
    """Where a guess comes from.

    Attributes
    ----------
    prior : Prior or None
        None if there is no prior.
    name : str or None
        What records call it.
    confidence : (H, W) ndarray of float32 or None
        It takes the place of the prior's own confidence.
    """

    prior: priors.Prior | None
    name: str | None
    confidence: npt.NDArray[np.float32] | None

    @property
    def needs_known(self) -> bool:
        """Whether the trimap must have known pixels of both kinds."""
        return self.prior is None or self.prior.needs_known

    def guessed_regions(self, labels: npt.NDArray[np.uint8]) -> int:
        """Count the regions that are guessed, if the prior is for regions that know one label only."""
        return self.prior.count(labels) if isinstance(self.prior, priors.OneSided) else 0

    def guess(self, colours: Colours, labels: npt.NDArray[np.uint8], context: Context) -> priors.Guess | None:
        """Let the prior guess, and check what it says."""
        if self.prior is None:
            return None
        guess = self.prior.guess(colours.within_unit, labels, context)
        alpha = _check.alpha(guess.alpha, labels.shape, "prior")
        confidence = self.confidence
        if confidence is None:
            confidence = _check.confidence(guess.confidence, labels.shape)
        if not confidence.any() and (labels == _check.UNKNOWN).all():
            raise ValueError("confidence: expected some above 0, since the trimap has only unknown pixels")
        return priors.Guess(np.ascontiguousarray(alpha), confidence)


def source_of(
    method: methods.Chosen,
    prior: str | priors.Prior | npt.ArrayLike | None,
    confidence: float | npt.ArrayLike | None,
    seed: int,
    image_shape: tuple[int, ...],
) -> Source:
    """Return what the arguments `prior` and `confidence` mean beside a method."""
    if method.prior is not None and prior is not None:
        raise ValueError(f'prior: expected none with method "{method.name}", which is a prior or has one')
    made, name = _prior(method.prior if prior is None else prior, seed, image_shape)
    if confidence is None:
        return Source(made, name, None)
    if made is None or method.affinity is None:
        raise ValueError("confidence: expected a prior beside it")
    return Source(made, name, _check.confidence(confidence, image_shape))


def _prior(
    value: str | priors.Prior | npt.ArrayLike | None, seed: int, image_shape: tuple[int, ...]
) -> tuple[priors.Prior | None, str | None]:
    """Return what the argument `prior` means, and its name."""
    if value is None:
        return None, None
    if isinstance(value, priors.Prior):
        return value, type(value).__name__
    if isinstance(value, str):
        return methods.prior(value, seed), value
    array = np.asarray(value)
    if array.dtype.kind in "OSU":
        got = _check.kind_of(value, array)
        raise TypeError(f"prior: expected a name, an object of trimatte.priors or an array, got {got}")
    return priors.PreviousFrame(_check.alpha(value, image_shape, "prior"), weight=DEFAULT_CONFIDENCE), "array"
