"""From a segmentation network's mask to a matte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from . import _check
from ._arguments import SolveOptions
from ._records import AlphaResult
from .alpha import solve_alpha
from .priors import Combined, Prior, Robust, SoftMask
from .priors._base import MOST_WEIGHT
from .trimap import FOREGROUND, UNKNOWN, _dilated

if TYPE_CHECKING:
    from typing_extensions import Unpack

# How far a mask's edge may be from the true one: the first two are parts of the longer side, the
# last is in pixels.
_BAND = 0.01
_WIDEST_BAND = 0.05
_LEAST_BAND = 4.0
# Values between these are a mask's doubt.
_DOUBT = (0.1, 0.9)
MASK_WEIGHT = 1e-3
"""Default of `mask_weight`, see `matte_from_mask`."""


def trimap_from_soft_mask(
    mask: npt.ArrayLike, *, band: float | None = None, threshold: float = 0.5
) -> npt.NDArray[np.uint8]:
    """Make a trimap from a soft mask: unknown where the mask is in doubt, and along its edge.

    Parameters
    ----------
    mask : (H, W) array of bool, uint8, uint16, float32 or float64
        In [0, 1], or integers over their whole range.
    band : float, optional
        How far from the mask's edge pixels are unknown, on both sides, in pixels. The default is
        the largest of 1 % of the longer side, 4 pixels, and the width of the mask's own soft edge
        (a mask enlarged from a few hundred pixels has a wide one), up to 5 % of the longer side.
    threshold : float, default 0.5
        The edge is where the mask crosses this; in (0, 1).

    Returns
    -------
    (H, W) ndarray of uint8
        0 background, 128 unknown, 255 foreground. If the band would leave no foreground or no
        background, it is halved on that side until some is left, or until it is narrower than a
        pixel.

    Raises
    ------
    ValueError, TypeError
        If the mask is all foreground or all background, holds NaN or values outside [0, 1], or has
        another shape or dtype; if `band` or `threshold` is out of range.
    """
    plane = _check.alpha(mask, np.shape(mask), "mask")
    edge = _check.number(threshold, "threshold")
    if not 0 < edge < 1:
        raise ValueError(f"threshold: expected a number between 0 and 1, got {threshold}")
    inside = plane >= np.float32(edge)
    for missing, name in ((not inside.any(), "foreground"), (inside.all(), "background")):
        if missing:
            raise ValueError(f"mask: expected some {name} (threshold {edge:g}), got none")
    doubt = (plane > _DOUBT[0]) & (plane < _DOUBT[1])
    if band is None:
        longest = max(plane.shape)
        reach = max(_BAND * longest, _LEAST_BAND, min(_edge_width(inside, doubt), _WIDEST_BAND * longest))
    else:
        reach = _check.between(band, 0, 1e6, "band")

    trimap = np.full(plane.shape, UNKNOWN, np.uint8)
    for value, ours in ((FOREGROUND, inside), (0, ~inside)):
        trimap[_sure(ours, doubt, reach)] = value
    return trimap


def _sure(ours: npt.NDArray[np.bool_], doubt: npt.NDArray[np.bool_], reach: float) -> npt.NDArray[np.bool_]:
    """Pixels of ours that are far from others' and from doubt; nearer ones if none are that far."""
    candidates: npt.NDArray[np.bool_] = ours & ~doubt
    sure = np.zeros_like(candidates)
    while candidates.any() and not sure.any():
        sure = candidates & ~_dilated(~ours, reach, reach) & ~_dilated(doubt, reach / 4, reach / 4)
        if reach < 2:
            break
        reach /= 2
    return sure


def _edge_width(inside: npt.NDArray[np.bool_], doubt: npt.NDArray[np.bool_]) -> float:
    """How many pixels in doubt there are for each pixel of the edge."""
    steps = np.count_nonzero(inside[1:] != inside[:-1]) + np.count_nonzero(inside[:, 1:] != inside[:, :-1])
    return float(np.count_nonzero(doubt) / max(1, steps))


