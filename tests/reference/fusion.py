"""The maps of the fusion network, its convolutions, and pictures at a smaller scale, in NumPy."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt


def maps(image, labels, closed_form, network, sampling, cost, refined):
    """Return the 12 maps, (H, W, 12), of a picture with floats in [0, 1]."""
    planes = [image[..., c] - 0.5 for c in range(3)] if image.shape[2] == 3 else 3 * [image[..., 0] - 0.5]
    planes += [2 * alpha - 1 for alpha in (closed_form, network, sampling, refined)]
    planes += [cost / (cost + 4), *known_maps(labels)]
    return np.stack(planes, axis=2).astype(np.float64)


def known_maps(labels):
    """Return the four maps of what is known: unknown, foreground, and how far both known kinds are."""
    planes = [labels == 2, labels == 1]
    for kind in (1, 0):
        known = labels == kind
        distance = distance_transform_edt(~known) if known.any() else np.full(known.shape, np.inf)
        planes.append(1 - 8 / (distance + 8))
    return planes


def correction(maps, weights, dilations):
    """Return the network's answer for every pixel, (H, W).

    `weights` holds W (taps, inputs, outputs) and b of each layer.
    """
    h = maps
    for number, ((W, b), dilation) in enumerate(zip(weights, dilations, strict=True)):
        out = np.broadcast_to(b, (*h.shape[:2], len(b))).astype(np.float64)
        padded = np.pad(h, ((dilation, dilation), (dilation, dilation), (0, 0)))
        for tap, matrix in enumerate(W):
            dy, dx = divmod(tap, 3) if len(W) == 9 else (1, 1)
            shifted = padded[dy * dilation :, dx * dilation :][: h.shape[0], : h.shape[1]]
            out += shifted @ matrix
        last = number + 1 == len(weights)
        h = out if last else np.maximum(out, 0) if number == 0 else h + np.maximum(out, 0) / 2
    return h[..., 0]


def trusted(answers, unknown):
    """Return the mean of several networks' answers, (N, H, W), less where they disagree."""
    mean, variance = answers.mean(0) * unknown, answers.var(0) * unknown
    out = np.zeros_like(mean)
    for y, x in np.argwhere(unknown):
        near = np.s_[max(0, y - 7) : y + 8, max(0, x - 7) : x + 8]
        out[y, x] = mean[y, x] / (1 + variance[near].sum() / (0.7**2 * (mean[near] ** 2).sum()))
    return out


def reduced(plane, step):
    """Return the means of blocks."""
    height, width = (-(-n // step) for n in plane.shape[:2])
    blocks = [
        [plane[step * y : step * (y + 1), step * x : step * (x + 1)].mean(axis=(0, 1)) for x in range(width)]
        for y in range(height)
    ]
    return np.array(blocks)
