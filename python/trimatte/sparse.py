"""A solver and a preconditioner for sparse Laplacians of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import _check, _core
from ._context import Context, make_context
from ._guess import DEFAULT_CONFIDENCE
from ._records import AlphaResult, Progress
from ._solve import (
    Inputs,
    count_unknown,
    nothing_unknown,
    refuse_solver,
    result_of,
    solved,
)
from ._solver import Settings
from .affinities import Affinity
from .affinities._operators import linear_operator
from .affinities._rows import Rows, canonical, checked_rows, examined, laid_out, name_of_row
from .errors import warn
from .priors import Guess

if TYPE_CHECKING:
    import scipy.sparse
    import scipy.sparse.linalg

__all__ = ["preconditioner", "solve"]

MOST_COLUMNS = 7
"""Columns of the near-null space, besides the constant, that the multigrid for graphs takes."""

STENCIL_COLUMNS = 3
"""Columns that the multigrid on the pixel grid takes."""

MOST_REACH = 20
"""Entries of pixels that are farther apart make the matrix a graph, whose unknowns have no useful place."""

KINDS = ("graph-multigrid", "multigrid")


def solve(
    laplacian: scipy.sparse.sparray | scipy.sparse.spmatrix,
    trimap: npt.ArrayLike,
    *,
    near_null: str | npt.ArrayLike | None = None,
    prior: npt.ArrayLike | None = None,
    confidence: float | npt.ArrayLike | None = None,
    start: npt.ArrayLike | None = None,
    known_weight: float | None = None,
    solver: str = "auto",
    tolerance: float = 1e-3,
    relative_residual: float | None = None,
    max_iterations: int = 10_000,
    background_threshold: float = 0.1,
    foreground_threshold: float = 0.9,
    threads: int | None = None,
    progress: Progress | None = None,
) -> AlphaResult:
    """Find the alpha that makes ``x^T L x`` small for a Laplacian L of one's own.

    Parameters
    ----------
    laplacian : (n, n) sparse matrix of SciPy
        L: symmetric and positive semidefinite, of real numbers, in any format. It is not changed,
        and not copied if it is a CSR matrix of float64 in canonical format.
    trimap : (H, W) array with H W = n, or (n,) array
        1 (white) = surely foreground, 0 (black) = surely background, anything between = unknown;
        dtypes as in `trimatte.solve_alpha`. Pixels are in row-major order. One dimension serves
        unknowns without a place in a picture, such as superpixels.
    near_null : "constant", (H, W, C) or (H, W) image, or (n, k) array, optional
        Which alphas cost next to nothing, besides the constant, which always does: every affine
        function of the columns. Give the image to Laplacians that fit a line through colours, such
        as closed-form's; "constant", the default, fits graphs. At most 7 columns are possible. The
        answer does not depend on them, but the time does.
    prior : array like `trimap`, optional
        A guess of alpha in [0, 1]: the sum of ``confidence (x - prior)**2`` is added to what is
        minimised.
    confidence : float or array like `trimap`, optional
        How much the prior counts, in the units of L; 4e-3 by default.
    start : array like `trimap`, optional
        An alpha near the answer, where iterative solvers start.
    known_weight : float, optional
        By default known pixels keep their value exactly. A number w solves ``(L + w D) x = w m``
        instead, in which they move a little; see `trimatte.solve_alpha`.
    solver : {"auto", "cholesky", "multigrid", "graph-multigrid", "cg"}
        As in `trimatte.solve_alpha`. "multigrid", the one on the pixel grid, needs a trimap of two
        dimensions, entries of pixels at most 2 apart, and at most 3 columns in `near_null`.
    tolerance : float, default 1e-3
        The largest error of alpha at which iterative solvers stop; see `trimatte.solve_alpha`.
    relative_residual : float, optional
        "cg" goes on until this relative residual as well; see `trimatte.solve_alpha`.
    max_iterations : int, default 10000
        Iterative solvers give up after so many.
    background_threshold, foreground_threshold : float, default 0.1 and 0.9
        Trimap values ``<= background_threshold`` are background, ``>= foreground_threshold``
        foreground.
    threads : int, optional
        By default all usable cores. The result does not depend on it.
    progress : callable, optional
        It is called as ``progress(phase, fraction)``, as in `trimatte.solve_alpha`.

    Returns
    -------
    AlphaResult
        ``alpha``: float64 in [0, 1], of the trimap's shape. ``info``: a `SolveInfo` whose method is
        "matrix".

    Raises
    ------
    ValueError, TypeError
        If L is not sparse, square, real, finite and symmetric (the row is named); if an argument
        has another size than L; if nothing is known; or if nothing tells the alpha of an unknown
        pixel, because no chain of entries couples it to a known one.
    ConvergenceError
        If an iterative solver gives up; the error carries the alpha reached and the info.
    FactorizationError
        If a direct solver meets a matrix that is not positive definite, or one too large for it.

    Warns
    -----
    TrimatteWarning
        If nothing in the trimap is unknown.

    See Also
    --------
    trimatte.laplacians : the operators of all affinities.
    trimatte.solve_alpha : the same from an image, faster, since it makes the needed rows only.

    Examples
    --------
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(96, 96)
    >>> L = tm.laplacians.closed_form(scene.image)
    >>> alpha, info = tm.solve(L, scene.trimap, near_null=scene.image)
    >>> same = tm.estimate_alpha(scene.image, scene.trimap, method="closed-form")
    >>> bool(abs(alpha - same).max() < 1e-3)
    True
    """
    settings = Settings(solver, known_weight, tolerance, relative_residual, max_iterations)
    context = make_context(threads, progress)
    flat = _check.unmasked(trimap, "trimap")
    if flat.ndim == 1:
        flat = flat[np.newaxis]
    labels = _check.labels(flat, flat.shape, background_threshold, foreground_threshold)
    shape = labels.shape if np.ndim(trimap) != 1 else (labels.size,)
    guess = _guess(prior, confidence, shape, labels.shape)
    first = None if start is None else _plane(start, shape, labels.shape, "start")
    columns = _columns(near_null, shape)
    matrix = _Matrix(laplacian, labels, columns, context)
    _refuse_columns(settings.solver, matrix, columns)
    unknowns = count_unknown(labels, guess is None)
    if unknowns:
        _refuse_loose(matrix.rows, labels, guess, context)
    inputs = Inputs(columns.reshape(*labels.shape, columns.shape[1]), labels, unknowns, guess, first)
    alpha, record = solved(inputs, matrix, settings, context)
    if unknowns == 0:
        warn(nothing_unknown(alpha, True))
    name = None if guess is None else "array"
    return result_of(alpha.reshape(shape), record, settings, context, method="matrix", prior=name)


def preconditioner(
    matrix: scipy.sparse.sparray | scipy.sparse.spmatrix,
    *,
    near_null: str | npt.ArrayLike | None = None,
    kind: str = "graph-multigrid",
    unknown: npt.ArrayLike | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> scipy.sparse.linalg.LinearOperator:
    """Return one cycle of multigrid as a preconditioner for conjugate gradients of one's own.

    Parameters
    ----------
    matrix : (n, n) sparse matrix of SciPy
        A: symmetric and positive (semi-)definite, with a positive diagonal, of real numbers, in any
        format.
    near_null : "constant", image, or (n, k) array, optional
        As in `trimatte.solve`. An image has n pixels, or the size of `unknown`.
    kind : {"graph-multigrid", "multigrid"}
        Smoothed aggregation for any matrix, or the colour-aware multigrid on the pixel grid, for
        entries of pixels at most 2 apart and at most 3 columns in `near_null`. The latter is about
        three times as fast for closed-form matting.
    unknown : (H, W) array of bool, optional
        The pixels to which the n rows belong, in row-major order. "multigrid" needs it.
    threads : int, optional
        By default all usable cores. The result does not depend on it.
    progress : callable, optional
        It is called as ``progress(phase, fraction)`` while the levels are made.

    Returns
    -------
    (n, n) scipy.sparse.linalg.LinearOperator of float64
        M, an approximate inverse of A, symmetric and positive definite but for rounding in float32
        (about 1e-6). It serves any number of right-hand sides, holds what it needs of A, and may be
        used by any thread, one at a time.

    Raises
    ------
    ValueError, TypeError
        If A is not sparse, square, real, finite and symmetric, or lacks a positive diagonal (the
        row is named); if `near_null` or `unknown` does not fit it, or the kind does not.

    See Also
    --------
    trimatte.solve : the whole solve, which stops at an error of alpha instead of a residual.

    Examples
    --------
    The unknown pixels' system of closed-form matting, solved by SciPy:

    >>> import numpy as np
    >>> import trimatte as tm
    >>> from scipy.sparse.linalg import cg
    >>> scene = tm.datasets.hair(96, 96)
    >>> L = tm.laplacians.closed_form(scene.image)
    >>> known = (scene.trimap == 0) | (scene.trimap == 255)
    >>> unknown, foreground = ~known.ravel(), (scene.trimap == 255).ravel()
    >>> A, b = L[unknown][:, unknown], -L[unknown][:, foreground].sum(axis=1)
    >>> M = tm.preconditioner(A, near_null=scene.image.reshape(-1, 3)[unknown])
    >>> x, failed = cg(A, b, M=M, rtol=1e-8)
    >>> alpha = tm.estimate_alpha(scene.image, scene.trimap, method="closed-form").ravel()[unknown]
    >>> failed, bool(abs(np.clip(x, 0, 1) - alpha).max() < 1e-3)
    (0, True)
    """
    _check.one_of(kind, KINDS, "kind")
    context = make_context(threads, progress)
    mask = None if unknown is None else _unknown_mask(unknown)
    csr = canonical(matrix, None, "matrix")
    n = csr.shape[0]
    if mask is not None and int(mask.sum()) != n:
        raise ValueError(f"unknown: expected {n} pixels, one for each row of matrix, got {int(mask.sum())}")
    examined(csr, None, None, "matrix", context)
    _refuse_diagonal(csr)
    columns = _columns_of_rows(near_null, n, mask)
    pixel, height, width = None, 1, n
    if kind == "multigrid":
        if mask is None:
            raise ValueError('unknown: expected the pixels of the rows for kind "multigrid", got None')
        _refuse_many_columns(columns, 'kind "multigrid"', '"graph-multigrid"')
        pixel, (height, width) = np.flatnonzero(mask).astype(np.int32), mask.shape
    near = np.ascontiguousarray(columns.T, np.float32)
    core = _core.Preconditioner(*laid_out(csr), near, pixel, height, width, context.threads, context.monitor)
    return linear_operator(core)


class _Matrix(Affinity):
    """Somebody's matrix in the place of an affinity."""

    def __init__(
        self, matrix: Any, labels: npt.NDArray[np.uint8], columns: npt.NDArray[np.float64], context: Context
    ) -> None:
        self.rows, reach = checked_rows(matrix, labels, None, "laplacian", context)
        self.has_columns = bool(columns.any())
        has_places = labels.shape[0] > 1 and columns.shape[1] <= STENCIL_COLUMNS and reach <= MOST_REACH
        self._reach = max(1, reach) if has_places else None

    @property
    def reach(self) -> int | None:
        """None for unknowns whose places say nothing about their couplings."""
        return self._reach

    def laplacian(self, image: object, labels: object, context: Context) -> scipy.sparse.csr_array:
        """Return the matrix."""
        import scipy.sparse

        n = len(self.rows.indptr) - 1
        return scipy.sparse.csr_array(tuple(self.rows), shape=(n, n))

    def core(self, image: object, labels: object, context: Context) -> _core.Affinity:
        """Return the rows as they are."""
        return _core.GivenRows(*self.rows, self.reach or 0, self.has_columns, False)


