"""Learning-based matting from Zheng, Kambhamettu, ICCV 2009: local learning with the linear model."""

import numpy as np
import scipy.sparse


def prediction(colours, regularization, bias=0.0):
    """F = X (X'X + lambda R)^-1 X' of one window, X = [colours, 1], R = diag(1, ..., 1, bias)."""
    n, channels = colours.shape
    X = np.hstack([colours, np.ones((n, 1))])
    R = np.diag([1.0] * channels + [bias])
    return X @ np.linalg.solve(X.T @ X + regularization * R, X.T)


def laplacian(image, regularization=1e-7, radius=1, bias=0.0, least=1e-8):
    """The sum of (1 - least) (I - F)'(I - F) + least (I - 1 1'/n) over all windows in the image.

    The paper has least = 0; trimatte's 1e-8 lets rounding not decide about drawings.
    """
    height, width = image.shape[:2]
    image = image.reshape(height, width, -1).astype(np.float64)
    spread = np.eye((2 * radius + 1) ** 2) - 1 / (2 * radius + 1) ** 2
    pixel = np.arange(height * width).reshape(height, width)
    side = 2 * radius + 1
    rows, columns, entries = [], [], []
    for y in range(height - side + 1):
        for x in range(width - side + 1):
            window = np.s_[y : y + side, x : x + side]
            rest = np.eye(side**2) - prediction(image[window].reshape(side**2, -1), regularization, bias)
            index = pixel[window].ravel()
            rows.append(np.repeat(index, side**2))
            columns.append(np.tile(index, side**2))
            entries.append(((1 - least) * rest.T @ rest + least * spread).ravel())
    data = np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns))
    return scipy.sparse.coo_array(data, shape=(height * width,) * 2).tocsr()
