"""The Laplacian of closed-form matting."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...laplacian import closed_form_laplacian

LEAST_EPSILON = 1e-8
"""Below this, rounding decides what windows of flat colour say."""


def cf_laplacian(
    image: npt.NDArray[Any],
    epsilon: float = 1e-7,
    radius: int = 1,
    is_known: npt.NDArray[np.bool_] | None = None,
) -> Any:
    """Return the Laplacian of closed-form matting (Levin, Lischinski, Weiss 2008, Eq. 12).

    Parameters
    ----------
    image : (H, W, 3) ndarray
        Colours; they are clipped to [0, 1].
    epsilon : float, default 1e-7
        Colour variance that is added to each window; less than 1e-8 counts as 1e-8.
    radius : int, default 1
        Windows are ``2 radius + 1`` pixels wide.
    is_known : (H, W) or (H * W,) ndarray of bool, optional
        Windows that hold known pixels only are left out.

    Returns
    -------
    (H * W, H * W) csr_matrix
    """
    from scipy import sparse

    picture = np.asarray(image)
    if picture.dtype.kind == "f":
        picture = np.clip(picture, 0, 1)
    known = None
    if is_known is not None:
        known = np.asarray(is_known).reshape(picture.shape[:2])
    L = closed_form_laplacian(picture, epsilon=max(epsilon, LEAST_EPSILON), radius=radius, known=known)
    return sparse.csr_matrix(L)
