"""From masks to mattes.

`soft_trimap` makes a trimap of a mask, `_follow` lets its band follow strands, `_trust` says how much
a hard mask counts where, `matte` solves it, and `_fit` brings a mask to a picture's size.
"""

from .matte import MaskMatte, matte_from_mask, solve_from_mask
from .soft_trimap import trimap_from_soft_mask

__all__ = ["MaskMatte", "matte_from_mask", "solve_from_mask", "trimap_from_soft_mask"]
