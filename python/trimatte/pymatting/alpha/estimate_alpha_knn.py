"""KNN matting."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy.typing as npt

from ...affinities import Affinity, Knn
from ..laplacian.knn_laplacian import checked_kernel, knn_weights
from ._estimate import NOTHING, estimate, refuse_unknown
from ._matrix import Weights

Array = npt.NDArray[Any]


def estimate_alpha_knn(
    image: Array,
    trimap: Array,
    preconditioner: object = None,
    laplacian_kwargs: Mapping[str, Any] = NOTHING,
    cg_kwargs: Mapping[str, Any] = NOTHING,
) -> Array:
    """Estimate alpha by KNN matting (Chen, Li, Tang 2013).

    Parameters
    ----------
    image, trimap, preconditioner, cg_kwargs
        As for `estimate_alpha_cf`.
    laplacian_kwargs : mapping, optional
        `n_neighbors` (default (20, 10)), `distance_weights` (default (2, 0.1)), `kernel` ("binary"
        or "soft").

    Returns
    -------
    ndarray of float64
        Alpha, in the trimap's shape; known pixels are 0 or 1.
    """
    refuse_unknown(laplacian_kwargs, ("n_neighbors", "distance_weights", "kernel"), "knn_laplacian")
    return estimate(image, trimap, _method(**laplacian_kwargs), cg_kwargs)


def _method(n_neighbors: Any = (20, 10), distance_weights: Any = (2.0, 0.1), kernel: str = "binary") -> Affinity:
    """Return trimatte's own KNN matting, which has two lists of neighbours, or a matrix of weights."""
    soft = checked_kernel(kernel)
    if len(n_neighbors) == len(distance_weights) == 2:
        (near, far), (weight, far_weight) = n_neighbors, distance_weights
        return Knn(
            neighbours=near,
            position_weight=weight,
            far_neighbours=far,
            far_position_weight=far_weight,
            soft=soft,
        )
    return Weights(partial(knn_weights, n_neighbors=n_neighbors, distance_weights=distance_weights, kernel=kernel))
