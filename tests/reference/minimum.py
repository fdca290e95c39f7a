"""The minimum of a quadratic energy in the plainest way, by a dense solve."""

import numpy as np


def minimum(L, labels, guess=None, confidence=0.0, known_weight=None):
    """Minimise x'Lx + confidence (x - guess)^2 + known_weight (x - m)^2, and clip to [0, 1].

    Labels are 0 and 1, the m, where known; anything else is unknown. Without `known_weight`, known
    pixels keep their value. A guess counts on unknown pixels; `confidence` is a number or a plane.
    """
    m, unknown = (labels == 1).ravel().astype(float), ((labels != 0) & (labels != 1)).ravel()
    A, b = L.toarray(), np.zeros(len(m))
    if guess is not None:
        c = np.broadcast_to(confidence, labels.shape).ravel()[unknown]
        A[unknown, unknown] += c
        b[unknown] += c * guess.ravel()[unknown]
    if known_weight is not None:
        A[~unknown, ~unknown] += known_weight
        b[~unknown] += known_weight * m[~unknown]
        return np.clip(np.linalg.solve(A, b), 0, 1).reshape(labels.shape)
    x = m.copy()
    x[unknown] = np.linalg.solve(A[np.ix_(unknown, unknown)], (b - A @ m)[unknown])
    return np.clip(x, 0, 1).reshape(labels.shape)
