"""Large-kernel matting from He, Sun, Tang, CVPR 2010: the product L p, window by window, without a matrix."""

import numpy as np


def product(image, p, epsilon=1e-7, radius=10):
    """Sum over the windows of p minus the line through the colours that fits it best (Eq. 12 to 14)."""
    height, width = image.shape[:2]
    image = image.reshape(height, width, -1).astype(np.float64)
    q = np.zeros((height, width))
    for y in range(radius, height - radius):
        for x in range(radius, width - radius):
            window = np.s_[y - radius : y + radius + 1, x - radius : x + radius + 1]
            colours, alphas = image[window].reshape(-1, image.shape[2]), p[window].ravel()
            n = len(colours)
            centred = colours - colours.mean(axis=0)
            covariance = centred.T @ centred / n + epsilon / n * np.eye(image.shape[2])
            a = np.linalg.solve(covariance, centred.T @ (alphas - alphas.mean()) / n)
            q[window] += (alphas - alphas.mean() - centred @ a).reshape(2 * radius + 1, 2 * radius + 1)
    return q
