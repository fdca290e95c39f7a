"""A dandelion clock before an out-of-focus meadow."""

from __future__ import annotations

import numpy as np

from ._ellipse import draw_ellipse
from ._layer import Doubles, Floats, Layer, View
from ._scene import Paint, Scene, assemble, check_arguments
from ._strands import Strands, draw_strands
from ._texture import enlarged, noise, random_lattice, smaller

_SEEDS = 210
_BRISTLES = 34
_LIGHT = np.array([-0.45, -0.7, 0.55])  # towards the light: left, up, to the viewer
_WHITE = np.array([0.93, 0.92, 0.88])


def dandelion(height: int, width: int, *, seed: int = 0, noise: float = 0.0) -> Scene:
    """Render a dandelion's seed head: fine white filaments before a blurred green meadow.

    Parameters
    ----------
    height, width : int
        Size in pixels, at least 32.
    seed : int, default 0
        Number of the dandelion. The same seed shows the same scene at any size of one aspect ratio.
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
    Alpha is computed by formula, never sampled. A filament of width w whose axis passes
    at distance d from a pixel's centre covers G(d + w/2) - G(d - w/2) of the pixel, which is the
    exact overlap of a unit box with a strip. G(s) is the area of the box between a line through its
    centre and a parallel line at distance s. If a >= b are the absolute components of the
    filament's normal, then G(s) = sign(s) [min(abs(s), (a - b)/2)/a + (b² - q²)/(2ab)] with q =
    clip((a + b)/2 - abs(s), 0, b). Filaments that cover a_k combine as alpha = 1 - prod(1 - a_k).
    Coverage within 1/1024 of 0 or 1 counts as 0 or 1.

    Time grows with the number of pixels: 16 megapixels take a few seconds on one core. Peak memory
    is about 100 MB and 50 bytes per pixel; the scene itself takes 41 bytes per pixel of that.
    """
    return render(height, width, seed, noise, np.zeros(2), np.zeros(2), 0)


def render(height: int, width: int, seed: int, noise: float, sway: Doubles, drift: Doubles, frame: int) -> Scene:
    """Render the dandelion; `sway` moves its head, `drift` its flying seeds, as (x, y) in units."""
    view, seed, deviation = check_arguments(height, width, seed, noise)
    rng = np.random.default_rng((seed, 1))
    wide = view.width / view.height
    radius = min(0.40, np.sqrt(0.056 * max(wide, 1 / wide)))
    centre = np.array([rng.uniform(-0.06, 0.06), min(-0.02, 0.27 - 0.9 * view.bottom + 0.1 * (wide > 1))])
    centre[1] = max(centre[1], radius * 1.08 - view.bottom)
    centre += sway
    layer = Layer(view)
    _draw_stem(layer, centre, radius, rng)
    _draw_head(layer, centre, radius, rng)
    seeds = _draw_flying(layer, radius, drift, rng)
    meadow = _meadow(view, rng)

    def surface(y: Doubles, x: Doubles) -> Floats:
        low = np.clip((y - centre[1]) / radius - 0.6, 0, 1)[:, None, None]
        return np.asarray((1 - low) * _WHITE * 0.9 + low * np.array([0.42, 0.46, 0.22]), np.float32)

    return assemble(
        layer,
        surface=surface,
        background=meadow,
        seed=seed + 1_000_003 * frame,
        noise=deviation,
        band=0.005,
        strokes=seeds,
    )


def _draw_stem(layer: Layer, centre: Doubles, radius: float, rng: np.random.Generator) -> None:
    """Draw the stem and the bent-back bracts under the head."""
    length = layer.view.bottom + 0.1 - centre[1]
    t = np.linspace(0, 1, 7)
    lean = rng.uniform(-0.12, 0.12)
    points = np.stack([centre[0] + lean * length * t**2, centre[1] + length * t], axis=-1)
    size = 0.075 * radius * (1 + 0.25 * t)
    draw_strands(
        layer,
        Strands(points[None], size[None], np.array([[0.50, 0.50, 0.24]]), 0.85 + 0.25 * t[None], np.array([1.0])),
    )
    count = 13
    angle = np.linspace(-1.25, 1.25, count) + rng.uniform(-0.08, 0.08, count)
    t = np.linspace(0, 1, 5)
    reach = radius * rng.uniform(0.24, 0.36, count)[:, None]
    x = centre[0] + reach * np.sin(angle)[:, None] * np.sin(t * 1.9)
    y = centre[1] + radius * 0.14 + reach * (0.9 * t**1.5 - 0.18 * np.sin(t * 3))
    size = np.broadcast_to(radius * 0.045 * np.array([0.8, 1.0, 0.9, 0.6, 0.1]), x.shape)
    green = np.array([0.36, 0.46, 0.20]) * rng.uniform(0.8, 1.15, (count, 1))
    shade = np.broadcast_to(1.05 - 0.25 * t, x.shape)
    draw_strands(layer, Strands(np.stack([x, y], -1), size, green, shade, rng.uniform(1.0, 2.0, count)))


