"""What affinities have in common whose terms are small windows of an image."""

from __future__ import annotations

from ._base import NativeAffinity


class WindowAffinity(NativeAffinity):
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
