"""Shared sampling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .. import _check, _core
from .._context import Context
from .._records import Progress
from ._base import MOST_WEIGHT, Guess, Labels, Pixels, Plane, Prior, checked, known_alpha, need_known, sureness


class SharedSamples(NamedTuple):
    """What shared sampling finds.

    Attributes
    ----------
    alpha : (H, W) ndarray of float32
        In [0, 1]; 0 or 1 where the trimap knows.
    confidence : (H, W) ndarray of float32
        In [0, 1]: how well the two colours explain the pixel's own (the paper's f); 1 where the
        trimap knows, or the expansion of the known regions has decided.
    foreground, background : ndarray of float32 of the image's shape
        The smoothed colours, in [0, 1]; those of the image where alpha is known.
    """

    alpha: Plane
    confidence: Plane
    foreground: Plane
    background: Plane


@dataclass(frozen=True)
class SharedSampling(Prior):
    """Pairs of known colours that neighbouring pixels find on rays and share.

    Each unknown pixel follows a few rays to the first known pixels of both kinds and chooses the
    best pair of them. It then takes the mean of the three best pairs among those of the pixels
    around it, and the result is smoothed [1]_.

    Parameters
    ----------
    expansion_radius : int, default 5
        An unknown pixel within so many pixels of a known one takes its label if their colours are
        alike.
    expansion_threshold : float, default 0.03
        The distance of such colours at most, where channels span [0, 1].
    rays : int, default 4
        Rays of each pixel.
    sharing_radius : int, default 7
        Half the width, in pixels, of the window whose pixels share their pairs.
    smoothing_radius : int, default 2
        Half the width, in pixels, of the window over which colours and alpha are smoothed.
    own_colours : bool, default True
        Whether the pixel's own colour takes the place of a sample from which it differs no more
        than the colours around the sample do (Eq. 10 of [1]_).
    weight : float, default 3e-2
        The confidence of the guess is ``weight * f**4 * (abs(2 alpha - 1) + 0.05)``, where f, at
        most 1, is that of [1]_: how well the two colours explain the pixel's own.

    References
    ----------
    .. [1] E. S. L. Gastal, M. M. Oliveira, "Shared Sampling for Real-Time Alpha Matting", Computer
       Graphics Forum 29(2) (Eurographics), 2010.
    """

    expansion_radius: int = 5
    expansion_threshold: float = 0.03
    rays: int = 4
    sharing_radius: int = 7
    smoothing_radius: int = 2
    own_colours: bool = True
    weight: float = 3e-2

    def __post_init__(self) -> None:
        _check.at_least(self.expansion_radius, 0, "expansion_radius", 20)
        _check.between(self.expansion_threshold, 0, 2, "expansion_threshold")
        _check.at_least(self.rays, 1, "rays", 8)
        _check.at_least(self.sharing_radius, 0, "sharing_radius", 20)
        _check.at_least(self.smoothing_radius, 0, "smoothing_radius", 20)
        _check.flag(self.own_colours, "own_colours")
        _check.between(self.weight, 0, MOST_WEIGHT, "weight")

    def guess(self, image: Pixels, labels: Labels, context: Context) -> Guess:
        """Find the samples."""
        alpha = known_alpha(labels)
        confidence = np.ones_like(alpha)
        self._sample(image, labels, alpha, confidence, None, None, context)
        np.square(confidence, out=confidence)
        np.square(confidence, out=confidence)
        confidence *= sureness(alpha)
        confidence *= np.float32(self.weight)
        return Guess(alpha, confidence)

    def samples(
        self,
        image: npt.ArrayLike,
        trimap: npt.ArrayLike,
        *,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> SharedSamples:
        """Find alpha, how sure it is, and the colours behind it.

        Parameters
        ----------
        image, trimap, threads, progress
            As for `estimate`.

        Returns
        -------
        SharedSamples
            Alpha, confidence, foreground and background.

        Raises
        ------
        ValueError, TypeError
            As for `estimate`.

        Examples
        --------
        >>> import trimatte as tm
        >>> scene = tm.datasets.hair(96, 96)
        >>> found = tm.priors.SharedSampling().samples(scene.image, scene.trimap)
        >>> found.foreground.shape
        (96, 96, 3)
        """
        picture, labels, context = checked(image, trimap, threads, progress)
        alpha = known_alpha(labels)
        confidence = np.ones_like(alpha)
        foreground = np.empty(picture.shape, np.float32)
        background = np.empty_like(foreground)
        self._sample(picture, labels, alpha, confidence, foreground, background, context)
        if np.ndim(image) == 2:
            foreground, background = foreground[..., 0], background[..., 0]
        return SharedSamples(alpha, confidence, foreground, background)

    def _sample(
        self,
        image: Pixels,
        labels: Labels,
        alpha: Plane,
        confidence: Plane,
        foreground: Plane | None,
        background: Plane | None,
        context: Context,
    ) -> None:
        """Fill the planes, the colours as far as they are given."""
        need_known(labels, 1, "to sample their colours")
        _core.shared_sampling(
            image,
            labels,
            alpha,
            confidence,
            foreground,
            background,
            self.expansion_radius,
            self.expansion_threshold,
            self.rays,
            self.sharing_radius,
            self.smoothing_radius,
            self.own_colours,
            context.threads,
            context.monitor,
        )
