"""Closed-form matting from Levin, Lischinski, Weiss, TPAMI 2008, window by window, with a direct solution."""

import numpy as np
import scipy.sparse
import scipy.sparse.linalg


def laplacian(image, epsilon=1e-7, radius=1, known=None):
    """Eq. 12, summed over all windows that lie in the image and hold an unknown pixel."""
    height, width = image.shape[:2]
    image = image.reshape(height, width, -1).astype(np.float64)
    pixel = np.arange(height * width).reshape(height, width)
    rows, columns, entries = [], [], []
    for y in range(radius, height - radius):
        for x in range(radius, width - radius):
            window = np.s_[y - radius : y + radius + 1, x - radius : x + radius + 1]
            if known is not None and known[window].all():
                continue
            colours = image[window].reshape(-1, image.shape[2])
            n = len(colours)
            centred = colours - colours.mean(axis=0)
            covariance = centred.T @ centred / n + epsilon / n * np.eye(image.shape[2])
            block = np.eye(n) - (1 + centred @ np.linalg.solve(covariance, centred.T)) / n
            index = pixel[window].ravel()
            rows.append(np.repeat(index, n))
            columns.append(np.tile(index, n))
            entries.append(block.ravel())
    data = np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns))
    return scipy.sparse.coo_array(data, shape=(height * width,) * 2).tocsr()


def solve_hard(L, foreground, background):
    """Known pixels eliminated: L_U x = -R m."""
    unknown = ~(foreground | background).ravel()
    alpha = foreground.ravel().astype(np.float64)
    L = L.tocsc()
    rhs = -(L[:, ~unknown] @ alpha[~unknown])[unknown]
    alpha[unknown] = scipy.sparse.linalg.spsolve(L[:, unknown][unknown], rhs)
    return np.clip(alpha, 0, 1).reshape(foreground.shape)


def solve_soft(L, foreground, background, weight=100.0):
    """The well-known script: (L + weight D) x = weight m over all pixels."""
    known = (foreground | background).ravel()
    A = (L + weight * scipy.sparse.diags_array(known.astype(np.float64))).tocsc()
    alpha = scipy.sparse.linalg.spsolve(A, weight * foreground.ravel().astype(np.float64))
    return np.clip(alpha, 0, 1).reshape(foreground.shape)
