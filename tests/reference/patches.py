"""Patches as rows of a matrix, and the regression on them, straight from the pseudo-inverse."""

import numpy as np


def patches(image, radius):
    """(H, W, numbers): the pixels around each, row by row; beyond the border the nearest is repeated."""
    padded = np.pad(image, ((radius, radius), (radius, radius), (0, 0)), mode="edge")
    height, width = image.shape[:2]
    side = range(2 * radius + 1)
    shifted = [padded[dy : dy + height, dx : dx + width] for dy in side for dx in side]
    return np.concatenate(shifted, axis=2)


def regression(image, alpha, known, radius, ridge=0.0):
    """Weights and bias (last) of alpha on the patches of the known pixels."""
    X = patches(image, radius)[known]
    X = np.concatenate([X, np.ones((len(X), 1))], axis=1)
    Y = alpha[known]
    examples = len(X)
    if ridge:
        penalty = np.sqrt(ridge * examples) * np.eye(X.shape[1])[:-1]
        X, Y = np.concatenate([X, penalty]), np.concatenate([Y, np.zeros(len(penalty))])
    return np.linalg.pinv(X, rcond=max(examples, X.shape[1]) * np.finfo(np.float64).eps) @ Y
