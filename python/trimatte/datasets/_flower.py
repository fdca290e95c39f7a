"""A flower before soft lights; its edges are hard, and nothing is finer than a pixel."""

from __future__ import annotations

import numpy as np

from ._ellipse import draw_ellipse
from ._layer import Doubles, Floats, Layer, View
from ._scene import Paint, Scene, assemble, check_arguments
from ._strands import Strands, draw_strands
from ._texture import enlarged, noise, random_lattice, smaller

_PETALS = np.array([[0.86, 0.24, 0.30], [0.93, 0.66, 0.16], [0.55, 0.30, 0.68]])
_GREEN = np.array([0.22, 0.42, 0.16])


def flower(height: int, width: int, *, seed: int = 0, noise: float = 0.0) -> Scene:
    """Render a flower with broad petals and leaves before lights out of focus: edges of one pixel.

    Parameters
    ----------
    height, width : int
        Size in pixels, at least 32.
    seed : int, default 0
        Number of the flower. The same seed shows the same scene at any size of one aspect ratio.
    noise : float, default 0.0
        Standard deviation of Gaussian sensor noise, in units of the image (1 is white).

    Returns
    -------
    Scene
        image, trimap, alpha, foreground and background; see :class:`Scene`.

    Raises
    ------
    TypeError
        If `height`, `width` or `seed` is not an integer or `noise` not a number.
    ValueError
        If `height` or `width` is below 32, `seed` negative, `noise` negative or not finite.

    Notes
    -----
    Alpha is computed as in :func:`dandelion`.
    """
    view, seed, deviation = check_arguments(height, width, seed, noise)
    rng = np.random.default_rng((seed, 4))
    colour = _PETALS[seed % len(_PETALS)]
    layer = Layer(view)
    centre = np.array([rng.uniform(-0.05, 0.05), rng.uniform(-0.14, -0.08)])
    _draw_stem(layer, centre, rng)
    _draw_petals(layer, centre, colour, rng)
    draw_ellipse(layer, centre, (0.085, 0.08), np.array([0.36, 0.24, 0.10]), order=9.0, light=(-0.4, -0.6))
    lights = _lights(view, rng)

    def surface(y: Doubles, x: Doubles) -> Floats:
        low = np.clip((y - centre[1] - 0.3) / 0.1, 0, 1)[:, None, None]
        return np.asarray((1 - low) * colour * 0.8 + low * _GREEN + 0 * x[:, None], np.float32)

    return assemble(layer, surface=surface, background=lights, seed=seed, noise=deviation, band=0.008)


def _blades(root: Doubles, tip: Doubles, bend: Doubles, wide: Doubles) -> tuple[Doubles, Doubles]:
    """Return broad pointed shapes from root to tip: (N, 9, 2) points and (N, 9) widths."""
    t = np.linspace(0, 1, 9)
    along = tip - root
    normal = np.stack([-along[:, 1], along[:, 0]], axis=-1)
    points = root[:, None] + along[:, None] * t[:, None]
    points += normal[:, None] * (bend[:, None] * np.sin(np.pi * t))[..., None]
    return points, wide[:, None] * np.array([0.35, 0.6, 0.82, 0.96, 1.0, 0.95, 0.8, 0.5, 0.08])


def _draw_blades(
    layer: Layer, blades: tuple[Doubles, Doubles], colour: Doubles, order: Doubles, rng: np.random.Generator
) -> None:
    """Draw blades with a gradient, and with veins that stay inside them."""
    points, width = blades
    count = len(points)
    tint = colour * rng.uniform(0.85, 1.1, (count, 1))
    shade = rng.uniform(0.9, 1.05, (count, 1)) * np.linspace(0.75, 1.1, 9)
    draw_strands(layer, Strands(points, width, tint, shade, order))
    side = np.linspace(-0.32, 0.32, 7)
    step = np.gradient(points, axis=1)
    step /= np.linalg.norm(step, axis=2, keepdims=True)
    normal = np.stack([-step[..., 1], step[..., 0]], axis=-1)
    veins = points[:, None] + normal[:, None] * (side[:, None] * width[:, None])[..., None]
    veins = veins[:, :, 1:8].reshape(count * 7, 7, 2)
    thick = np.repeat(width[:, 1:8] * 0.05, 7, axis=0)
    vein_shade = np.repeat(shade[:, 1:8], 7, axis=0) * rng.uniform(0.72, 1.12, (count * 7, 1))
    draw_strands(layer, Strands(veins, thick, np.repeat(tint, 7, axis=0), vein_shade, np.repeat(order + 0.5, 7)))


def _draw_petals(layer: Layer, centre: Doubles, colour: Doubles, rng: np.random.Generator) -> None:
    for ring, (count, reach, wide) in enumerate(((9, 0.31, 0.17), (7, 0.22, 0.13))):
        angle = (np.arange(count) + rng.uniform(-0.12, 0.12, count)) * (2 * np.pi / count) + 0.3 * ring
        out = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        tip = centre + out * reach * rng.uniform(0.9, 1.08, (count, 1))
        blades = _blades(centre + 0.03 * out, tip, rng.normal(0, 0.06, count), wide * rng.uniform(0.9, 1.1, count))
        _draw_blades(layer, blades, colour * (0.85 + 0.2 * ring), 2.0 + 3 * ring + np.arange(count) / count, rng)


def _draw_stem(layer: Layer, centre: Doubles, rng: np.random.Generator) -> None:
    t = np.linspace(0, 1, 7)
    end = layer.view.bottom + 0.1
    x = centre[0] + rng.uniform(-0.1, 0.1) * t**2
    y = centre[1] + (end - centre[1]) * t
    points = np.stack([x, y], axis=-1)
    draw_strands(layer, Strands(points[None], np.full((1, 7), 0.035), _GREEN[None], np.ones((1, 7)), np.zeros(1)))
    root = points[[4, 5, 5]]
    tip = root + np.array([[0.30, -0.20], [-0.34, -0.12], [0.26, 0.02]])
    blades = _blades(root, tip, np.array([0.1, -0.1, 0.08]), np.array([0.10, 0.11, 0.08]))
    _draw_blades(layer, blades, _GREEN, np.array([1.0, 1.2, 1.1]), rng)


def _lights(view: View, rng: np.random.Generator) -> Paint:
    """Paint soft discs of light over a dusk."""
    small = smaller(view, 240)
    y, x = small.rows(0, small.height), small.columns()
    lattice = random_lattice(rng)
    wash = noise(lattice, y, x, cells=1.7, octaves=3, side=small.side)[..., None]
    picture = np.array([0.16, 0.19, 0.26]) * (1 + 0.35 * wash) + 0.05 * np.clip(y, -0.5, 0.5)[:, None, None]
    for _ in range(90):
        cx, cy = rng.uniform(-view.right, view.right), rng.uniform(-view.bottom, view.bottom)
        size = rng.uniform(0.02, 0.09)
        disc = np.clip((1 - np.hypot(y[:, None] - cy, x - cx) / size) * size * small.side / 2 + 0.5, 0, 1)
        glow = np.array([0.95, 0.75, 0.45]) + rng.uniform(-0.35, 0.1, 3)
        picture += (rng.uniform(0.08, 0.4) * disc)[..., None] * (glow - picture)
    return enlarged(view, small, picture.astype(np.float32))
