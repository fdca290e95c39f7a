"""Rasterise short straight segments of strands, grouped by the size of their pixel window."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ._layer import Floats, Layer, View, strip_overlap

# So many pixels are worked on at once: a dozen float32 arrays of this size stay in the cache.
_RECORDS = 1 << 16


def draw_segments(layer: Layer, segments: npt.NDArray[np.void], *, ending: int, twist: bool) -> None:
    """Paint segments on a layer.

    Parameters
    ----------
    layer : Layer
        Layer to paint on; it is changed in place.
    segments : (N,) structured ndarray of float32
        Fields in pixels are the ends x, y and x1, y1; the unit tangent tx, ty; directions jx, jy
        and jx1, jy1 normal to the joint lines at both ends; half widths half and half1; length;
        start, which is the arc length before the segment; and the pitch of the twist. Other fields
        are the colour red, green, blue; its factors shade and shade1; and gain, which is the
        weight.
    ending : int
        Bit 1 says that the strand begins here, bit 2 that it ends here.
    twist : bool
        Whether to shade the segments as twisted rope.
    """
    steep = np.abs(segments["ty"]) > np.abs(segments["tx"])
    for swap in (False, True):
        for group, columns, rows in _groups(segments[steep == swap], swap, layer.view):
            _draw_group(layer, group, columns, rows, swap, ending, twist)


def _names(swap: bool) -> tuple[str, str]:
    return ("y", "x") if swap else ("x", "y")


def _groups(
    segments: npt.NDArray[np.void], swap: bool, view: View
) -> Iterator[tuple[npt.NDArray[np.void], int, int]]:
    """Group segments by the size of their pixel window: columns along u, rows along v."""
    u, v = _names(swap)
    tu, tv = np.abs(segments["t" + u]), np.abs(segments["t" + v])
    reach = np.maximum(segments["half"], segments["half1"]) + (tu + tv) / 2

    def lean(du: Floats, dv: Floats) -> Floats:
        across = np.abs(segments["t" + u] * dv - segments["t" + v] * du)
        along = segments["t" + u] * du + segments["t" + v] * dv
        leaning: Floats = across / np.maximum(along, across / 2 + np.float32(1e-9))
        return leaning

    tilt = np.maximum(
        lean(segments["j" + u], segments["j" + v]), lean(segments["j" + u + "1"], segments["j" + v + "1"])
    )
    margin = reach * (tv + tu * tilt)
    extent = (view.height, view.width) if swap else (view.width, view.height)
    lowest = np.minimum(segments[u], segments[u + "1"]) - margin
    highest = np.maximum(segments[u], segments[u + "1"]) + margin
    spread = reach / tu
    inside = (highest >= 0) & (lowest <= extent[0] - 1)
    inside &= np.maximum(segments[v], segments[v + "1"]) + spread + margin >= 0
    inside &= np.minimum(segments[v], segments[v + "1"]) - spread - margin <= extent[1] - 1
    columns = _round_up(highest - lowest)
    rows = _round_up(2 * spread)
    key = columns * (1 << 20) + rows
    order = np.flatnonzero(inside)
    # Segments go from top to bottom within a group, so that a batch touches few pages of memory.
    order = order[np.lexsort((segments["y"][order], key[order]))]
    values, begins = np.unique(key[order], return_index=True)
    for value, begin, end in zip(values, begins, np.append(begins, len(order))[1:], strict=True):
        n_columns, n_rows = int(value) >> 20, int(value) & ((1 << 20) - 1)
        batch = max(1, _RECORDS // (n_columns * n_rows))
        for at in range(begin, end, batch):
            yield segments[order[at : min(at + batch, end)]], n_columns, n_rows


def _round_up(size: Floats) -> npt.NDArray[np.int64]:
    """Round up to whole numbers, and large ones to eighths of a power of two, for few groups."""
    unit = np.exp2(np.maximum(0, np.floor(np.log2(size)) - 3))
    return np.asarray(np.ceil(size / unit) * unit, np.int64)


def _draw_group(
    layer: Layer, s: npt.NDArray[np.void], columns: int, rows: int, swap: bool, ending: int, twist: bool
) -> None:
    """Draw segments that run mostly along u in windows of columns x rows pixels.

    The axis u is x, or y if `swap`. Arrays are (columns, rows, segments). The long axis is the
    last, so that NumPy's inner loops are long.
    """
    u, v = _names(swap)
    view = layer.view
    limit_u, limit_v = (view.height, view.width) if swap else (view.width, view.height)
    stride_u, stride_v = (view.width, 1) if swap else (1, view.width)

    def get(name: str) -> Floats:
        return np.ascontiguousarray(s[name])

    tu, tv = get("t" + u), get("t" + v)
    u0, v0, u1, v1 = get(u), get(v), get(u + "1"), get(v + "1")
    pixel_u = (
        np.ceil((u0 + u1) / 2 - np.float32(columns / 2)) + np.arange(columns, dtype=np.float32)[:, None, None]
    )
    du = pixel_u - u0
    pixel_v = np.ceil(v0 + du * (tv / tu) - np.float32(rows / 2)) + np.arange(rows, dtype=np.float32)[:, None]
    dv = pixel_v - v0

    along = du * tu + dv * tv
    across = dv * tu - du * tv
    part = np.clip(along / get("length"), 0, 1)
    half = get("half") + (get("half1") - get("half")) * part
    coverage = strip_overlap(half + across, tu, tv)
    coverage += strip_overlap(half - across, tu, tv)
    if ending & 1:
        coverage *= np.float32(0.5) + strip_overlap(along, tu, tv)
    if ending & 2:
        coverage *= np.float32(0.5) + strip_overlap(get("length") - along, tu, tv)
    mine = coverage > np.float32(1e-6)
    if not ending & 1:
        mine &= du * get("j" + u) + dv * get("j" + v) >= 0
    if not ending & 2:
        mine &= (pixel_u - u1) * get("j" + u + "1") + (pixel_v - v1) * get("j" + v + "1") < 0
    for pixel, limit in ((pixel_u, limit_u), (pixel_v, limit_v)):
        if pixel.min() < 0 or pixel.max() >= limit:
            mine &= (pixel >= 0) & (pixel < limit)

    chosen = np.flatnonzero(mine)
    owner = chosen.astype(np.uint32) % np.uint32(len(s))
    half, part, across = half.ravel()[chosen], part.ravel()[chosen], across.ravel()[chosen]

    side = np.clip(across / (half + np.float32(0.5)), -1, 1)
    shade = get("shade")[owner] + (get("shade1") - get("shade"))[owner] * part
    shade *= 1 - np.float32(0.35) * side * side
    if twist:
        turn = (get("start")[owner] + along.ravel()[chosen]) * (2 * np.pi / get("pitch"))[owner] + 2 * side
        shade *= 1 + np.float32(0.22) * np.sin(turn) + np.float32(0.07) * np.sin(5 * turn + side)
    # int32 holds every position, since a picture has fewer than 2**31 pixels.
    place = pixel_u.astype(np.int32) * np.int32(stride_u) + pixel_v.astype(np.int32) * np.int32(stride_v)
    cover = np.minimum(coverage.ravel()[chosen], 1)
    rgb = [shade * get(name)[owner] for name in ("red", "green", "blue")]
    layer.add(place.ravel()[chosen].astype(np.intp), cover, cover * get("gain")[owner], rgb)
