"""What an item will need, before it is started."""

from __future__ import annotations

from .._files import opened
from ._jobs import Job

# Measured by `benchmarks/batch.py --cost`, and a tenth more. The foreground needs most, or, with many unknown
# pixels, the solve.
_PROCESS = 60_000_000
_FOREGROUND_PER_PIXEL = 66
_SOLVE_PER_PIXEL = 14
_SOLVE_PER_UNKNOWN = 280


def estimated_bytes(job: Job) -> int:
    """Estimate the memory of the process that does an item; 0 if its pictures cannot be read, which costs little.

    The picture's size is read from the file's head, the unknown pixels are counted in the trimap. A mask's band is
    taken as a fifth of the picture.
    """
    try:
        pixels = _pixels(job.image)
        unknown = _unknown(job.trimap) if job.trimap is not None else pixels // 5
    except Exception:  # whatever is wrong with them is the item's own failure
        return 0
    return _PROCESS + max(_FOREGROUND_PER_PIXEL * pixels, _SOLVE_PER_PIXEL * pixels + _SOLVE_PER_UNKNOWN * unknown)


def _pixels(path: str) -> int:
    from PIL import Image

    with opened(path) as file, Image.open(file) as image:
        width, height = image.size
    return int(width) * int(height)


def _unknown(path: str) -> int:
    from PIL import Image

    with opened(path) as file, Image.open(file) as image:
        counts: list[int] = image.convert("L").histogram()
    unknown: int = sum(counts[26:230])
    return unknown