def matte_from_mask(
    image: npt.ArrayLike,
    mask: npt.ArrayLike,
    *,
    band: float | None = None,
    threshold: float = 0.5,
    mask_weight: float = MASK_WEIGHT,
    learn: bool = True,
    seed: int = 0,
    **options: Unpack[SolveOptions],
) -> npt.NDArray[np.floating]:
    """Refine a segmentation network's mask to a matte.

    The mask gives a trimap (`trimap_from_soft_mask`) and a weak prior, beside another prior that
    has learnt the colours that are then known; closed-form matting joins them.

    Parameters
    ----------
    image : (H, W, 3) or (H, W) array of uint8, uint16, float32 or float64
        Colours; floats in [0, 1] unless `colour_space` is "linear".
    mask : (H, W) array of bool or the same dtypes
        Soft or hard; in [0, 1], or integers over their whole range.
    band : float, optional
        Half the width of the unknown band in pixels; see `trimap_from_soft_mask` for the default.
        It should be as wide as the mask may be wrong, and as the longest hair that it misses.
    threshold : float, default 0.5
        Where the mask's edge is.
    mask_weight : float, default 1e-3
        How much the mask counts inside the band: the confidence is
        ``mask_weight * (abs(2 mask - 1) + 0.05)``.
    learn : bool, default True
        Use the prior `Robust` too, which takes about half a second more and lowers the error by a
        tenth. It leaves colours alone that are nowhere known, such as those of parts thinner than
        the band.
    seed : int, default 0
        Seed of that prior.
    **options
        Options of `solve_alpha` that concern the solve: solver, epsilon, tolerance, start, threads,
        progress, ...

    Returns
    -------
    (H, W) ndarray
        Alpha in [0, 1], float64 if the image is float64, else float32.

    Raises
    ------
    ValueError, TypeError, ConvergenceError, FactorizationError
        As `solve_alpha` and `trimap_from_soft_mask`.

    Warns
    -----
    TrimatteWarning
        If the mask is black or white everywhere: alpha is then 0 or 1.

    Examples
    --------
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(96, 96)
    >>> mask = scene.alpha > 0.5
    >>> alpha = tm.matte_from_mask(scene.image, mask)
    >>> bool(abs(alpha - scene.alpha).mean() < 0.8 * abs(mask - scene.alpha).mean())
    True
    """
    for name in options:
        if name not in SolveOptions.__optional_keys__:
            raise TypeError(
                f"{name}: matte_from_mask has none, it is closed-form with the mask as prior; "
                f"expected options of {', '.join(sorted(SolveOptions.__optional_keys__))}"
            )
    return solve_from_mask(
        image, mask, band=band, threshold=threshold, mask_weight=mask_weight, learn=learn, seed=seed, **options
    ).alpha


def solve_from_mask(
    image: npt.ArrayLike,
    mask: npt.ArrayLike,
    *,
    band: float | None = None,
    threshold: float = 0.5,
    mask_weight: float = MASK_WEIGHT,
    learn: bool = True,
    seed: int = 0,
    **options: Unpack[SolveOptions],
) -> AlphaResult:
    """Do what `matte_from_mask` does and say how."""
    learn = _check.flag(learn, "learn")
    weight = _check.between(mask_weight, 0, MOST_WEIGHT, "mask_weight")
    shape = _check.image(image, linear=options.get("colour_space") == "linear").shape
    plane = _check.alpha(mask, shape, "mask")
    if plane.max() <= _DOUBT[0] or plane.min() >= _DOUBT[1]:  # the subject is nowhere, or everywhere
        return solve_alpha(image, plane >= np.float32(_DOUBT[1]), **options)
    trimap = trimap_from_soft_mask(plane, band=band, threshold=threshold)
    prior: Prior = SoftMask(plane, weight=weight)
    if learn and (trimap == FOREGROUND).any() and (trimap == 0).any():
        prior = Combined(Robust(seed=seed), prior)
    return solve_alpha(image, trimap, prior=prior, **options)
