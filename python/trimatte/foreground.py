"""The colours of foreground and background, from an image and its alpha."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from . import _check, _core, colour
from ._records import Progress
from ._runtime.threads import thread_count

__all__ = ["Layers", "estimate_foreground"]


# Layers of float32 overflow if the values of an image span more than this.
_WIDEST = 1e30


class Layers(NamedTuple):
    """The two layers of a picture.

    Attributes
    ----------
    foreground, background : (H, W, 3) or (H, W) ndarray of float32
        Colours, which are defined at every pixel and in [0, 1] unless they are scene-linear.
    """

    foreground: npt.NDArray[np.float32]
    background: npt.NDArray[np.float32]


def estimate_foreground(
    image: npt.ArrayLike,
    alpha: npt.ArrayLike,
    *,
    regularization: float = 1e-5,
    gradient_weight: float = 1.0,
    small_size: int = 32,
    small_iterations: int = 10,
    big_iterations: int = 2,
    exact_composite: bool = True,
    colour_space: str = "srgb",
    threads: int | None = None,
    progress: Progress | None = None,
) -> Layers:
    """Estimate the colours of foreground and background (multi-level estimation [1]_).

    Soft edges keep a fringe of the old background if they are put over a new one with the image's
    own colours. They do not with the colours found here. Any alpha will do: a matte of
    `estimate_alpha`, or the soft mask of a segmentation network.

    Parameters
    ----------
    image : (H, W, 3) or (H, W) array of uint8, uint16, float32 or float64
        Integers span their whole range, floats are in [0, 1] unless `colour_space` is "linear".
    alpha : (H, W) array of the same dtypes, or bool
        Opacity. Integers span their whole range, floats are in [0, 1].
    regularization : float, default 1e-5
        Weight of the smoothness between neighbouring pixels, beside a weight of 1 for the image's
        colour.
    gradient_weight : float, default 1
        Weight that is added to the smoothness per unit of difference in alpha.
    small_size, small_iterations, big_iterations : int, default 32, 10, 2
        Numbers of iterations on levels whose sides have at most `small_size` pixels, and on larger
        ones.
    exact_composite : bool, default True
        Whether to move both layers by the least that makes ``alpha F + (1 - alpha) B`` equal the
        image, to float32 rounding, while both stay in [0, 1]. False leaves the smoother layers of
        the paper.
    colour_space : {"srgb", "linear"}
        "srgb" means display colours, which are used as they are. "linear" means scene-linear
        colours, whose floats may be any finite numbers that differ by at most 1e30. The layers are
        of the same kind, with highlights above 1. They stay within the range of the image's values,
        0 and 1.
    threads : int, optional
        Default: all usable cores. The result does not depend on it.
    progress : callable, optional
        It is called as ``progress(phase, fraction)``. An exception that it raises stops the call.

    Returns
    -------
    Layers
        ``foreground, background``, float32 and shaped like the image. The foreground is the image
        where alpha is exactly 1, and the background is where alpha is 0.

    Raises
    ------
    ValueError, TypeError
        If an argument has the wrong shape, dtype or range.

    References
    ----------
    .. [1] T. Germer, T. Uelwer, S. Conrad, S. Harmeling, "Fast Multi-Level Foreground Estimation",
       ICPR 2020.

    Examples
    --------
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(96, 96)
    >>> layers = tm.estimate_foreground(scene.image, scene.alpha)
    >>> layers.foreground.shape
    (96, 96, 3)
    """
    regularization = _check.between(regularization, 1e-12, 1e6, "regularization")
    gradient_weight = _check.between(gradient_weight, 0, 1e6, "gradient_weight")
    exact = _check.flag(exact_composite, "exact_composite")
    count = thread_count(threads)
    _check.progress(progress)
    linear = _check.one_of(colour_space, colour.SPACES, "colour_space") == "linear"
    picture = _check.image(image, linear=linear)
    opacity = _check.alpha(alpha, picture.shape)
    low, high = (
        (min(0.0, float(picture.min())), max(1.0, float(picture.max()))) if picture.dtype.kind == "f" else (0, 1)
    )
    if high - low > _WIDEST:
        raise ValueError(f"image: expected a range of values up to {_WIDEST:g}, got {low:g} to {high:g}")
    foreground, background = _core.multilevel_foreground(
        picture,
        opacity,
        regularization,
        gradient_weight,
        _check.at_least(small_size, 1, "small_size"),
        _check.at_least(small_iterations, 1, "small_iterations"),
        _check.at_least(big_iterations, 1, "big_iterations"),
        exact,
        low,
        high,
        count,
        _core.Monitor(progress),
    )
    layers = Layers(foreground.reshape(picture.shape), background.reshape(picture.shape))
    return layers if np.ndim(image) == 3 else Layers(*(layer[..., 0] for layer in layers))
