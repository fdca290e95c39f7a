"""Scenes, and how they are made of layers."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from .._showing import as_html, one_line
from ._layer import Doubles, Floats, Layer, View
from ._texture import sample_grid

Paint: TypeAlias = Callable[[Doubles, Doubles], Floats]

LEAST_SIDE = 32
_OPAQUE = np.float32(1 / 1024)  # coverage nearer than this to 0 or 1 counts as 0 or 1
_FADE = np.float32(0.03)  # weight of the colour that the foreground has where nothing is painted
_BAND_PIXELS = 1 << 18


class Scene(NamedTuple):
    """Rendered picture and everything it is made of.

    The image is ``alpha * foreground + (1 - alpha) * background`` to float32 rounding, before
    sensor noise.

    Attributes
    ----------
    image : (H, W, 3) ndarray of float32
        RGB in [0, 1].
    trimap : (H, W) ndarray of uint8
        0 is background, 128 unknown, 255 foreground. Every pixel with 0 < alpha < 1 is unknown.
    alpha : (H, W) ndarray of float32
        Exact coverage in [0, 1].
    foreground, background : (H, W, 3) ndarray of float32
        RGB in [0, 1], defined everywhere; the foreground fades to a smooth colour beyond its
        shapes.
    """

    image: npt.NDArray[np.float32]
    trimap: npt.NDArray[np.uint8]
    alpha: npt.NDArray[np.float32]
    foreground: npt.NDArray[np.float32]
    background: npt.NDArray[np.float32]

    def __repr__(self) -> str:
        return one_line(type(self).__name__, self._asdict())

    def _repr_html_(self) -> str:
        cutout = np.dstack([self.foreground, self.alpha])
        return as_html({"image": self.image, "trimap": self.trimap, "alpha": self.alpha, "cutout": cutout})


def check_arguments(height: int, width: int, seed: int, noise: float) -> tuple[View, int, float]:
    """Return the view, seed and noise of a scene; ValueError and TypeError name the argument."""
    sizes = []
    for name, value, least in (
        ("height", height, LEAST_SIDE),
        ("width", width, LEAST_SIDE),
        ("seed", seed, 0),
    ):
        try:
            number = operator.index(value)
        except TypeError:
            raise TypeError(f"{name}: expected an integer, got {type(value).__name__}") from None
        if number < least:
            raise ValueError(f"{name}: expected at least {least}, got {number}")
        sizes.append(number)
    if sizes[0] * sizes[1] >= 2**31:
        raise ValueError(f"height, width: expected fewer than 2**31 pixels, got {sizes[0]} x {sizes[1]}")
    if isinstance(noise, (str, bytes)):
        raise TypeError(f"noise: expected a number, got {type(noise).__name__}")
    try:
        deviation = float(noise)
    except (TypeError, ValueError):
        raise TypeError(f"noise: expected a number, got {type(noise).__name__}") from None
    if not (math.isfinite(deviation) and deviation >= 0):
        raise ValueError(f"noise: expected a finite number >= 0, got {deviation}")
    return View(sizes[0], sizes[1]), sizes[2], deviation


def row_bands(view: View) -> list[tuple[int, int]]:
    """Cut the picture into bands of rows that fit into the cache."""
    rows = max(1, _BAND_PIXELS // view.width)
    return [(top, min(top + rows, view.height)) for top in range(0, view.height, rows)]


def assemble(
    layer: Layer,
    *,
    surface: Paint,
    background: Paint,
    seed: int,
    noise: float,
    band: float,
    strokes: Doubles | None = None,
) -> Scene:
    """Make a scene of a painted layer, whose arrays become the scene's.

    Parameters
    ----------
    layer : Layer
        The foreground's shapes.
    surface : callable
        ``surface(y, x)`` is the colour of the foreground beyond its shapes, for rows y and columns
        x in units. It broadcasts to (rows, columns, 3).
    background : callable
        ``background(y, x)`` is the colour of the background.
    seed : int
        Seed of the sensor noise.
    noise : float
        Standard deviation of the sensor noise; the image is clipped to [0, 1] after it is added.
    band : float
        Width of the unknown band around fractional pixels, in units; it is at least two pixels.
    strokes : (N, 2, 2) ndarray, optional
        Lines from (x, y) to (x, y), in units, that are marked as known foreground where the
        foreground is opaque. They mark parts that are too small for the band, as a person would.

    Returns
    -------
    Scene
    """
    view = layer.view
    shape = (view.height, view.width)
    alpha = layer.clear.reshape(shape)
    foreground = layer.colour.reshape(*shape, 3)
    weight = layer.weight.reshape(shape)
    behind = np.empty_like(foreground)
    image = np.empty_like(foreground)
    x = view.columns()
    random = np.random.default_rng((seed, 0))
    for top, bottom in row_bands(view):
        y = view.rows(top, bottom)
        a, f, b, i = (array[top:bottom] for array in (alpha, foreground, behind, image))
        np.subtract(1, a, out=a)
        a[a < _OPAQUE] = 0
        a[a > 1 - _OPAQUE] = 1
        f += _FADE * surface(y, x)
        f *= (1 / (weight[top:bottom] + _FADE))[..., None]
        np.clip(f, 0, 1, out=f)
        np.clip(background(y, x), 0, 1, out=b)
        np.multiply(a[..., None], f, out=i)
        i += (1 - a)[..., None] * b
        if noise:
            i += np.float32(noise) * random.standard_normal(i.shape, np.float32)
        np.clip(i, 0, 1, out=i)
    trimap = make_trimap(alpha, view, band)
    if strokes is not None:
        _mark(trimap, alpha, view, strokes)
    return Scene(image, trimap, alpha, foreground, behind)


def _mark(trimap: npt.NDArray[np.uint8], alpha: Floats, view: View, strokes: Doubles) -> None:
    """Mark the opaque pixels on some lines as foreground."""
    steps = np.linspace(0, 1, 2 * max(view.height, view.width))[:, None]
    for start, end in strokes:
        column, row = (start + (end - start) * steps).T
        x = np.floor((column + view.right) * view.side).astype(int)
        y = np.floor((row + view.bottom) * view.side).astype(int)
        inside = (x >= 0) & (x < view.width) & (y >= 0) & (y < view.height)
        x, y = x[inside], y[inside]
        opaque = alpha[y, x] == 1
        trimap[y[opaque], x[opaque]] = 255


def make_trimap(alpha: Floats, view: View, band: float) -> npt.NDArray[np.uint8]:
    """Return a trimap whose unknown pixels are those within the band around fractional pixels.

    Distances are measured on blocks of a quarter of the band, so that their cost does not depend on
    the picture's size.
    """
    from scipy.ndimage import distance_transform_edt

    pixels = max(2.0, band * view.side)
    block = max(1, round(pixels / 4))
    near = np.empty((-(-view.height // block), -(-view.width // block)), bool)
    columns = np.arange(0, view.width, block)
    for row in range(len(near)):
        part = alpha[row * block : (row + 1) * block]
        near[row] = np.logical_or.reduceat(((part > 0) & (part < 1)).any(axis=0), columns)
    distance = distance_transform_edt(~near).astype(np.float32) * block
    trimap = np.empty(alpha.shape, np.uint8)
    shift = (block - 1) / 2
    x = (np.arange(view.width) - shift) / block
    for top, bottom in row_bands(view):
        a = alpha[top:bottom]
        t = trimap[top:bottom]
        t[...] = np.where(a >= 1, 255, 0)
        if block == 1:
            here = distance[top:bottom]
        else:
            here = sample_grid(distance, (np.arange(top, bottom) - shift) / block, x, wrap=False)
        t[(here <= pixels) | ((a > 0) & (a < 1))] = 128
    return trimap
