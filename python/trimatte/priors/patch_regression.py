"""Linear regression of alpha on patches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .. import _check, _core
from .._context import Context, make_context
from .._records import Progress
from ._base import (
    MOST_WEIGHT,
    Guess,
    Labels,
    Pixels,
    Plane,
    Prior,
    checked,
    known_alpha,
    need_known,
    sureness,
)

# The triangle of a QR factorisation has (patch numbers)^2 entries: 364^2 with radius 5 and colours.
MOST_RADIUS = 5


def patch_side(radius: int, image_shape: tuple[int, ...]) -> int:
    """Return the side of a patch; refuse one that is larger than the image."""
    side = 2 * radius + 1
    if side > min(image_shape[:2]):
        raise ValueError(
            f"radius: expected patches no larger than the image {image_shape[:2]}, got {side} x {side}"
        )
    return side


@dataclass(frozen=True, eq=False)
class PatchRegressionModel:
    """A fitted regression; apply it to the same picture or to another frame.

    Attributes
    ----------
    weights : (2 radius + 1, 2 radius + 1, C) ndarray of float64
        The weight of each number of the patch around a pixel.
    bias : float
        What is added to their weighted sum.
    """

    weights: npt.NDArray[np.float64]
    bias: float

    def predict(
        self,
        image: npt.ArrayLike,
        trimap: npt.ArrayLike | None = None,
        *,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> Plane:
        """Return alpha, (H, W), of all pixels; with a trimap known pixels keep its value."""
        context = make_context(threads, progress)
        picture = _check.image(image)
        labels = None if trimap is None else _check.labels(trimap, picture.shape)
        return self._predicted(picture, labels, context)

    def _predicted(self, image: Pixels, labels: Labels | None, context: Context) -> Plane:
        side, _, channels = self.weights.shape
        if image.shape[2] != channels:
            raise ValueError(f"image: expected {channels} channels as in the training, got {image.shape[2]}")
        patch_side(side // 2, image.shape)
        alpha = np.zeros(image.shape[:2], np.float32) if labels is None else known_alpha(labels)
        weights = [*self.weights.ravel().tolist(), self.bias]
        _core.predict_patch_regression(image, labels, side // 2, weights, alpha, context.threads, context.monitor)
        return alpha


@dataclass(frozen=True)
class PatchRegression(Prior):
    """Alpha as a linear function of a pixel's patch, by least squares over the known pixels.

    Parameters
    ----------
    radius : int, default 2
        Patches are ``2 radius + 1`` pixels wide; at most 5. With radius 2 and colours a patch has
        75 numbers. Beyond the picture's border its nearest pixel is repeated.
    ridge : float, default 0
        ``ridge * (number of known pixels) * sum(weights**2)`` is added to the sum of squares; the
        bias is left out. With 0 the solution is that of the pseudo-inverse: the shortest one, where
        there are several (flat colour).
    weight : float, default 5e-5
        The confidence is ``weight * (abs(2 alpha - 1) + 0.05)``.

    Notes
    -----
    Known pixels are taken a few hundred at a time into a QR factorisation, so that memory does not
    grow with them. A linear function of colours is a poor guess by itself: its alpha is grey where
    colours are between. The README has its errors beside those of the other priors.

    Examples
    --------
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(96, 96)
    >>> model = tm.priors.PatchRegression().fit(scene.image, scene.trimap)
    >>> model.weights.shape
    (5, 5, 3)
    """

    radius: int = 2
    ridge: float = 0.0
    weight: float = 5e-5

    def __post_init__(self) -> None:
        _check.at_least(self.radius, 0, "radius", MOST_RADIUS)
        _check.between(self.ridge, 0, 1e12, "ridge")
        _check.between(self.weight, 0, MOST_WEIGHT, "weight")

    def fit(
        self,
        image: npt.ArrayLike,
        trimap: npt.ArrayLike,
        *,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> PatchRegressionModel:
        """Fit to the known pixels of an image (arguments as `estimate`)."""
        return self._fitted(*checked(image, trimap, threads, progress))

    def _fitted(self, image: Pixels, labels: Labels, context: Context) -> PatchRegressionModel:
        need_known(labels, 1, "to fit to")
        side = patch_side(self.radius, image.shape)
        found = _core.fit_patch_regression(
            image, labels, self.radius, self.ridge, context.threads, context.monitor
        )
        return PatchRegressionModel(found[:-1].reshape(side, side, image.shape[2]), float(found[-1]))

    def guess(self, image: Pixels, labels: Labels, context: Context) -> Guess:
        """Fit, then predict the unknown pixels."""
        alpha = self._fitted(image, labels, context)._predicted(image, labels, context)
        return Guess(alpha, np.float32(self.weight) * sureness(alpha))
