"""What `cg` may call after each iteration."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class CounterCallback:
    """It counts iterations in `n`."""

    def __init__(self) -> None:
        self.n = 0

    def __call__(self, A: Any, x: Array, b: Array, norm_b: float, r: Array, norm_r: float) -> None:
        """Count one."""
        self.n += 1


class ProgressCallback:
    """It counts iterations in `n`, and writes each one's residual."""

    def __init__(self) -> None:
        self.n = 0

    def __call__(self, A: Any, x: Array, b: Array, norm_b: float, r: Array, norm_r: float) -> None:
        """Count one, and write the relative residual."""
        self.n += 1
        residual = np.inf if norm_b == 0 else norm_r / norm_b
        sys.stdout.write(f"iteration {self.n:7d} - {residual:e} ({residual:.20f})\n")
