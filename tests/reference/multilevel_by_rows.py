"""Multi-level foreground estimation (Germer et al., ICPR 2020) in PyMatting's order, row by row.

A neighbour beyond the border is the pixel itself, sides are shrunk by truncation, and no pixel keeps its colour.
"""

import numpy as np


def resize(array, height, width):
    """Nearest neighbour, by upper left corners."""
    return array[np.arange(height) * array.shape[0] // height][:, np.arange(width) * array.shape[1] // width]


def update(I, alpha, F, B, y, x, regularization, gradient_weight):
    """Solve for F and B at a pixel with the neighbours fixed."""
    height, width = alpha.shape
    a = alpha[y, x]
    matrix = np.array([[a * a, a * (1 - a)], [a * (1 - a), (1 - a) ** 2]])
    rhs = np.stack([a * I[y, x], (1 - a) * I[y, x]])
    for v, u in ((y, x - 1), (y, x + 1), (y - 1, x), (y + 1, x)):
        v, u = np.clip(v, 0, height - 1), np.clip(u, 0, width - 1)
        w = regularization + gradient_weight * abs(a - alpha[v, u])
        matrix += w * np.eye(2)
        rhs += w * np.stack([F[v, u], B[v, u]])
    F[y, x], B[y, x] = np.clip(np.linalg.solve(matrix, rhs), 0, 1)


def estimate(
    image, alpha, regularization=1e-5, gradient_weight=1.0, small=32, small_iterations=10, big_iterations=2
):
    """Return F and B. `image` is (H, W, C), both it and alpha float64."""
    height, width = alpha.shape
    starts = [image[chosen] for chosen in (alpha > 0.9, alpha < 0.1)]
    F, B = (np.mean(found, axis=0) if len(found) else np.zeros(image.shape[2]) for found in starts)
    F, B = F[None, None], B[None, None]
    levels = int(np.ceil(np.log2(max(height, width))))
    for level in range(levels + 1):
        part = level / levels if levels else 1
        size = int(np.floor(height**part + 0.5)), int(np.floor(width**part + 0.5))
        I, a, F, B = (resize(plane, *size) for plane in (image, alpha, F, B))
        for _ in range(small_iterations if max(size) <= small else big_iterations):
            for y, x in np.ndindex(size):
                update(I, a, F, B, y, x, regularization, gradient_weight)
    return F, B
