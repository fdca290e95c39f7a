"""Shared sampling by Gastal and Oliveira (2010), pixel by pixel; labels are 0, 1, 2 = unknown."""

import numpy as np

from .shared_samples import best_pair, expand, mixture


def refine(C, tuples, distances2, own_colours):
    """The mean of the three best tuples, moved to the pixel's colour (Eq. 10 to 12): F, B, alpha, confidence."""
    M2 = np.maximum(mixture(C, tuples[:, :3], tuples[:, 3:6])[1] ** 2, 1e-6)
    mean = tuples[np.lexsort((distances2, M2))[:3]].mean(axis=0)
    F, B = mean[:3], mean[3:6]
    confidence = max(np.exp(-10 * mixture(C, F, B)[1]), 1e-8) if (F != B).any() else 1e-8
    F = C if own_colours and ((C - F) ** 2).sum() <= mean[6] else F
    B = C if own_colours and ((C - mean[3:6]) ** 2).sum() <= mean[7] else B
    return np.concatenate([F, B, [mixture(C, F, B)[0], confidence]])


def smooth(image, labels, refined, y, x, radius=2):
    """Alpha, confidence, F and B of a pixel after the smoothing (Eq. 14 to 21)."""
    rows, columns = slice(max(0, y - radius), y + radius + 1), slice(max(0, x - radius), x + radius + 1)
    q, known = refined[rows, columns].reshape(-1, 8), (labels[rows, columns] != 2).ravel()
    place = np.mgrid[: len(image), : image.shape[1]][:, rows, columns].reshape(2, -1).T - (y, x)
    G = np.exp(-(place**2).sum(axis=1) / (2 * (2 * radius + 1) ** 2 / (9 * np.pi)))
    F, B, a, f = q[:, :3], q[:, 3:6], q[:, 6], q[:, 7]
    w = G * f * np.where((place == 0).all(axis=1), 1, abs(refined[y, x, 6] - a))
    F_p = w * a @ F / (w @ a) if w @ a > 1e-12 else refined[y, x, :3]
    B_p = w * (1 - a) @ B / (w @ (1 - a)) if w @ (1 - a) > 1e-12 else refined[y, x, 3:6]
    alpha, M = mixture(image[y, x], F_p, B_p)
    confidence = np.exp(-10 * M)
    mixed = f * a * (1 - a)
    if mixed.sum() > 1e-12:
        usual = mixed @ np.sqrt(((F - B) ** 2).sum(axis=1)) / mixed.sum()
        confidence *= min(1, np.sqrt(((F_p - B_p) ** 2).sum()) / max(usual, 1e-12))
    v = G * f + known
    return confidence * alpha + (1 - confidence) * (v @ a) / v.sum(), confidence, F_p, B_p


def shared_sampling(image, labels, sharing_radius=7, own_colours=True):
    """Alpha and confidence of all pixels, and the smoothed colours, which are the image's where known."""
    labels = expand(image, labels)
    unknown = np.argwhere(labels == 2)
    tuples = np.full((*labels.shape, 8), np.nan)
    for y, x in unknown:
        tuples[y, x] = best_pair(image, labels, y, x)
    refined = np.concatenate([image, image, labels[..., np.newaxis], np.ones((*labels.shape, 1))], axis=2)
    for y, x in unknown:
        rows = slice(max(0, y - sharing_radius), y + sharing_radius + 1)
        columns = slice(max(0, x - sharing_radius), x + sharing_radius + 1)
        near = tuples[rows, columns][labels[rows, columns] == 2]
        places = np.argwhere(labels[rows, columns] == 2) + np.array([rows.start, columns.start])
        refined[y, x] = refine(image[y, x], near, ((places - (y, x)) ** 2).sum(axis=1), own_colours)
    result = labels.astype(float), np.ones(labels.shape), image.copy(), image.copy()
    for y, x in unknown:
        for plane, value in zip(result, smooth(image, labels, refined, y, x), strict=True):
            plane[y, x] = value
    return result
