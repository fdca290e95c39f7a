"""How far a hard mask is trusted, judged by what the picture shows beside its edge."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._context import Context
from ..priors import Prior, SoftMask
from ..priors._base import Guess, Labels, Pixels
from ..trimap import _dilated
from .soft_trimap import band_of

# Pixels within this distance of the mask's other side, in pixels, are its edge: what is mixed there
# says nothing about the mask.
_EDGE = 1.0
# The mask is judged as far from its edge as this part of the band.
_BESIDE = 0.5
# Half the side of the squares over which it is judged, as a part of the longer side.
_AROUND = 0.07
# Mean squared difference of alpha and a mask that is trusted as far as `mask_weight` says.
_USUAL = 0.012
# Inside, a texture of the subject's own takes part of alpha away, so that differences count less.
_INSIDE = 0.1
# The weight is multiplied by at most this.
_MOST = 50.0


class Trusted(Prior):
    """A mask whose confidence is multiplied, pixel by pixel.

    Parameters
    ----------
    mask : SoftMask
        The mask.
    factor : (H, W) ndarray of float32
        Multiplies the confidence.
    """

    needs_known = False

    def __init__(self, mask: SoftMask, factor: npt.NDArray[np.float32]) -> None:
        self.mask = mask
        self.factor = factor

    def guess(self, image: Pixels, labels: Labels, context: Context) -> Guess:
        """Return the mask."""
        alpha, confidence = self.mask.guess(image, labels, context)
        return Guess(alpha, confidence * self.factor)


def trust_factor(mask: npt.NDArray[np.float32], alpha: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Return what the weight of a hard mask is multiplied by: from 1 to 50, and 1 at its edge.

    Where alpha is as the mask on both sides of its edge, the mask is right there: no strand leaves
    it, and it takes nothing of the background. The factor is the cube of the ratio of the usual mean
    squared difference to that around a pixel.

    Parameters
    ----------
    mask : (H, W) ndarray of float32
        In [0, 1].
    alpha : (H, W) ndarray
        What the picture says while the mask counts little.
    """
    inside = mask >= np.float32(0.5)
    near_inside, near_outside = (_dilated(side, _EDGE, _EDGE) for side in (inside, ~inside))
    reach = _BESIDE * band_of(mask.shape)
    outer = _dilated(inside, reach, reach) & ~near_inside
    inner = _dilated(~inside, reach, reach) & ~near_outside
    difference = np.square(alpha - inside, dtype=np.float32)
    worst = np.maximum(_mean(difference, outer, _USUAL), np.float32(_INSIDE) * _mean(difference, inner, 0))
    ratio = np.float32(_USUAL) / np.maximum(worst, np.float32(1e-6))
    factor = ratio * ratio * ratio
    factor[near_inside & near_outside] = 1
    return np.asarray(np.clip(factor, 1, _MOST), np.float32)


def _mean(
    values: npt.NDArray[np.float32], among: npt.NDArray[np.bool_], otherwise: float
) -> npt.NDArray[np.float32]:
    """Return the mean of some pixels' values over the square around each pixel, or `otherwise`."""
    from scipy.ndimage import uniform_filter

    side = 2 * round(_AROUND * max(values.shape)) + 1
    weights = uniform_filter(among.astype(np.float32), side, mode="constant")
    total = uniform_filter(values * among, side, mode="constant")
    found = weights * side * side > 0.5
    return np.asarray(np.where(found, total / np.where(found, weights, 1), otherwise), np.float32)
