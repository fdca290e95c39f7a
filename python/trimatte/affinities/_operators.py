"""The core's operators in SciPy's form; `_rows` goes the other way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from .. import _core
from .._context import Context

if TYPE_CHECKING:
    import scipy.sparse
    import scipy.sparse.linalg


class Products(Protocol):
    """An object of the core that multiplies by a symmetric matrix."""

    @property
    def shape(self) -> tuple[int, int]:
        """The number of rows and of columns."""

    def matvec(self, x: npt.NDArray[np.float64], /) -> npt.NDArray[np.float64]:
        """Return the product with a vector."""


def linear_operator(products: Products) -> scipy.sparse.linalg.LinearOperator:
    """Return an object of the core in SciPy's form."""
    from scipy.sparse.linalg import LinearOperator

    def multiply(x: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        return products.matvec(np.ascontiguousarray(x, np.float64).reshape(-1))

    return LinearOperator(products.shape, matvec=multiply, rmatvec=multiply, dtype=np.float64)


def matrix_of(
    affinity: _core.Affinity, image: npt.NDArray[Any], known: npt.NDArray[np.uint8] | None, context: Context
) -> scipy.sparse.csr_array:
    """Return the rows that the core makes for an image as a sparse matrix.

    Parameters
    ----------
    affinity : _core.Affinity
        What makes the rows.
    image : (H, W, C) ndarray
        Display colours in one of the core's dtypes.
    known : (H, W) ndarray of uint8 or None
        Where it is not 0, the pixel is known; terms of known pixels only are left out.
    context : Context
        How to run.

    Returns
    -------
    (H*W, H*W) scipy.sparse.csr_array
        Row-major pixel order.
    """
    import scipy.sparse

    data, indices, indptr = _core.laplacian(affinity, image, known, context.threads, context.monitor)
    pixels = image.shape[0] * image.shape[1]
    matrix = scipy.sparse.csr_array((data, indices, indptr), shape=(pixels, pixels))
    if known is not None:
        matrix.eliminate_zeros()  # pairs of pixels that share only windows that were left out
    return matrix
