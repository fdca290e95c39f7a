"""Long hair in the wind, seen from behind, before a brick wall."""

from __future__ import annotations

import numpy as np

from ._ellipse import draw_ellipse
from ._layer import Doubles, Floats, Layer, View
from ._scene import Paint, Scene, assemble, check_arguments
from ._strands import Strands, draw_strands
from ._texture import enlarged, noise, random_lattice, smaller

_BROWN = np.array([0.30, 0.17, 0.085])
_GOLD = np.array([0.62, 0.42, 0.20])
_WOOL = np.array([0.16, 0.30, 0.36])
_NODES = 20


def hair(height: int, width: int, *, seed: int = 0, noise: float = 0.0) -> Scene:
    """Render long hair blown by the wind before a brick wall.

    Parameters
    ----------
    height, width : int
        Size in pixels, at least 32.
    seed : int, default 0
        Number of the head. The same seed shows the same scene at any size of one aspect ratio.
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
    rng = np.random.default_rng((seed, 2))
    head = _Head(view)
    layer = Layer(view)
    head.draw_body(layer, rng)
    head.draw_locks(layer, rng)
    head.draw_loose(layer, rng)
    wall = _wall(view, rng)

    def surface(y: Doubles, x: Doubles) -> Floats:
        low = np.clip((y - head.top - 0.75) / 0.2, 0, 1)[:, None, None]
        return np.asarray((1 - low) * (0.6 * _BROWN + 0.25 * _GOLD) + low * _WOOL, np.float32)

    return assemble(layer, surface=surface, background=wall, seed=seed, noise=deviation, band=0.007)


class _Head:
    """Place of the head and fall of its hair; lengths are in scene units."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.x = -0.30 * (view.right - 0.5) - 0.14
        self.top = -0.42 + 0.75 * (view.bottom - 0.5)
        self.length = 0.72 + 0.45 * (view.bottom - 0.5)
        self.wind = 0.58 + 0.55 * (view.right - 0.5)

    def outline(self, drop: Doubles) -> Doubles:
        """Return half the width of the hair at a height below the crown."""
        cap = np.sqrt(1 - (1 - np.clip(drop / 0.23, 0, 1)) ** 2)
        fall = np.clip((drop - 0.22) / 0.3, 0, 1)
        return np.asarray(0.185 * cap + 0.03 * fall * fall * (3 - 2 * fall))

    def draw_body(self, layer: Layer, rng: np.random.Generator) -> None:
        """Draw the head under the hair, and shoulders in a knitted pullover."""
        shoulder = self.top + 0.45
        half, ry = 0.40, 0.24
        end = max(self.view.bottom, shoulder + ry) + 0.5
        trunk = np.array([[[self.x, shoulder + ry], [self.x, end]]])
        one = np.ones((1, 2))
        draw_strands(layer, Strands(trunk, 2 * half * one, _WOOL[None], 0.9 * one, np.zeros(1)))
        draw_ellipse(layer, np.array([self.x, shoulder + ry]), (half, ry), _WOOL, order=0.0)
        draw_ellipse(layer, np.array([self.x, self.top + 0.22]), (0.17, 0.205), _BROWN, order=0.0)
        draw_ellipse(layer, np.array([self.x, self.top + 0.42]), (0.10, 0.20), _BROWN, order=0.0)
        # Ribs of the knit stay inside the body, so its edge is the ellipse's.
        rib = np.linspace(-0.39, 0.39, 50)
        start = shoulder + 0.012 + ry * (1 - np.sqrt(1 - np.minimum(1, 1.02 * np.abs(rib) / half) ** 2))
        t = np.linspace(0, 1, 10)
        y = start[:, None] + (end - start)[:, None] * t
        points = np.stack([self.x + np.broadcast_to(rib[:, None], y.shape), y], axis=-1)
        shade = 1.05 - 2.6 * rib[:, None] ** 2 - 0.4 * rib[:, None]
        shade = shade * np.clip(0.6 + 3 * (y - start[:, None]), 0.6, 1)
        colour = _WOOL * rng.uniform(0.9, 1.1, (len(rib), 1))
        wide = np.full(y.shape, 0.017)
        draw_strands(layer, Strands(points, wide, colour, shade, np.ones(len(rib)), twist=0.9))

        # A seam along the edge hides the ribs' ends.
        turn = np.linspace(-np.pi / 2, np.pi / 2, 24)
        seam = np.stack(
            [self.x + (half - 0.027) * np.sin(turn), shoulder + ry - (ry - 0.027) * np.cos(turn)], axis=-1
        )
        down = np.array([[0.0, 0.15], [0.0, 0.3], [0.0, end - shoulder - ry]])
        seam = np.concatenate([seam[:1] + down[::-1], seam, seam[-1:] + down])[None]
        size = np.full(seam.shape[:2], 0.044)
        draw_strands(
            layer, Strands(seam, size, 0.95 * _WOOL[None], np.ones(size.shape), np.array([2.0]), twist=0.3)
        )

    def draw_locks(self, layer: Layer, rng: np.random.Generator) -> None:
        """Draw the bulk of the hair as locks, with broad strands below fine ones."""
        locks = 70
        place = np.sort(rng.uniform(-1, 1, locks))
        gust = np.clip(0.42 + 0.30 * place + rng.normal(0, 0.20, locks), 0.0, 1.2)
        reach = rng.uniform(0.72, 1.05, locks)
        phase = rng.uniform(0, 2 * np.pi, locks)
        fair = rng.normal(0, 1, locks)
        for count, wide, order in ((480, 0.0060, 4.0), (1900, 0.0014, 6.0), (1400, 0.0006, 7.0)):
            lock = rng.integers(0, locks, count)
            side = np.clip(place[lock] + rng.normal(0, 0.035, count), -1, 1)
            blow = gust[lock] + rng.normal(0, 0.05, count)
            length = self.length * reach[lock] * rng.uniform(0.75, 1.05, count)
            bend = phase[lock] + rng.normal(0, 0.25, count)
            wave = np.full(count, 0.010) * rng.uniform(0.5, 1.5, count)
            self._draw(layer, rng, side, blow, length, bend, wave, fair[lock], wide, order)

    def draw_loose(self, layer: Layer, rng: np.random.Generator) -> None:
        """Draw single hairs that have left the locks."""
        count = 600
        side = rng.choice([-1.0, 1.0], count) * rng.uniform(0.3, 1.03, count)
        blow = np.clip(rng.normal(0.32, 0.38, count) + 0.25 * side, -0.35, 1.3)
        length = self.length * rng.uniform(0.5, 1.15, count)
        wave = rng.uniform(0.005, 0.035, count)
        phase, fair = rng.uniform(0, 2 * np.pi, count), rng.normal(0, 1, count)
        self._draw(layer, rng, side, blow, length, phase, wave, fair, 0.0006, 7.0)
        count = 160  # short hairs that stand off the crown
        angle = rng.uniform(-1.35, 1.35, count)
        t = np.linspace(0, 1, 5)
        turn = angle[:, None] + t * rng.choice([-1.0, 1.0], (count, 1)) * rng.uniform(0.15, 0.6, (count, 1))
        rise = 0.97 + t**1.4 * rng.uniform(0.04, 0.20, (count, 1))
        points = np.stack(
            [self.x + 0.185 * rise * np.sin(turn), self.top + 0.225 - 0.225 * rise * np.cos(turn)], axis=-1
        )
        thick = np.broadcast_to(0.0005 * np.array([1.0, 1.0, 0.9, 0.7, 0.4]), (count, 5))
        colour = _BROWN + (_GOLD - _BROWN) * rng.uniform(0.2, 0.9, (count, 1))
        shade = np.broadcast_to(1 + 0.2 * t, (count, 5))
        draw_strands(layer, Strands(points, thick, colour, shade, np.full(count, 7.0)))

    def _draw(
        self,
        layer: Layer,
        rng: np.random.Generator,
        side: Doubles,
        blow: Doubles,
        length: Doubles,
        phase: Doubles,
        wave: Doubles,
        fair: Doubles,
        wide: float,
        order: float,
    ) -> None:
        """Draw strands that fall from the crown at the lateral place `side`, in [-1, 1]."""
        count = len(side)
        t = np.linspace(0, 1, _NODES)
        drop = t**1.7 * length[:, None]
        x = self.x + side[:, None] * self.outline(drop)
        free = np.maximum(drop - 0.20, 0)
        x = x + self.wind * 2.0 * blow[:, None] * free**1.45
        y = self.top + drop - 0.55 * np.abs(blow[:, None]) * free**1.6
        ripple = np.clip(drop / 0.25, 0, 1) * wave[:, None]
        x = x + ripple * np.sin(16 * drop + phase[:, None])
        y = y + ripple * 0.6 * np.cos(13 * drop + 1.7 * phase[:, None])
        thick = wide * rng.uniform(0.7, 1.2, (count, 1)) * np.clip(3 * (1 - t), 0.05, 1) ** 0.8
        mix = np.clip(0.30 + 0.17 * fair + 0.20 * rng.normal(0, 1, count), 0, 1)[:, None]
        colour = (_BROWN * (1 - mix) + _GOLD * mix) * np.exp(0.20 * rng.normal(0, 1, (count, 1)))
        sheen = np.exp(-(((drop - 0.13) / 0.05) ** 2)) * (0.75 - 0.5 * (side[:, None] + 0.35) ** 2)
        sheen = sheen + 0.4 * np.exp(-(((drop - 0.40 - 0.06 * np.sin(phase[:, None])) / 0.07) ** 2))
        shade = 0.78 - 0.22 * side[:, None] ** 2 - 0.10 * side[:, None] + 0.9 * sheen + 0.28 * t
        front = order + rng.uniform(0, 3.5, count)
        draw_strands(layer, Strands(np.stack([x, y], axis=-1), thick, colour, shade, front))


