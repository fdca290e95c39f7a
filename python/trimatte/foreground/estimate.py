"""The front door of the foreground: checked arguments, a method, its layers."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _check, _chroma, colour
from .._context import make_context
from .._names import ColourSpace, ForegroundName
from .._records import Progress
from .._runtime.memory import check_need
from ._base import Finish, ForegroundMethod, Layers
from .blur_fusion import BlurFusion
from .closed_form import ClosedForm
from .multi_level import MultiLevel

# Layers of float32 overflow if the values of an image span more than this.
_WIDEST = 1e30

DEFAULT = "multi-level"

METHODS: dict[str, type[ForegroundMethod]] = {kind.name: kind for kind in (MultiLevel, ClosedForm, BlurFusion)}
"""The methods by name; the command line and batches take names and options from it."""


def chosen(method: str | ForegroundMethod, options: dict[str, Any], argument: str = "method") -> ForegroundMethod:
    """Return a method with its options; messages call it by the name of the argument.

    Raises
    ------
    ValueError, TypeError
        If there is no such method, if it lacks an option, or if an option's value is out of range.
    """
    if isinstance(method, ForegroundMethod):
        for name in options:
            raise TypeError(
                f"{name}: expected none beside an object as method; say {type(method).__name__}({name}=...)"
            )
        return method
    if not isinstance(method, str):
        wanted = "a name or an object of trimatte.foreground"
        raise TypeError(f"{argument}: expected {wanted}, got {_check.kind_of(method)}")
    kind = METHODS[_check.one_of(method, tuple(METHODS), argument)]
    known = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    for name in options:
        if name not in known:
            near = _check.meant(name, known)
            raise TypeError(f"{name}: method {method!r} has no such option; it has {', '.join(known)}{near}")
    return kind(**options)


def estimate_foreground(
    image: npt.ArrayLike,
    alpha: npt.ArrayLike,
    *,
    method: ForegroundName | str | ForegroundMethod = DEFAULT,
    exact_composite: bool = True,
    colour_space: ColourSpace | str = "srgb",
    chroma: str = "full",
    threads: int | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Layers:
    """Estimate the colours of foreground and background.

    Soft edges keep a fringe of the old background if they are put over a new one with the image's
    own colours. They do not with the colours found here. Any alpha will do: a matte of
    `estimate_alpha`, or the soft mask of a segmentation network.

    Parameters
    ----------
    image : (H, W, 3) or (H, W) array of uint8, uint16, float32 or float64
        Integers span their whole range, floats are in [0, 1] unless `colour_space` is "linear".
    alpha : (H, W) array of the same dtypes, or bool
        Opacity. Integers span their whole range, floats are in [0, 1].
    method : {"multi-level", "closed-form", "blur-fusion"} or object
        How the layers are found: a name, or an object such as
        ``trimatte.foreground.ClosedForm(tolerance=1e-4)``.
    exact_composite : bool, default True
        Whether to move both layers by the least that makes ``alpha F + (1 - alpha) B`` equal the
        image, to float32 rounding, while both stay in [0, 1]. False leaves the smoother layers of
        the method's paper.
    colour_space : {"srgb", "linear"}
        "srgb" means display colours, which are used as they are. "linear" means scene-linear
        colours, whose floats may be any finite numbers that differ by at most 1e30. The layers are
        of the same kind, with highlights above 1. They stay within the range of the image's values,
        0 and 1.
    chroma : {"full", "auto", "half"}
        Whether chroma of half resolution, as in most JPEG files, is sharpened around pixels that
        are neither clear nor opaque; see `solve_alpha`. Take "auto" for an alpha that was found so
        (`SolveInfo.chroma` is "half"), or the blurred colours of the old background show in a ring
        outside its sharp edge. Scene-linear colours are used as they are.
    threads : int, optional
        Default: all usable cores. The result does not depend on it.
    progress : callable, optional
        It is called as ``progress(phase, fraction)``. An exception that it raises stops the call.
    **options
        Options of the method, such as `regularization`; see the classes of `trimatte.foreground`.

    Returns
    -------
    Layers
        ``foreground, background``, float32 and shaped like the image. The foreground is the image
        where alpha is exactly 1, and the background is where alpha is 0; sharpened, if it was.

    Raises
    ------
    ValueError, TypeError
        If an argument has the wrong shape, dtype or range, or the method has no such option.

    Examples
    --------
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(96, 96)
    >>> layers = tm.estimate_foreground(scene.image, scene.alpha)
    >>> layers.foreground.shape
    (96, 96, 3)
    """
    made = chosen(method, options)
    exact = _check.flag(exact_composite, "exact_composite")
    context = make_context(threads, progress)
    linear = _check.one_of(colour_space, colour.SPACES, "colour_space") == "linear"
    kind = _check.one_of(chroma, _chroma.KINDS, "chroma")
    picture = _check.image(image, linear=linear)
    opacity = _check.alpha(alpha, picture.shape)
    if not linear and kind != "full":
        picture = _chroma.sharpened(picture, _labels_of(opacity), kind)
    low, high = (
        (min(0.0, float(picture.min())), max(1.0, float(picture.max()))) if picture.dtype.kind == "f" else (0, 1)
    )
    if high - low > _WIDEST:
        raise ValueError(f"image: expected a range of values up to {_WIDEST:g}, got {low:g} to {high:g}")
    pixels = picture.shape[0] * picture.shape[1]
    check_need(
        made.need(pixels, made.unknowns(opacity)), f"finding the colours of {pixels / 1e6:.3g} million pixels"
    )
    foreground, background = made.layers(picture, opacity, Finish(exact, low, high), context)
    layers = Layers(foreground.reshape(picture.shape), background.reshape(picture.shape))
    return layers if np.ndim(image) == 3 else Layers(*(layer[..., 0] for layer in layers))


def _labels_of(alpha: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return labels in which soft pixels, and those at a hard edge, are unknown."""
    labels = np.where(alpha >= 1, _check.FOREGROUND, _check.BACKGROUND).astype(np.uint8)
    soft = (alpha > 0) & (alpha < 1)
    soft[1:] |= labels[1:] != labels[:-1]
    soft[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    labels[soft] = _check.UNKNOWN
    return labels
