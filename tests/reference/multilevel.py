"""Multi-level foreground estimation from Germer et al., ICPR 2020, with their 2 x 2 system at every pixel.

The order of the updates is the library's: the pixels of one colour of a checkerboard, then those of the other.
"""

import numpy as np


def resize(array, height, width):
    """Nearest neighbour, by pixel centres."""
    y = (2 * np.arange(height) + 1) * array.shape[0] // (2 * height)
    x = (2 * np.arange(width) + 1) * array.shape[1] // (2 * width)
    return array[y][:, x]


def update(image, alpha, F, B, regularization, gradient_weight):
    """Solve for F and B at every pixel with the neighbours fixed; the energy's derivative set to zero."""
    a, b = alpha[..., None], 1 - alpha[..., None]
    weights = np.zeros_like(a)
    sum_F, sum_B = np.zeros_like(F), np.zeros_like(B)
    for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
        exists = np.ones_like(alpha)
        np.moveaxis(exists, axis, 0)[0 if step == 1 else -1] = 0
        w = exists[..., None] * (regularization + gradient_weight * abs(a - np.roll(a, step, axis)))
        weights += w
        sum_F += w * np.roll(F, step, axis)
        sum_B += w * np.roll(B, step, axis)
    matrix = np.empty((*alpha.shape, 2, 2))
    matrix[..., 0, 0] = alpha**2 + weights[..., 0]
    matrix[..., 1, 1] = (1 - alpha) ** 2 + weights[..., 0]
    matrix[..., 0, 1] = matrix[..., 1, 0] = alpha * (1 - alpha)
    rhs = np.stack([a * image + sum_F, b * image + sum_B], axis=-2)
    solution = np.clip(np.linalg.solve(matrix, rhs), 0, 1)
    return solution[..., 0, :], solution[..., 1, :]


def estimate(
    image, alpha, regularization=1e-5, gradient_weight=1.0, small=32, small_iterations=10, big_iterations=2
):
    """Return F and B. `image` is (H, W, C), both it and alpha float64."""
    height, width = alpha.shape
    F = image[alpha > 0.9].mean(axis=0)[None, None]
    B = image[alpha < 0.1].mean(axis=0)[None, None]
    levels = int(np.ceil(np.log2(max(height, width))))
    for level in range(levels + 1):
        part = level / levels
        size = int(np.floor(height**part + 0.5)), int(np.floor(width**part + 0.5))
        I, a = resize(image, *size), resize(alpha, *size)
        F, B = resize(F, *size), resize(B, *size)
        if size == (1, 1):
            continue  # no neighbours: the start colours stay
        for _ in range(small_iterations if max(size) <= small else big_iterations):
            for parity in (0, 1):
                new_F, new_B = update(I, a, F, B, regularization, gradient_weight)
                turn = (np.indices(size).sum(axis=0) % 2 == parity)[..., None]
                F, B = np.where(turn, new_F, F), np.where(turn, new_B, B)
    F[alpha == 1] = image[alpha == 1]
    B[alpha == 0] = image[alpha == 0]
    return F, B
