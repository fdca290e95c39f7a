"""Random walk matting."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy.typing as npt

from ...affinities import Affinity, RandomWalk
from ..laplacian.rw_laplacian import rw_weights
from ._estimate import NOTHING, estimate, refuse_unknown
from ._matrix import Weights

Array = npt.NDArray[Any]

_LEAST = 1e-6
"""The least weight, so that no edge cuts a pixel off."""


def estimate_alpha_rw(
    image: Array,
    trimap: Array,
    preconditioner: object = None,
    laplacian_kwargs: Mapping[str, Any] = NOTHING,
    cg_kwargs: Mapping[str, Any] = NOTHING,
) -> Array:
    """Estimate alpha by random walk matting (Grady et al. 2005).

    Parameters
    ----------
    image, trimap, preconditioner, cg_kwargs
        As for `estimate_alpha_cf`.
    laplacian_kwargs : mapping, optional
        `radius` (default 1); `sigma` and `regularization` have no effect.

    Returns
    -------
    ndarray of float64
        Alpha, in the trimap's shape; known pixels are 0 or 1.
    """
    refuse_unknown(laplacian_kwargs, ("sigma", "radius", "regularization"), "rw_laplacian")
    radius = laplacian_kwargs.get("radius", 1)
    method: Affinity = RandomWalk() if radius == 1 else Weights(partial(rw_weights, radius=radius, least=_LEAST))
    return estimate(image, trimap, method, cg_kwargs)
