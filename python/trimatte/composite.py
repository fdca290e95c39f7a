"""Pictures from layers: foregrounds are cut out and put over other backgrounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from . import _check, colour
from ._names import ColourSpace, ForegroundName
from ._pixels import bands, quantized
from .alpha import estimate_alpha
from .foreground import DEFAULT, ForegroundMethod, estimate_foreground
from .foreground.estimate import chosen
from .mask import matte_from_mask
from .scribbles import trimap_from_scribbles

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._arguments import AlphaOptions, CutoutOptions, MaskOptions

__all__ = ["composite", "cutout"]


def cutout(
    image: npt.ArrayLike,
    trimap: npt.ArrayLike | None = None,
    *,
    mask: npt.ArrayLike | None = None,
    scribbles: npt.ArrayLike | None = None,
    exact_composite: bool = True,
    foreground_method: ForegroundName | str | ForegroundMethod = DEFAULT,
    **options: Unpack[CutoutOptions],
) -> npt.NDArray[Any]:
    """Cut the foreground out of an image, as alpha and clean colours in one RGBA picture.

    Parameters
    ----------
    image : (H, W, 3) or (H, W) array of uint8, uint16, float32 or float64
        Colours. Floats are in [0, 1] unless `colour_space` is "linear".
    trimap : (H, W) array, optional
        1 (white) means surely foreground, 0 (black) surely background, all between is unknown.
    mask : (H, W) array, optional
        A rough mask, as for `matte_from_mask`, in place of the trimap.
    scribbles : array of the image's height and width, optional
        A copy of the image with white and black strokes, as `trimap_from_scribbles` takes it; with a
        trimap the strokes are added to it.
    exact_composite : bool, default True
        As in `estimate_foreground`.
    foreground_method : str or object, default "multi-level"
        The method of `estimate_foreground`.
    **options
        Options of `solve_alpha`: method, solver, epsilon, radius, known_weight, threads, progress,
        ... With `mask` those of `matte_from_mask`: band, threshold, learn, mask_weight, seed, and what
        concerns the solve. `threads`, `progress` and `colour_space` also go to the estimation of the
        foreground.

    Returns
    -------
    (H, W, 4) ndarray of the dtype of `image`
        The alpha is straight: colours are not multiplied by it. They are the estimated foreground,
        which is defined under transparent pixels, too, so that the cutout can be resized without a
        fringe. Integers are rounded to the nearest.

    Raises
    ------
    ValueError, TypeError, ConvergenceError, FactorizationError
        As `solve_alpha` and `matte_from_mask`; if there is no guide, or a mask beside another one.

    Examples
    --------
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(96, 96)
    >>> tm.cutout(scene.image, scene.trimap).shape
    (96, 96, 4)
    >>> tm.cutout(scene.image, mask=scene.alpha > 0.5).shape
    (96, 96, 4)
    """
    exact_composite = _check.flag(exact_composite, "exact_composite")
    colours = chosen(foreground_method, {}, "foreground_method")
    alpha = _guided(image, trimap, mask, scribbles, options)
    foreground = estimate_foreground(
        image,
        alpha,
        method=colours,
        exact_composite=exact_composite,
        colour_space=options.get("colour_space", "srgb"),
        threads=options.get("threads"),
        progress=options.get("progress"),
    ).foreground
    return stacked(foreground, alpha, _check.native(image, "image").dtype)


def _guided(
    image: npt.ArrayLike,
    trimap: npt.ArrayLike | None,
    mask: npt.ArrayLike | None,
    scribbles: npt.ArrayLike | None,
    options: CutoutOptions,
) -> npt.NDArray[np.floating]:
    """Return alpha by the guide that is given."""
    if mask is not None:
        if trimap is not None or scribbles is not None:
            other = "trimap" if trimap is not None else "scribbles"
            raise ValueError(f"mask: expected no {other} beside it; it is refined by itself")
        return matte_from_mask(image, mask, **cast("MaskOptions", options))
    if scribbles is not None:
        space = options.get("colour_space", "srgb")
        pixels = colour.displayed(_check.image(image, linear=space == "linear"), space)
        trimap = trimap_from_scribbles(pixels, scribbles, trimap=trimap)
    if trimap is None:
        raise ValueError(
            "trimap: expected a trimap, or mask=, or scribbles=, got none; mask_from_model makes a mask"
        )
    return estimate_alpha(image, trimap, **cast("AlphaOptions", options))


def stacked(foreground: npt.NDArray[Any], alpha: npt.NDArray[Any], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Join (H, W, 3) or (H, W) colours and (H, W) alpha, both in [0, 1], into RGBA of `dtype`."""
    out = np.empty((*alpha.shape, 4), dtype)
    colours = quantized(foreground, dtype).reshape(*alpha.shape, -1)
    for channel in range(3):  # this is three times faster than all channels at once
        out[..., channel] = colours[..., channel % colours.shape[2]]
    out[..., 3] = quantized(alpha, dtype)
    return out


