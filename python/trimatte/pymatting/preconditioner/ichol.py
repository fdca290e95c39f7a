"""An incomplete Cholesky factorisation, by the incomplete LU factorisation of SuperLU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_FAILED = "Thresholded incomplete Cholesky decomposition failed"
# SuperLU compares entries with the largest one of their column before the factor is scaled: with
# this part of the threshold, conjugate gradients take as many iterations as PyMatting's.
_STRICTER = 0.1
_SHIFTS = (0.0, 1e-4, 1e-3, 1e-2, 0.1, 0.5, 1.0, 10.0, 100, 1e3, 1e4, 1e5)


class CholeskyDecomposition:
    """A factor L with ``L L'`` near A; call it to apply the inverse of ``L L'`` to a vector.

    Parameters
    ----------
    Ltuple : (data, indices, indptr)
        L, lower triangular, in compressed columns.
    """

    def __init__(self, Ltuple: tuple[Array, Array, Array]) -> None:
        from scipy import sparse
        from scipy.sparse.linalg import splu

        self.Ltuple = Ltuple
        n = len(Ltuple[2]) - 1
        self._factor = sparse.csc_matrix(Ltuple, (n, n))
        # SuperLU substitutes fast: the LU factorisation of a triangular matrix is the matrix.
        self._lu = splu(self._factor, permc_spec="NATURAL", diag_pivot_thresh=0.0)

    @property
    def L(self) -> Any:  # noqa: N802  (PyMatting's name)
        """The factor as a csc_matrix."""
        return self._factor

    def __call__(self, b: Array) -> Array:
        """Solve ``L L' x = b``."""
        return np.asarray(self._lu.solve(self._lu.solve(np.asarray(b, np.float64)), "T"))


def ichol(
    A: Any,
    discard_threshold: float = 1e-4,
    shifts: Sequence[float] = _SHIFTS,
    max_nnz: int = 250_000_000,
    relative_discard_threshold: float = 0.0,
    diag_keep_discarded: bool = True,
) -> CholeskyDecomposition:
    """Factorise a symmetric, positive definite matrix and leave small entries out.

    Parameters
    ----------
    A : csc_matrix or csr_matrix
        The matrix.
    discard_threshold, relative_discard_threshold : float, default 1e-4 and 0
        Entries that are smaller than the larger of the two, as parts of the largest one of their
        column, are left out.
    shifts : sequence of float
        Numbers that are added to the diagonal, one after another, until the matrix is positive
        definite without what was left out.
    max_nnz : int, default 250 million
        Entries of the factor at most.
    diag_keep_discarded : bool, default True
        It is accepted and has no effect.

    Raises
    ------
    ValueError
        If no shift helps, or there are too many entries.
    """
    from scipy import sparse

    if not (sparse.issparse(A) and A.format in ("csc", "csr")):
        raise ValueError("Matrix A must be a scipy.sparse.csc_matrix")
    if A.shape[0] != A.shape[1]:
        raise ValueError(f"A: expected a square matrix, got shape {A.shape}")
    matrix = sparse.csc_matrix(A, dtype=np.float64)
    threshold = max(0.0, discard_threshold, relative_discard_threshold)
    for shift in shifts:
        L = _factor(matrix + shift * sparse.identity(len(matrix.indptr) - 1, format="csc"), threshold, max_nnz)
        if L is None:
            continue
        if L.nnz > max_nnz:
            raise ValueError(
                f"{_FAILED} because more than max_nnz non-zero elements were created. "
                "Try increasing max_nnz or discard_threshold."
            )
        return CholeskyDecomposition((L.data, L.indices, L.indptr))
    raise ValueError(
        f"{_FAILED} due to insufficient positive-definiteness of matrix A and diagonal shifts did not help."
    )


def _factor(matrix: Any, threshold: float, max_nnz: int) -> Any:
    """Return the factor, or None where a pivot is not positive."""
    from scipy import sparse
    from scipy.sparse.linalg import spilu, splu

    options = {"permc_spec": "NATURAL", "diag_pivot_thresh": 0.0, "options": {"SymmetricMode": True}}
    try:
        if threshold == 0:
            lu = splu(matrix, **options)
        else:
            lu = spilu(
                matrix,
                drop_tol=_STRICTER * threshold,
                fill_factor=max(1.0, 2 * max_nnz / max(1, matrix.nnz)),
                **options,
            )
    except RuntimeError:  # singular
        return None
    pivots = lu.U.diagonal()
    if not (pivots > 0).all() or (lu.perm_r != np.arange(len(pivots))).any():
        return None
    L = sparse.csc_matrix(lu.L @ sparse.diags(np.sqrt(pivots)))
    L.sort_indices()
    return L
