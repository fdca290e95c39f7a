"""The one call of the core's solvers, and their settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _check, _core
from ._context import Context
from ._runtime.memory import available_memory

SOLVERS = ("auto", "cholesky", "multigrid", "graph-multigrid", "cg")

LEAST_TOLERANCE = 1e-12
"""Rounding of the matrix alone moves the alpha of scenes by as much."""

LEAST_PROMISED = 1e-7
"""Rounding may move the alpha of flat colours by a quarter of it (docs/design/promise.md)."""


@dataclass(frozen=True)
class Settings:
    """The options of a solve, checked; see `trimatte.solve_alpha`."""

    solver: str = "auto"
    known_weight: float | None = None
    tolerance: float = 1e-3
    relative_residual: float | None = None
    max_iterations: int = 10_000

    def __post_init__(self) -> None:
        _check.one_of(self.solver, SOLVERS, "solver")
        if self.known_weight is not None:
            self._set(known_weight=_check.between(self.known_weight, 1e-12, 1e12, "known_weight"))
        if self.relative_residual is not None:
            self._set(relative_residual=_check.positive(self.relative_residual, "relative_residual"))
        self._set(
            tolerance=_check.between(self.tolerance, LEAST_TOLERANCE, 1, "tolerance"),
            max_iterations=_check.at_least(self.max_iterations, 1, "max_iterations"),
        )

    def _set(self, **values: float) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)


def run_solver(
    core: _core.Affinity,
    image: npt.NDArray[Any],
    labels: npt.NDArray[np.uint8],
    guess: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] | None,
    start: npt.NDArray[np.float32] | None,
    alpha: npt.NDArray[np.floating],
    settings: Settings,
    context: Context,
) -> dict[str, Any]:
    """Solve for the unknown pixels of `alpha`, in place.

    Parameters
    ----------
    core : Affinity
        The core's affinity, which makes the rows of the system.
    image : (H, W, C) ndarray
        Colours for the affinity.
    labels : (H, W) ndarray of uint8
        What is known.
    guess : pair of (H, W) ndarrays of float32, or None
        Alpha of a prior and its confidence.
    start : (H, W) ndarray of float32 or None
        Where an iterative solver starts.
    alpha : (H, W) ndarray of float32 or float64
        0 or 1 where the pixel is known.
    settings : Settings
        The solver and where it stops.
    context : Context
        How to run.

    Returns
    -------
    dict
        The core's record of the solve.
    """
    return {
        **_core.solve(
            core,
            image,
            labels,
            guess,
            0.0 if settings.known_weight is None else settings.known_weight,
            start,
            alpha,
            settings.solver,
            settings.tolerance,
            settings.relative_residual or 0.0,
            settings.max_iterations,
            available_memory(),
            context.threads,
            context.monitor,
        )
    }
