"""Global sampling: the cost of all pairs."""

import numpy as np


def sampling_cost(image, y, x, foreground, background, nearest):
    """Cost and alpha of every pair at one pixel (He et al., CVPR 2011, Eq. 2-6): (F, B) arrays.

    foreground, background: (N, 2) places of the candidates; nearest: distances to the nearest known of each kind.
    """
    colour = image[y, x]
    F = image[foreground[:, 0], foreground[:, 1]][:, np.newaxis]
    B = image[background[:, 0], background[:, 1]][np.newaxis]
    d2 = ((F - B) ** 2).sum(axis=2)
    alpha = np.clip(((colour - B) * (F - B)).sum(axis=2) / np.maximum(d2, 1e-8), 0, 1)
    left = colour - (alpha[..., np.newaxis] * F + (1 - alpha[..., np.newaxis]) * B)
    cost = 255 * np.sqrt((left**2).sum(axis=2))
    cost += np.hypot(*(foreground - (y, x)).T)[:, np.newaxis] / nearest[0]
    cost += np.hypot(*(background - (y, x)).T)[np.newaxis] / nearest[1]
    return cost, alpha
