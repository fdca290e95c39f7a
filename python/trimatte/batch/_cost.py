"""What an item will need, before it is started."""

from __future__ import annotations

import numpy as np

from .. import _need, methods
from .._check import UNKNOWN, labels
from ..foreground import DEFAULT
from ..foreground.estimate import chosen
from ..io.read import pixel_count, read_guide, read_single
from ..mask import trimap_from_soft_mask
from ._jobs import Job

# Measured by `benchmarks/batch.py --cost`, and a tenth more. The foreground needs most, or, with
# many unknown pixels, the solve.
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
        most = _bytes(job, pixels, pixels, floats)
        return most if most <= enough else _bytes(job, pixels, _unknown(job), floats)
    except Exception:  # whatever is wrong with them is the item's own failure
        return 0


def _bytes(job: Job, pixels: int, unknown: int, floats: bool) -> int:
    if job.options.get("known_weight") is not None:
        unknown = pixels
    affinity = methods.chosen_among(job.options).affinity  # None: a prior alone needs no solve
    solve = _need.of_solve(pixels, unknown, affinity, job.options.get("solver", "auto"))
    deep = _FLOATS_PER_PIXEL * pixels if floats or job.options.get("colour_space") == "linear" else 0
    colours = chosen(job.options.get("foreground_method", DEFAULT), {})
    return _PROCESS + deep + max(colours.bytes_per_pixel * pixels, solve)


def _unknown(job: Job) -> int:
    if job.trimap is not None:
        trimap = read_guide(job.trimap)
    else:
        of_trimap = {name: job.options[name] for name in ("band", "threshold") if name in job.options}
        trimap = trimap_from_soft_mask(read_single(job.inputs[1], "mask"), **of_trimap)
    thresholds = {name: value for name, value in job.options.items() if name.endswith("_threshold")}
    return int(np.count_nonzero(labels(trimap, trimap.shape, **thresholds) == UNKNOWN))