def _plane(
    value: npt.ArrayLike, shape: tuple[int, ...], as_picture: tuple[int, ...], name: str
) -> npt.NDArray[np.float32]:
    """Return alphas of the trimap's shape as rows of a picture."""
    array = _check.unmasked(value, name)
    if array.shape != shape:
        raise ValueError(f"{name}: expected shape {shape} to match trimap, got {array.shape}")
    return np.ascontiguousarray(_check.alpha(array.reshape(as_picture), as_picture, name))


def _guess(
    prior: npt.ArrayLike | None,
    confidence: float | npt.ArrayLike | None,
    shape: tuple[int, ...],
    as_picture: tuple[int, ...],
) -> Guess | None:
    """Return what the arguments `prior` and `confidence` mean."""
    if prior is None:
        if confidence is not None:
            raise ValueError("confidence: expected a prior beside it")
        return None
    if np.asarray(prior).dtype.kind in "OSU":
        raise TypeError(f"prior: expected an array in [0, 1], got {_check.kind_of(prior)}")
    weight = _check.unmasked(DEFAULT_CONFIDENCE if confidence is None else confidence, "confidence")
    if weight.ndim and weight.shape != shape:
        raise ValueError(f"confidence: expected a number, or shape {shape} to match trimap, got {weight.shape}")
    weight = weight.reshape(as_picture) if weight.ndim else weight
    return Guess(_plane(prior, shape, as_picture, "prior"), _check.confidence(weight, as_picture))


