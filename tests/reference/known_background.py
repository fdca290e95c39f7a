"""The prior of a known background, pixel by pixel; labels are 0, 1, 2 = unknown."""

import numpy as np

MASK = (1 << 64) - 1


def mix(z):
    """The last step of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014)."""
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


def drawn(seed, pixel, count, below):
    """`count` numbers below a number, from the stream of a pixel."""
    state, numbers = mix(mix(mix(seed) + 1 & MASK) + pixel & MASK), []
    for _ in range(count):
        state = state + 0x9E3779B97F4A7C15 & MASK
        numbers.append((mix(state) >> 32) * below >> 32)
    return numbers


def candidates(labels):
    """The known foreground pixels within 12 rows and columns of an unknown one: (n, 2) places."""
    unknown, found = np.argwhere(labels == 2), np.argwhere(labels == 1)
    near = [abs(unknown - place).max(axis=1).min() <= 12 for place in found]
    return found[near] if any(near) else found


def mixture(rise, line):
    """Alpha of the nearest mixtures, and their squared distances: rise is (3,), line (k, 3)."""
    alpha = np.clip(line @ rise / np.maximum((line**2).sum(axis=1), 1e-4), 0, 1)
    return alpha, ((rise - alpha[:, np.newaxis] * line) ** 2).sum(axis=1)


def known_background(image, background, labels, noise=0.01, count=40, seed=0):
    """Alpha, and the confidence for a weight of 1, of all pixels; 0 and 0 where they are known background."""
    places = candidates(labels)
    alpha, confidence = (labels == 1).astype(float), np.zeros(labels.shape)
    for y, x in np.argwhere(labels == 2):
        middle = np.array([y // 4 * 4 + 2, x // 4 * 4 + 2])
        near = np.argsort(((places - middle) ** 2).sum(axis=1), kind="stable")[:count]
        chosen = places[[*near, *drawn(seed, int(y * labels.shape[1] + x), count, len(places))]]
        line = image[chosen[:, 0], chosen[:, 1]] - background[y, x]
        alphas, miss2 = mixture(image[y, x] - background[y, x], line)
        away = np.hypot(*(chosen - (y, x)).T)
        cost = miss2 / (12 * noise**2) + 0.05 * away / max(away.min(), 1)
        weights = np.exp(cost.min() - cost)
        weights /= weights.sum()
        alpha[y, x] = weights @ alphas
        doubt = cost.min() + weights @ (alphas - alpha[y, x]) ** 2 / 0.05**2
        confidence[y, x] = max(np.exp(-doubt / 4), 1e-3)
    return alpha, confidence
