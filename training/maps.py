"""What the fusion network sees of a picture: the answers of other methods, and what is known.

The formulas are those of `trimatte.priors.fusion`; a test compares the two.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt

import trimatte as tm

Floats = npt.NDArray[np.float32]

COUNT = 12
"""Number of maps."""


class Answers(NamedTuple):
    """What the methods say whose answers are fused; each is (H, W), float32."""

    closed_form: Floats
    network: Floats
    sampling: Floats
    cost: Floats
    refined: Floats


def ask(image: npt.NDArray[np.uint8], trimap: npt.NDArray[np.uint8], seed: int) -> Answers:
    """Ask all methods about a picture."""
    from trimatte import _check, priors
    from trimatte._context import make_context

    context = make_context(None, None)
    labels = _check.labels(trimap, image.shape)
    network = priors.CompositeNetwork(seed=seed).guess(image, labels, context)
    sampled = priors.GlobalSampling(seed=seed).sample(image, labels, context)
    plain = tm.estimate_alpha(image, trimap)
    refined = tm.estimate_alpha(image, trimap, prior=network.alpha, confidence=network.confidence)
    return Answers(plain, network.alpha, sampled.alpha, sampled.cost, refined)


def make_maps(image: npt.NDArray[np.uint8], trimap: npt.NDArray[np.uint8], answers: Answers) -> Floats:
    """Return the network's inputs.

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
    maps = np.empty((COUNT, *trimap.shape), np.float32)
    maps[0:3] = np.moveaxis(image, 2, 0).astype(np.float32) / 255 - 0.5
    for plane, alpha in zip(
        maps[3:7], (answers.closed_form, answers.network, answers.sampling, answers.refined), strict=True
    ):
        plane[...] = 2 * alpha - 1
    maps[7] = answers.cost / (answers.cost + 4)
    foreground, background = trimap >= 230, trimap <= 25
    maps[8] = ~(foreground | background)
    maps[9] = foreground
    for plane, known in zip(maps[10:12], (foreground, background), strict=True):
        distance = distance_transform_edt(~known) if known.any() else np.full(known.shape, np.inf)
        plane[...] = 1 - 8 / (distance + 8)
    return maps
