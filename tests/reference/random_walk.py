"""Random walk matting from Grady, Schiwietz, Aharon, Westermann, VIIP 2005."""

import numpy as np
import scipy.sparse


def laplacian(image, sigma=1 / 30, least=1e-6):
    """D - W with W = exp(-|I_p - I_q|^2 / sigma^2) for pixels beside each other, raised by `least`."""
    height, width = image.shape[:2]
    colours = image.reshape(height, width, -1).astype(np.float64)
    n = height * width
    W = scipy.sparse.lil_array((n, n))
    for y in range(height):
        for x in range(width):
            for dy, dx in ((0, 1), (1, -1), (1, 0), (1, 1)):
                v, u = y + dy, x + dx
                if v < height and 0 <= u < width:
                    distance = ((colours[y, x] - colours[v, u]) ** 2).sum()
                    W[y * width + x, v * width + u] = (1 - least) * np.exp(-distance / sigma**2) + least
    W = scipy.sparse.csr_array(W)
    W = W + W.T
    return scipy.sparse.csr_array(scipy.sparse.diags_array(W.sum(axis=1)) - W)
