"""A network trained on mixtures of the picture's own known colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import _check, _core
from .._context import Context
from ._base import MOST_WEIGHT, Guess, Labels, Pixels, Prior, known_alpha, need_known, sureness


@dataclass(frozen=True)
class CompositeNetwork(Prior):
    """A small network that learns to unmix the colours of this very picture.

    It sees the colour and the place of one pixel, and is trained on synthetic composites: a known
    foreground and a known background colour from near the same place, mixed with a random alpha. So
    it sees what the labels of a trimap never show, half-transparent pixels. This is the most
    accurate of the priors, unless the unknown foreground has colours that occur nowhere in the
    known one; `Robust` is made for that.

    Parameters
    ----------
    hidden : tuple of int, default (64, 64, 64)
        Neurons of the hidden layers (rectified).
    steps : int, default 2000
        Steps of ADAM; the learning rate falls to 1e-5 along a cosine.
    batch : int, default 256
        Examples of each step: 45 % have alpha 0, 45 % alpha 1, and 10 % are spread evenly between.
    learning_rate : float, default 8e-3
        Learning rate of the first step.
    gamma : float, default 1.5
        Colours are mixed as ``(alpha F**gamma + (1 - alpha) B**gamma)**(1 / gamma)``; 1 mixes
        display values, 2.2 mixes light.
    reach : int, default 15
        Known colours are taken from pixels within so many rows and columns of the unknown region.
    neighbours : int, default 64
        The two colours of a mixture are drawn from so many that are nearest to the place.
    weight : float, default 8e-3
        The confidence is ``weight * (abs(2 alpha - 1) + 0.05)``.
    seed : int, default 0
        Seed of the random numbers. The same seed gives the same bits, for any number of threads.

    Notes
    -----
    The time of the training does not depend on the picture's size; the prediction takes about
    0.3 µs per unknown pixel on two cores.

    Examples
    --------
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(96, 96)
    >>> guess = tm.priors.CompositeNetwork(steps=200).estimate(scene.image, scene.trimap)
    >>> guess.alpha.shape
    (96, 96)
    """

    hidden: tuple[int, ...] = (64, 64, 64)
    steps: int = 2000
    batch: int = 256
    learning_rate: float = 8e-3
    gamma: float = 1.5
    reach: int = 15
    neighbours: int = 64
    weight: float = 8e-3
    seed: int = 0

    def __post_init__(self) -> None:
        _check.network_shape(self.hidden, "hidden")
        _check.at_least(self.steps, 1, "steps")
        _check.at_least(self.batch, 1, "batch", 2**20)
        _check.positive(self.learning_rate, "learning_rate")
        _check.between(self.gamma, 0.1, 10, "gamma")
        _check.at_least(self.reach, 1, "reach", 2**20)
        _check.at_least(self.neighbours, 1, "neighbours", 2**16)
        _check.between(self.weight, 0, MOST_WEIGHT, "weight")
        _check.seed(self.seed)

    def guess(self, image: Pixels, labels: Labels, context: Context) -> Guess:
        """Train, then predict the unknown pixels."""
        need_known(labels, 1, "to learn their colours")
        alpha = known_alpha(labels)
        if (labels == _check.UNKNOWN).any():
            _core.composite_network(
                image,
                labels,
                alpha,
                list(self.hidden),
                self.steps,
                self.batch,
                self.learning_rate,
                self.gamma,
                self.reach,
                self.neighbours,
                self.seed,
                context.threads,
                context.monitor,
            )
        confidence = sureness(alpha)
        confidence *= np.float32(self.weight)
        return Guess(alpha, confidence)
