"""What the fusion networks see of a picture: the answers of other methods, and what is known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

import trimatte as tm
from trimatte import _check, _core, priors
from trimatte._context import make_context
from trimatte.keying.matte import Known
from trimatte.priors.background_fusion import BackgroundFusion
from trimatte.priors.background_fusion import answers as keyed_answers
from trimatte.priors.fusion import planes_of

Floats = npt.NDArray[np.float32]


class Answers(NamedTuple):
    """What the methods say whose answers are fused; each is (H, W), float32."""

    closed_form: Floats
    network: Floats
    sampling: Floats
    cost: Floats
    refined: Floats


def ask(image: npt.NDArray[np.uint8], trimap: npt.NDArray[np.uint8], seed: int) -> Answers:
    """Ask all methods about a picture."""
    context = make_context(None, None)
    labels = _check.labels(trimap, image.shape)
    network = priors.CompositeNetwork(seed=seed).guess(image, labels, context)
    sampled = priors.GlobalSampling(seed=seed).sample(image, labels, context)
    plain = tm.estimate_alpha(image, trimap, method="closed-form")
    refined = tm.estimate_alpha(
        image, trimap, method="closed-form", prior=network.alpha, confidence=network.confidence
    )
    return Answers(plain, network.alpha, sampled.alpha, sampled.cost, refined)


def make_maps(image: npt.NDArray[np.uint8], trimap: npt.NDArray[np.uint8], answers: Answers) -> Floats:
    """Return the network's inputs, as the package makes them.

    Parameters
    ----------
    image : (H, W, 3) ndarray of uint8
        The picture.
    trimap : (H, W) ndarray of uint8
        0 = background, 128 = unknown, 255 = foreground.
    answers : Answers
        What the methods say.

    Returns
    -------
    (12, H, W) ndarray of float32
    """
    return _maps(image, _check.labels(trimap, image.shape), planes_of(*answers))


def make_keyed_maps(known: Known) -> tuple[Floats, Floats]:
    """Return the inputs of the network of known backgrounds, (15, H, W), and the alpha that it corrects."""
    labels = _check.labels(known.trimap, known.picture.shape)
    prior = BackgroundFusion(known.behind.colours, noise=known.behind.noise, chroma=known.chroma)
    planes, refined = keyed_answers(prior, known.picture, labels, make_context(None, None))
    return _maps(known.picture, labels, planes), refined


def _maps(image: npt.NDArray[np.generic], labels: npt.NDArray[np.uint8], planes: Floats) -> Floats:
    context = make_context(None, None)
    maps = _core.fusion_maps(image, labels, planes, context.threads, context.monitor)
    return np.ascontiguousarray(np.moveaxis(maps, 2, 0))
