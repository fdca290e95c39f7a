"""From picture files to picture files: what the commands and the items of a batch have in common.

`matting.matte` reads a picture, lets a guide find its alpha, finds its colours and writes the
results. `guides` are what says where the foreground is, `frames` are the guides of a sequence,
`backdrop` is what a composite is put over, and `results` chooses depth and encoding of each file.
"""

from .guides import FinishedAlpha, Guide, KnownBackground, ModelMask, RoughMask, Trimap
from .matting import CHANNELS, Item, Run, Solved, matte, outputs_of, solve_item
from .results import Results

__all__ = [
    "CHANNELS",
    "FinishedAlpha",
    "Guide",
    "Item",
    "KnownBackground",
    "ModelMask",
    "Results",
    "RoughMask",
    "Run",
    "Solved",
    "Trimap",
    "matte",
    "outputs_of",
    "solve_item",
]
