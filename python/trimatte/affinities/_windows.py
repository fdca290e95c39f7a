"""What affinities have in common whose terms are small windows of an image."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from .. import _core
from .._context import Context
from ._base import Affinity, Labels, Pixels
from ._rows import matrix_of

if TYPE_CHECKING:
    import scipy.sparse


class WindowAffinity(Affinity):
    """In every window of ``2 radius + 1`` pixels, alpha is nearly an affine function of the colours."""

    near_null = "colours"
    constant_regions = True

    radius: int

    @property
    def reach(self) -> int:
        """Two pixels are in one row if they share a window."""
        return 2 * self.radius

    @property
    def smallest_image(self) -> int:
        """One window."""
        return 2 * self.radius + 1

    @abstractmethod
    def native(self) -> _core.Affinity:
        """Return the core's own object of the method."""

    def core(self, image: Pixels, labels: Labels, context: Context) -> _core.Affinity:
        """Return the core's own object, which makes the rows of any image."""
        return self.native()

    def laplacian(self, image: Pixels, labels: Labels, context: Context) -> scipy.sparse.csr_array:
        """Return the operator of the whole image."""
        return matrix_of(self.native(), image, None, context)
