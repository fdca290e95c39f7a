"""Blur fusion."""

from __future__ import annotations

from dataclasses import dataclass

from .. import _core
from .._context import Context
from ..affinities import option
from ._base import Finish, ForegroundMethod, Pixels, Plane


@dataclass(frozen=True)
class BlurFusion(ForegroundMethod):
    """Blur fusion [1]_: blurred colours of both layers, corrected so that they explain the image.

    Parameters
    ----------
    radius : int, default 90
        Windows of the blur have ``2 radius + 1`` pixels along a side. The time does not depend on
        it.
    second_radius : int, default 6
        Radius of a second pass, which starts from the layers of the first; 0 leaves it out.

    References
    ----------
    .. [1] M. Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021.
    """

    name = "blur-fusion"

    radius: int = option(90, "Radius of the blur in pixels.", least=1, most=100_000)
    second_radius: int = option(6, "Radius of a second pass in pixels; 0: none.", least=0, most=100_000)

    def layers(self, image: Pixels, alpha: Plane, finish: Finish, context: Context) -> tuple[Plane, Plane]:
        """Find the layers."""
        return _core.blur_fusion(
            image, alpha, self.radius, self.second_radius, *finish, context.threads, context.monitor
        )
