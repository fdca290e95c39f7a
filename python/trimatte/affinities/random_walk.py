"""Random walk matting."""

from __future__ import annotations

from dataclasses import dataclass

from .. import _core
from .._context import Context
from ._base import Labels, NativeAffinity, Pixels, option, register


@register
@dataclass(frozen=True)
class RandomWalk(NativeAffinity):
    """Alpha is the chance that a walker meets the foreground first, who rarely crosses edges [1]_.

    Parameters
    ----------
    sigma : float, default 1/30
        Distance of two colours in [0, 1] at which a step between their pixels is ``1/e`` times as
        likely as between equal colours.

    Notes
    -----
    Pixels beside each other, diagonally too, have the weight ``exp(-|I_p - I_q|^2 / sigma^2)``,
    which is raised by up to 1e-6, so that no edge cuts a pixel off. The operator is ``D - W``, where
    the diagonal matrix D lets rows sum to zero.

    References
    ----------
    .. [1] L. Grady, T. Schiwietz, S. Aharon, R. Westermann, "Random Walks for Interactive
       Alpha-Matting", VIIP 2005.

    Examples
    --------
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(96, 96)
    >>> method = tm.affinities.RandomWalk(sigma=0.1)
    >>> alpha = tm.estimate_alpha(scene.image, scene.trimap, method=method)
    >>> tm.metrics.sad(alpha, scene.alpha) < tm.metrics.sad(scene.trimap == 1, scene.alpha)
    True
    """

    name = "random-walk"
    constant_regions = True

    sigma: float = option(1 / 30, "Distance of colours that a walker crosses.", least=1e-3, most=1e3)

    @property
    def reach(self) -> int:
        """Two pixels are in one row if they lie beside each other."""
        return 1

    def native(self, image: Pixels, labels: Labels, context: Context) -> _core.RandomWalk:
        """Return the core's own random walks."""
        return _core.RandomWalk(self.sigma)
