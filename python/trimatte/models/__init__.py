"""Masks from segmentation networks: files of ONNX, callables and sessions of rembg.

The package holds no weights and downloads none. `files` finds networks that are on the disk,
`presets` says what each family is given, `network` runs a file, and `mask` makes one mask of
whatever a network answers.
"""

from .mask import mask_from_model
from .network import Network, load
from .presets import PRESETS, Preset

__all__ = ["PRESETS", "Network", "Preset", "load", "mask_from_model"]
