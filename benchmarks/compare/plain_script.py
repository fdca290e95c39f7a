"""Closed-form matting as the short Python script that many people use: NumPy, scipy.sparse, spsolve.

The Laplacian of Levin, Lischinski, Weiss, TPAMI 30(2), 2008, Eq. 12, of all pixels, and the soft system of
Eq. 14, (L + lambda D) x = lambda m. Known pixels move a little, so alpha differs a little from the solution with
exact known pixels, however well the system is solved.
"""

import numpy as np
import scipy.sparse
import scipy.sparse.linalg


def laplacian(image, epsilon=1e-7, radius=1):
    height, width, channels = image.shape
    side = 2 * radius + 1
    n = side * side
    pixel = np.arange(height * width).reshape(height, width)
    index = np.lib.stride_tricks.sliding_window_view(pixel, (side, side)).reshape(-1, n)
    colours = image.reshape(-1, channels)[index]
    centred = colours - colours.mean(axis=1, keepdims=True)
    covariance = np.einsum("kia,kib->kab", centred, centred) / n
    inverse = np.linalg.inv(covariance + epsilon / n * np.eye(channels))
    entries = np.eye(n) - (1 + np.einsum("kia,kab,kjb->kij", centred, inverse, centred, optimize=True)) / n
    rows = np.repeat(index, n, axis=1).ravel()
    columns = np.tile(index, n).ravel()
    return scipy.sparse.coo_array((entries.ravel(), (rows, columns)), shape=(pixel.size, pixel.size)).tocsc()


def estimate_alpha(image, trimap, weight=100.0):
    foreground = trimap.ravel() >= 0.9
    known = foreground | (trimap.ravel() <= 0.1)
    A = laplacian(image) + weight * scipy.sparse.diags_array(known.astype(float), format="csc")
    alpha = scipy.sparse.linalg.spsolve(A, weight * foreground)
    return np.clip(alpha, 0, 1).reshape(trimap.shape)
