"""Layers of images with any number of channels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...foreground import Layers, estimate_foreground

Array = npt.NDArray[Any]


def _clipped(array: Array) -> Array:
    """Clip floats to [0, 1]; NaN stays, and is refused later."""
    if array.dtype.kind == "f" and array.size and (array.min() < 0 or array.max() > 1):
        return np.asarray(np.clip(array, 0, 1))
    return array


def layers_of(image: Array, alpha: Array, **options: Any) -> Layers:
    """Estimate the layers of an image (H, W, C) of any C: channels do not depend on each other.

    Image and alpha are clipped to [0, 1]. The layers need not give the image exactly.
    """
    options["exact_composite"] = False
    image, alpha = _clipped(image), _clipped(alpha)
    count = image.shape[2]
    if count in (1, 3):
        return estimate_foreground(image, alpha, **options)
    parts = [estimate_foreground(image[..., i : i + 1], alpha, **options) for i in range(count)]
    return Layers(*(np.concatenate(planes, axis=2) for planes in zip(*parts, strict=True)))
