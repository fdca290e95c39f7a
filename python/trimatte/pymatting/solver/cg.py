"""Preconditioned conjugate gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def cg(
    A: Any,
    b: Array,
    x0: Array | None = None,
    atol: float = 0.0,
    rtol: float = 1e-7,
    maxiter: int = 10000,
    callback: Callable[..., object] | None = None,
    M: Any = None,
    reorthogonalize: bool = False,
) -> Array:
    """Solve ``A x = b`` by conjugate gradients (Hestenes, Stiefel 1952).

    Parameters
    ----------
    A : (n, n) matrix, sparse matrix, linear operator or callable
        Symmetric and positive definite.
    b : (n,) ndarray
        Right-hand side.
    x0 : (n,) ndarray, optional
        Start; the default is zero.
    atol, rtol : float, default 0 and 1e-7
        It ends when ``||r|| <= atol`` or ``||r|| <= rtol ||b||``, where r is the residual.
    maxiter : int, default 10000
        Iterations at most.
    callback : callable, optional
        It is called as ``callback(A, x, b, norm_b, r, norm_r)`` after each iteration.
    M : callable or matrix, optional
        Preconditioner: an approximation of the inverse of A.
    reorthogonalize : bool, default False
        Whether each residual is made orthogonal to all those before it, which takes memory.

    Returns
    -------
    (n,) ndarray

    Raises
    ------
    ValueError
        If it does not get there in `maxiter` iterations.
    """
    product = A if callable(A) else lambda v: A @ v
    precondition = (lambda v: v) if M is None else M if callable(M) else lambda v: M @ v
    b = np.asarray(b)
    dtype = np.result_type(b.dtype, np.float32)
    x = np.zeros(b.shape, dtype) if x0 is None else np.array(x0, np.result_type(x0, dtype))
    r = b - product(x) if x0 is not None else b.astype(x.dtype)
    norm_b, norm_r = float(np.linalg.norm(b)), float(np.linalg.norm(r))
    if norm_r <= atol or norm_r <= rtol * norm_b:
        return x
    z = np.asarray(precondition(r))
    p, rz = z.copy(), float(r @ z)
    earlier: list[tuple[Array, Array, float]] = []
    for _ in range(maxiter):
        if reorthogonalize:
            earlier.append((r.copy(), z.copy(), rz))
        Ap = np.asarray(product(p))
        curvature = float(p @ Ap)
        if not curvature > 0:  # NaN too
            break
        step = rz / curvature
        x = x + step * p
        r -= step * Ap
        for r_old, z_old, rz_old in earlier:
            r -= (r @ z_old) / rz_old * r_old
        norm_r = float(np.linalg.norm(r))
        if callback is not None:
            callback(A, x, b, norm_b, r, norm_r)
        if norm_r <= atol or norm_r <= rtol * norm_b:
            return np.asarray(x)
        z = np.asarray(precondition(r))
        rz, rz_before = float(r @ z), rz
        if rz_before == 0:
            break
        p = z + rz / rz_before * p
    raise ValueError(f"Conjugate gradient descent did not converge within {maxiter} iterations")
