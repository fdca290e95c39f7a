"""Error measures of Rhemann et al., CVPR 2009, section 5, in the plainest way."""

import numpy as np
import scipy.ndimage


def gradient_magnitude(a, sigma=1.4):
    """Norm of the gradient: every pixel's neighbourhood times two square filters of unit 2-norm."""
    reach = int(np.ceil(sigma * np.sqrt(-2 * np.log(0.01 * np.sqrt(2 * np.pi) * sigma))))
    t = np.arange(-reach, reach + 1)
    smooth = np.exp(-(t**2) / (2 * sigma**2))
    across = np.outer(smooth, t * smooth)
    across /= np.linalg.norm(across)
    padded = np.pad(a, reach, "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, across.shape)
    along_x = np.einsum("yxij,ij->yx", windows, across)
    along_y = np.einsum("yxij,ij->yx", windows, across.T)
    return np.sqrt(along_x**2 + along_y**2)


def gradient(alpha, truth, region, sigma=1.4):
    return ((gradient_magnitude(alpha, sigma) - gradient_magnitude(truth, sigma))[region] ** 2).sum() / 1000


def connected_level(alpha, truth, levels=10):
    """For each pixel the last level before the first where it is not in the largest component of both mattes."""
    last = np.full(alpha.shape, -1.0)
    still = np.ones(alpha.shape, bool)
    for k in range(levels + 1):
        label, count = scipy.ndimage.label((alpha >= k / levels) & (truth >= k / levels))  # 4-connected
        sizes = np.bincount(label.ravel(), minlength=count + 1)[1:]
        source = label == 1 + np.argmax(sizes) if count else np.zeros(alpha.shape, bool)
        still &= source
        last[still] = k / levels
    return last


def connectivity(alpha, truth, region, levels=10, theta=0.15):
    connected = connected_level(alpha, truth, levels)

    def phi(a):
        distance = a - connected
        return 1 - distance * (distance >= theta)

    return np.abs(phi(alpha) - phi(truth))[region].sum() / 1000


def messddt(alphas, truths, regions, motions):
    """Erofeev et al., BMVC 2015: pixel by pixel, along motions of whole pixels."""
    total = 0
    for t in range(len(alphas) - 1):
        for y, x in np.argwhere(regions[t]):
            dx, dy = motions[t][y, x].astype(int)
            if 0 <= y + dy < alphas.shape[1] and 0 <= x + dx < alphas.shape[2]:
                now = (alphas[t, y, x] - truths[t, y, x]) ** 2
                later = (alphas[t + 1, y + dy, x + dx] - truths[t + 1, y + dy, x + dx]) ** 2
                total += abs(now - later)
    return total / (len(alphas) - 1) / 1000
