"""The rows of somebody's sparse matrix, checked and laid out for the core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import _check, _core
from .._context import Context

if TYPE_CHECKING:
    import scipy.sparse

# Two entries that should be equal may differ by this much of the largest one.
_ASYMMETRY = 1e-9


class Rows(NamedTuple):
    """A sparse matrix with one row per pixel; columns ascend, and each row has its diagonal.

    Attributes
    ----------
    data : (n,) ndarray of float64
        The entries, row by row.
    indices : (n,) ndarray of int32
        Their columns.
    indptr : (pixels + 1,) ndarray of int64
        Where each row starts.
    """

    data: npt.NDArray[np.float64]
    indices: npt.NDArray[np.int32]
    indptr: npt.NDArray[np.int64]


def checked_rows(
    rows: Any, labels: npt.NDArray[np.uint8], reach: int | None, name: str, context: Context
) -> tuple[Rows, int]:
    """Return a sparse matrix as the core takes it, and its reach; refuse what no solver could take.

    Parameters
    ----------
    rows : sparse matrix
        Usually what `Affinity.laplacian` returned. It is not changed, and not copied if it is a CSR
        matrix of float64 that is in canonical format.
    labels : (H, W) ndarray of uint8
        What is known about the picture. One row of pixels stands for unknowns without a place.
    reach : int or None
        The affinity's reach.
    name : str
        What messages call the matrix.
    context : Context
        How to run.

    Returns
    -------
    Rows
        The arrays of the matrix.
    int
        The largest distance of two pixels with an entry, along x or y.

    Raises
    ------
    ValueError, TypeError
        If it is no symmetric sparse matrix of finite numbers, if its entries are farther from the
        diagonal than the reach says, or if the row of an unknown pixel has no positive diagonal.
    """
    matrix = canonical(rows, labels.size, name)
    found = examined(matrix, labels.shape, reach, name, context)
    _refuse_empty_rows(matrix, labels, name)
    return laid_out(matrix if found["has_diagonal"] else _with_diagonal(matrix)), found["reach"]


def canonical(rows: Any, size: int | None, name: str) -> scipy.sparse.csr_array:
    """Return a sparse matrix as CSR of float64 whose columns ascend; copy what is not like that.

    Parameters
    ----------
    rows : sparse matrix
        Any format of SciPy.
    size : int or None
        The number of rows and columns; None: any square will do.
    name : str
        What messages call the matrix.

    Raises
    ------
    ValueError, TypeError
        If it is no square sparse matrix of real numbers.
    """
    import scipy.sparse

    if not scipy.sparse.issparse(rows):
        hint = "; scipy.sparse.csr_array(...) makes one" if isinstance(rows, np.ndarray) else ""
        raise TypeError(f"{name}: expected a SciPy sparse array, got {_check.kind_of(rows)}{hint}")
    if size is None and (len(rows.shape) != 2 or rows.shape[0] != rows.shape[1]):
        raise ValueError(f"{name}: expected a square matrix, got shape {rows.shape}")
    if size is not None and rows.shape != (size, size):
        raise ValueError(f"{name}: expected shape {(size, size)}, one row per pixel, got {rows.shape}")
    if rows.dtype.kind not in "fiu":
        raise TypeError(f"{name}: expected real numbers, got {rows.dtype}")
    matrix = scipy.sparse.csr_array(rows, dtype=np.float64)
    if not matrix.has_canonical_format:
        if rows.format == "csr":  # the arrays may be the caller's
            matrix = matrix.copy()
        matrix.sum_duplicates()
    return matrix


def laid_out(matrix: scipy.sparse.csr_array) -> Rows:
    """Return the arrays of a canonical matrix in the core's types."""
    return Rows(
        np.ascontiguousarray(matrix.data, np.float64),
        np.ascontiguousarray(matrix.indices, np.int32),
        np.ascontiguousarray(matrix.indptr, np.int64),
    )


