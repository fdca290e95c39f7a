"""Closed-form matting."""

from __future__ import annotations

from dataclasses import dataclass

from .. import _core
from .._context import Context
from ._base import Labels, Pixels, option, register
from ._windows import WindowAffinity

# Below this, rounding decides what windows of flat colour say: multigrid may be wrong at 1e-9,
# Cholesky at 1e-11.
LEAST_EPSILON = 1e-8


@register
@dataclass(frozen=True)
class ClosedForm(WindowAffinity):
    """In every small window, alpha is nearly an affine function of the colours [1]_.

    Parameters
    ----------
    epsilon : float, default 1e-7
        Colour variance added to each window, in squared units of [0, 1] colours; at least 1e-8. A
        larger value makes alpha smoother.
    radius : int, default 1
        Windows are ``2 radius + 1`` pixels wide. From 2 on, time hardly depends on it.

    References
    ----------
    .. [1] A. Levin, D. Lischinski, Y. Weiss, "A Closed-Form Solution to Natural Image Matting",
       IEEE TPAMI 30(2), 2008, Eq. 12.

    Examples
    --------
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(96, 96)
    >>> method = tm.affinities.ClosedForm(epsilon=1e-6)
    >>> alpha = tm.estimate_alpha(scene.image, scene.trimap, method=method)
    >>> same = tm.estimate_alpha(scene.image, scene.trimap, method="closed-form", epsilon=1e-6)
    >>> bool((alpha == same).all())
    True
    """

    name = "closed-form"

    epsilon: float = option(1e-7, "Smoothness of alpha.", least=LEAST_EPSILON, most=1e6)
    radius: int = option(1, "Window radius in pixels.", least=1)

    @property
    def has_products(self) -> bool:
        """Windows of 3 x 3 pixels have a stencil instead."""
        return self.radius > 1

    def native(self, image: Pixels, labels: Labels, context: Context) -> _core.ClosedForm:
        """Return the core's own closed-form matting."""
        return _core.ClosedForm(self.epsilon, self.radius)
