"""Laplacians as SciPy's matrices, and lists of all of them."""

from .cf_laplacian import cf_laplacian
from .knn_laplacian import knn_laplacian
from .lbdm_laplacian import lbdm_laplacian
from .lkm_laplacian import lkm_laplacian
from .rw_laplacian import rw_laplacian
from .uniform_laplacian import uniform_laplacian

LAPLACIANS = [cf_laplacian, knn_laplacian, lbdm_laplacian, rw_laplacian, uniform_laplacian]
"""Functions that return a matrix."""

LAPLACIAN_OPERATORS = [lkm_laplacian]
"""Functions that return a function for products."""