def composite(
    foreground: npt.ArrayLike,
    alpha: npt.ArrayLike,
    background: npt.ArrayLike,
    *,
    colour_space: ColourSpace | str = "srgb",
) -> npt.NDArray[Any]:
    """Put a foreground over a background: alpha F + (1 - alpha) B.

    Parameters
    ----------
    foreground : (H, W, 3) or (H, W) ndarray of uint8, uint16, float32 or float64
        Colours of the foreground, not multiplied by alpha, such as ``estimate_foreground(image,
        alpha).foreground``. Floats are in [0, 1] unless `colour_space` is "linear".
    alpha : (H, W) ndarray
        Floats in [0, 1], or integers as fractions of their full range.
    background : ndarray of the shape of `foreground`, or a colour
        A picture of any of these dtypes, whatever the dtype of `foreground`. A grey picture (H, W)
        may lie behind a coloured foreground. A colour is 3 numbers (one number for a grey
        foreground) in the units of `foreground`: 0 to 1 for floats, whole numbers 0 to 255 for
        uint8 and 0 to 65535 for uint16. Floats from 0 to 1 are refused for integers if there is a 1
        among them, since it could mean white.
    colour_space : {"srgb", "linear"}
        With "linear", floats may be any finite numbers, and integers stay within their range. The
        computation is the same.

    Returns
    -------
    ndarray of the shape and dtype of `foreground`
        Integers are rounded to the nearest.

    Raises
    ------
    ValueError
        If shapes do not match, or a value is out of range, NaN or infinite.
    TypeError
        If a dtype is not one of those above.

    Notes
    -----
    The values are used as they are. Image editors and browsers do the same with display
    colours (sRGB), which most pictures hold. Light itself mixes as linear colours do.

    Examples
    --------
    >>> import numpy as np
    >>> import trimatte as tm
    >>> foreground = np.full((1, 3, 3), 200, np.uint8)
    >>> alpha = np.array([[0, 0.5, 1]])
    >>> tm.composite(foreground, alpha, (255, 0, 0))[0].tolist()
    [[255, 0, 0], [228, 100, 100], [200, 200, 200]]
    """
    linear = _check.one_of(colour_space, colour.SPACES, "colour_space") == "linear"
    front = _check.image(foreground, "foreground", linear=linear)
    cover = _check.plane(alpha, front.shape, "alpha")
    back = _background(background, front, linear)

    out = np.empty_like(front)
    # Sums of 16-bit numbers come so near to halves that float32 would round some of them wrongly.
    fine = {np.dtype(np.float64), np.dtype(np.uint16)}
    working = np.float32 if fine.isdisjoint((front.dtype, cover.dtype, back.dtype)) else np.float64
    opaque = working(_check.full_range(cover.dtype))
    # The sum is in the units of the foreground, so that halves are rounded as they should be.
    unit = working(_check.full_range(front.dtype) / _check.full_range(back.dtype))
    whole = front.dtype.kind == "u"
    top = _check.full_range(front.dtype)
    for rows in bands(len(front), front[0].nbytes * 4 // front.itemsize):
        a = cover[rows, :, np.newaxis].astype(working) / opaque
        f = front[rows].astype(working)
        b = back[rows].astype(working) * unit
        mixed = a * f + (1 - a) * b
        if whole:  # a linear background may be brighter than white
            mixed = np.clip(mixed + working(0.5), 0, top)
        out[rows] = mixed.astype(front.dtype)
    return out if np.ndim(foreground) == 3 else out[..., 0]


def _background(background: npt.ArrayLike, front: npt.NDArray[Any], linear: bool) -> npt.NDArray[Any]:
    """Return the background as (H, W, C); it has 1 channel or those of `front`."""
    value = _check.unmasked(background, "background")
    if value.ndim >= 2:
        picture = _check.image(background, "background", linear=linear)
        if picture.shape[:2] != front.shape[:2] or picture.shape[2] not in (1, front.shape[2]):
            raise ValueError(
                f"background: expected a colour or a picture of shape {front.shape} like foreground, "
                f"got {value.shape}"
            )
        return picture
    channels = front.shape[2]
    if value.size != channels or value.dtype.kind not in "uif":
        raise ValueError(f"background: expected a picture or {channels} numbers, got {background!r}")
    top = _check.full_range(front.dtype)
    whole = front.dtype.kind == "u"
    if whole and value.dtype.kind == "f" and value.max() == 1:
        raise ValueError(
            f"background: expected whole numbers from 0 to {top:.0f} for a {front.dtype} foreground, got floats "
            f"up to 1, {value.tolist()}; multiply them by {top:.0f}, or pass integers"
        )
    unbounded = linear and not whole and bool(np.isfinite(value).all())
    if not (unbounded or ((value >= 0) & (value <= top)).all()) or (whole and (value % 1 != 0).any()):
        wanted = f"whole numbers from 0 to {top:.0f}" if whole else "numbers in [0, 1]"
        raise ValueError(f"background: expected {wanted} for a {front.dtype} foreground, got {value.tolist()}")
    return np.broadcast_to(value.astype(front.dtype), front.shape)
