"""Smooth sampling of small grids, for noise of any frequency and enlarged pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from ._layer import Doubles, Floats, View

LATTICE = 256


def cubic_taps(at: Doubles, *, spline: bool) -> tuple[npt.NDArray[np.intp], Doubles]:
    """Return the weights of the four grid points around each position.

    Parameters
    ----------
    at : (N,) ndarray
        Positions in grid steps.
    spline : bool
        True takes a cubic B-spline, which smooths. False takes Catmull-Rom, which passes through
        the values.

    Returns
    -------
    first : (N,) ndarray of int
        First of the four points, floor(at) - 1.
    weights : (N, 4) ndarray
        They sum to 1.
    """
    low = np.floor(at)
    f = at - low
    if spline:
        taps = [(1 - f) ** 3, 3 * f**3 - 6 * f**2 + 4, -3 * f**3 + 3 * f**2 + 3 * f + 1, f**3]
        weights = np.stack(taps, axis=1) / 6
    else:
        taps = [-(f**3) + 2 * f**2 - f, 3 * f**3 - 5 * f**2 + 2, -3 * f**3 + 4 * f**2 + f, f**3 - f**2]
        weights = np.stack(taps, axis=1) / 2
    return low.astype(np.intp) - 1, weights


def sample_grid(grid: Floats, y: Doubles, x: Doubles, *, wrap: bool) -> Floats:
    """Evaluate the cubic B-spline surface of a small grid at a raster of points.

    Parameters
    ----------
    grid : (h, w) ndarray of float32
        Values at whole-number positions.
    y, x : (H,) and (W,) ndarray
        Positions of the raster's rows (ascending) and columns, in grid steps.
    wrap : bool
        Whether to repeat the grid; otherwise its border values continue outwards.

    Returns
    -------
    (H, W) ndarray of float32
    """
    mode: Literal["wrap", "clip"] = "wrap" if wrap else "clip"
    first_y, weights_y = cubic_taps(y, spline=True)
    first_x, weights_x = cubic_taps(x, spline=True)
    weights_y, weights_x = weights_y.astype(np.float32), weights_x.astype(np.float32)
    top = int(first_y[0])
    used = np.take(grid, np.arange(top, int(first_y[-1]) + 4), axis=0, mode=mode)
    wide = np.zeros((len(used), len(x)), np.float32)
    for k in range(4):
        wide += np.take(used, first_x + k, axis=1, mode=mode) * weights_x[:, k]
    out = np.zeros((len(y), len(x)), np.float32)
    for k in range(4):
        out += wide[first_y - top + k] * weights_y[:, k, None]
    return out


def random_lattice(rng: np.random.Generator) -> Floats:
    """Draw random values for noise, which has mean 0 and variance 1 once they are smoothed."""
    return (rng.standard_normal((LATTICE, LATTICE)) * 2.1).astype(np.float32)


def noise(
    lattice: Floats, y: Doubles, x: Doubles, *, cells: float, octaves: int, side: int, gain: float = 0.5
) -> Floats:
    """Sum smooth noise of several frequencies; the mean is about 0, the variance about 1.

    Parameters
    ----------
    lattice : (256, 256) ndarray of float32
        Random values; the same lattice gives the same noise at any size.
    y, x : ndarray
        Rows and columns in scene units.
    cells : float
        Number of noise cells per unit in the first octave; each further octave has twice as many.
    octaves : int
        Largest number of octaves; those with cells smaller than three pixels are left out.
    side : int
        Number of pixels in a unit.
    gain : float, default 0.5
        Strength of an octave relative to the one before.

    Returns
    -------
    (H, W) ndarray of float32
    """
    total = np.zeros((len(y), len(x)), np.float32)
    strength, power = 1.0, 0.0
    for octave in range(octaves):
        shift = 37.3 * octave
        if cells * 3 <= side:
            total += np.float32(strength) * sample_grid(lattice, y * cells + shift, x * cells + shift, wrap=True)
        power += strength**2
        cells, strength = cells * 2, strength * gain
    total /= np.float32(np.sqrt(power))
    return total


def enlarged(view: View, small: View, picture: Floats) -> Callable[[Doubles, Doubles], Floats]:
    """Sample a picture that was made on a smaller view, at rows y and columns x in scene units."""

    def paint(y: Doubles, x: Doubles) -> Floats:
        rows, columns = (y + view.bottom) * small.side - 0.5, (x + view.right) * small.side - 0.5
        return np.stack([sample_grid(picture[..., c], rows, columns, wrap=False) for c in range(3)], axis=-1)

    return paint


def smaller(view: View, side: int) -> View:
    """Return a view of the same scene whose smaller side has at most this many pixels."""
    scale = min(1.0, side / view.side)
    return View(max(1, round(view.height * scale)), max(1, round(view.width * scale)))
