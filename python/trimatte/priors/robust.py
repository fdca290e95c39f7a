"""The composite network, checked against sampling."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .. import _check
from ._base import Call, Guess, Labels, Pixels, Prior, sureness
from .composite_network import CompositeNetwork
from .sampling import GlobalSampling


@dataclass(frozen=True)
class Robust(Prior):
    """The composite network where global sampling agrees, a weak mixture of both where it does not.

    A network answers with confidence for colours that it has never seen. Where the two methods, which have little
    in common, contradict each other, neither is believed much and the affinity decides. On pictures whose unknown
    foreground has colours of its own this keeps the network from doing harm; elsewhere it costs a little accuracy.

    With p the network's alpha, a that of sampling and ``c = (abs(2 p - 1) + 0.05) (1 - abs(p - a))**4``, the
    guess is ``(c p + floor a) / (c + floor)`` and its confidence ``weight (c + floor)``.

    Parameters
    ----------
    network : CompositeNetwork
    sampling : GlobalSampling
    floor : float, default 0.1
        How much sampling counts by itself. 0.03 is better on wide trimaps.
    weight : float, default 8e-3
        Of the confidence.
    seed : int, default 0
        Of both, unless they are given.
    """

    floor: float = 0.1
    weight: float = 8e-3
    seed: int = 0
    network: CompositeNetwork | None = None
    sampling: GlobalSampling | None = field(default=None)

    def __post_init__(self) -> None:
        _check.between(self.floor, 1e-6, 1e6, "floor")
        _check.between(self.weight, 0, 1e12, "weight")
        _check.seed(self.seed)

    def guess(self, image: Pixels, labels: Labels, call: Call) -> Guess:
        """Make both guesses and mix them."""
        p = (self.network or CompositeNetwork(seed=self.seed)).guess(image, labels, call).alpha
        a = (self.sampling or GlobalSampling(seed=self.seed)).sample(image, labels, call).alpha
        c = sureness(p) * (1 - np.abs(p - a)) ** 4
        floor = np.float32(self.floor)
        alpha = (c * p + floor * a) / (c + floor)
        return Guess(alpha, np.float32(self.weight) * (c + floor))
