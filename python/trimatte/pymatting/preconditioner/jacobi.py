"""The inverse of the diagonal as preconditioner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def jacobi(A: Any) -> Callable[[Array], Array]:
    """Return a function that divides a vector by the diagonal of A, a dense or sparse matrix."""
    inverse = 1.0 / np.asarray(A.diagonal())

    def precondition(x: Array) -> Array:
        return x * inverse

    return precondition