def _wall(view: View, rng: np.random.Generator) -> Paint:
    """Paint weathered bricks, slightly out of focus."""
    small = smaller(view, 800)
    y, x, side = small.rows(0, small.height), small.columns(), small.side
    lattice = random_lattice(rng)
    wobble_y = noise(lattice, y, x, cells=9, octaves=4, side=side) * 0.0016
    wobble_x = noise(lattice, y + 31, x + 17, cells=9, octaves=4, side=side) * 0.0016
    brick_y = (y[:, None] + wobble_y) / 0.062 + 0.3
    row = np.floor(brick_y).astype(np.intp)
    brick_x = (x + wobble_x) / 0.165 + 0.5 * (row % 2) + 0.07 * lattice[row % 256, 5]
    column = np.floor(brick_x).astype(np.intp)
    inner = np.minimum((0.5 - np.abs(brick_y - row - 0.5)) * 0.062, (0.5 - np.abs(brick_x - column - 0.5)) * 0.165)
    brick = np.clip((inner - 0.0042) / 0.004 + 0.5, 0, 1)[..., None]
    brick = brick * brick * (3 - 2 * brick)
    tone, warm = lattice[row % 256, column % 256] / 2.1, lattice[column % 256, (row + 99) % 256] / 2.1
    clay = np.array([0.62, 0.45, 0.36]) * (1 + 0.12 * tone[..., None])
    clay = clay + warm[..., None] * np.array([0.05, 0.0, -0.035])
    rough = noise(lattice, y - 11, x + 3, cells=14, octaves=6, side=side, gain=0.75)[..., None]
    mortar = np.array([0.72, 0.69, 0.63]) * (1 + 0.06 * rough)
    wash = noise(lattice, y + 5, x - 9, cells=1.7, octaves=3, side=side)[..., None]
    light = 1.0 - 0.22 * (x / view.right) - 0.10 * (y[:, None] / view.bottom)
    picture = (clay * (1 + 0.13 * rough) * brick + mortar * (1 - brick)) * (1 + 0.09 * wash)
    blurred = enlarged(view, small, (picture * light[..., None]).astype(np.float32))

    def paint(y: Doubles, x: Doubles) -> Floats:
        grain = noise(lattice, y, x, cells=160, octaves=4, side=view.side, gain=0.8)
        shaded: Floats = blurred(y, x) * (1 + np.float32(0.035) * grain)[..., None]
        return shaded

    return paint
