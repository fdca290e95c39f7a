"""Data sets: rendered scenes with exact alpha, and folders of pictures with true alpha."""

from __future__ import annotations

from ._dandelion import dandelion
from ._dataset import Dataset, Sample
from ._files import files, folder
from ._flower import flower
from ._glass import glass
from ._hair import hair
from ._net import net
from ._scene import Scene
from ._sequence import sequence
from ._suite import scenes

__all__ = [
    "Dataset",
    "Sample",
    "Scene",
    "dandelion",
    "files",
    "flower",
    "folder",
    "glass",
    "hair",
    "net",
    "scenes",
    "sequence",
]
