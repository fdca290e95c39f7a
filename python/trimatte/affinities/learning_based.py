"""Learning-based matting."""

from __future__ import annotations

from dataclasses import dataclass

from .. import _core
from .._context import Context
from ._base import Labels, Pixels, option, register
from ._windows import WindowAffinity

# Below this, rounding decides what windows of flat colour say, as in closed-form matting.
LEAST_REGULARIZATION = 1e-8


@register
@dataclass(frozen=True)
class LearningBased(WindowAffinity):
    """In every small window, ridge regression on the colours predicts alpha [1]_.

    Parameters
    ----------
    regularization : float, default 1e-7
        Weight of the squared slopes in each regression, the paper's lambda, in squared units of
        [0, 1] colours; at least 1e-8. A larger value makes alpha smoother.
    radius : int, default 1
        Windows are ``2 radius + 1`` pixels wide. Time grows with the fourth power.

    Notes
    -----
    With the rows ``[R, G, B, 1]`` of X for a window's pixels, the regression predicts the window's
    alphas as ``F alpha``, where ``F = X (X'X + lambda R)^-1 X'``. The operator is the sum of
    ``(I - F)'(I - F)`` over all windows. ``R = diag(1, 1, 1, 0)`` leaves the bias free, so that a
    constant alpha costs nothing and foreground and background may change places. A part of 1e-8 of
    the operator is the squared deviation of alpha from its mean in each window; without it,
    rounding would decide about drawings in flat colours.

    References
    ----------
    .. [1] Y. Zheng, C. Kambhamettu, "Learning Based Digital Matting", ICCV 2009: local learning with
       the linear model.

    Examples
    --------
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(96, 96)
    >>> method = tm.affinities.LearningBased(regularization=1e-6)
    >>> alpha = tm.estimate_alpha(scene.image, scene.trimap, method=method)
    >>> tm.metrics.sad(alpha, scene.alpha) < 1.1 * tm.metrics.sad(
    ...     tm.estimate_alpha(scene.image, scene.trimap, method="closed-form"), scene.alpha)
    True
    """

    name = "learning-based"

    regularization: float = option(1e-7, "Weight of squared slopes.", least=LEAST_REGULARIZATION, most=1e6)
    radius: int = option(1, "Window radius in pixels.", least=1)

    def native(self, image: Pixels, labels: Labels, context: Context) -> _core.LearningBased:
        """Return the core's own learning-based matting."""
        return _core.LearningBased(self.regularization, self.radius)