def _columns(near_null: str | npt.ArrayLike | None, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Return the columns that the argument `near_null` means for unknowns of the trimap's shape."""
    if near_null is not None and not isinstance(near_null, str):
        array = _check.unmasked(near_null, "near_null")
        if array.ndim == 2 and array.shape == shape:
            near_null = array.reshape(-1, 1)
        elif array.ndim == 3 and array.shape[:2] == shape:
            near_null = array.reshape(-1, array.shape[2])
    columns = _checked_columns(near_null, int(np.prod(shape)))
    return columns if columns.shape[1] else np.zeros((len(columns), 1))


def _columns_of_rows(
    near_null: str | npt.ArrayLike | None, n: int, mask: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.float64]:
    """Return the columns that the argument `near_null` means for the rows of a matrix."""
    if near_null is not None and not isinstance(near_null, str):
        array = _check.unmasked(near_null, "near_null")
        if mask is not None and array.shape[:2] == mask.shape:
            near_null = array[mask].reshape(n, -1)
        elif array.ndim == 3 and array.shape[0] * array.shape[1] == n:
            near_null = array.reshape(n, -1)
    return _checked_columns(near_null, n)


def _checked_columns(near_null: str | npt.ArrayLike | None, n: int) -> npt.NDArray[np.float64]:
    """Return the columns besides the constant, each shifted and scaled to [0, 1]."""
    if near_null is None or isinstance(near_null, str):
        if near_null is not None:
            _check.one_of(near_null, ("constant",), "near_null")
        return np.zeros((n, 0))
    array = _check.unmasked(near_null, "near_null")
    if array.dtype.kind not in "fiu":
        raise TypeError(
            f'near_null: expected "constant" or an array of numbers, got {_check.kind_of(near_null, array)}'
        )
    if array.ndim != 2 or array.shape[0] != n:
        raise ValueError(
            f'near_null: expected "constant", an image, or an array with {n} rows, one per unknown, got shape '
            f"{array.shape}"
        )
    if array.shape[1] > MOST_COLUMNS:
        raise ValueError(f"near_null: expected at most {MOST_COLUMNS} columns, got {array.shape[1]}")
    _check.refuse_not_finite(array, "near_null")
    low = array.min(axis=0, initial=np.inf)
    spread = array.max(axis=0, initial=-np.inf).astype(np.float64) - low
    kept = spread > 0  # the constant is no new column
    return np.ascontiguousarray((array[:, kept] - low[kept].astype(np.float64)) / spread[kept])


def _refuse_columns(solver: str, matrix: _Matrix, columns: npt.NDArray[np.float64]) -> None:
    """Refuse a solver that does not fit the matrix or the near-null space."""
    if solver != "multigrid":
        return
    _refuse_many_columns(columns, 'solver "multigrid"', '"graph-multigrid" or "auto"')
    refuse_solver(solver, matrix)


def _refuse_many_columns(columns: npt.NDArray[np.float64], what: str, better: str) -> None:
    if columns.shape[1] > STENCIL_COLUMNS:
        raise ValueError(
            f"near_null: expected at most {STENCIL_COLUMNS} columns for {what}, got {columns.shape[1]}; "
            f"choose {better}"
        )


def _refuse_loose(rows: Rows, labels: npt.NDArray[np.uint8], guess: Guess | None, context: Context) -> None:
    """Refuse a system that says nothing about an unknown."""
    confidence = None if guess is None else guess.confidence
    row = _core.first_loose(*rows, labels, confidence, context.monitor)
    if row >= 0:
        raise ValueError(
            f"trimap: expected every unknown to be coupled to a known one, got none for "
            f"{name_of_row(row, labels.shape)}, of laplacian; mark it, or give a prior"
        )


def _refuse_diagonal(matrix: scipy.sparse.csr_array) -> None:
    """Refuse rows without a positive diagonal."""
    diagonal = matrix.diagonal()
    bad = np.flatnonzero(~(diagonal > 0))
    if len(bad):
        raise ValueError(f"matrix: expected a positive diagonal, got {diagonal[bad[0]]:g} in row {bad[0]}")


def _unknown_mask(unknown: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return the pixels of the rows."""
    mask = _check.unmasked(unknown, "unknown")
    if mask.dtype != bool:
        raise TypeError(f"unknown: expected bool, got {mask.dtype}")
    if mask.ndim != 2:
        raise ValueError(f"unknown: expected shape (H, W), got {mask.shape}")
    return np.ascontiguousarray(mask)
