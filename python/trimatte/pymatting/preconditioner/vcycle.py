"""One V-cycle of a geometric multigrid (Lee, Wu 2014) as preconditioner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class _Level(NamedTuple):
    """A level: its matrix, its diagonal, and P to it from the next one; or a direct solver."""

    A: Any
    diagonal: Array
    P: Any
    direct: Callable[[Array], Array] | None


def make_P(shape: tuple[int, int]) -> Any:  # noqa: N802  (PyMatting's name)
    """Return the bilinear interpolation from every second pixel to all pixels of a grid.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the fine grid. The coarse one has half as many pixels a side, rounded
        up.
    """
    from scipy import sparse

    return sparse.csr_matrix(sparse.kron(_interpolation(shape[0]), _interpolation(shape[1])))


def _interpolation(size: int) -> Any:
    """Return the linear interpolation from every second pixel to all pixels of a row."""
    from scipy import sparse

    fine = np.arange(size)
    coarse = (size + 1) // 2
    left, right = fine // 2, np.minimum((fine + 1) // 2, coarse - 1)
    rows, columns = np.concatenate([fine, fine]), np.concatenate([left, right])
    return sparse.csr_matrix((np.full(2 * size, 0.5), (rows, columns)), (size, coarse))


def vcycle(
    A: Any,
    shape: tuple[int, int],
    num_pre_iter: int = 1,
    num_post_iter: int = 1,
    omega: float = 0.8,
    direct_solve_size: int = 64,
    cache: dict[Any, Any] | None = None,
) -> Callable[[Array], Array]:
    """Return a function that improves a vector by one V-cycle.

    Parameters
    ----------
    A : (n, n) dense or sparse matrix
        Symmetric and positive definite; a row for each pixel.
    shape : (int, int)
        Height and width of the image.
    num_pre_iter, num_post_iter : int, default 1
        Damped Jacobi steps before and after the correction by the next level.
    omega : float, default 0.8
        Their damping.
    direct_solve_size : int, default 64
        Levels of at most so many pixels are solved directly.
    cache : dict, optional
        It keeps the levels' matrices for a later call with the same matrix.
    """
    levels = {} if cache is None else cache
    if "levels" not in levels:
        levels["levels"] = _levels(A, shape, direct_solve_size)
    made: list[_Level] = levels["levels"]

    def improve(b: Array, depth: int) -> Array:
        level = made[depth]
        if level.direct is not None:
            return level.direct(b)
        x = omega * b / level.diagonal
        for _ in range(num_pre_iter - 1):
            x = x + omega * (b - level.A @ x) / level.diagonal
        x = x + level.P @ improve(level.P.T @ (b - level.A @ x), depth + 1)
        for _ in range(num_post_iter):
            x = x + omega * (b - level.A @ x) / level.diagonal
        return np.asarray(x)

    return lambda b: improve(np.asarray(b, np.float64), 0)


def _levels(A: Any, shape: tuple[int, int], direct_solve_size: int) -> list[_Level]:
    """Return the matrices of all levels; the last one is solved directly."""
    from scipy import sparse
    from scipy.sparse.linalg import splu

    levels = []
    matrix = sparse.csr_matrix(A, dtype=np.float64)
    while matrix.shape[0] > direct_solve_size and max(shape) > 1:
        P = make_P(shape)
        if P.shape[0] != matrix.shape[0]:
            raise ValueError(f"shape: expected height x width = {matrix.shape[0]} to match A, got {shape}")
        levels.append(_Level(matrix, matrix.diagonal(), P, None))
        matrix = sparse.csr_matrix(P.T @ matrix @ P)
        shape = ((shape[0] + 1) // 2, (shape[1] + 1) // 2)
    levels.append(_Level(matrix, matrix.diagonal(), None, splu(sparse.csc_matrix(matrix)).solve))
    return levels
