"""Whether a trimap's known pixels are strokes of a brush."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .. import _check, _core
from .._context import Context
from ._scale import working_step

_THIN = 0.12
"""Strokes are less wide than this, as half their width over the smaller side of the picture."""
_FAR = 0.03
"""Half of the unknown pixels are farther than this from strokes, in the same unit."""


def are_strokes(labels: npt.NDArray[np.uint8], context: Context) -> bool:
    """Tell whether known pixels are strokes, and not what a band around the edge leaves.

    Strokes show a few of the colours, and what lies between them may have others. Priors that learn
    from known colours are then sure and wrong, while closed-form matting spreads the strokes over
    smooth parts of the picture.

    Parameters
    ----------
    labels : (H, W) ndarray of uint8
        0 = known background, 1 = known foreground, 2 = unknown.
    context : Context
        How to run.

    Returns
    -------
    bool
    """
    step = working_step(labels.shape)
    seen = np.ascontiguousarray(labels[::step, ::step])
    unknown = seen == _check.UNKNOWN
    if not unknown.any() or unknown.all():
        return False
    known = (~unknown).astype(np.uint8)
    far = np.median(_distances(known, 1, context)[unknown]) > _FAR * min(seen.shape)
    return bool(far and _distances(known, 0, context)[~unknown].max() < _THIN * min(seen.shape))


def _distances(values: npt.NDArray[np.uint8], value: int, context: Context) -> npt.NDArray[np.float32]:
    """Return the distance of each pixel to the nearest one of this value."""
    result = np.empty(values.shape, np.float32)
    _core.distance_to(values, value, result, context.threads, context.monitor)
    return result
