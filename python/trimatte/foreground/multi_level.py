"""Multi-level estimation."""

from __future__ import annotations

from dataclasses import dataclass

from .. import _core
from .._context import Context
from ..affinities import option
from ._base import Finish, ForegroundMethod, Pixels, Plane


@dataclass(frozen=True)
class MultiLevel(ForegroundMethod):
    """Multi-level foreground estimation [1]_, the default.

    The energy of closed-form foreground is made smaller on a pyramid of pictures, from coarse to
    fine, by a few iterations on each level.

    Parameters
    ----------
    regularization : float, default 1e-5
        Weight of the smoothness between neighbouring pixels, beside a weight of 1 for the image's
        colour.
    gradient_weight : float, default 1
        Weight that is added to the smoothness per unit of difference in alpha.
    small_size, small_iterations, big_iterations : int, default 32, 10, 2
        Numbers of iterations on levels whose sides have at most `small_size` pixels, and on larger
        ones.

    References
    ----------
    .. [1] T. Germer, T. Uelwer, S. Conrad, S. Harmeling, "Fast Multi-Level Foreground Estimation",
       ICPR 2020.
    """

    name = "multi-level"

    regularization: float = option(1e-5, "Smoothness of neighbouring pixels.", least=1e-12, most=1e6)
    gradient_weight: float = option(1.0, "Smoothness per difference in alpha.", least=0, most=1e6)
    small_size: int = option(32, "Largest side of a small level in pixels.", least=1)
    small_iterations: int = option(10, "Iterations on small levels.", least=1)
    big_iterations: int = option(2, "Iterations on larger levels.", least=1)

    @property
    def steps(self) -> tuple[float, float, int, int, int]:
        """The fields in the order in which the core takes them."""
        return (
            self.regularization,
            self.gradient_weight,
            self.small_size,
            self.small_iterations,
            self.big_iterations,
        )

    def layers(self, image: Pixels, alpha: Plane, finish: Finish, context: Context) -> tuple[Plane, Plane]:
        """Find the layers."""
        return _core.multilevel_foreground(image, alpha, *self.steps, *finish, context.threads, context.monitor)
