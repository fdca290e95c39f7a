"""What all estimators of alpha share: PyMatting's checks, options and errors around one solve."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _check
from ..._records import SolveInfo
from ...affinities import Affinity
from ...alpha import solve_alpha
from ...errors import ConvergenceError, FactorizationError
from ..util.util import sanity_check_image, trimap_split, warn_trimap

Array = npt.NDArray[Any]

NOTHING: Mapping[str, Any] = MappingProxyType({})
"""The default of arguments that hold options."""

TOLERANCE = 1e-4
"""Largest error of alpha, with the default options of conjugate gradients."""

UNKNOWN = np.float32(0.5)
"""The label of unknown pixels."""

_DEFAULT_RTOL = 1e-7
CG_OPTIONS = ("x0", "atol", "rtol", "maxiter", "callback", "reorthogonalize")


def estimate(image: Array, trimap: Array, method: Affinity, cg_kwargs: Mapping[str, Any]) -> Array:
    """Return alpha as float64 in the trimap's shape: 0 or 1 where it knows, solved for elsewhere."""
    refuse_unknown(cg_kwargs, CG_OPTIONS, "cg")
    picture, labels = checked(image, trimap)
    try:
        alpha, info = solve_alpha(
            picture,
            labels,
            method=method,
            start=_start(cg_kwargs.get("x0"), labels),
            tolerance=_tolerance(cg_kwargs.get("rtol", _DEFAULT_RTOL)),
        )
    except ConvergenceError as error:
        raise ValueError(f"{_not_converged(error.info.iterations)}: {error}") from error
    except FactorizationError as error:
        raise ValueError(f"{_not_converged(0)}: {error}") from error
    _call_back(cg_kwargs.get("callback"), alpha[labels == UNKNOWN], info)
    return alpha.astype(np.float64).reshape(np.shape(trimap))


def refuse_unknown(options: Mapping[str, Any], names: tuple[str, ...], function: str) -> None:
    """Raise TypeError if there is an option of another name, as a call of the function would."""
    for name in options:
        if name not in names:
            known = ", ".join(names)
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}; it takes {known}")


def checked(image: Array, trimap: Array) -> tuple[Array, Array]:
    """Return an image in [0, 1] and labels (H, W); warn as PyMatting does, or raise ValueError.

    Labels are 0 for background, 1 for foreground, `UNKNOWN` for all others.
    """
    image, trimap = np.asarray(image), np.asarray(trimap)
    sanity_check_image(image)
    warn_trimap(trimap)
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"image: expected shape (H, W, 3), got {image.shape}")
    plane = trimap[..., 0] if trimap.ndim == 3 and trimap.shape[2] == 1 else trimap
    if plane.shape != image.shape[:2]:
        raise ValueError(f"trimap: expected shape {image.shape[:2]} to match image, got {trimap.shape}")
    if plane.dtype.kind != "f":
        raise ValueError(f"trimap: expected floating point in [0, 1], got {trimap.dtype}; divide it by its white")
    is_fg, _, is_known, _ = trimap_split(plane, flatten=False)
    _check.refuse_outside_unit(plane, "trimap")
    return in_unit(image), np.where(is_known, is_fg.astype(np.float32), UNKNOWN)


def in_unit(image: Array) -> Array:
    """Clip an image to [0, 1]; raise ValueError if most of it is above 1."""
    if image.dtype.kind != "f" or (image.min(initial=0) >= 0 and image.max(initial=0) <= 1):
        return image
    if np.count_nonzero(image > 1) > image.size // 2:
        raise ValueError(f"image: expected values in [0, 1], got up to {image.max()}; divide 8-bit values by 255")
    return np.asarray(np.clip(image, 0, 1))  # NaN stays, and is refused by the solve


def _tolerance(rtol: float) -> float:
    """Return the error of alpha that a relative residual stands for."""
    return max(TOLERANCE * min(1.0, rtol / _DEFAULT_RTOL), 1e-12)


def _start(x0: Array | None, labels: Array) -> Array | None:
    """Return a start for all pixels from one for the unknown pixels, or for all."""
    if x0 is None:
        return None
    values: Array = np.clip(np.asarray(x0, np.float32).ravel(), 0, 1)
    unknown = labels == UNKNOWN
    if values.size == labels.size:
        return np.asarray(values.reshape(labels.shape))
    if values.size != np.count_nonzero(unknown):
        raise ValueError(
            f"x0: expected {np.count_nonzero(unknown)} values, one for each unknown pixel, got {values.size}"
        )
    start: Array = labels.copy()
    start[unknown] = values
    return start


def _call_back(callback: Callable[..., object] | None, x: Array, info: SolveInfo) -> None:
    """Call what would see each iteration of conjugate gradients once, with the residual reached."""
    if callback is not None:
        nothing = np.zeros_like(x)
        callback(None, x, nothing, 1.0, nothing, info.relative_residual)


def _not_converged(iterations: int) -> str:
    return f"Conjugate gradient descent did not converge within {iterations} iterations"
