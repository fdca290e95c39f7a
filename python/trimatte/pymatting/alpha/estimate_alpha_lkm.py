"""Large-kernel matting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from ...affinities import LargeKernel
from ..laplacian.cf_laplacian import LEAST_EPSILON
from ._estimate import NOTHING, estimate, refuse_unknown

Array = npt.NDArray[Any]


def estimate_alpha_lkm(
    image: Array,
    trimap: Array,
    laplacian_kwargs: Mapping[str, Any] = NOTHING,
    cg_kwargs: Mapping[str, Any] = NOTHING,
) -> Array:
    """Estimate alpha by large-kernel matting (He, Sun, Tang 2010).

    Parameters
    ----------
    image, trimap, cg_kwargs
        As for `estimate_alpha_cf`.
    laplacian_kwargs : mapping, optional
        `epsilon` (default 1e-7; less than 1e-8 counts as 1e-8) and `radius` (default 10).

    Returns
    -------
    ndarray of float64
        Alpha, in the trimap's shape; known pixels are 0 or 1.
    """
    refuse_unknown(laplacian_kwargs, ("epsilon", "radius"), "lkm_laplacian")
    epsilon = max(laplacian_kwargs.get("epsilon", 1e-7), LEAST_EPSILON)
    method = LargeKernel(epsilon=epsilon, radius=laplacian_kwargs.get("radius", 10))
    return estimate(image, trimap, method, cg_kwargs)
