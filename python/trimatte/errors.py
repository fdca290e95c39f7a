"""The exceptions and the one warning class of trimatte, and how to warn.

Bad values raise :class:`ValueError` and wrong kinds of objects :class:`TypeError`; the classes here
cover what those two cannot say.
"""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ._records import SolveInfo


class TrimatteError(Exception):
    """Root of the exceptions that only trimatte raises."""


class ConvergenceError(TrimatteError, RuntimeError):
    """An iterative solver stopped before it reached the accuracy asked for.

    Attributes
    ----------
    alpha : (H, W) ndarray
        The alpha reached so far, in [0, 1], known pixels exact.
    info : SolveInfo
        Solver, iterations, relative residual reached, times.
    """

    def __init__(self, message: str, alpha: npt.NDArray[np.floating], info: SolveInfo) -> None:
        super().__init__(message)
        self.alpha = alpha
        self.info = info

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Let the error pass from a worker process to its parent."""
        return type(self), (str(self), self.alpha, self.info)


class FactorizationError(TrimatteError, RuntimeError):
    """The direct solver met a matrix that is not positive definite, or one too large for it."""


class PictureError(TrimatteError, OSError):
    """A picture file could not be read or written, or holds something that would be lost on the way."""


class ModelError(TrimatteError, RuntimeError):
    """A segmentation network cannot be found or used, or answers with anything but one mask."""


class DatasetError(TrimatteError, ValueError):
    """A data set is not where, or not as, it was said to be; the message says what was looked for."""


class BatchError(TrimatteError, ValueError):
    """Jobs that cannot be run as they are given: a missing column, two items with one output."""


class WorkerError(TrimatteError, RuntimeError):
    """Worker processes cannot be started."""


class TrimatteWarning(UserWarning):
    """Something legal but doubtful, such as an input whose transparency is ignored."""


def warn(message: str) -> None:
    """Warn in the name of the line that called the package, however deep inside it this is."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == __package__:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, TrimatteWarning, stacklevel=level)
