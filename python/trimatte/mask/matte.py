"""From a segmentation network's mask to a matte."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import _check, methods
from .._arguments import SolveOptions
from .._records import SolveInfo
from ..alpha import solve_alpha
from ..priors import Combined, Prior, Robust, SoftMask
from ..priors._base import MOST_WEIGHT
from ..trimap import FOREGROUND
from ._fit import fitted
from .soft_trimap import DOUBT, trimap_from_soft_mask

if TYPE_CHECKING:
    from typing_extensions import Unpack

MASK_WEIGHT = 1e-3
"""Default of `mask_weight`, see `matte_from_mask`."""


class MaskMatte(NamedTuple):
    """What is found from a mask.

    Attributes
    ----------
    alpha : (H, W) ndarray
        Opacity in [0, 1].
    info : SolveInfo
        How alpha was found.
    trimap : (H, W) ndarray of uint8
        The trimap that was solved: 0 background, 255 foreground, 128 unknown.
    """

    alpha: npt.NDArray[np.floating]
    info: SolveInfo
    trimap: npt.NDArray[np.uint8]


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
        Soft or hard; in [0, 1], or integers over their whole range. Integers of 0 and 1 are labels. A
        mask of another size and the same aspect is scaled to the image's.
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
        If the mask is black or white everywhere: alpha is then 0 or 1. If the mask is scaled.

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
                f"{name}: matte_from_mask has none, it is {methods.DEFAULT} with the mask as prior; "
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
) -> MaskMatte:
    """Do what `matte_from_mask` does and say how."""
    learn = _check.flag(learn, "learn")
    weight = _check.between(mask_weight, 0, MOST_WEIGHT, "mask_weight")
    shape = _check.image(image, linear=options.get("colour_space") == "linear").shape
    plane = fitted(mask, shape)
    if plane.max() <= DOUBT[0] or plane.min() >= DOUBT[1]:  # the subject is nowhere, or everywhere
        trimap = (plane >= np.float32(DOUBT[1])) * np.uint8(FOREGROUND)
        return MaskMatte(*solve_alpha(image, trimap, **options), trimap)
    trimap = trimap_from_soft_mask(plane, band=band, threshold=threshold)
    prior: Prior = SoftMask(plane, weight=weight)
    if learn and (trimap == FOREGROUND).any() and (trimap == 0).any():
        prior = Combined(Robust(seed=seed), prior)
    return MaskMatte(*solve_alpha(image, trimap, prior=prior, **options), trimap)
