"""Samples of shared sampling (Gastal, Oliveira 2010), pixel by pixel; labels are 0, 1, 2 = unknown."""

import numpy as np


def expand(image, labels, radius=5, threshold=0.03):
    """Labels after the expansion: the nearest known pixel of like colour decides."""
    result = labels.copy()
    known = np.argwhere(labels != 2)
    for y, x in np.argwhere(labels == 2):
        away = ((known - (y, x)) ** 2).sum(axis=1)
        change = ((image[known[:, 0], known[:, 1]] - image[y, x]) ** 2).sum(axis=1)
        near = (away <= radius**2) & (change <= threshold**2)
        if near.any():
            result[y, x] = labels[tuple(known[near][np.lexsort((change[near], away[near]))[0]])]
    return result


def mixture(C, F, B):
    """Alpha of the mixture of F and B that is nearest to C, and its distance M (Eq. 2)."""
    d2 = ((F - B) ** 2).sum(axis=-1)
    alpha = np.clip(((C - B) * (F - B)).sum(axis=-1) / np.maximum(d2, 1e-8), 0, 1)[..., np.newaxis]
    return alpha[..., 0], np.sqrt(((C - B - alpha * (F - B)) ** 2).sum(axis=-1))


def path(image, y, x, dy, dx, steps):
    """Places on a line, and the energy up to each (Eq. 4)."""
    t = np.arange(steps + 1)[:, np.newaxis]
    places = np.floor(np.array([y, x]) + t * np.array([dy, dx]) / max(abs(dy), abs(dx)) + 0.5).astype(int)
    inside = ((places >= 0) & (places < image.shape[:2])).all(axis=1)
    places = places[: np.argmin(inside)] if not inside.all() else places
    colours = image[places[:, 0], places[:, 1]]
    return places, np.concatenate([[0], np.cumsum(np.sqrt((np.diff(colours, axis=0) ** 2).sum(axis=1)))])


def samples(image, labels, y, x, kind, rays=4):
    """The first pixels of a kind on the pixel's rays, or else the nearest one, and the least energy."""
    found, energies = [], []
    for r in range(rays):
        angle = 2 * np.pi * (r + (y % 3 * 3 + x % 3) / 9) / rays
        places, energy = path(image, y, x, np.sin(angle), np.cos(angle), sum(image.shape[:2]))
        hits = np.flatnonzero(labels[places[:, 0], places[:, 1]] == kind)
        if len(hits):
            found.append(places[hits[0]])
            energies.append(energy[hits[0]])
    if not found:
        known = np.argwhere(labels == kind)
        q = known[np.argmin(((known - (y, x)) ** 2).sum(axis=1))]
        found.append(q)
        energies.append(path(image, y, x, *(q - (y, x)), abs(q - (y, x)).max())[1][-1])
    return np.array(found), min(energies)


def best_pair(image, labels, y, x):
    """The pair that minimises g (Eq. 7, with the square of N) and the variances around its places."""
    (f, eF), (b, eB) = samples(image, labels, y, x, 1), samples(image, labels, y, x, 0)
    ys, xs = np.clip([y - 1, y, y + 1], 0, len(image) - 1), np.clip([x - 1, x, x + 1], 0, image.shape[1] - 1)
    F, B = image[f[:, 0], f[:, 1]][:, np.newaxis], image[b[:, 0], b[:, 1]][np.newaxis]
    N = sum(mixture(image[v, u], F, B)[1] ** 2 for v in ys for u in xs) + 1e-5
    PF = eB / (eF + eB) if eF + eB > 0 else 0.5
    A = PF + (1 - 2 * PF) * mixture(image[y, x], F, B)[0] + 1e-5
    D = [np.hypot(*(place - (y, x)).T) for place in (f, b)]
    i, j = np.unravel_index(np.argmin(N**2 * A**2 * D[0][:, np.newaxis] * D[1] ** 4), N.shape)
    variances = []
    for v, u in (f[i], b[j]):
        around = image[max(0, v - 2) : v + 3, max(0, u - 2) : u + 3]
        variances.append(((around - image[v, u]) ** 2).sum(axis=2).mean())
    return np.concatenate([F[i, 0], B[0, j], variances])
