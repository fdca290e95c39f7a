"""From the rows of any affinity to the system of the unknown pixels, by SciPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _check

if TYPE_CHECKING:
    import scipy.sparse

    from .priors import Guess

# Two entries that should be equal may differ by this much of the largest one.
_ASYMMETRY = 1e-9


class Assembled(NamedTuple):
    """The linear system ``A x = b`` of the unknown pixels.

    Attributes
    ----------
    matrix : (n, n) scipy.sparse.csr_array of float64
        A.
    right : (n,) ndarray of float64
        b.
    pixel : (n,) ndarray
        The pixel of each unknown, in row-major order.
    """

    matrix: scipy.sparse.csr_array
    right: npt.NDArray[np.float64]
    pixel: npt.NDArray[np.integer]


def checked_rows(rows: Any, shape: tuple[int, ...], owner: str) -> scipy.sparse.csr_array:
    """Return an affinity's rows as CSR of float64; refuse what no solver could take.

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
    matrix = scipy.sparse.csr_array(rows, dtype=np.float64, copy=True)
    matrix.sum_duplicates()
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


def _row(matrix: scipy.sparse.csr_array, entry: int) -> int:
    return int(np.searchsorted(matrix.indptr, entry, side="right")) - 1


def _row_of(matrix: scipy.sparse.csr_array, entry: int, shape: tuple[int, ...]) -> str:
    """Name the row of a stored entry and its pixel."""
    row = _row(matrix, entry)
    return f"row {row}, of pixel {divmod(row, shape[1])}"


def assembled(
    rows: scipy.sparse.csr_array,
    labels: npt.NDArray[np.uint8],
    guess: Guess | None,
    known_weight: float | None,
) -> Assembled:
    """Eliminate the known pixels, or weigh them; add what a prior says."""
    import scipy.sparse

    flat = labels.reshape(-1)
    unknown = flat == _check.UNKNOWN
    known_foreground = (flat == _check.FOREGROUND).astype(np.float64)
    if known_weight is None:
        pixel = np.flatnonzero(unknown)
        own = rows[pixel]
        matrix, right = own[:, pixel], -(own @ known_foreground)
    else:
        pixel = np.arange(len(flat))
        matrix = rows + scipy.sparse.diags(np.where(unknown, 0.0, known_weight))
        right = known_weight * known_foreground
    if guess is not None:
        confidence = np.where(unknown, guess.confidence.reshape(-1), 0).astype(np.float64)[pixel]
        matrix = matrix + scipy.sparse.diags(confidence)
        right = right + confidence * guess.alpha.reshape(-1)[pixel]
    return Assembled(scipy.sparse.csr_array(matrix), right, pixel)
