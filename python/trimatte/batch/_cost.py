"""What an item will need, before it is started."""

from __future__ import annotations

from .._files import opened
from ._jobs import Job

# Measured by `benchmarks/batch.py --cost`: bytes of a process, for each pixel and for each unknown pixel.
_PROCESS = 110_000_000
_PER_PIXEL = 60
_PER_UNKNOWN = 300


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
    return _PROCESS + _PER_PIXEL * pixels + _PER_UNKNOWN * unknown


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
