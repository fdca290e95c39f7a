"""Image matting: from an image and a trimap to exact alpha, clean foreground and a cutout."""

import importlib
from typing import TYPE_CHECKING

from . import _runtime as _runtime  # isort: skip  (loads the core, before anything that imports it)
from . import affinities, colour, datasets, io, laplacians, metrics, models, priors
from ._core import __version__
from ._records import AlphaResult, SolveInfo
from .alpha import estimate_alpha, solve_alpha
from .composite import composite, cutout
from .errors import (
    BatchError,
    ConvergenceError,
    DatasetError,
    FactorizationError,
    ModelError,
    PictureError,
    TrimatteError,
    TrimatteWarning,
    WorkerError,
)
from .finish import CropBox, choke, crop_box, levels, remove_specks, settle
from .foreground import Layers, estimate_foreground
from .keying import (
    KeyedMatte,
    Triangulated,
    matte_from_key,
    matte_from_plate,
    triangulate,
    trimap_from_key,
    trimap_from_plate,
)
from .laplacian import closed_form_laplacian
from .mask import matte_from_mask, trimap_from_soft_mask
from .models import mask_from_model
from .scribbles import trimap_from_scribbles, trimap_from_strokes
from .sequence import solve_sequence
from .sparse import preconditioner, solve
from .trim import trim_trimap
from .trimap import trimap_from_mask
from .versions import show_versions

if TYPE_CHECKING:
    from . import batch, evaluation

__all__ = [
    "AlphaResult",
    "BatchError",
    "ConvergenceError",
    "CropBox",
    "DatasetError",
    "FactorizationError",
    "KeyedMatte",
    "Layers",
    "ModelError",
    "PictureError",
    "SolveInfo",
    "Triangulated",
    "TrimatteError",
    "TrimatteWarning",
    "WorkerError",
    "__version__",
    "affinities",
    "batch",
    "choke",
    "closed_form_laplacian",
    "colour",
    "composite",
    "crop_box",
    "cutout",
    "datasets",
    "estimate_alpha",
    "estimate_foreground",
    "evaluation",
    "foreground",
    "io",
    "laplacians",
    "levels",
    "mask_from_model",
    "matte_from_key",
    "matte_from_mask",
    "matte_from_plate",
    "metrics",
    "models",
    "preconditioner",
    "priors",
    "remove_specks",
    "settle",
    "show_versions",
    "solve",
    "solve_alpha",
    "solve_sequence",
    "triangulate",
    "trim_trimap",
    "trimap_from_key",
    "trimap_from_mask",
    "trimap_from_plate",
    "trimap_from_scribbles",
    "trimap_from_soft_mask",
    "trimap_from_strokes",
]


def __getattr__(name: str) -> object:
    if name in ("batch", "evaluation"):  # they bring what starts processes, which most users never need
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