def examined(
    matrix: scipy.sparse.csr_array, shape: tuple[int, ...] | None, reach: int | None, name: str, context: Context
) -> _core.Examined:
    """Say what the core finds in a canonical matrix; refuse it if that cannot be a Laplacian.

    Parameters
    ----------
    matrix : csr_array
        What `canonical` returned.
    shape : (int, int) or None
        The picture, one pixel for each row; a single row of pixels, or None, is no picture.
    reach : int or None
        How far two pixels with an entry may be apart; None: any distance.
    name : str
        What messages call the matrix.
    context : Context
        How to run.

    Raises
    ------
    ValueError
        If an entry is not finite, differs from the one on the other side of the diagonal, or is
        farther away than the reach says.
    """
    width = 0 if shape is None else shape[1]
    limit = matrix.shape[0] if reach is None else reach
    found = _core.examine(*laid_out(matrix), _ASYMMETRY, width, limit, context.threads, context.monitor)
    place = _Place(matrix, shape)
    if found["not_finite"] >= 0:
        entry = found["not_finite"]
        raise ValueError(f"{name}: expected finite numbers, got {matrix.data[entry]} in {place(entry)}")
    if found["asymmetric"] >= 0:
        entry = found["asymmetric"]
        row, column = place.row(entry), int(matrix.indices[entry])
        raise ValueError(
            f"{name}: expected a symmetric matrix, got {matrix.data[entry]:g} at ({row}, {column}) and "
            f"{matrix[column, row]:g} at ({column}, {row}), in {place(entry)}"
        )
    if found["farther"] >= 0:
        entry = found["farther"]
        (y, x), (v, u) = (divmod(i, width) for i in (place.row(entry), int(matrix.indices[entry])))
        raise ValueError(
            f"{name}: expected entries of pixels at most {reach} apart, as its reach says, got a distance of "
            f"{max(abs(y - v), abs(x - u))} in {place(entry)}"
        )
    return found


class _Place:
    """Names the rows of a matrix."""

    def __init__(self, matrix: scipy.sparse.csr_array, shape: tuple[int, ...] | None) -> None:
        self.matrix, self.shape = matrix, shape

    def row(self, entry: int) -> int:
        """Return the row of a stored entry."""
        return int(np.searchsorted(self.matrix.indptr, entry, side="right")) - 1

    def __call__(self, entry: int) -> str:
        """Name the row of a stored entry."""
        return name_of_row(self.row(entry), self.shape)


def name_of_row(row: int, shape: tuple[int, ...] | None) -> str:
    """Name a row and its pixel."""
    if shape is None or shape[0] == 1:
        return f"row {row}"
    return f"row {row}, of pixel {divmod(row, shape[1])}"


def _refuse_empty_rows(matrix: scipy.sparse.csr_array, labels: npt.NDArray[np.uint8], name: str) -> None:
    """Refuse rows of unknown pixels that say nothing about them."""
    diagonal = matrix.diagonal()
    bad = np.flatnonzero((diagonal <= 0) & (labels.reshape(-1) == _check.UNKNOWN))
    if len(bad):
        row = int(bad[0])
        raise ValueError(
            f"{name}: expected a positive diagonal for every unknown pixel, got {diagonal[row]:g} in "
            f"{name_of_row(row, labels.shape)}"
        )


def _with_diagonal(matrix: scipy.sparse.csr_array) -> scipy.sparse.csr_array:
    """Store a zero where a row has no diagonal."""
    import scipy.sparse

    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    missing = np.ones(matrix.shape[0], bool)
    missing[row[matrix.indices == row]] = False
    added = np.flatnonzero(missing)
    entries = np.concatenate([matrix.data, np.zeros(len(added))])
    at = np.concatenate([row, added]), np.concatenate([matrix.indices, added])
    whole = scipy.sparse.csr_array((entries, at), shape=matrix.shape)
    whole.sum_duplicates()
    return whole
