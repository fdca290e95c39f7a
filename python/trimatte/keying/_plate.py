"""A clean plate, moved and lit as the picture is."""

from __future__ import annotations

import numpy as np

from ._behind import Behind, noise_of, within
from ._inputs import Floats

_LARGEST_SHIFT = 0.1  # as a part of each side


def aligned(picture: Floats, plate: Floats) -> Behind:
    """Return the plate moved and lit as the picture is, and the noise of their difference."""
    from scipy.ndimage import shift

    moved = _shift_between(picture, plate)
    placed = np.stack([shift(plate[..., c], moved, order=3, mode="nearest") for c in range(3)], axis=2)
    near = np.linalg.norm(picture - placed, axis=2)
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


def _shift_between(picture: Floats, plate: Floats) -> tuple[float, float]:
    """Return by how many rows and columns the plate has to move to lie as the picture does."""
    height, width = picture.shape[:2]
    window = np.hanning(height)[:, np.newaxis] * np.hanning(width)
    spectra = []
    for pixels in (picture, plate):
        grey = pixels.mean(2)
        edges = np.hypot(*np.gradient(grey)) if min(grey.shape) > 1 else grey
        spectra.append(np.fft.rfft2((edges - edges.mean()) * window))
    product = spectra[0] * np.conj(spectra[1])
    peak = np.fft.irfft2(product / np.maximum(np.abs(product), 1e-12), s=(height, width))
    row, column = np.unravel_index(int(peak.argmax()), peak.shape)
    found = []
    for axis, (place, size) in enumerate(((row, height), (column, width))):
        line = peak[:, column] if axis == 0 else peak[row]
        before, here, after = (float(line[(place + k) % size]) for k in (-1, 0, 1))
        bend = before - 2 * here + after
        exact = place + (0.5 * (before - after) / bend if bend < 0 else 0.0)
        found.append(exact - size if exact > size / 2 else exact)
    if any(abs(moved) > _LARGEST_SHIFT * size for moved, size in zip(found, (height, width), strict=True)):
        return 0.0, 0.0
    return found[0], found[1]
