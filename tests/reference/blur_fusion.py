"""Blur fusion from Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021."""

import numpy as np


def blur(values, radius):
    """Mean over the part of the window of 2 radius + 1 pixels that lies in the picture."""
    height, width = values.shape[:2]
    out = np.empty_like(values)
    for y in range(height):
        for x in range(width):
            window = values[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1]
            out[y, x] = window.mean(axis=(0, 1))
    return out


def one_pass(I, F, B, a, radius):
    """Eqs. 4, 5 and 7; returns F', B' and the blurred background."""
    share = blur(a, radius)
    blurred_F = blur(F * a, radius) / (share + 1e-5)
    blurred_B = blur(B * (1 - a), radius) / (1 - share + 1e-5)
    rest = I - a * blurred_F - (1 - a) * blurred_B
    return (
        np.clip(blurred_F + a * rest, 0, 1),
        np.clip(blurred_B + (1 - a) * rest, 0, 1),
        np.clip(blurred_B, 0, 1),
    )


def estimate(image, alpha, radius=90, second_radius=6):
    """Return F and B. `image` is (H, W, C), both it and alpha float64."""
    a = alpha[..., None]
    F, B, blurred_B = one_pass(image, image, image, a, radius)
    if second_radius:
        F, B, _ = one_pass(image, F, blurred_B, a, second_radius)
    F = np.where(a == 1, image, F)
    return F, np.where(a == 0, image, B)
