"""A wine glass before books, which has wide half-transparent areas."""

from __future__ import annotations

import numpy as np

from ._ellipse import draw_ellipse
from ._layer import Doubles, Floats, Layer, View
from ._scene import Paint, Scene, assemble, check_arguments
from ._strands import Strands, draw_strands
from ._texture import enlarged, noise, random_lattice, smaller

_WHITE = np.array([0.90, 0.93, 0.95])
_WINES = np.array([[0.42, 0.06, 0.12], [0.80, 0.66, 0.26], [0.75, 0.33, 0.32]])


def glass(height: int, width: int, *, seed: int = 0, noise: float = 0.0) -> Scene:
    """Render a glass of wine before a shelf of books: its bowl is half transparent.

    Parameters
    ----------
    height, width : int
        Size in pixels, at least 32.
    seed : int, default 0
        Number of the glass. The same seed shows the same scene at any size of one aspect ratio.
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
    No light is refracted. The bowl's alpha is a smooth function of place times the
    exact coverage of its shape. All else is computed as in :func:`dandelion`.
    """
    view, seed, deviation = check_arguments(height, width, seed, noise)
    rng = np.random.default_rng((seed, 5))
    wine = _WINES[seed % len(_WINES)]
    centre = np.array([rng.uniform(-0.05, 0.05), -0.12])
    layer = Layer(view)
    _draw_bowl(layer, centre, rng)
    _draw_solid(layer, centre, wine, rng)
    shelf = _shelf(view, rng)

    def surface(y: Doubles, x: Doubles) -> Floats:
        return np.broadcast_to(np.float32(0.9) * _WHITE.astype(np.float32), (len(y), len(x), 3))

    return assemble(layer, surface=surface, background=shelf, seed=seed, noise=deviation, band=0.008)


def _draw_bowl(layer: Layer, centre: Doubles, rng: np.random.Generator) -> None:
    """Draw the bowl, which lets more light through in the middle than at its wall."""
    view = layer.view
    radii = (0.205, 0.27)
    draw_ellipse(layer, centre, radii, _WHITE, order=0.0, light=(-0.5, -0.4))
    y, x = view.rows(0, view.height), view.columns()
    across = np.hypot((y[:, None] - centre[1]) / radii[1], (x - centre[0]) / radii[0])
    opacity = 0.12 + 0.45 * np.clip(across, 0, 1) ** 6
    for shift, size, strength in ((-0.55, 0.16, 0.55), (0.62, 0.07, 0.4)):
        u = ((x - centre[0]) / radii[0] - shift * (1 - 0.25 * ((y - centre[1]) / radii[1])[:, None] ** 2)) / size
        v = (y - centre[1] + 0.05)[:, None] / 0.16
        opacity += strength * np.exp(-(u**2) - v**4)
    opacity += 0.04 * noise(random_lattice(rng), y, x, cells=6, octaves=2, side=view.side)
    opacity = np.clip(opacity, 0.05, 0.95).astype(np.float32).reshape(-1)
    np.subtract(1, layer.clear, out=layer.clear)
    layer.clear *= opacity
    np.subtract(1, layer.clear, out=layer.clear)


def _draw_solid(layer: Layer, centre: Doubles, wine: Doubles, rng: np.random.Generator) -> None:
    """Draw the wine, the stem, the foot and the rim, which let no light through."""
    for k, scale in enumerate((1.0, 0.75, 0.45)):
        spot = centre + np.array([0.0, 0.10 + 0.012 * k])
        draw_ellipse(layer, spot, (0.165 * scale, 0.125 * scale), wine * (1 + 0.15 * k), order=3.0 + k)
    t = np.linspace(0, 1, 7)
    x, top, foot = centre[0], centre[1] + 0.25, centre[1] + 0.50
    points = np.stack([np.full(7, x), top + (foot - top) * t], axis=-1)
    size = np.array([0.05, 0.032, 0.026, 0.025, 0.027, 0.036, 0.07])
    draw_strands(layer, Strands(points[None], size[None], 0.85 * _WHITE[None], 1 - 0.2 * t[None], np.array([6.0])))
    draw_ellipse(layer, np.array([x, foot]), (0.15, 0.032), 0.8 * _WHITE, order=5.0, light=(-0.6, -0.5))
    turn = np.linspace(0.9 * np.pi, 2.1 * np.pi, 24)
    rim = centre + np.stack([0.203 * np.cos(turn), 0.268 * np.sin(turn)], axis=-1)
    shade = 0.85 + 0.2 * np.cos(2 * turn)
    draw_strands(layer, Strands(rim[None], np.full((1, 24), 0.007), _WHITE[None], shade[None], np.array([8.0])))
    droplets = rng.uniform(-0.7, 0.7, (14, 2)) * np.array([0.19, 0.2]) + centre - np.array([0.0, 0.03])
    for spot in droplets:
        draw_ellipse(layer, spot, (0.005, 0.006), _WHITE, order=7.0, light=(-0.8, -0.8))


def _shelf(view: View, rng: np.random.Generator) -> Paint:
    """Paint spines of books, a little out of focus."""
    small = smaller(view, 300)
    y, x = small.rows(0, small.height), small.columns()
    picture: Doubles = np.zeros((small.height, small.width, 3))
    edge = -view.right
    while edge < view.right:
        wide = float(rng.uniform(0.03, 0.09))
        bright = rng.uniform(0.2, 1.7)
        colour = bright * np.asarray(rng.dirichlet(np.full(3, 14.0)))
        inside = np.clip((np.minimum(x - edge, edge + wide - x)) * small.side / 2.5 + 0.5, 0, 1)
        round_off = 1 - 1.2 * np.clip(np.abs(x - edge - wide / 2) / wide, 0, 0.5) ** 2
        label = np.abs(y - rng.uniform(-0.3, 0.3)) < rng.uniform(0.02, 0.08)
        spine = colour * np.where(label, 1.7, 1.0)[:, None, None]
        picture += (inside * round_off)[:, None] * (spine - picture)
        edge += wide
    lattice = random_lattice(rng)
    picture *= 1 + 0.15 * noise(lattice, y, x, cells=3, octaves=4, side=small.side)[..., None]
    blurred = enlarged(view, small, picture.astype(np.float32))

    def paint(y: Doubles, x: Doubles) -> Floats:
        grain = noise(lattice, y, x, cells=120, octaves=3, side=view.side, gain=0.8)
        shaded: Floats = blurred(y, x) * (1 + np.float32(0.03) * grain)[..., None]
        return shaded

    return paint
