"""Exact alpha from two pictures before two known backgrounds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import warn
from ._inputs import Floats, backdrop, colour_image, like

_ALIKE = 0.02  # two backgrounds that differ by less say nothing


class Triangulated(NamedTuple):
    """Alpha and colours from two pictures.

    Attributes
    ----------
    alpha : (H, W) ndarray of float32
        Opacity in [0, 1].
    foreground : (H, W, 3) ndarray of float32
        The subject's colours; 0 where alpha is 0.
    """

    alpha: Floats
    foreground: Floats


def triangulate(
    image_1: npt.ArrayLike, background_1: npt.ArrayLike, image_2: npt.ArrayLike, background_2: npt.ArrayLike
) -> Triangulated:
    """Find exact alpha from two pictures of a subject before two known backgrounds [1]_.

    Parameters
    ----------
    image_1, image_2 : (H, W, 3) arrays of uint8, uint16, float32 or float64
        The subject before each background, without any movement; floats in [0, 1].
    background_1, background_2 : arrays of the same shape, or colours
        The backgrounds: pictures, or three numbers in the units of the images.

    Returns
    -------
    Triangulated
        Alpha and the subject's colours.

    Raises
    ------
    ValueError, TypeError
        If sizes differ, if the backgrounds are alike, or if an array is wrong by itself.

    Warns
    -----
    TrimatteWarning
        If the backgrounds are alike at some pixels, which take alpha from the nearest others.

    References
    ----------
    .. [1] A. R. Smith, J. F. Blinn, "Blue Screen Matting", SIGGRAPH 1996, Theorem 4.

    Examples
    --------
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(96, 96)
    >>> black, blue = (0.0, 0.0, 0.0), (0.1, 0.2, 0.9)
    >>> shots = [tm.composite(scene.foreground, scene.alpha, colour) for colour in (black, blue)]
    >>> found = tm.triangulate(shots[0], black, shots[1], blue)
    >>> bool(abs(found.alpha - scene.alpha).max() < 1e-5)
    True
    """
    first = colour_image(image_1, "image_1")
    second = like(image_2, first, "image_2")
    behind = [
        backdrop(value, picture, name)
        for value, picture, name in (
            (background_1, first, "background_1"),
            (background_2, second, "background_2"),
        )
    ]
    apart = behind[0] - behind[1]
    weight = (apart * apart).sum(2)
    alike = weight < _ALIKE**2
    if alike.all():
        raise ValueError("background_1, background_2: expected two that differ, got the same colours everywhere")
    alpha = 1 - ((first - second) * apart).sum(2) / np.where(alike, 1, weight)
    alpha = np.clip(alpha, 0, 1)
    if alike.any():
        from scipy.ndimage import distance_transform_edt

        warn(
            f"background_1, background_2: alike at {np.count_nonzero(alike)} pixels, which take the nearest alpha"
        )
        nearest = distance_transform_edt(alike, return_distances=False, return_indices=True)
        alpha = alpha[tuple(nearest)]
    cover = alpha[..., np.newaxis]
    light = (first + second - (1 - cover) * (behind[0] + behind[1])) / 2  # alpha times the colour
    colours = np.where(cover > 0, np.clip(light / np.maximum(cover, 1e-3), 0, 1), 0)
    return Triangulated(alpha.astype(np.float32), colours.astype(np.float32))
