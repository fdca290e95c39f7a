"""From a segmentation network's mask to a matte."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import _check
from .._arguments import SolveOptions
from .._records import SolveInfo
from ..alpha import solve_alpha
from ..finish import levels
from ..priors import Combined, Fusion, Prior, Robust, SharedSampling, SoftMask
from ..priors._base import MOST_WEIGHT
from ..trimap import FOREGROUND
from ._fit import fitted
from ._follow import ROUNDS, followed
from ._trust import Trusted, trust_factor
from .soft_trimap import is_hard, softened, trimap_from_soft_mask

if TYPE_CHECKING:
    from typing_extensions import Unpack

SOFT_WEIGHT, HARD_WEIGHT = 2e-5, 1.9e-2
"""Defaults of `mask_weight` for soft and for hard masks, see `matte_from_mask`."""

# Weights of the priors that learn the known colours: two beside a soft mask, and one beside a hard one.
_LEARNT, _FUSED, _SAMPLED = 1e-1, 2e-2, 1e-1
# Weight of a hard mask while its band follows strands.
_WHILE_FOLLOWING = 3e-3
# A soft mask's weight is divided by the square of the share of known pixels, or of this if it is larger.
_LEAST_SHARE = 3e-2
# Least squares leave a faint veil where colours tell little: beside a soft mask, alpha this near to 0
# or 1 becomes 0 or 1. Strands that a hard mask has lost are as faint, so that they keep their veil.
_VEIL = 0.04
# A mask whose values are all within this of 0, or all within this of 1, has no edge.
_NOTHING = 0.1


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
    mask_weight: float | None = None,
    learn: bool = True,
    seed: int = 0,
    **options: Unpack[SolveOptions],
) -> npt.NDArray[np.floating]:
    """Refine a segmentation network's mask to a matte.

    The mask gives a trimap (`trimap_from_soft_mask`) and a weak prior, beside another prior that
    has learnt the colours that are then known; closed-form matting joins them. See Notes.

    Parameters
    ----------
    image : (H, W, 3) or (H, W) array of uint8, uint16, float32 or float64
        Colours; floats in [0, 1] unless `colour_space` is "linear".
    mask : (H, W) array of bool or the same dtypes
        Soft or hard; in [0, 1], or integers over their whole range. Integers of 0 and 1 are labels. A
        mask of another size and the same aspect is scaled to the image's.
    band : float, optional
        Half the width of the unknown band in pixels; see `trimap_from_soft_mask` for the default,
        which also lets the band of a hard mask follow strands. A band of your own should be as wide
        as the mask may be wrong, and as the longest hair that it misses.
    threshold : float, default 0.5
        Where the mask's edge is.
    mask_weight : float, optional
        How much the mask counts inside the band: the confidence is
        ``mask_weight * (abs(2 mask - 1) + 0.05)``. The default is 2e-5 divided by the square of the
        share of known pixels for a soft mask, and 1.9e-2 for a hard one, or up to 50 times that
        where the picture confirms its edge.
    learn : bool, default True
        Learn the known colours, by the priors `Robust` and `Fusion` beside a soft mask, which take
        about two seconds more, and by `SharedSampling` beside a hard one. Colours that are nowhere
        known, such as those of parts thinner than the band, are left alone.
    seed : int, default 0
        Seed of the random numbers of `Robust` and `Fusion`.
    **options
        Options of `solve_alpha` that concern the solve: solver, epsilon, tolerance, start, threads,
        progress, ... `chroma` is "auto" unless another is given.

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

    Notes
    -----
    A mask is hard if it has less than one pixel in doubt for each pixel of its edge. It does not say
    where it is wrong, so the picture has to: the band is solved with the mask as the only prior, and
    where alpha has not ended at the band's outer border, the band grows by 3 % of the longer side.
    This is done twice. Where alpha is then as the mask on both sides of its edge, within 7 % of the
    longer side, the mask is right, and counts up to 50 times as much, but for its edge.

    A soft mask says where it doubts. The learnt colours count by the square of the share of known
    pixels, the number of the rarer known label over that of unknown pixels, at most 1: where most of
    the picture is in doubt, few colours are known, and the mask is the better guess. At the end alpha
    is stretched from 0.04 to 0.96, which takes away the veil that least squares leave.

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
    mask_weight: float | None = None,
    learn: bool = True,
    seed: int = 0,
    **options: Unpack[SolveOptions],
) -> MaskMatte:
    """Do what `matte_from_mask` does and say how."""
    learn = _check.flag(learn, "learn")
    weight = None if mask_weight is None else _check.between(mask_weight, 0, MOST_WEIGHT, "mask_weight")
    shape = _check.image(image, linear=options.get("colour_space") == "linear").shape
    plane = softened(fitted(mask, shape))
    if plane.max() <= _NOTHING or plane.min() >= 1 - _NOTHING:  # the subject is nowhere, or everywhere
        trimap = (plane >= np.float32(0.5)) * np.uint8(FOREGROUND)
        return MaskMatte(*solve_alpha(image, trimap, **options), trimap)
    if options.get("chroma") is None:
        options["chroma"] = "auto"
    trimap = trimap_from_soft_mask(plane, band=band, threshold=threshold)
    hard = is_hard(plane)
    factor = None
    if hard and band is None:
        held = SoftMask(plane, weight=_WHILE_FOLLOWING)
        for _ in range(ROUNDS):
            found = solve_alpha(image, trimap, prior=held, **options).alpha
            trimap = followed(trimap, found)
        factor = trust_factor(plane, found) if weight is None else None
    prior = _prior(plane, trimap, hard, weight, factor, learn, seed)
    alpha, info = solve_alpha(image, trimap, prior=prior, **options)
    return MaskMatte(alpha if hard else levels(alpha, _VEIL, 1 - _VEIL), info, trimap)


def _prior(
    plane: npt.NDArray[np.float32],
    trimap: npt.NDArray[np.uint8],
    hard: bool,
    weight: float | None,
    factor: npt.NDArray[np.float32] | None,
    learn: bool,
    seed: int,
) -> Prior:
    """Return the mask as a prior, beside one that learns the known colours."""
    known = [int(np.count_nonzero(trimap == label)) for label in (0, FOREGROUND)]
    share = min(1.0, min(known) / max(1, trimap.size - sum(known)))
    if weight is None:
        weight = HARD_WEIGHT if hard else SOFT_WEIGHT / max(share, _LEAST_SHARE) ** 2
    mask = SoftMask(plane, weight=weight)
    held = mask if factor is None else Trusted(mask, factor)
    if not learn or min(known) == 0:
        return held
    if hard:
        return Combined(SharedSampling(weight=_SAMPLED), held)
    trust = share**2
    return Combined(Robust(weight=_LEARNT * trust, seed=seed), Fusion(weight=_FUSED * trust, seed=seed), held)
