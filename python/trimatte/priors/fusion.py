"""The fusion network: several answers, and what each is worth where."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _check, _core
from .._context import Context
from .._solver import Settings, run_solver
from ..affinities import ClosedForm
from ._base import MOST_WEIGHT, Guess, Labels, Pixels, Plane, Prior, known_alpha, need_known, sureness
from ._scale import enlarged, reduced, reduced_labels, working_step
from .composite_network import CompositeNetwork
from .sampling import GlobalSampling
from .strokes import are_strokes

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
        unknown = labels == _check.UNKNOWN
        network = small_network(self.seed).guess(image, labels, context)
        alpha = closed_form(image, labels, network, context)
        if unknown.any():
            step = working_step(labels.shape)
            correction = self._correction(image, labels, network.alpha, alpha, step, context)
            np.add(alpha, correction, out=alpha, where=unknown)
            np.clip(alpha, 0, 1, out=alpha)
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
        correction = correction_of(image, labels, planes, shipped_networks(), context)
        return correction if step == 1 else enlarged(correction, step, shape)


def planes_of(
    closed_form: Plane, network: Plane, sampling: Plane, cost: Plane, refined: Plane
) -> npt.NDArray[np.float32]:
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


def correction_of(
    image: Pixels,
    labels: Labels,
    planes: npt.NDArray[np.float32],
    networks: list[_core.FusionNetwork],
    context: Context,
) -> Plane:
    """Return the correction of the unknown pixels, (H, W), and 0 elsewhere."""
    correction = np.zeros(labels.shape, np.float32)
    _core.fusion_correction(image, labels, planes, networks, correction, context.threads, context.monitor)
    return correction


def small_network(seed: int) -> CompositeNetwork:
    """Return a composite network that is trained on fewer examples than usual.

    It takes half of the time, and makes no difference to what is fused.
    """
    return CompositeNetwork(steps=3000, batch=64, seed=seed)


def closed_form(image: Pixels, labels: Labels, guess: Guess | None, context: Context) -> Plane:
    """Return closed-form matting's alpha with a guess, as far as the solver gets."""
    alpha = np.asarray(labels == _check.FOREGROUND, np.float64 if image.dtype == np.float64 else np.float32)
    if (labels == _check.UNKNOWN).any():
        core = ClosedForm().core(image, labels, context)
        start = None if guess is None else guess.alpha
        run_solver(core, image, labels, guess, start, alpha, Settings(), context)
    return alpha.astype(np.float32, copy=False)


def as_it_is(filters: Plane) -> Plane:
    """Return filters, (3, 3, inputs, outputs), that see the picture as it is."""
    return filters


def turned(filters: Plane) -> Plane:
    """Return filters that see the picture turned by 90 degrees."""
    return np.flip(filters.swapaxes(0, 1), 0)


def mirrored(filters: Plane) -> Plane:
    """Return filters that see the picture mirrored across its second diagonal."""
    return np.flip(filters.swapaxes(0, 1), (0, 1))


VIEWS: tuple[tuple[int, Callable[[Plane], Plane]], ...] = ((0, as_it_is), (1, turned), (0, mirrored))
"""Which network sees which view of the picture.

A network with turned or mirrored filters says of a picture what the network says of the turned or
mirrored picture. The mean of such answers is better than one of them, and better still if the
networks are two.
"""


@cache
def shipped_networks() -> list[_core.FusionNetwork]:
    """Return the networks whose weights belong to the package, one for each view of the picture."""
    weights, record = shipped_weights()
    if record["maps_version"] != MAPS_VERSION:
        raise RuntimeError(f"fusion.npz: made for maps {record['maps_version']}, expected {MAPS_VERSION}")
    return [network_of(weights, record["dilations"], number, view) for number, view in VIEWS]


def network_of(
    weights: dict[str, Any], dilations: list[int], number: int, view: Callable[[Plane], Plane] = as_it_is
) -> _core.FusionNetwork:
    """Return a network of the file of weights, with filters as this view has them."""
    layers = []
    for layer, dilation in enumerate(dilations):
        filters = weights[f"W{layer}"][number].astype(np.float32)
        bias = weights[f"b{layer}"][number].astype(np.float32)
        if len(filters) == 9:
            filters = view(filters.reshape(3, 3, *filters.shape[1:])).reshape(filters.shape)
        layers.append((np.ascontiguousarray(filters), bias, dilation))
    return _core.FusionNetwork(layers)


def shipped_weights() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the weights by name, first axis the networks, and the record of how they were made."""
    with (files(__package__) / "fusion.npz").open("rb") as file, np.load(file) as stored:
        weights = dict(stored)
    return weights, json.loads(str(weights.pop("record")))
