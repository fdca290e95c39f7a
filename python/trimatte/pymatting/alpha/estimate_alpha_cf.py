"""Closed-form matting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ...affinities import ClosedForm
from ..laplacian.cf_laplacian import LEAST_EPSILON
from ..util.util import trimap_split
from ._estimate import NOTHING, estimate, refuse_unknown

Array = npt.NDArray[Any]


def estimate_alpha_cf(
    image: Array,
    trimap: Array,
    preconditioner: object = None,
    laplacian_kwargs: Mapping[str, Any] = NOTHING,
    cg_kwargs: Mapping[str, Any] = NOTHING,
) -> Array:
    """Estimate alpha by closed-form matting (Levin, Lischinski, Weiss 2008).

    Parameters
    ----------
    image : (H, W, 3) ndarray
        Colours in [0, 1]; what is beyond is clipped.
    trimap : (H, W) or (H, W, 1) ndarray of floats
        Values up to 0.1 are background, from 0.9 on foreground.
    preconditioner : object, optional
        It is accepted and has no effect.
    laplacian_kwargs : mapping, optional
        `epsilon` (default 1e-7; less than 1e-8 counts as 1e-8) and `radius` (default 1).
    cg_kwargs : mapping, optional
        `x0` is the start; an `rtol` below 1e-7 asks for a smaller error than 1e-4; `callback` is
        called once, at the end. `atol`, `maxiter` and `reorthogonalize` have no effect.

    Returns
    -------
    ndarray
        Alpha, in the trimap's shape and dtype. Known pixels keep the trimap's own value.

    Raises
    ------
    ValueError
        If no pixel is foreground, or none background; if an array has another shape, NaN, or a
        range or dtype that cannot be; if the solver gives up.
    TypeError
        If there is an unknown option.
    """
    refuse_unknown(laplacian_kwargs, ("epsilon", "radius"), "cf_laplacian")
    epsilon = max(laplacian_kwargs.get("epsilon", 1e-7), LEAST_EPSILON)
    method = ClosedForm(epsilon=epsilon, radius=laplacian_kwargs.get("radius", 1))
    trimap = np.asarray(trimap)
    solved = estimate(image, trimap, method, cg_kwargs)
    _, _, is_known, _ = trimap_split(trimap, flatten=False)
    return np.where(is_known, trimap, solved.astype(trimap.dtype))
