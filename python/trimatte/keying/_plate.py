"""A clean plate, moved and lit as the picture is."""

from __future__ import annotations

import numpy as np

from ._behind import Behind, noise_of, within
from ._inputs import Floats
from ._shift import fit_of


def aligned(picture: Floats, plate: Floats) -> Behind:
    """Return the plate moved and lit as the picture is, and the noise of their difference."""
    from scipy.ndimage import shift

    fit = fit_of(picture, plate)
    placed = np.stack([shift(plate[..., c], fit.shift, order=3, mode="nearest") for c in range(3)], axis=2)
    near = np.linalg.norm(picture - fit.exposure * placed, axis=2)
    same = near <= np.quantile(near, 0.5)
    gain = (picture[same] * placed[same]).sum(0) / np.maximum((placed[same] ** 2).sum(0), 1e-6)
    placed = np.clip(placed * gain, 0, 1).astype(np.float32)
    miss = np.linalg.norm(picture - placed, axis=2)
    inside = miss <= np.quantile(miss, 0.3)
    for _ in range(6):
        noise = noise_of(miss[inside])
        inside = within(miss, noise)
    share = float(inside.mean())
    if share < 0.05 or noise > 0.1:
        raise ValueError(
            f"plate: expected the picture's own background, got one that agrees with {share:.0%} of its pixels; "
            "is it of another scene?"
        )
    return Behind(placed, noise, None)
