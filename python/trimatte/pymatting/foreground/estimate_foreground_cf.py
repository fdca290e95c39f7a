"""Closed-form foreground estimation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..alpha._estimate import CG_OPTIONS, NOTHING, refuse_unknown
from ._layers import SmoothClosedForm, layers_of

Array = npt.NDArray[Any]

NEIGHBOURS = ((-1, 0), (1, 0), (0, -1), (0, 1))

_ICHOL_OPTIONS = (
    "discard_threshold",
    "shifts",
    "max_nnz",
    "relative_discard_threshold",
    "diag_keep_discarded",
)


def estimate_foreground_cf(
    image: Array,
    alpha: Array,
    regularization: float = 1e-5,
    rtol: float = 1e-5,
    neighbors: Iterable[tuple[int, int]] = NEIGHBOURS,
    return_background: bool = False,
    foreground_guess: Array | None = None,
    background_guess: Array | None = None,
    ichol_kwargs: Mapping[str, Any] = NOTHING,
    cg_kwargs: Mapping[str, Any] = NOTHING,
) -> Any:
    """Estimate the colours of the foreground (Levin, Lischinski, Weiss 2008, Eq. 19).

    Parameters
    ----------
    image : (H, W, C) ndarray
        Floats in [0, 1], which are clipped, or integers that span their whole range.
    alpha : (H, W) ndarray
        Opacity, of the same kinds.
    regularization : float, default 1e-5
        Weight of smoothness; 0 counts as 1e-12.
    rtol : float, default 1e-5
        Smaller values make the error smaller, which is at most 1e-3 of a visible colour at 1e-5.
    neighbors : pairs of int
        The four neighbours of a pixel; there is no choice.
    return_background : bool, default False
        Whether the background is returned too.
    foreground_guess, background_guess, ichol_kwargs, cg_kwargs
        They are accepted and have no effect.

    Returns
    -------
    foreground : (H, W, C) ndarray of the image's dtype
    background : (H, W, C) ndarray of the image's dtype, only if `return_background`

    Raises
    ------
    ValueError
        If an array has NaN or another shape, or `neighbors` are others.
    TypeError
        If there is an unknown option.
    """
    refuse_unknown(ichol_kwargs, _ICHOL_OPTIONS, "ichol")
    refuse_unknown(cg_kwargs, CG_OPTIONS, "cg")
    if {tuple(pair) for pair in neighbors} != set(NEIGHBOURS):
        raise ValueError(f"neighbors: expected the four neighbours {NEIGHBOURS}, got {neighbors}")
    image, alpha = np.asarray(image), np.asarray(alpha)
    if image.ndim != 3:
        raise ValueError(f"image: expected shape (H, W, C), got {image.shape}; pass image[..., np.newaxis]")
    method = SmoothClosedForm(
        regularization=regularization or 1e-12, tolerance=float(np.clip(1e-3 * rtol / 1e-5, 1e-5, 1e-3))
    )
    dtype = image.dtype if image.dtype.kind == "f" else np.dtype(np.float64)
    layers = layers_of(image, alpha, method=method)
    foreground, background = (layer.astype(dtype, copy=False) for layer in layers)
    return (foreground, background) if return_background else foreground
