"""Draw curved, tapered strands with exact coverage, many at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ._layer import Doubles, Floats, Layer
from ._segments import draw_segments
from ._texture import cubic_taps

_NODES = 1 << 18  # number of curve nodes worked on at once
# A strand has 100 straight segments, or as many as make them 8 to 24 pixels long. Broad strands
# need longer segments, so that the joint lines of a bend do not cross within the strand.
_STEPS, _SHORT, _LONG, _BROAD = 100, 8.0, 24.0, 64.0


@dataclass(frozen=True)
class Strands:
    """N smooth curves through M control points each, in scene units.

    Attributes
    ----------
    points : (N, M, 2) ndarray
        Control points (x, y); the curve passes through them (Catmull-Rom).
    width : (N, M) ndarray
        Full width at the control points.
    colour : (N, 3) ndarray
        RGB in [0, 1].
    shade : (N, M) ndarray
        Factor of the colour at the control points.
    order : (N,) ndarray
        Strands of higher order show in front where strands overlap.
    twist : float
        Length of one turn of a twisted rope in strand widths, 0 for a plain strand.
    """

    points: Doubles
    width: Doubles
    colour: Doubles
    shade: Doubles
    order: Doubles
    twist: float = 0.0


def draw_strands(layer: Layer, strands: Strands, *, floor: float = 0.25) -> None:
    """Paint strands on a layer.

    Each curve becomes a chain of short straight segments. A pixel belongs to the segment between
    whose two joint lines (the bisectors of neighbouring segments) its centre lies, so a strand
    covers no pixel twice. With d the distance of the pixel's centre from the segment's line, w the
    strand's width there and G the function of :func:`._layer.strip_overlap`, the coverage is the
    exact overlap of a unit box with a strip,

        a = [G(d + w/2) - G(d - w/2)] * [overlap of the box with the half planes of the two ends],

    where the second factor is 1 except at the ends of the strand. Strands combine as alpha = 1 - prod(1 - a_k).

    Parameters
    ----------
    layer : Layer
        Layer to paint on; it is changed in place.
    strands : Strands
        Strands to draw.
    floor : float, default 0.25
        Least width in pixels. Strands that would be thinner are drawn this wide, and fewer of them,
        so that their total coverage stays.
    """
    view = layer.view
    pixels = view.to_pixels(strands.points)
    width = strands.width * view.side
    nominal = width.max(axis=1)
    grow = np.maximum(1.0, floor / nominal)
    # Multiples of the golden ratio spread evenly over [0, 1). The choice is the same at any size.
    keep = (np.arange(len(nominal)) * 0.6180339887498949) % 1.0 < 1 / grow
    length = np.linalg.norm(np.diff(pixels, axis=1), axis=2).sum(axis=1)
    step = np.maximum(np.clip(length / _STEPS, _SHORT, _LONG), np.minimum(nominal / 2, _BROAD))
    count = np.where(keep, np.ceil(length / step), 0).astype(np.intp)
    width *= grow[:, None]
    by_count = np.argsort(count, kind="stable")
    by_count = by_count[np.searchsorted(count[by_count], 1) :]
    while len(by_count):
        most = count[by_count[-1]] + 1
        chosen = by_count[-max(1, _NODES // most) :]
        chosen = chosen[count[chosen] > 0.7 * (most - 1)]
        by_count = by_count[: -len(chosen)]
        _draw_chains(layer, strands, chosen, pixels[chosen], width[chosen], int(most))


def _draw_chains(
    layer: Layer, strands: Strands, chosen: npt.NDArray[np.intp], points: Doubles, width: Doubles, nodes: int
) -> None:
    """Cut the chosen strands into chains of `nodes` nodes, then draw their segments."""
    first, taps = cubic_taps(np.linspace(0, points.shape[1] - 1, nodes), spline=False)

    def resample(values: Doubles) -> Floats:
        """Interpolate (Catmull-Rom) along the second axis and continue straight at both ends."""
        values = np.moveaxis(values, 1, -1)
        begin, end = 2 * values[..., :1] - values[..., 1:2], 2 * values[..., -1:] - values[..., -2:-1]
        values = np.concatenate([begin, values, end, end], axis=-1)
        fine = sum(values[..., first + 1 + k] * taps[:, k] for k in range(4))
        return np.asarray(np.moveaxis(np.asarray(fine), -1, 1), np.float32)

    node, shade = resample(points), resample(strands.shade[chosen])
    half = np.maximum(resample(width / 2), 0)
    pitch = np.broadcast_to(strands.twist * width.max(axis=1)[:, None], (len(chosen), nodes - 1))
    step = np.diff(node, axis=1)
    length = np.maximum(np.hypot(step[..., 0], step[..., 1]), np.float32(1e-6))
    tangent = step / length[..., None]
    joint = np.concatenate([tangent[:, :1], tangent[:, 1:] + tangent[:, :-1], tangent[:, -1:]], axis=1)
    start = np.cumsum(length, axis=1) - length
    edge = np.zeros(length.shape, np.int8)
    edge[:, 0] |= 1
    edge[:, -1] |= 2
    owner = np.broadcast_to(chosen[:, None], length.shape)
    flat = {
        "x": node[:, :-1, 0], "y": node[:, :-1, 1], "x1": node[:, 1:, 0], "y1": node[:, 1:, 1],
        "tx": tangent[..., 0], "ty": tangent[..., 1], "jx": joint[:, :-1, 0], "jy": joint[:, :-1, 1],
        "jx1": joint[:, 1:, 0], "jy1": joint[:, 1:, 1], "length": length, "start": start,
        "half": half[:, :-1], "half1": half[:, 1:], "shade": shade[:, :-1], "shade1": shade[:, 1:],
        "red": strands.colour[owner, 0], "green": strands.colour[owner, 1], "blue": strands.colour[owner, 2],
        "pitch": pitch, "gain": np.exp2(strands.order[owner]),
    }  # fmt: skip
    segments = np.empty(length.size, [(name, np.float32) for name in flat])
    for name, column in flat.items():
        segments[name] = column.ravel()
    for ending in range(4):
        draw_segments(layer, segments[(edge == ending).ravel()], ending=ending, twist=strands.twist > 0)
