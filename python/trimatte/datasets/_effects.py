"""Effects that make scenes harder, such as motion and low light; alpha stays exact."""

from __future__ import annotations

import numpy as np

from ._layer import Floats, View
from ._scene import Scene, make_trimap


def composed(
    alpha: Floats, foreground: Floats, background: Floats, trimap: object, noise: float, seed: int
) -> Scene:
    """Put layers together, with sensor noise."""
    image = alpha[..., None] * foreground + (1 - alpha)[..., None] * background
    if noise:
        random = np.random.default_rng((seed, 10))
        image += np.float32(noise) * random.standard_normal(image.shape, np.float32)
    np.clip(image, 0, 1, out=image)
    return Scene(image, np.asarray(trimap, np.uint8), alpha, foreground, background)


def moved(scene: Scene, length: float, angle: float, *, noise: float, seed: int) -> Scene:
    """Let the foreground move during the exposure.

    Alpha, and the foreground times alpha, become their means over places on a line. `length` is in
    units of the picture's smaller side, `angle` in radians from the right downwards.
    """
    from scipy.ndimage import shift

    height, width = scene.alpha.shape
    pixels = length * min(height, width)
    steps = max(2, int(np.ceil(2 * pixels)) + 1)
    alpha = np.zeros_like(scene.alpha)
    premultiplied = np.zeros_like(scene.foreground)
    for t in np.linspace(-0.5, 0.5, steps):
        by = (t * pixels * np.sin(angle), t * pixels * np.cos(angle))
        here = shift(scene.alpha, by, order=1, mode="nearest")
        alpha += here
        for c in range(3):
            colour = shift(scene.foreground[..., c], by, order=1, mode="nearest")
            premultiplied[..., c] += here * colour
    seen = (alpha > 0)[..., None]
    foreground = np.where(seen, premultiplied / np.maximum(alpha, np.float32(1e-12))[..., None], scene.foreground)
    alpha /= np.float32(steps)
    np.clip(alpha, 0, 1, out=alpha)
    alpha[alpha < 1 / 1024] = 0
    alpha[alpha > 1 - 1 / 1024] = 1
    foreground = np.clip(foreground, 0, 1)
    trimap = make_trimap(alpha, View(height, width), 0.008)
    return composed(alpha, foreground, scene.background, trimap, noise, seed)


def alike(scene: Scene, by: float, *, noise: float, seed: int) -> Scene:
    """Move the foreground's colours towards the background's mean; 1 leaves one colour."""
    mean = scene.background.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
    foreground = scene.foreground + np.float32(by) * (mean - scene.foreground)
    return composed(scene.alpha, foreground, scene.background, scene.trimap, noise, seed)


def dimmed(scene: Scene, exposure: float, *, noise: float, seed: int) -> Scene:
    """Darken both layers and keep the noise."""
    factor = np.float32(exposure)
    return composed(scene.alpha, scene.foreground * factor, scene.background * factor, scene.trimap, noise, seed)


def loosened(scene: Scene, band: float) -> Scene:
    """Make the unknown band wider, as a hurried person draws it.

    `band` is in units of the picture's smaller side. The known pixels of a kind stay if the wide
    band would leave none of them.
    """
    trimap = make_trimap(scene.alpha, View(*scene.alpha.shape), band)
    for value in (0, 255):
        if np.count_nonzero(trimap == value) < trimap.size // 100:
            trimap[scene.trimap == value] = value
    return scene._replace(trimap=trimap)
