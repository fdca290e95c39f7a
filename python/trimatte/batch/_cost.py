"""What an item will need, before it is started."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import _need, methods
from .._check import UNKNOWN, labels
from ..foreground import DEFAULT
from ..foreground.estimate import chosen
from ..io.read import Source, pixel_count, read_guide, read_single
from ..mask import trimap_from_soft_mask
from ._jobs import Job

# Bytes that `benchmarks/batch.py --cost` measures, and a tenth more. The foreground needs most, or,
# with many unknown pixels, the solve.
_PROCESS = 75_000_000
_FLOATS_PER_PIXEL = 60  # read as float32, encoded, scaled, joined


def estimated_bytes(job: Job, enough: int = 0) -> int:
    """Estimate the memory, in bytes, of the process that does an item.

    It is 0 if the pictures cannot be read, which costs little. The picture's size is read from the
    file's head, the unknown pixels are counted in the trimap, or in the one that a mask gives.

    Parameters
    ----------
    job : Job
        The item.
    enough : int, default 0
        If the item needs no more than this even if all of its pixels are unknown, that need is
        returned, and no trimap is read.
    """
    try:
        pixels, floats = pixel_count(job.image)
        most = bytes_for(pixels, floats, pixels, job.options)
        if most <= enough:
            return most
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
    solve = _need.of_solve(pixels, unknown, affinity, options.get("solver", "auto"))
    deep = _FLOATS_PER_PIXEL * pixels if floats or options.get("colour_space") == "linear" else 0
    colours = chosen(options.get("foreground_method", DEFAULT), {})
    return _PROCESS + deep + max(colours.need(pixels, unknown), solve)


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
