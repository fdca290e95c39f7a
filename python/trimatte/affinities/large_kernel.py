"""Large-kernel matting."""

from __future__ import annotations

from dataclasses import dataclass

from .. import _core
from .._context import Context
from ._base import Labels, Pixels, option, register
from ._operators import Products
from ._windows import WindowAffinity
from .closed_form import LEAST_EPSILON


@register
@dataclass(frozen=True)
class LargeKernel(WindowAffinity):
    """In every large window, alpha is nearly an affine function of the colours [1]_.

    Parameters
    ----------
    epsilon : float, default 1e-7
        Colour variance added to each window, in squared units of [0, 1] colours; at least 1e-8. A
        larger value makes alpha smoother.
    radius : int, default 10
        Windows are ``2 radius + 1`` pixels wide. Time hardly depends on it.

    Notes
    -----
    The operator is that of closed-form matting with the same radius. It is never formed: its
    products come from box filters.

    References
    ----------
    .. [1] K. He, J. Sun, X. Tang, "Fast Matting Using Large Kernel Matting Laplacian Matrices", CVPR
       2010.

    Examples
    --------
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(96, 96)
    >>> alpha = tm.estimate_alpha(scene.image, scene.trimap, method="large-kernel", radius=5)
    >>> same = tm.estimate_alpha(scene.image, scene.trimap, method="closed-form", radius=5)
    >>> bool((alpha == same).all())
    True
    """

    name = "large-kernel"

    epsilon: float = option(1e-7, "Smoothness of alpha.", least=LEAST_EPSILON, most=1e6)
    radius: int = option(10, "Window radius in pixels.", least=1)

    @property
    def has_products(self) -> bool:
        """Windows of 3 x 3 pixels have a stencil instead."""
        return self.radius > 1

    def native(self, image: Pixels, labels: Labels, context: Context) -> _core.ClosedForm:
        """Return the core's own closed-form matting."""
        return _core.ClosedForm(self.epsilon, self.radius)

    def products(self, image: Pixels, labels: Labels, context: Context) -> Products | None:
        """Return the operator of the whole image by its products, which box filters make."""
        if not self.has_products:
            return None
        return _core.Products(self.native(image, labels, context), image, context.threads, context.monitor)
