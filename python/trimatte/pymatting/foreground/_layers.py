"""The two methods as PyMatting has them, and layers of images with any number of channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._context import Context
from ...foreground import ClosedForm, ForegroundMethod, Layers, MultiLevel, estimate_foreground
from ...foreground._base import Finish, Pixels, Plane

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class ByRows(MultiLevel):
    """Multi-level estimation that updates pixels one after another, row by row."""

    name = ""

    def layers(self, image: Pixels, alpha: Plane, finish: Finish, context: Context) -> tuple[Plane, Plane]:
        """Find the layers, which lie in [0, 1]; they are not finished."""
        return _core.multilevel_by_rows(image, alpha, *self.steps, context.monitor)


@dataclass(frozen=True)
class SmoothClosedForm(ClosedForm):
    """Closed-form layers that differ from the image where alpha is 0 or 1, too."""

    name = ""

    def layers(self, image: Pixels, alpha: Plane, finish: Finish, context: Context) -> tuple[Plane, Plane]:
        """Find the layers."""
        return super().layers(image, alpha, finish._replace(solid=False), context)


def _clipped(array: Array) -> Array:
    """Clip floats to [0, 1]; NaN stays, and is refused later."""
    if array.dtype.kind == "f" and array.size and (array.min() < 0 or array.max() > 1):
        return np.asarray(np.clip(array, 0, 1))
    return array


def layers_of(image: Array, alpha: Array, method: ForegroundMethod) -> Layers:
    """Estimate the layers of an image (H, W, C) of any C: channels do not depend on each other.

    Image and alpha are clipped to [0, 1]. The layers need not give the image exactly.
    """
    image, alpha = _clipped(image), _clipped(alpha)
    count = image.shape[2]
    planes = [image] if count in (1, 3) else [image[..., i : i + 1] for i in range(count)]
    parts = [estimate_foreground(plane, alpha, method=method, exact_composite=False) for plane in planes]
    return Layers(*(np.concatenate(layers, axis=2) for layers in zip(*parts, strict=True)))
