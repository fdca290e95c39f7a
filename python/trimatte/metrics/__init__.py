"""Error measures of mattes, foregrounds and sequences."""

from __future__ import annotations

from ._alpha import Errors, connectivity, evaluate, gradient, mad, mse, rmse, sad
from ._foreground import ForegroundErrors, evaluate_foreground
from ._sequence import SequenceErrors, dtssd, evaluate_sequence, messddt

__all__ = [
    "Errors",
    "ForegroundErrors",
    "SequenceErrors",
    "connectivity",
    "dtssd",
    "evaluate",
    "evaluate_foreground",
    "evaluate_sequence",
    "gradient",
    "mad",
    "messddt",
    "mse",
    "rmse",
    "sad",
]
