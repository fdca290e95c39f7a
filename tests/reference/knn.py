"""KNN matting from Chen, Li, Tang, IEEE TPAMI 35(9), 2013, with [R, G, B, w x, w y] as features."""

import numpy as np
import scipy.sparse


def features(image, position_weight):
    """X of every pixel, positions from 0 to 1; float32 as the core has them, for the same neighbours."""
    height, width = image.shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    x, y = x / max(1, width - 1), y / max(1, height - 1)
    X = np.concatenate([image.reshape(height, width, -1), position_weight * np.stack([x, y], axis=-1)], axis=-1)
    return X.reshape(height * width, -1).astype(np.float32).astype(np.float64)


def weights(X, neighbours, soft):
    """W[p, q] for the nearest pixels q of each pixel p, which is one of them."""
    n = len(X)
    rows, columns, entries = [], [], []
    for p in range(n):
        distance = ((X - X[p]) ** 2).sum(axis=1)
        distance[p] = -1
        nearest = np.argsort(distance, kind="stable")[:neighbours]
        rows.append(np.full(len(nearest), p))
        columns.append(nearest)
        difference = abs(X[nearest] - X[p]).sum(axis=1)
        entries.append(np.maximum(1 - difference / 5, 0) if soft else np.ones(len(nearest)))
    where = np.concatenate(rows), np.concatenate(columns)
    return scipy.sparse.coo_array((np.concatenate(entries), where), shape=(n, n)).tocsr()


def grid(height, width):
    """1 for pixels above and beside each other."""
    pixel = np.arange(height * width).reshape(height, width)
    p = np.concatenate([pixel[:, :-1].ravel(), pixel[:-1].ravel()])
    q = np.concatenate([pixel[:, 1:].ravel(), pixel[1:].ravel()])
    G = scipy.sparse.coo_array((np.ones(len(p)), (p, q)), shape=(height * width,) * 2).tocsr()
    return G + G.T


def laplacian(image, neighbours=(20, 10), position_weights=(2.0, 0.1), soft=False, beside=1 / 128):
    """D - (W + W') - G / 128, where D lets rows sum to zero; the paper has no G."""
    lists = zip(neighbours, position_weights, strict=True)
    W = sum(weights(features(image, weight), k, soft) for k, weight in lists)
    W = W + W.T + beside * grid(*image.shape[:2])
    return scipy.sparse.csr_array(scipy.sparse.diags_array(W.sum(axis=1)) - W)
