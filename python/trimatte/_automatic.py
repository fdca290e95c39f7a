"""What `method="auto"` does with a trimap, and why."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from . import _check, methods, priors
from ._context import Context
from .priors.strokes import are_strokes

PRIOR = "fusion"
"""The prior where the trimap tells enough."""


class Choice(NamedTuple):
    """A prior, and why.

    Attributes
    ----------
    prior : str, Prior or None
        Its name, or itself; None means that the affinity answers alone.
    reason : str
        A clause that names what was found in the trimap.
    mends : bool
        Whether blurred chroma and faint residue are mended, unless the caller says.
    """

    prior: str | priors.Prior | None
    reason: str
    mends: bool = False


def decided(
    chosen: methods.Chosen,
    prior: object,
    confidence: object,
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
    confidence : object
        What the caller gave as its confidence; None if nothing.
    known_weight : float or None
        The weight of known pixels that the caller wants.
    labels : (H, W) ndarray of uint8
        What is known.
    context : Context
        How to run.

    Returns
    -------
    Choice or None

    Raises
    ------
    ValueError
        If there is a confidence and no prior.
    """
    if chosen.name != methods.AUTO:
        return None
    if prior is not None:
        return Choice(None, "a prior was given")
    if confidence is not None:
        raise ValueError("confidence: expected a prior beside it")
    if known_weight is not None:
        return Choice(None, "known_weight asks for the system of Levin et al., which has no prior")
    counts = np.zeros(3, np.int64)
    for _, rows in _check.blocks(labels):
        counts += np.bincount(rows.ravel(), minlength=3)
    if counts[_check.UNKNOWN] == 0:
        return Choice(None, "no pixel is unknown")
    if counts[:2].min() == 0:
        return Choice(None, "the trimap knows one kind only")
    return _chosen_by(labels, context)


def _chosen_by(labels: npt.NDArray[np.uint8], context: Context) -> Choice:
    """Choose for a trimap that knows both kinds."""
    if are_strokes(labels, context):
        # Where strokes of one kind enclose a region, colours from elsewhere tell more than they do.
        reason = "the known pixels are strokes, which show too few colours to learn from"
        return Choice(priors.OneSided(), reason)
    return Choice(PRIOR, "the trimap shows colours of both kinds beside the unknown pixels", mends=True)
