"""Learning-based matting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from ...affinities import LearningBased
from ...affinities.learning_based import LEAST_REGULARIZATION
from ._estimate import NOTHING, estimate, refuse_unknown

Array = npt.NDArray[Any]


def estimate_alpha_lbdm(
    image: Array,
    trimap: Array,
    preconditioner: object = None,
    laplacian_kwargs: Mapping[str, Any] = NOTHING,
    cg_kwargs: Mapping[str, Any] = NOTHING,
) -> Array:
    """Estimate alpha by learning-based matting (Zheng, Kambhamettu 2009).

    Parameters
    ----------
    image, trimap, preconditioner, cg_kwargs
        As for `estimate_alpha_cf`.
    laplacian_kwargs : mapping, optional
        `epsilon` (default 1e-7; less than 1e-8 counts as 1e-8) and `radius` (default 1).

    Returns
    -------
    ndarray of float64
        Alpha, in the trimap's shape; known pixels are 0 or 1.
    """
    refuse_unknown(laplacian_kwargs, ("epsilon", "radius"), "lbdm_laplacian")
    epsilon = max(laplacian_kwargs.get("epsilon", 1e-7), LEAST_REGULARIZATION)
    method = LearningBased(regularization=epsilon, radius=laplacian_kwargs.get("radius", 1))
    return estimate(image, trimap, method, cg_kwargs)
