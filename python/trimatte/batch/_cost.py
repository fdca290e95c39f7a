"""What an item will need, before it is started."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import methods
from .._check import UNKNOWN, labels
from .._solve import has_stencil
from ..affinities import Affinity
from ..foreground import DEFAULT, ClosedForm
from ..foreground.estimate import chosen
from ..io.read import Source, pixel_count, read_guide, read_single
from ..mask import trimap_from_soft_mask
from ._jobs import Job

# Measured by `benchmarks/batch.py --cost`, and a tenth more. The foreground needs most, or, with
# many unknown pixels, the solve.
_PROCESS = 75_000_000
_FOREGROUND_PER_PIXEL = 66
_CLOSED_FORM_LAYERS_PER_PIXEL = 160
_SOLVE_PER_PIXEL = 14
# An affinity of any reach searches neighbours in the whole picture, and has long rows
# (docs/design/information_flow.md).
_SEARCH_PER_PIXEL = 85
_SEARCH_PER_UNKNOWN = 5300
_FLOATS_PER_PIXEL = 60  # read as float32, encoded, scaled, joined
_SOLVE_PER_UNKNOWN = 280
_PRODUCTS_PER_UNKNOWN = 750  # windows larger than 3 x 3
_DIRECT_PER_UNKNOWN = 2800  # Cholesky, and rows of windows larger than 3 x 3


def estimated_bytes(job: Job) -> int:
    """Estimate the memory, in bytes, of the process that does an item.

    It is 0 if the pictures cannot be read, which costs little. The picture's size is read from the
    file's head, the unknown pixels are counted in the trimap, or in the one that a mask gives.
    """
    try:
        pixels, floats = pixel_count(job.image)
        unknown = unknown_pixels(job.trimap, job.mask, job.options)
    except Exception:  # whatever is wrong with them is the item's own failure
        return 0
    return bytes_for(pixels, floats, unknown, job.options)


def bytes_for(pixels: int, floats: bool, unknown: int, options: Mapping[str, Any]) -> int:
    """Estimate the memory, in bytes, of a process that mattes a picture.

    Parameters
    ----------
    pixels : int
        Pixels of the picture.
    floats : bool
        Whether its samples are floats.
    unknown : int
        Unknown pixels.
    options : mapping
        Options of a :class:`Job`.
    """
    if options.get("known_weight") is not None:
        unknown = pixels
    affinity = methods.chosen_among(options).affinity  # None: a prior alone needs no solve
    each = _solve_per_unknown(affinity, options.get("solver", "auto"))
    deep = _FLOATS_PER_PIXEL * pixels if floats or options.get("colour_space") == "linear" else 0
    colours = chosen(options.get("foreground_method", DEFAULT), {})
    layers = _CLOSED_FORM_LAYERS_PER_PIXEL if isinstance(colours, ClosedForm) else _FOREGROUND_PER_PIXEL
    own = _SOLVE_PER_PIXEL if affinity is None or affinity.reach is not None else _SEARCH_PER_PIXEL
    return _PROCESS + deep + max(layers * pixels, own * pixels + each * unknown)


def _solve_per_unknown(affinity: Affinity | None, solver: str) -> int:
    """Return the bytes of a solve for each unknown pixel; a prior alone needs no solve."""
    if affinity is not None and affinity.reach is None:
        return _SEARCH_PER_UNKNOWN
    if solver in ("auto", "multigrid"):
        if affinity is None or has_stencil(affinity):
            return _SOLVE_PER_UNKNOWN
        if affinity.has_products:
            return _PRODUCTS_PER_UNKNOWN
    return _DIRECT_PER_UNKNOWN


def unknown_pixels(trimap: Source | None, mask: Source | None, options: Mapping[str, Any]) -> int:
    """Count the unknown pixels of a trimap, or of the one that a mask gives."""
    if trimap is not None:
        known = read_guide(trimap)
    else:
        assert mask is not None
        of_trimap = {name: options[name] for name in ("band", "threshold") if name in options}
        known = trimap_from_soft_mask(read_single(mask, "mask"), **of_trimap)
    thresholds = {name: value for name, value in options.items() if name.endswith("_threshold")}
    return int(np.count_nonzero(labels(known, known.shape, **thresholds) == UNKNOWN))
