"""A dandelion in the wind, in frames whose alpha is exact."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from .. import _check
from ._dandelion import render
from ._scene import Scene, check_arguments

_FRAMES_PER_SWAY = 48


def sequence(height: int, width: int, *, frames: int = 24, seed: int = 0, noise: float = 0.005) -> Iterator[Scene]:
    """Render a dandelion that sways in the wind while its loose seeds fly away.

    The meadow behind it stands still.

    Parameters
    ----------
    height, width : int
        Size in pixels, at least 32.
    frames : int, default 24
        Number of frames. Things move by about two pixels from one to the next at a height of 500.
    seed : int, default 0
        Number of the dandelion, as in :func:`dandelion`.
    noise : float, default 0.005
        Standard deviation of the sensor noise, which differs from frame to frame.

    Yields
    ------
    Scene
        One frame after another, rendered when it is asked for.

    Raises
    ------
    TypeError, ValueError
        As :func:`dandelion`; if `frames` is below 1.

    Examples
    --------
    >>> import trimatte as tm
    >>> [frame.alpha.shape for frame in tm.datasets.sequence(40, 50, frames=2)]
    [(40, 50), (40, 50)]
    """
    frames = _check.at_least(frames, 1, "frames")
    check_arguments(height, width, seed, noise)
    return _frames(height, width, frames, seed, noise)


def _frames(height: int, width: int, frames: int, seed: int, noise: float) -> Iterator[Scene]:
    for frame in range(frames):
        turn = 2 * math.pi * frame / _FRAMES_PER_SWAY
        sway = np.array([0.03 * math.sin(turn), 0.006 * math.sin(2 * turn)])
        drift = np.array([0.004, -0.0025]) * frame
        yield render(height, width, seed, noise, sway, drift, frame)
