"""The fusion network: several answers, and what each is worth where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import _check
from .._context import Context
from ._base import MOST_WEIGHT, Guess, Labels, Pixels, Plane, Prior, known_alpha, need_known, sureness
from ._correction import (
    Planes,
    View,
    as_it_is,
    closed_form,
    corrected,
    correction_of,
    mirrored,
    shipped_networks,
    turned,
)
from ._scale import enlarged, reduced, reduced_labels, working_step
from .composite_network import CompositeNetwork
from .sampling import GlobalSampling
from .strokes import are_strokes

WEIGHTS = "fusion.npz"
MAPS_VERSION = 1
"""Version of the maps that the network sees; weights are made for one version."""


@dataclass(frozen=True)
class Fusion(Prior):
    """Convolutional networks that weigh the answers of several methods against each other.

    Closed-form matting, the composite network, global sampling and closed-form matting with the
    composite network as prior each answer. Each is right in places where others are wrong, and
    the shapes of their answers, their differences and the picture tell where. Two small networks,
    which were trained once on 1,400 composites with exact alpha and whose weights belong to the
    package, turn them into a correction of the last of the four. One network sees the picture and a
    mirrored view of it, the other one a turned view. The correction is the mean of the three answers,
    less where they disagree.

    With q the corrected alpha, the confidence is ``weight (abs(2 q - 1) + 0.05)``.

    Where the known pixels are strokes of a brush, which show too few colours, the confidence is 0, so
    that the affinity answers alone.

    Pictures above about a megapixel are corrected at a scale at which they have about 0.6
    megapixels, since the network has seen pictures of that size.

    Parameters
    ----------
    weight : float, default 4
        Factor of the confidence, see above.
    seed : int, default 0
        Seed of the composite network and of the sampling.
    """

    weight: float = 4.0
    seed: int = 0

    def __post_init__(self) -> None:
        _check.between(self.weight, 0, MOST_WEIGHT, "weight")
        _check.seed(self.seed)

    def guess(self, image: Pixels, labels: Labels, context: Context) -> Guess:
        """Ask all methods, and correct what the best of them says."""
        need_known(labels, 1, "to learn their colours")
        if are_strokes(labels, context):
            alpha = known_alpha(labels)
            return Guess(alpha, np.zeros_like(alpha))
        network = small_network(self.seed).guess(image, labels, context)
        alpha = closed_form(image, labels, network, context)
        if (labels == _check.UNKNOWN).any():
            step = working_step(labels.shape)
            corrected(alpha, self._correction(image, labels, network.alpha, alpha, step, context), labels)
        confidence = sureness(alpha)
        confidence *= np.float32(self.weight)
        return Guess(alpha, confidence)

    def _correction(
        self, image: Pixels, labels: Labels, network: Plane, refined: Plane, step: int, context: Context
    ) -> Plane:
        """Return what the network adds to `refined`, found at a scale of 1 / `step`."""
        shape = labels.shape
        if step > 1:
            image, labels = reduced(image, step), reduced_labels(labels, step)
            network, refined = reduced(network, step), reduced(refined, step)
        sampled = GlobalSampling(seed=self.seed).sample(image, labels, context)
        plain = closed_form(image, labels, None, context)
        planes = planes_of(plain, network, sampled.alpha, sampled.cost, refined)
        correction = correction_of(image, labels, planes, shipped_networks(WEIGHTS, MAPS_VERSION, VIEWS), context)
        return correction if step == 1 else enlarged(correction, step, shape)


def planes_of(closed_form: Plane, network: Plane, sampling: Plane, cost: Plane, refined: Plane) -> Planes:
    """Return what the networks see besides colours and labels, (5, H, W), between -1 and 1.

    Parameters
    ----------
    closed_form, network, sampling, refined : (H, W) ndarray of float32
        Alpha by closed-form matting, the composite network, global sampling, and closed-form matting
        with the composite network as prior.
    cost : (H, W) ndarray of float32
        The cost of global sampling.
    """
    two, one = np.float32(2), np.float32(1)
    answers = [two * alpha - one for alpha in (closed_form, network, sampling, refined)]
    return np.stack([*answers, cost / (cost + np.float32(4))])


def small_network(seed: int) -> CompositeNetwork:
    """Return a composite network that is trained on fewer examples than usual.

    It takes half of the time, and makes no difference to what is fused.
    """
    return CompositeNetwork(steps=3000, batch=64, seed=seed)


VIEWS: tuple[tuple[int, View], ...] = ((0, as_it_is), (1, turned), (0, mirrored))
"""Which network sees which view of the picture.

A network with turned or mirrored filters says of a picture what the network says of the turned or
mirrored picture. The mean of such answers is better than one of them, and better still if the
networks are two.
"""
