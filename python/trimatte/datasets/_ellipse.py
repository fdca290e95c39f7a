"""Draws solid ellipses with analytic edges."""

from __future__ import annotations

import numpy as np

from ._layer import Doubles, Layer, strip_overlap


def draw_ellipse(
    layer: Layer,
    centre: Doubles,
    radii: tuple[float, float],
    colour: Doubles,
    *,
    order: float,
    light: tuple[float, float] = (0.0, 0.0),
) -> None:
    """Paint an axis-parallel ellipse.

    Coverage is 1/2 + G(s) of :func:`strip_overlap`, since the edge is taken as straight within a
    pixel. s is the distance to the edge to first order, (1 - f) f / norm(grad f²/2) with f² =
    (x/rx)² + (y/ry)².

    Parameters
    ----------
    layer : Layer
        Layer to paint on; it is changed in place.
    centre : (2,) ndarray
        (x, y) in scene units.
    radii : (float, float)
        Half axes along x and y, in scene units.
    colour : (3,) ndarray
        RGB in [0, 1].
    order : float
        Shapes of higher order show in front where shapes overlap.
    light : (float, float), default (0, 0)
        Direction towards the light; its length is the strength of the shading.
    """
    view = layer.view
    x0, y0 = view.to_pixels(centre)
    rx, ry = radii[0] * view.side, radii[1] * view.side
    first, last = max(0, int(x0 - rx - 1)), min(view.width, int(np.ceil(x0 + rx + 2)))
    top, bottom = max(0, int(y0 - ry - 1)), min(view.height, int(np.ceil(y0 + ry + 2)))
    if first >= last:
        return
    rows = max(1, (1 << 17) // (last - first))
    for start in range(top, bottom, rows):
        y = np.arange(start, min(start + rows, bottom), dtype=np.float32)[:, None] - np.float32(y0)
        x = np.arange(first, last, dtype=np.float32) - np.float32(x0)
        u, v = x / np.float32(rx), y / np.float32(ry)
        u = np.where(u == 0, np.float32(1e-6), u)  # the very centre has no normal
        f = np.hypot(u, v)
        gx, gy = u / np.float32(rx), v / np.float32(ry)
        slope = np.hypot(gx, gy)
        coverage = np.float32(0.5) + strip_overlap((1 - f) * f / slope, gx / slope, gy / slope)
        shade = np.float32(1) - np.float32(0.25) * f * f + np.float32(light[0]) * u * np.float32(0.5)
        shade = np.clip(shade + np.float32(light[1]) * v * np.float32(0.5), 0.1, 1.6)
        mine = coverage > np.float32(1e-6)
        flat = (np.arange(start, start + len(y))[:, None] * view.width + np.arange(first, last))[mine]
        coverage = np.minimum(coverage[mine], 1)
        shade = shade[mine]
        weight = coverage * np.float32(2.0**order)
        layer.add(flat, coverage, weight, [shade * np.float32(channel) for channel in colour])
