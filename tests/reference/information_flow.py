"""Information-flow matting from Aksoy, Aydin, Pollefeys, CVPR 2017: its energy, by comparing all pixels."""

import numpy as np
import scipy.sparse

from . import closed_form


def features(image, place):
    """[R, G, B, s x / width, s y / height] of each pixel in float32; a grey picture has R = G = B."""
    height, width = image.shape[:2]
    colours = np.broadcast_to(image.reshape(height, width, -1), (height, width, 3)).reshape(-1, 3)
    y, x = np.mgrid[0:height, 0:width]
    return np.column_stack([colours, place * x.ravel() / width, place * y.ravel() / height]).astype(np.float32)


def nearest(points, among, p, k):
    """The k pixels of `among`, not p itself, that are nearest to p; of equally near ones the first."""
    among = among[among != p]
    distance = np.zeros(len(among), np.float32)
    for d in range(points.shape[1]):
        distance += (points[among, d] - points[p, d]) ** 2
    return among[np.lexsort((among, distance))[:k]]


def mixture(colours, p, sources):
    """Weights of sum 1 that mix colour p from those of the sources: locally linear embedding."""
    D = colours[p] - colours[sources]
    w = np.linalg.solve(D @ D.T + 1e-3 * np.eye(len(sources)), np.ones(len(sources)))
    return w / w.sum()


def laplacian(image, labels, mixture_neighbours=20, unknown_neighbours=5, unknown_weight=0.01, local_weight=1.0):
    """E_CM + sigma_UU E_UU + sigma_L E_L; labels are 0, 1, and 2 where unknown."""
    n, unknown = labels.size, np.flatnonzero(labels.ravel() == 2)
    near, similar = features(image, 1), features(image, 0.05)
    colours = near[:, :3].astype(np.float64)
    L = local_weight * closed_form.laplacian(image).toarray()
    for p in unknown:
        sources = nearest(near, np.arange(n), p, mixture_neighbours)
        m = np.concatenate([[1], -mixture(colours, p, sources)])
        L[np.ix_([p, *sources], [p, *sources])] += np.outer(m, m)
        for q in nearest(similar, unknown, p, unknown_neighbours):
            w = max(0, 1 - abs(similar[p].astype(np.float64) - similar[q]).sum())
            L[np.ix_([p, q], [p, q])] += unknown_weight * w * np.array([[1, -1], [-1, 1]])
    return scipy.sparse.csr_array(L)


def known_to_unknown(image, labels, neighbours=7):
    """w^F and eta of the unknown pixels, clipped to [0, 1]."""
    points = features(image, 10)
    colours = points[:, :3].astype(np.float64)
    kinds = [np.flatnonzero(labels.ravel() == kind) for kind in (1, 0)]
    alpha, confidence = np.zeros((2, labels.size))
    for p in np.flatnonzero(labels.ravel() == 2):
        F, B = (nearest(points, kind, p, neighbours) for kind in kinds)
        w = mixture(colours, p, np.concatenate([F, B]))
        w_F, w_B = w[: len(F)], w[len(F) :]
        difference = w_F @ colours[F] / w_F.sum() - w_B @ colours[B] / w_B.sum()
        alpha[p], confidence[p] = w_F.sum(), difference @ difference / 3
    return np.clip(alpha, 0, 1).reshape(labels.shape), np.clip(confidence, 0, 1).reshape(labels.shape)
