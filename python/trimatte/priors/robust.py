"""The composite network, checked against sampling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import _check
from .._context import Context
from ._base import MOST_WEIGHT, Guess, Labels, Pixels, Prior, sureness
from .composite_network import CompositeNetwork
from .sampling import GlobalSampling


@dataclass(frozen=True)
class Robust(Prior):
    """The composite network where global sampling confirms it.

    A network answers with confidence for colours that it has never seen. Sampling, which has little
    in common with it, shows this in two ways: where it contradicts the network, neither is believed
    much; and where even its best pair of known colours does not explain a pixel's own (a high
    cost), the confidence falls, and the affinity decides. On pictures whose unknown foreground has
    colours of its own this keeps the network from doing harm, and elsewhere it costs a little
    accuracy.

    With p the network's alpha, a and E sampling's alpha and cost, and
    ``c = (abs(2 p - 1) + 0.05) (1 - abs(p - a))**4``, the guess is
    ``(c p + floor a) / (c + floor)`` and its confidence
    ``weight (c + floor) exp(-max(0, E - usual_cost) / usual_cost)``.

    Parameters
    ----------
    floor : float, default 0.01
        How much sampling counts by itself.
    usual_cost : float, default 3
        The cost up to which a pixel counts as explained: two units are for the distances, the rest
        is for the difference of the colours, in 8-bit units.
    weight : float, default 8e-3
        Factor of the confidence, see above.
    seed : int, default 0
        Seed of the network and of the sampling, unless these are given.
    network : CompositeNetwork, optional
        The network, with options of its own.
    sampling : GlobalSampling, optional
        The sampling, with options of its own.
    """

    floor: float = 0.01
    usual_cost: float = 3.0
    weight: float = 8e-3
    seed: int = 0
    network: CompositeNetwork | None = None
    sampling: GlobalSampling | None = None

    def __post_init__(self) -> None:
        _check.between(self.floor, 1e-6, 1e6, "floor")
        _check.between(self.usual_cost, 1e-6, 1e6, "usual_cost")
        _check.between(self.weight, 0, MOST_WEIGHT, "weight")
        _check.seed(self.seed)

    def guess(self, image: Pixels, labels: Labels, context: Context) -> Guess:
        """Make both guesses and mix them."""
        alpha = (self.network or CompositeNetwork(seed=self.seed)).guess(image, labels, context).alpha
        sampled = (self.sampling or GlobalSampling(seed=self.seed)).sample(image, labels, context)
        unknown = labels == _check.UNKNOWN
        p, a, cost = alpha[unknown], sampled.alpha[unknown], sampled.cost[unknown]
        agreement = np.square(np.square(1 - np.abs(p - a)))
        c = sureness(p) * agreement
        floor = np.float32(self.floor)
        alpha[unknown] = (c * p + floor * a) / (c + floor)
        explained = np.exp(-np.maximum(0, cost - np.float32(self.usual_cost)) / np.float32(self.usual_cost))
        confidence = np.zeros_like(alpha)
        confidence[unknown] = np.float32(self.weight) * (c + floor) * explained
        return Guess(alpha, confidence)
