"""How much memory a call needs, before it is made."""

from __future__ import annotations

from ._solve import has_stencil
from .affinities import Affinity

# Bytes that `benchmarks/batch.py --cost` and `benchmarks/method_memory.py` measure, and a tenth more.
_SOLVE_PER_PIXEL = 14
_SOLVE_PER_UNKNOWN = 280
_PRODUCTS_PER_UNKNOWN = 750  # windows larger than 3 x 3
_DIRECT_PER_UNKNOWN = 2800  # Cholesky, and rows of windows larger than 3 x 3
# An affinity of any reach searches neighbours in the whole picture, and has long rows
# (docs/design/information_flow.md).
_SEARCH_PER_PIXEL = 85
_SEARCH_PER_UNKNOWN = 5300


def of_solve(pixels: int, unknowns: int, affinity: Affinity | None, solver: str) -> int:
    """Return the bytes of a solve.

    Parameters
    ----------
    pixels, unknowns : int
        Pixels of the picture, and those to be solved for.
    affinity : Affinity or None
        The affinity; None for a prior alone, which needs no solve.
    solver : str
        See `trimatte.solve_alpha`.
    """
    return _per_pixel(affinity) * pixels + _per_unknown(affinity, solver) * unknowns


def _per_pixel(affinity: Affinity | None) -> int:
    return _SOLVE_PER_PIXEL if affinity is None or affinity.reach is not None else _SEARCH_PER_PIXEL


def _per_unknown(affinity: Affinity | None, solver: str) -> int:
    if affinity is not None and affinity.reach is None:
        return _SEARCH_PER_UNKNOWN
    if solver in ("auto", "multigrid"):
        if affinity is None or has_stencil(affinity):
            return _SOLVE_PER_UNKNOWN
        if affinity.has_products:
            return _PRODUCTS_PER_UNKNOWN
    return _DIRECT_PER_UNKNOWN
