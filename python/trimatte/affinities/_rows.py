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


def checked_rows(rows: Any, labels: npt.NDArray[np.uint8], reach: int | None, owner: str) -> Rows:
    """Return what `Affinity.laplacian` gave as the core takes it; refuse what no solver could take.

    Parameters
    ----------
    rows : sparse matrix
        What `Affinity.laplacian` returned.
    labels : (H, W) ndarray of uint8
        What is known about the picture.
    reach : int or None
        The affinity's reach.
    owner : str
        The class that messages name.

    Raises
    ------
    ValueError, TypeError
        If it is no symmetric sparse matrix of finite numbers, if its entries are farther from the
        diagonal than the reach says, or if the row of an unknown pixel has no positive diagonal.
    """
    import scipy.sparse

    name, pixels = f"{owner}.laplacian", labels.size
    if not scipy.sparse.issparse(rows):
        raise TypeError(f"{name}: expected a SciPy sparse array, got {_check.kind_of(rows)}")
    if rows.shape != (pixels, pixels):
        raise ValueError(f"{name}: expected shape {(pixels, pixels)}, one row per pixel, got {rows.shape}")
    if rows.dtype.kind not in "fiu":
        raise TypeError(f"{name}: expected real numbers, got {rows.dtype}")
    matrix = scipy.sparse.csr_array(rows, dtype=np.float64, copy=True)
    matrix.sum_duplicates()
    width = labels.shape[1]
    _refuse_not_finite(matrix, width, name)
    _refuse_asymmetric(matrix, width, name)
    if reach is not None:
        _refuse_far_entries(matrix, width, reach, name)
    _refuse_empty_rows(matrix, labels, name)
    matrix = _with_diagonal(matrix)
    return Rows(matrix.data, matrix.indices.astype(np.int32), matrix.indptr.astype(np.int64))


def _refuse_not_finite(matrix: scipy.sparse.csr_array, width: int, name: str) -> None:
    bad = np.flatnonzero(~np.isfinite(matrix.data))
    if len(bad):
        place = _place(_row(matrix, bad[0]), width)
        raise ValueError(f"{name}: expected finite numbers, got {matrix.data[bad[0]]} in {place}")


def _refuse_asymmetric(matrix: scipy.sparse.csr_array, width: int, name: str) -> None:
    import scipy.sparse

    difference = scipy.sparse.csr_array(matrix - matrix.T)
    largest = np.abs(matrix.data).max(initial=0)
    bad = np.flatnonzero(np.abs(difference.data) > _ASYMMETRY * largest)
    if len(bad):
        row, column = _row(difference, bad[0]), int(difference.indices[bad[0]])
        raise ValueError(
            f"{name}: expected a symmetric matrix, got {matrix[row, column]:g} at ({row}, {column}) and "
            f"{matrix[column, row]:g} at ({column}, {row}), in {_place(row, width)}"
        )


def _refuse_far_entries(matrix: scipy.sparse.csr_array, width: int, reach: int, name: str) -> None:
    """Refuse entries of pixels that are farther apart than the affinity says."""
    y, x = np.divmod(_rows_of_entries(matrix), width)
    other_y, other_x = np.divmod(matrix.indices, width)
    distance = np.maximum(np.abs(y - other_y), np.abs(x - other_x))
    bad = np.flatnonzero((distance > reach) & (matrix.data != 0))
    if len(bad):
        raise ValueError(
            f"{name}: expected entries of pixels at most {reach} apart, as its reach says, got a distance of "
            f"{distance[bad[0]]} in {_place(_row(matrix, bad[0]), width)}"
        )


def _refuse_empty_rows(matrix: scipy.sparse.csr_array, labels: npt.NDArray[np.uint8], name: str) -> None:
    """Refuse rows of unknown pixels that say nothing about them."""
    diagonal = matrix.diagonal()
    bad = np.flatnonzero((diagonal <= 0) & (labels.reshape(-1) == _check.UNKNOWN))
    if len(bad):
        place = _place(int(bad[0]), labels.shape[1])
        raise ValueError(
            f"{name}: expected a positive diagonal for every unknown pixel, got {diagonal[bad[0]]:g} in {place}"
        )


def _with_diagonal(matrix: scipy.sparse.csr_array) -> scipy.sparse.csr_array:
    """Store a zero where a row has no diagonal."""
    import scipy.sparse

    row = _rows_of_entries(matrix)
    missing = np.ones(matrix.shape[0], bool)
    missing[row[matrix.indices == row]] = False
    added = np.flatnonzero(missing)
    if len(added) == 0:
        return matrix
    entries = np.concatenate([matrix.data, np.zeros(len(added))])
    at = np.concatenate([row, added]), np.concatenate([matrix.indices, added])
    whole = scipy.sparse.csr_array((entries, at), shape=matrix.shape)
    whole.sum_duplicates()
    return whole


def _rows_of_entries(matrix: scipy.sparse.csr_array) -> npt.NDArray[np.int64]:
    """Return the row of each stored entry."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def _row(matrix: scipy.sparse.csr_array, entry: int) -> int:
    return int(np.searchsorted(matrix.indptr, entry, side="right")) - 1


def _place(row: int, width: int) -> str:
    """Name a row and its pixel."""
    return f"row {row}, of pixel {divmod(row, width)}"


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
