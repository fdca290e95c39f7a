"""Rows that an affinity returns as a sparse matrix: checked, and as the core wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _check

if TYPE_CHECKING:
    import scipy.sparse

# Two entries that should be equal may differ by this much of the largest one.
_ASYMMETRY = 1e-9


def checked_rows(rows: Any, shape: tuple[int, ...], owner: str) -> scipy.sparse.csr_array:
    """Return an affinity's rows as CSR of float64; refuse what no solver could take.

    Columns ascend, and each row has its diagonal, be it zero.

    Parameters
    ----------
    rows : sparse matrix
        What `Affinity.laplacian` returned.
    shape : (int, int)
        Height and width of the picture.
    owner : str
        The class that messages name.
    """
    import scipy.sparse

    name, pixels = f"{owner}.laplacian", shape[0] * shape[1]
    if not scipy.sparse.issparse(rows):
        raise TypeError(f"{name}: expected a SciPy sparse array, got {_check.kind_of(rows)}")
    if rows.shape != (pixels, pixels):
        raise ValueError(f"{name}: expected shape {(pixels, pixels)}, one row per pixel, got {rows.shape}")
    if rows.dtype.kind not in "fiu":
        raise TypeError(f"{name}: expected real numbers, got {rows.dtype}")
    matrix = _with_diagonal(rows, pixels)
    bad = np.flatnonzero(~np.isfinite(matrix.data))
    if len(bad):
        place = _row_of(matrix, bad[0], shape)
        raise ValueError(f"{name}: expected finite numbers, got {matrix.data[bad[0]]} in {place}")
    difference = scipy.sparse.csr_array(matrix - matrix.T)
    largest = np.abs(matrix.data).max(initial=0)
    bad = np.flatnonzero(np.abs(difference.data) > _ASYMMETRY * largest)
    if len(bad):
        row, column = _row(difference, bad[0]), int(difference.indices[bad[0]])
        raise ValueError(
            f"{name}: expected a symmetric matrix, got {matrix[row, column]:g} at ({row}, {column}) and "
            f"{matrix[column, row]:g} at ({column}, {row}), in {_row_of(difference, bad[0], shape)}"
        )
    return matrix


def _with_diagonal(rows: Any, pixels: int) -> scipy.sparse.csr_array:
    import scipy.sparse

    entries = scipy.sparse.coo_array(rows)
    diagonal = np.arange(pixels)
    values = np.concatenate([entries.data.astype(np.float64), np.zeros(pixels)])
    places = tuple(np.concatenate([place, diagonal]) for place in (entries.row, entries.col))
    matrix = scipy.sparse.coo_array((values, places), shape=(pixels, pixels)).tocsr()
    matrix.sum_duplicates()
    return matrix


def _row(matrix: scipy.sparse.csr_array, entry: int) -> int:
    return int(np.searchsorted(matrix.indptr, entry, side="right")) - 1


def _row_of(matrix: scipy.sparse.csr_array, entry: int, shape: tuple[int, ...]) -> str:
    """Name the row of a stored entry and its pixel."""
    row = _row(matrix, entry)
    return f"row {row}, of pixel {divmod(row, shape[1])}"
