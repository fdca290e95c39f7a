"""Shared sampling."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import warn
from ...priors import SharedSampling
from ._estimate import checked

Array = npt.NDArray[Any]

_WITHOUT_EFFECT = {
    "sample_gathering_weights": (3.0, 2.0, 1.0, 4.0),
    "sample_gathering_Np_radius": 1,
    "local_smoothing_sigma_sq1": None,
    "local_smoothing_sigma_sq2": 0.1,
    "local_smoothing_sigma_sq3": None,
}


def estimate_alpha_sm(
    image: Array,
    trimap: Array,
    return_foreground_background: bool = False,
    trimap_expansion_radius: int = 10,
    trimap_expansion_threshold: float = 0.02,
    sample_gathering_angles: int = 4,
    sample_gathering_weights: tuple[float, float, float, float] = (3.0, 2.0, 1.0, 4.0),
    sample_gathering_Np_radius: int = 1,
    sample_refinement_radius: int = 5,
    local_smoothing_radius1: int = 5,
    local_smoothing_radius2: int = 5,
    local_smoothing_radius3: int = 5,
    local_smoothing_sigma_sq1: float | None = None,
    local_smoothing_sigma_sq2: float = 0.1,
    local_smoothing_sigma_sq3: float | None = None,
) -> Any:
    """Estimate alpha by shared sampling (Gastal, Oliveira 2010).

    Parameters
    ----------
    image : (H, W, 3) ndarray
        Colours in [0, 1]; what is beyond is clipped.
    trimap : (H, W) or (H, W, 1) ndarray of floats
        Values up to 0.1 are background, from 0.9 on foreground.
    return_foreground_background : bool, default False
        Whether the colours of both layers are returned too.
    trimap_expansion_radius, trimap_expansion_threshold : default 10 and 0.02
        Unknown pixels within this distance of a known one of a like colour take its label.
    sample_gathering_angles : int, default 4
        Rays of each pixel.
    sample_refinement_radius : int, default 5
        Half the width of the window whose pixels share their samples.
    local_smoothing_radius1 : int, default 5
        Colours and alpha are smoothed over windows of half this radius, whose errors are smaller.
    sample_gathering_weights, sample_gathering_Np_radius, local_smoothing_radius2 and 3,
    local_smoothing_sigma_sq1 to 3
        They have no effect; a warning says so where one is not the default.

    Returns
    -------
    alpha : ndarray of float32
        In the trimap's shape.
    foreground, background : (H, W, 3) ndarray of float32, only if asked for
    """
    given = {
        "sample_gathering_weights": tuple(sample_gathering_weights),
        "sample_gathering_Np_radius": sample_gathering_Np_radius,
        "local_smoothing_sigma_sq1": local_smoothing_sigma_sq1,
        "local_smoothing_sigma_sq2": local_smoothing_sigma_sq2,
        "local_smoothing_sigma_sq3": local_smoothing_sigma_sq3,
    }
    for name, value in given.items():
        if value != _WITHOUT_EFFECT[name]:
            warn(f"{name}: {value} has no effect; trimatte's shared sampling uses {_WITHOUT_EFFECT[name]}")
    for radius in (local_smoothing_radius2, local_smoothing_radius3):
        if radius != local_smoothing_radius1:
            warn(f"local_smoothing_radius1: {local_smoothing_radius1} is used for all three radii")
    picture, labels = checked(image, trimap)
    method = SharedSampling(
        expansion_radius=trimap_expansion_radius,
        expansion_threshold=trimap_expansion_threshold,
        rays=sample_gathering_angles,
        sharing_radius=sample_refinement_radius,
        smoothing_radius=local_smoothing_radius1 // 2,
        own_colours=False,
    )
    found = method.samples(picture, labels)
    alpha = found.alpha.reshape(np.shape(trimap))
    return (alpha, found.foreground, found.background) if return_foreground_background else alpha
