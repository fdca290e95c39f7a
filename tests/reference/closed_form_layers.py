"""Closed-form foreground and background from Levin, Lischinski, Weiss, TPAMI 2008, Eq. 19, by a direct solution.

The smoothness is that of PyMatting, S = sum of D^T diag(regularization + |D alpha|) D over the differences D
towards all four neighbours, so that each pair of pixels counts twice.
"""

import numpy as np
import scipy.sparse
import scipy.sparse.linalg


def smoothness(alpha, regularization, gradient_weight):
    """The matrix S for one layer."""
    number = np.arange(alpha.size).reshape(alpha.shape)
    S = scipy.sparse.csc_array((alpha.size, alpha.size))
    for here, there in (
        (number[:, :-1], number[:, 1:]),
        (number[:, 1:], number[:, :-1]),
        (number[:-1], number[1:]),
        (number[1:], number[:-1]),
    ):
        i, j = here.ravel(), there.ravel()
        row, one = np.arange(i.size), np.ones(i.size)
        D = scipy.sparse.coo_array((one, (row, i)), (i.size, alpha.size)).tocsc()
        D = D - scipy.sparse.coo_array((one, (row, j)), (i.size, alpha.size)).tocsc()
        S = S + D.T @ scipy.sparse.diags_array(regularization + gradient_weight * abs(D @ alpha.ravel())) @ D
    return S


def estimate(image, alpha, regularization=1e-5, gradient_weight=1.0):
    """Return F and B, not clipped. `image` is (H, W, C), both it and alpha float64."""
    a = alpha.ravel()
    b = 1 - a
    S = smoothness(alpha, regularization, gradient_weight)
    diagonal = scipy.sparse.diags_array
    A = scipy.sparse.block_array([[diagonal(a * a) + S, diagonal(a * b)], [diagonal(a * b), diagonal(b * b) + S]])
    I = image.reshape(a.size, -1)
    x = scipy.sparse.linalg.splu(A.tocsc()).solve(np.concatenate([a[:, None] * I, b[:, None] * I]))
    return x[: a.size].reshape(image.shape), x[a.size :].reshape(image.shape)
