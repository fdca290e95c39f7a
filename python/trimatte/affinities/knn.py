"""KNN matting."""

from __future__ import annotations

from dataclasses import dataclass

from .. import _core
from .._context import Context
from ._base import Labels, NativeAffinity, Pixels, option, register

# Features are float32: with much larger weights of the positions the colours would be lost.
LARGEST_WEIGHT = 1000


@register
@dataclass(frozen=True)
class Knn(NativeAffinity):
    """Pixels whose colours and positions are similar have similar alphas, at any distance [1]_.

    Parameters
    ----------
    neighbours : int, default 20
        Number of pixels in each pixel's list of nearest pixels; the pixel itself is one of them.
    position_weight : float, default 2
        What positions, from 0 to 1 along both sides of the picture, are multiplied by in this list,
        beside colours in [0, 1].
    far_neighbours : int, default 10
        Number of pixels in each pixel's second list; 1 leaves this list out.
    far_position_weight : float, default 0.1
        The weight of the positions in the second list. A small one finds similar colours far away.
    soft : bool, default False
        Whether a neighbour counts ``1 - |X_p - X_q|_1 / 5`` instead of 1, where X are the features.

    Notes
    -----
    The features of a pixel are ``X = [R, G, B, w x, w y]``. ``W[p, q]`` is the number of lists of p
    that hold q, or the sum of their soft weights. The operator is ``D - (W + W') - G / 128``, where
    G is 1 for pixels above and beside each other, and the diagonal matrix D lets rows sum to zero.
    The paper has no G: it lets no part of a drawing be cut off from all known pixels.

    References
    ----------
    .. [1] Q. Chen, D. Li, C.-K. Tang, "KNN Matting", IEEE TPAMI 35(9), 2013.

    Examples
    --------
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(96, 96)
    >>> alpha = tm.estimate_alpha(scene.image, scene.trimap, method=tm.affinities.Knn(neighbours=15))
    >>> tm.metrics.sad(alpha, scene.alpha) < tm.metrics.sad(scene.trimap == 1, scene.alpha)
    True
    """

    name = "knn"
    constant_regions = True

    neighbours: int = option(20, "Pixels in each list.", least=2, most=1000)
    position_weight: float = option(2.0, "Weight of positions.", least=0, most=LARGEST_WEIGHT)
    far_neighbours: int = option(10, "Pixels in each second list.", least=1, most=1000)
    far_position_weight: float = option(0.1, "Weight of positions there.", least=0, most=LARGEST_WEIGHT)
    soft: bool = option(False, "Near pixels count more.")

    @property
    def reach(self) -> None:
        """A pixel may have neighbours anywhere."""
        return None

    def native(self, image: Pixels, labels: Labels, context: Context) -> _core.Knn:
        """Return the core's own KNN matting."""
        return _core.Knn(
            self.neighbours, self.position_weight, self.far_neighbours, self.far_position_weight, self.soft
        )
