"""From a Laplacian and a trimap to a linear system."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..util.util import trimap_split

Array = npt.NDArray[Any]


def make_linear_system(L: Any, trimap: Array, lambda_value: float = 100.0, return_c: bool = False) -> Any:
    """Return the system ``(L + lambda C) x = lambda C m``, which holds known pixels softly.

    Parameters
    ----------
    L : sparse matrix
        A Laplacian, with a row for each pixel.
    trimap : (H, W) ndarray
        0 means background, 1 foreground, all between unknown.
    lambda_value : float, default 100
        How strongly known pixels are held.
    return_c : bool, default False
        Whether the diagonal of ``lambda C`` is returned too.

    Returns
    -------
    A : csr_matrix
    b : (H * W,) ndarray
    c : (H * W,) ndarray, only if `return_c`
    """
    from scipy import sparse

    is_fg, _, is_known, _ = trimap_split(trimap)
    c = lambda_value * is_known
    A = sparse.csr_matrix(sparse.csr_matrix(L) + sparse.diags(c))
    b = (c * is_fg).astype(np.float64)
    return (A, b, c) if return_c else (A, b)