def _directions(rng: np.random.Generator) -> Doubles:
    """Return disturbed points of a Fibonacci sphere, without those along the stem."""
    k = np.arange(_SEEDS) + 0.5
    up = 1 - 2 * k / _SEEDS
    turn = k * np.pi * (3 - np.sqrt(5))
    flat = np.sqrt(1 - up**2)
    axes = np.stack([flat * np.cos(turn), -up, flat * np.sin(turn)], axis=-1)
    axes += rng.normal(0, 0.035, axes.shape)
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    return np.asarray(axes[axes[:, 1] < 0.93])


def _bristles(hub: Doubles, axis: Doubles, size: Doubles, rng: np.random.Generator) -> tuple[Doubles, Doubles]:
    """Return N fans of bristles: (N, B, M, 3) control points and (N, B, M) shade."""
    count = len(hub)
    helper = np.where(np.abs(axis[:, 2:]) < 0.8, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    e1 = np.cross(axis, helper)
    e1 /= np.linalg.norm(e1, axis=1, keepdims=True)
    e2 = np.cross(axis, e1)
    spin = (np.arange(_BRISTLES) + rng.uniform(-0.35, 0.35, (count, _BRISTLES))) * (2 * np.pi / _BRISTLES)
    spin += rng.uniform(0, 2 * np.pi, (count, 1))
    tilt = rng.normal(1.12, 0.10, (count, _BRISTLES))[..., None, None]
    out = np.cos(spin)[..., None] * e1[:, None] + np.sin(spin)[..., None] * e2[:, None]
    t = np.linspace(0, 1, 4)[:, None]
    bend = tilt + 0.42 * (t - 0.5)  # bristles curve outwards like the ribs of an umbrella
    reach = t * (size[:, None] * rng.uniform(0.82, 1.0, (count, _BRISTLES)))[..., None, None]
    points = hub[:, None, None] + reach * (np.cos(bend) * axis[:, None, None] + np.sin(bend) * out[:, :, None, :])
    lit = 0.5 + 0.5 * (out @ (_LIGHT / np.linalg.norm(_LIGHT)))
    shade = (0.94 + 0.22 * lit)[..., None] * (0.90 + 0.14 * t[:, 0])
    return points, shade


def _draw_fans(
    layer: Layer, centre: Doubles, hub: Doubles, axis: Doubles, size: Doubles, rng: np.random.Generator
) -> None:
    points, shade = _bristles(hub, axis, size, rng)
    count = points.shape[0] * points.shape[1]
    radius = np.abs(hub).max()
    depth = np.clip(points[..., 1, 2] / max(radius, 1e-9), -1, 1)
    shade = shade * (0.87 + 0.15 * depth)[..., None]
    colour = _WHITE * np.stack([np.ones_like(depth), 1 - 0.01 * depth, 0.97 + 0.03 * depth], axis=-1)
    thick = np.repeat(size, points.shape[1])[:, None] * 0.0066 * np.array([1.15, 1.0, 0.85, 0.45])
    draw_strands(
        layer,
        Strands(
            points[..., :2].reshape(count, 4, 2) + centre,
            thick,
            colour.reshape(count, 3),
            shade.reshape(count, 4),
            4.0 + 3.0 * depth.reshape(count),
        ),
    )


def _draw_stalks(
    layer: Layer, centre: Doubles, root: Doubles, hub: Doubles, size: Doubles, depth: Doubles
) -> None:
    """Draw the beaks from seed to hub, and the brown seeds at their roots."""
    t = np.linspace(0, 1, 4)[:, None]
    points = (root[:, None] + (hub - root)[:, None] * t)[..., :2] + centre
    thick = size[:, None] * np.array([0.020, 0.015, 0.013, 0.020])
    shade = (0.82 + 0.14 * depth)[:, None] * np.array([0.80, 0.92, 1.0, 1.0])
    colour = np.broadcast_to([0.86, 0.82, 0.68], (len(root), 3)).copy()
    draw_strands(layer, Strands(points, thick, colour, shade, 3.5 + 3.0 * depth))
    t = np.linspace(0, 1, 5)[:, None]
    along = hub - root
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    points = (root[:, None] + (along * 0.42 * size[:, None])[:, None] * t)[..., :2] + centre
    thick = size[:, None] * 0.085 * np.array([0.25, 0.8, 1.0, 0.75, 0.15])
    shade = (0.85 + 0.2 * depth)[:, None] * np.array([0.8, 1.0, 1.1, 1.0, 0.9])
    colour = np.broadcast_to([0.40, 0.28, 0.15], (len(root), 3)).copy()
    draw_strands(layer, Strands(points, thick, colour, shade, 3.6 + 1.6 * depth))


def _draw_head(layer: Layer, centre: Doubles, radius: float, rng: np.random.Generator) -> None:
    """Draw the seed core and the globe of parachutes."""
    core = max(0.17 * radius, 4.2 / layer.view.side)
    draw_ellipse(layer, centre, (core, core * 0.92), np.array([0.46, 0.40, 0.24]), order=2.5, light=(-0.45, -0.7))
    axis = _directions(rng)
    size = radius * rng.uniform(0.34, 0.40, len(axis))
    hub = axis * radius * rng.uniform(0.66, 0.74, (len(axis), 1))
    _draw_fans(layer, centre, hub, axis, size, rng)
    _draw_stalks(layer, centre, axis * 0.13 * radius, hub, size, axis[:, 2])


def _draw_flying(layer: Layer, radius: float, drift: Doubles, rng: np.random.Generator) -> Doubles:
    """Draw a few seeds that have left the head; return the lines (N, 2, 2) along their bodies."""
    count = 3
    view = layer.view
    room = np.array([view.right, view.bottom])
    where = np.array([[0.62, -0.50], [0.72, 0.12], [-0.70, -0.62]]) + rng.uniform(-0.08, 0.08, (count, 2))
    where = where * (room - 0.3 * radius) + drift
    axis = np.stack([rng.uniform(-0.2, 0.7, count), -np.ones(count), rng.uniform(-0.3, 0.3, count)], axis=-1)
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    size = radius * rng.uniform(0.26, 0.34, count)
    for k in range(count):
        spot = where[k]
        hub = np.zeros((1, 3))
        _draw_fans(layer, spot, hub, axis[k : k + 1], size[k : k + 1], rng)
        _draw_stalks(layer, spot, -axis[k : k + 1] * size[k] * 1.5, hub, size[k : k + 1], np.zeros(1))
    flat = axis[:, :2] * size[:, None]
    return np.stack([where - 1.5 * flat, where - 1.1 * flat], axis=1)


def _meadow(view: View, rng: np.random.Generator) -> Paint:
    """Paint the out-of-focus meadow: it is painted small, then enlarged."""
    small = smaller(view, 160)
    y, x, side = small.rows(0, small.height), small.columns(), small.side
    lattice = random_lattice(rng)
    deep = noise(lattice, y, x, cells=2.2, octaves=3, side=side)[..., None]
    warm = noise(lattice, y + 40, x - 7, cells=1.6, octaves=2, side=side)[..., None]
    sky = np.clip(0.5 - (y + 0.1) * 0.9, 0, 1)[:, None, None]
    picture = np.array([0.20, 0.36, 0.10]) * (1 - sky) + np.array([0.36, 0.52, 0.22]) * sky
    picture = picture * (1 + 0.22 * deep) + warm * np.array([0.045, 0.02, -0.012])
    for _ in range(70):
        cx, cy = rng.uniform(-view.right, view.right), rng.uniform(-view.bottom, view.bottom * 0.6)
        size = rng.uniform(0.025, 0.085)
        glow = np.array([0.75, 0.85, 0.42]) * rng.uniform(0.55, 1.15) + rng.uniform(0, 0.25)
        strength = rng.uniform(0.04, 0.20)
        inside = 1 - np.hypot(y[:, None] - cy, x - cx) / size
        disc = np.clip(inside * size * side / 2.5 + 0.5, 0, 1) * (0.75 + 0.25 * (1 - np.clip(inside, 0, 1)))
        picture += (strength * disc)[..., None] * (glow - picture)
    return enlarged(view, small, picture.astype(np.float32))
