"""Global sampling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .. import _check, _core
from .._context import Context
from ._base import MOST_WEIGHT, Guess, Labels, Pixels, Plane, Prior, known_alpha, need_known


class Sampled(NamedTuple):
    """Alpha and the cost of the colours behind it."""

    alpha: Plane
    cost: Plane


@dataclass(frozen=True)
class GlobalSampling(Prior):
    """The best pair of a known foreground and a known background colour for every unknown pixel.

    Candidates are all known pixels that touch the unknown region. The cost of a pair is the
    difference between the pixel's colour and the nearest mixture of the two, in 8-bit units, plus
    the distances to the two, in units of the distance to the nearest known pixel of their kind
    [1]_.

    Parameters
    ----------
    sweeps : int, default 10
        Sweeps of propagation and random search.
    weight : float, default 0.1
        The confidence is ``weight * exp(-cost)``.
    seed : int, default 0
        Seed of the random numbers. The same seed gives the same bits, for any number of threads.

    References
    ----------
    .. [1] K. He, C. Rhemann, C. Rother, X. Tang, J. Sun, "A Global Sampling Method for Alpha
       Matting", CVPR 2011.
    """

    sweeps: int = 10
    weight: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        _check.at_least(self.sweeps, 0, "sweeps", 10_000)
        _check.between(self.weight, 0, MOST_WEIGHT, "weight")
        _check.seed(self.seed)

    def guess(self, image: Pixels, labels: Labels, context: Context) -> Guess:
        """Search the pairs."""
        alpha, cost = self.sample(image, labels, context)
        np.negative(cost, out=cost)
        np.exp(cost, out=cost)
        cost *= np.float32(self.weight)
        return Guess(alpha, cost)

    def sample(self, image: Pixels, labels: Labels, context: Context) -> Sampled:
        """Return the pairs' alpha and cost, zero cost where known."""
        need_known(labels, 1, "to sample their colours")
        alpha = known_alpha(labels)
        cost = np.zeros_like(alpha)
        if (labels == _check.UNKNOWN).any():
            _core.global_sampling(
                image, labels, alpha, cost, self.sweeps, self.seed, context.threads, context.monitor
            )
        return Sampled(alpha, cost)
