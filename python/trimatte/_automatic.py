"""What `method="auto"` does with a trimap, and why."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from . import _check, _core, methods
from ._context import Context

PRIOR = "fusion"
"""The prior where the trimap tells enough."""

_PIXELS = 600_000
"""The shape of a trimap shows at this size."""
_THIN = 0.05
"""Strokes are less wide than this, as half their width over the smaller side of the picture."""
_FAR = 0.02
"""Half of the unknown pixels are farther than this from strokes, in the same unit."""


class Choice(NamedTuple):
    """A prior, and why.

    Attributes
    ----------
    prior : str or None
        Its name; None means that the affinity answers alone.
    reason : str
        A clause that names what was found in the trimap.
    mends : bool
        Whether blurred chroma and faint residue are mended, unless the caller says.
    """

    prior: str | None
    reason: str
    mends: bool = False


def decided(
    chosen: methods.Chosen,
    prior: object,
    known_weight: float | None,
    labels: npt.NDArray[np.uint8],
    context: Context,
) -> Choice | None:
    """Return the choice of `method="auto"`, or None if there is nothing to choose.

    Parameters
    ----------
    chosen : Chosen
        The method.
    prior : object
        What the caller gave as a prior; None if nothing.
    known_weight : float or None
        The weight of known pixels that the caller wants.
    labels : (H, W) ndarray of uint8
        What is known.
    context : Context
        How to run.

    Returns
    -------
    Choice or None
    """
    if chosen.name != methods.AUTO:
        return None
    if prior is not None:
        return Choice(None, "a prior was given")
    if known_weight is not None:
        return Choice(None, "known_weight asks for the system of Levin et al., which has no prior")
    counts = [np.count_nonzero(labels == value) for value in (0, 1, 2)]
    if counts[_check.UNKNOWN] == 0:
        return Choice(None, "no pixel is unknown")
    if min(counts[:2]) == 0:
        return Choice(None, "the trimap knows one kind only")
    return choose(labels, context)


def choose(labels: npt.NDArray[np.uint8], context: Context) -> Choice:
    """Choose a prior for a trimap that knows both kinds.

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
    Choice
    """
    step = max(1, round(math.sqrt(labels.size / _PIXELS)))
    seen = np.ascontiguousarray(labels[::step, ::step])
    unknown = seen == _check.UNKNOWN
    if unknown.any() and not unknown.all():
        side = min(seen.shape)
        known = (~unknown).astype(np.uint8)
        thickest = _distances(known, 0, context)[~unknown].max()
        median = np.median(_distances(known, 1, context)[unknown])
        if thickest < _THIN * side and median > _FAR * side:
            return Choice(None, "the known pixels are strokes, which show too few colours to learn from")
    return Choice(PRIOR, "the trimap shows colours of both kinds beside the unknown pixels", mends=True)


def _distances(values: npt.NDArray[np.uint8], value: int, context: Context) -> npt.NDArray[np.float32]:
    """Return the distance of each pixel to the nearest one of this value."""
    result = np.empty(values.shape, np.float32)
    _core.distance_to(values, value, result, context.threads, context.monitor)
    return result
