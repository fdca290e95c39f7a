"""A knotted rope net between two posts before a hedge."""

from __future__ import annotations

import numpy as np

from ._layer import Doubles, Floats, Layer, View
from ._scene import Paint, Scene, assemble, check_arguments
from ._strands import Strands, draw_strands
from ._texture import enlarged, noise, random_lattice, smaller

_HEMP = np.array([0.76, 0.64, 0.45])
_TWINE = np.array([0.84, 0.86, 0.88])
_WOOD = np.array([0.43, 0.32, 0.23])
_MESH_X, _MESH_Y = 0.115, 0.125  # half diagonals of a mesh, in units


def net(height: int, width: int, *, seed: int = 0, noise: float = 0.0) -> Scene:
    """Render a knotted rope net between two posts, with a hedge behind its holes.

    Parameters
    ----------
    height, width : int
        Size in pixels, at least 32.
    seed : int, default 0
        Number of the net. The same seed shows the same scene at any size of one aspect ratio.
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
    rng = np.random.default_rng((seed, 3))
    layer = Layer(view)
    _draw_posts(layer, rng)
    knots = _knots(view, rng)
    _draw_ropes(layer, knots, rng)
    _draw_mesh(layer, knots, rng)
    _draw_twine(layer, knots, rng)
    hedge = _hedge(view, rng)

    def surface(y: Doubles, x: Doubles) -> Floats:
        side = np.clip((np.abs(x) - view.right + 0.25) / 0.1, 0, 1)[:, None]
        return np.asarray((1 - side) * _HEMP * 0.8 + side * _WOOD, np.float32)[None]

    return assemble(layer, surface=surface, background=hedge, seed=seed, noise=deviation, band=0.004)


def _knots(view: View, rng: np.random.Generator) -> Doubles:
    """Return (rows, columns, 2) places where threads meet; odd rows are shifted by half a mesh."""
    span = 2 * (view.right - 0.13)
    wider = 1 + 0.2 * (view.right + view.bottom - 1)  # otherwise long pictures would hold more rope
    columns = max(3, round(span / (2 * _MESH_X * wider)))
    rows = max(3, 2 * round((2 * view.bottom - 0.33) / (2 * _MESH_Y * wider)) + 1)
    row = np.arange(rows)[:, None]
    place = (np.arange(columns) + 0.25 + 0.5 * (row % 2)) / columns
    fall = row / (rows - 1)
    sag = 0.20 * np.minimum(1, 1 / span) * place * (1 - place)
    x = (place - 0.5) * span
    y = -view.bottom + 0.13 + 4 * 0.06 * place * (1 - place) + fall * (2 * view.bottom - 0.28) * (1 - sag)
    swell = rng.uniform(0, 2 * np.pi, 4)
    x = x + 0.025 * fall * np.sin(7 * y + swell[0]) + 0.012 * np.sin(9 * x + swell[1])
    y = y + 0.020 * fall * np.sin(6 * x + swell[2]) + 0.008 * np.sin(11 * y + swell[3])
    points = np.stack([x, y], axis=-1)
    return np.asarray(points + rng.normal(0, 0.007, points.shape))


def _draw_posts(layer: Layer, rng: np.random.Generator) -> None:
    """Draw two timber posts with grain."""
    view = layer.view
    t = np.linspace(0, 1, 9)
    y = -view.bottom - 0.1 + t * (2 * view.bottom + 0.2)
    for x in (0.065 - view.right, view.right - 0.065):
        points = np.stack([np.full(9, x) + 0.002 * np.sin(5 * y + x), y], axis=-1)
        shade = np.full((1, 9), 0.95)
        draw_strands(layer, Strands(points[None], np.full((1, 9), 0.17), _WOOD[None], shade, np.zeros(1)))
        count = 150
        begin = rng.uniform(-view.bottom - 0.3, view.bottom, (count, 1))
        along = begin + t * rng.uniform(0.15, 0.6, (count, 1))
        offset = rng.uniform(-0.079, 0.079, (count, 1))
        points = np.stack([x + offset + 0.003 * np.sin(6 * along + 20 * offset), along], axis=-1)
        thick = rng.uniform(0.0008, 0.005, (count, 1)) * np.sin(np.pi * np.clip(t, 0.02, 0.98))
        round_off = 1 - 0.30 * (offset / 0.085) ** 2 - 1.2 * offset
        shade = round_off * rng.uniform(0.55, 1.25, (count, 1)) * np.ones(9)
        colour = _WOOD * (1 + rng.normal(0, 0.06, (count, 3)))
        draw_strands(layer, Strands(points, thick, colour, shade, rng.uniform(0.3, 1.5, count)))


def _draw_ropes(layer: Layer, knots: Doubles, rng: np.random.Generator) -> None:
    """Draw the head rope, the foot rope and the side ropes, with fuzz."""
    edge = layer.view.right + 0.05  # ropes go around the posts
    for row, size in ((0, 0.026), (-1, 0.016)):
        line = knots[row]
        left, right = np.array([-edge, line[0, 1] - 0.02]), np.array([edge, line[-1, 1] - 0.02])
        points = np.concatenate([[left], line, [right]])
        _draw_rope(layer, points, size, 5.0)
        _draw_fuzz(layer, points, size, rng)


def _draw_rope(layer: Layer, points: Doubles, size: float, order: float) -> None:
    count = len(points)
    draw_strands(
        layer,
        Strands(
            points[None],
            np.full((1, count), size),
            _HEMP[None],
            np.ones((1, count)),
            np.array([order]),
            twist=0.7,
        ),
    )


def _draw_fuzz(layer: Layer, points: Doubles, size: float, rng: np.random.Generator) -> None:
    """Draw fine fibres that stand off a rope."""
    count = 40 * len(points)
    at = rng.uniform(0, len(points) - 1.001, count)
    low = at.astype(np.intp)
    root = points[low] + (points[low + 1] - points[low]) * (at - low)[:, None]
    angle = rng.uniform(0, 2 * np.pi, (count, 1)) + np.linspace(0, 1, 4) * rng.normal(0, 1.2, (count, 1))
    out = size * rng.uniform(0.5, 1.5, (count, 1)) * np.linspace(0, 1, 4)
    fibre = root[:, None] + np.stack([out * np.cos(angle), out * np.sin(angle)], axis=-1)
    thick = np.broadcast_to(0.0006 * np.array([1.0, 1.0, 0.8, 0.4]), (count, 4))
    colour = _HEMP * rng.uniform(0.9, 1.15, (count, 1))
    draw_strands(layer, Strands(fibre, thick, colour, np.ones((count, 4)), np.full(count, 3.0)))


def _draw_mesh(layer: Layer, knots: Doubles, rng: np.random.Generator) -> None:
    """Draw the threads between neighbouring knots, and the knots."""
    rows, columns = knots.shape[:2]
    edge = layer.view.right + 0.03
    threads = []
    for row in range(rows):
        for column in range(columns):
            for other in (column, column + (1 if row % 2 else -1)):
                if row + 1 < rows and 0 <= other < columns:
                    threads.append((knots[row, column], knots[row + 1, other]))
        for knot, post in ((knots[row, 0], -edge), (knots[row, -1], edge)):
            if 0 < row < rows - 1 and abs(post - knot[0]) < 0.16 + 1.4 * _MESH_X:
                threads.append((knot, np.array([post, knot[1] - 0.02])))
    ends = np.array(threads)
    count = len(ends)
    t = np.linspace(0, 1, 5)
    points = ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * t[:, None]
    points[..., 1] += np.sin(np.pi * t) * rng.uniform(0.0, 0.010, (count, 1))
    points[..., 0] += np.sin(np.pi * t) * rng.normal(0, 0.003, (count, 1))
    thick = np.broadcast_to(0.0115 * rng.uniform(0.9, 1.1, (count, 1)), (count, 5))
    shade = rng.uniform(0.88, 1.05, (count, 1)) * np.ones(5)
    colour = _HEMP * (1 + rng.normal(0, 0.02, (count, 3)))
    draw_strands(layer, Strands(points, thick, colour, shade, 3.0 + rng.uniform(0, 1, count), twist=0.8))
    flat = knots.reshape(-1, 2)
    turn = rng.uniform(-0.5, 0.5, (len(flat), 1, 1))
    t = np.linspace(-1, 1, 11)[:, None]
    reach = 0.017 * t * np.concatenate([np.cos(turn), np.sin(turn)], axis=-1)
    thick = np.broadcast_to(0.024 * np.sqrt(np.clip(1.02 - t[:, 0] ** 4, 0, 1)), (len(flat), 11))
    shade = np.broadcast_to(1.05 - 0.20 * t[:, 0] ** 2, (len(flat), 11))
    colour = _HEMP * rng.uniform(0.92, 1.06, (len(flat), 1))
    order = np.full(len(flat), 6.0)
    draw_strands(layer, Strands(flat[:, None] + reach, thick, colour, shade, order, twist=0.45))


def _draw_twine(layer: Layer, knots: Doubles, rng: np.random.Generator) -> None:
    """Draw thin white twine that mends the net, and its loose ends."""
    rows, columns = knots.shape[:2]
    count = 2 + columns // 2
    t = np.linspace(0, 1, 7)
    begin = knots[rng.integers(0, rows - 2, count), np.arange(count) * columns // count]
    stop = begin + np.stack([rng.uniform(-1.2, 1.2, count) * _MESH_X, np.full(count, 2 * _MESH_Y)], axis=-1)
    points = begin[:, None] + (stop - begin)[:, None] * t[:, None]
    points += rng.normal(0, 0.006, points.shape)
    thick = np.broadcast_to(0.0026 * np.array([1, 1, 1, 1, 1, 0.9, 0.6]), (count, 7))
    shade = np.full((count, 7), 0.95)
    colour = np.broadcast_to(_TWINE, (count, 3)).copy()
    draw_strands(layer, Strands(points, thick, colour, shade, np.full(count, 7.0), twist=1.2))
    count = 6 * count
    begin = knots[rng.integers(0, rows, count), rng.integers(0, columns, count)]
    angle = rng.uniform(0, 2 * np.pi, (count, 1)) + t * rng.normal(0, 2.0, (count, 1))
    out = rng.uniform(0.02, 0.06, (count, 1)) * t
    points = begin[:, None] + np.stack([out * np.cos(angle), out * np.sin(angle) + out * 0.7], axis=-1)
    thick = np.broadcast_to(0.0012 * np.array([1, 1, 1, 1, 0.9, 0.7, 0.4]), (count, 7))
    colour = _HEMP * rng.uniform(0.9, 1.15, (count, 1))
    draw_strands(layer, Strands(points, thick, colour, np.ones((count, 7)), np.full(count, 4.0)))


def _hedge(view: View, rng: np.random.Generator) -> Paint:
    """Paint leaves over leaves, slightly out of focus."""
    small = smaller(view, 700)
    layer = Layer(small)
    count = round(3200 * 4 * view.right * view.bottom)
    middle = rng.uniform(-1, 1, (count, 1, 2)) * (np.array([view.right, view.bottom]) + 0.05)
    angle = rng.normal(1.2, 0.9, (count, 1)) + np.linspace(-0.3, 0.3, 5) * rng.normal(0, 1, (count, 1))
    size = rng.uniform(0.035, 0.075, (count, 1))
    t = np.linspace(-0.5, 0.5, 5)
    points = middle + np.stack([np.cos(angle) * size * t, np.sin(angle) * size * t], axis=-1)
    thick = 0.48 * size * np.array([0.12, 0.85, 1.0, 0.7, 0.04])
    depth = rng.uniform(0, 1, (count, 1))
    hue = rng.uniform(0, 1, (count, 1))
    colour = np.array([0.16, 0.34, 0.09]) * (1 - hue) + np.array([0.42, 0.50, 0.15]) * hue
    shade = (0.28 + 1.0 * depth**1.5) * (0.9 + 0.35 * t)
    draw_strands(layer, Strands(points, thick, colour, shade, 14 * depth[:, 0]))
    dark = np.float32(0.02)
    picture = layer.colour.reshape(small.height, small.width, 3) + dark * np.array([0.03, 0.06, 0.02], np.float32)
    picture /= (layer.weight.reshape(small.height, small.width) + dark)[..., None]
    lattice = random_lattice(rng)
    y, x = small.rows(0, small.height), small.columns()
    wash = noise(lattice, y, x, cells=1.8, octaves=3, side=small.side)
    blurred = enlarged(view, small, picture * (1 + 0.2 * wash)[..., None])

    def paint(y: Doubles, x: Doubles) -> Floats:
        grain = noise(lattice, y, x, cells=90, octaves=5, side=view.side, gain=0.8)
        shaded: Floats = blurred(y, x) * (1 + np.float32(0.05) * grain)[..., None]
        return shaded

    return paint
