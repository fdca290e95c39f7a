"""The fusion network of a known background: the best mixture, and what shapes say of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .. import _check
from .._context import Context
from .._pixels import unit_floats
from ._base import MOST_WEIGHT, Guess, Labels, Pixels, Plane, Prior, sureness
from ._correction import Planes, View, as_it_is, closed_form, corrected, correction_of, shipped_networks
from .known_background import KnownBackground

WEIGHTS = "background_fusion.npz"
MAPS_VERSION = 1
"""Version of the maps that the network sees; weights are made for one version."""

VIEWS: tuple[tuple[int, View], ...] = ((0, as_it_is),)
_USUAL_NOISE = np.float32(1 / 30)
"""The noise at and above which its map is 1."""


@dataclass(frozen=True, eq=False)
class BackgroundFusion(Prior):
    """A convolutional network that corrects what the known background says.

    `KnownBackground` looks at each pixel by itself, and closed-form matting joins its guesses. A small
    network, which was trained once on rendered subjects before screens and plates and whose weights
    belong to the package, sees both answers, the picture and its difference from the background, and
    corrects the second one. It knows how noise, the blurred chroma of JPEG files, and opaque parts whose
    colours mixtures of the background can make look.

    With q the corrected alpha, the confidence is ``weight (abs(2 q - 1) + 0.05)``.

    Parameters
    ----------
    background : (H, W, 3) or (H, W) array of the image's dtypes
        The background of every pixel, in display colours.
    noise : float, default 0.01
        Standard deviation of the noise of a channel of the picture, where 1 is white.
    chroma : {"full", "half"}, default "full"
        The resolution of the file's chroma, see `trimatte.estimate_alpha`. "half" is for a picture whose
        chroma was blurred, whether it has been sharpened or not.
    weight : float, default 30
        Factor of the confidence, see above.
    seed : int, default 0
        Seed of `KnownBackground`'s random candidates.
    """

    background: npt.ArrayLike
    noise: float = 0.01
    chroma: str = "full"
    weight: float = 30.0
    seed: int = 0

    def __post_init__(self) -> None:
        _check.between(self.noise, 1e-6, 1, "noise")
        _check.one_of(self.chroma, ("full", "half"), "chroma")
        _check.between(self.weight, 0, MOST_WEIGHT, "weight")
        _check.seed(self.seed)

    def guess(self, image: Pixels, labels: Labels, context: Context) -> Guess:
        """Compare colours, solve, and correct."""
        planes, alpha = answers(self, image, labels, context)
        if (labels == _check.UNKNOWN).any():
            networks = shipped_networks(WEIGHTS, MAPS_VERSION, VIEWS)
            corrected(alpha, correction_of(image, labels, planes, networks, context), labels)
        confidence = sureness(alpha)
        confidence *= np.float32(self.weight)
        return Guess(alpha, confidence)


def answers(prior: BackgroundFusion, image: Pixels, labels: Labels, context: Context) -> tuple[Planes, Plane]:
    """Return what the network sees besides colours and labels, (8, H, W), and the alpha that it corrects.

    The planes are the differences of the three channels from the background, 2 k - 1 of the alpha k of
    `KnownBackground` and of closed-form matting with it, `KnownBackground`'s sureness, the noise, and
    whether chroma is of half resolution.
    """
    by_mixture = KnownBackground(prior.background, noise=prior.noise, weight=1, seed=prior.seed)
    guess = by_mixture.guess(image, labels, context)
    weighed = Guess(guess.alpha, guess.confidence * np.float32(KnownBackground.weight))
    alpha = closed_form(image, labels, weighed, context)
    planes = np.empty((8, *labels.shape), np.float32)
    difference = unit_floats(image) - unit_floats(np.asarray(prior.background).reshape(image.shape))
    planes[:3] = np.moveaxis(difference, 2, 0)
    two, one = np.float32(2), np.float32(1)
    planes[3] = two * guess.alpha - one
    planes[4] = two * alpha - one
    planes[5] = guess.confidence
    planes[6] = min(one, np.float32(prior.noise) / _USUAL_NOISE)
    planes[7] = prior.chroma == "half"
    return planes, alpha
