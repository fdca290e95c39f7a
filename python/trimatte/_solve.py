"""From labels and a guess to the solved system: the one place that calls the core's solvers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _check, _core
from ._context import Context
from ._regions import Part, independent_parts
from .affinities import Affinity
from .priors import Guess

SOLVERS = ("auto", "cholesky", "multigrid", "cg")

LEAST_TOLERANCE = 1e-12
"""Rounding of the matrix alone may move alpha by as much."""

CHOLESKY_CAN_TAKE_OVER = 250_000
"""Up to this many unknown pixels Cholesky takes some 5 s and 500 MB."""

PATIENCE = 300
"""Iterations of multigrid after which Cholesky would have been faster."""

STENCIL_REACH = 2
"""Pixels that a 5 x 5 stencil reaches; multigrid needs one."""


@dataclass(frozen=True)
class Settings:
    """The options of a solve, checked; see `trimatte.solve_alpha`."""

    solver: str = "auto"
    known_weight: float | None = None
    tolerance: float = 1e-3
    relative_residual: float = 1e-7
    max_iterations: int = 10_000

    def __post_init__(self) -> None:
        _check.one_of(self.solver, SOLVERS, "solver")
        if self.known_weight is not None:
            self._set(known_weight=_check.between(self.known_weight, 1e-12, 1e12, "known_weight"))
        self._set(
            tolerance=_check.between(self.tolerance, LEAST_TOLERANCE, 1, "tolerance"),
            relative_residual=_check.positive(self.relative_residual, "relative_residual"),
            max_iterations=_check.at_least(self.max_iterations, 1, "max_iterations"),
        )

    def _set(self, **values: float) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)


class Inputs(NamedTuple):
    """What a solve is about, as `_check` returns it.

    Attributes
    ----------
    image : (H, W, C) ndarray
        Colours for the affinity.
    labels : (H, W) ndarray of uint8
        What is known.
    unknowns : int
        Number of unknown pixels in `labels`.
    guess : Guess or None
        The guess of a prior.
    start : (H, W) ndarray of float32 or None
        Where an iterative solver starts.
    """

    image: npt.NDArray[Any]
    labels: npt.NDArray[np.uint8]
    unknowns: int
    guess: Guess | None = None
    start: npt.NDArray[np.float32] | None = None

    def of(self, part: Part) -> Inputs:
        """Cut a part out."""
        labels = part.labels(self.labels)
        guess = None if self.guess is None else Guess(*map(part.cut, self.guess))
        start = None if self.start is None else part.cut(self.start)
        unknowns = int(np.count_nonzero(labels == _check.UNKNOWN))
        return Inputs(part.cut(self.image), labels, unknowns, guess, start)


def refuse_solver(solver: str, affinity: Affinity) -> None:
    """Raise ValueError if this solver cannot solve the systems of this affinity."""
    if solver == "multigrid" and not has_stencil(affinity):
        reach = "has no limit" if affinity.reach is None else f"is {affinity.reach}"
        raise ValueError(
            f"solver: multigrid needs an affinity whose reach is at most {STENCIL_REACH} pixels, got {affinity}, "
            f'whose reach {reach}; choose "auto"'
        )


def solve(
    alpha: npt.NDArray[np.floating], inputs: Inputs, affinity: Affinity, settings: Settings, context: Context
) -> dict[str, Any]:
    """Solve for the unknown pixels of `alpha`, in place.

    Parameters
    ----------
    alpha : (H, W) ndarray of float32 or float64
        0 or 1 where the pixel is known.
    inputs : Inputs
        What the solve is about.
    affinity : Affinity
        It makes the system.
    settings : Settings
        Where the solver is "auto" and multigrid does not get there, Cholesky takes over.
    context : Context
        How to run.

    Returns
    -------
    dict
        What `_core.solve` returns, for all parts together, "unknowns", and "regions" (see
        `SolveInfo`).
    """
    automatic = settings.solver == "auto"
    if automatic:
        unknowns = inputs.unknowns if settings.known_weight is None else inputs.labels.size
        settings = replace(settings, solver=_choose(affinity, unknowns))
    parts: list[Part] = []
    if settings.known_weight is None and affinity.reach is not None:
        parts = independent_parts(inputs.labels, affinity.reach, inputs.unknowns)
    if not parts:
        core = affinity.core(inputs.image, inputs.labels, context)
        return _solve(alpha, inputs, core, settings, automatic, context)
    results = []
    for part in parts:
        own_alpha, own = part.cut(alpha), inputs.of(part)
        core = affinity.core(own.image, own.labels, context)
        result = _solve(own_alpha, own, core, settings, automatic, context)
        result["peak_bytes"] += sum(array.nbytes for array in (own_alpha, own.image, own.labels, part.own))
        alpha[part.rows, part.columns] = own_alpha
        results.append(result)
    return _joined(results)


def _choose(affinity: Affinity, unknowns: int) -> str:
    """Return the solver for the systems of this affinity."""
    if affinity.reach is None:
        return "cg"
    return _core.choose_solver(unknowns, (affinity.reach + 1) // 2)


def has_stencil(affinity: Affinity) -> bool:
    """Whether an affinity's systems fit into a 5 x 5 stencil, so that multigrid solves them."""
    return affinity.reach is not None and affinity.reach <= STENCIL_REACH


def _solve(
    alpha: npt.NDArray[np.floating],
    inputs: Inputs,
    affinity: _core.Affinity,
    settings: Settings,
    automatic: bool,
    context: Context,
) -> dict[str, Any]:
    """Solve one system; if nobody asked for multigrid and it does not get there, by Cholesky."""
    if not automatic or settings.solver != "multigrid":
        return _solve_with(alpha, inputs, affinity, settings, context)
    unknowns = inputs.unknowns if settings.known_weight is None else inputs.labels.size
    if unknowns > CHOLESKY_CAN_TAKE_OVER:
        return _solve_with(alpha, inputs, affinity, settings, context)
    limit = min(settings.max_iterations, PATIENCE)
    solved = _solve_with(alpha, inputs, affinity, replace(settings, max_iterations=limit), context)
    if solved["converged"] or solved["iterations"] == settings.max_iterations:
        return solved
    return _solve_with(alpha, inputs, affinity, replace(settings, solver="cholesky"), context)


def _solve_with(
    alpha: npt.NDArray[np.floating], inputs: Inputs, affinity: _core.Affinity, settings: Settings, context: Context
) -> dict[str, Any]:
    problem = _core.assemble(
        affinity,
        inputs.image,
        inputs.labels,
        inputs.guess,
        0.0 if settings.known_weight is None else settings.known_weight,
        settings.solver == "multigrid",
        context.threads,
        context.monitor,
    )
    x = np.full(problem.unknowns, 0.5)
    if inputs.start is not None:
        x[:] = inputs.start.reshape(-1)[problem.pixel]
    elif inputs.guess is not None:
        x[:] = inputs.guess.alpha.reshape(-1)[problem.pixel]
    if settings.known_weight is not None:
        np.copyto(x, alpha.reshape(-1), where=inputs.labels.reshape(-1) != _check.UNKNOWN)
    solved = _core.solve(
        problem,
        x,
        settings.solver,
        settings.tolerance,
        settings.relative_residual,
        settings.max_iterations,
        context.threads,
        context.monitor,
    )
    alpha.reshape(-1)[problem.pixel] = np.clip(x, 0, 1, out=x)
    peak = max(problem.peak_bytes, problem.bytes + solved["peak_bytes"]) + x.nbytes
    return {**solved, "unknowns": problem.unknowns, "peak_bytes": peak, "regions": {}}


def _joined(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Say of all parts what is true of the worst of them."""

    def most(key: str) -> Any:
        values = [part[key] for part in parts]
        return None if None in values else max(values)

    solvers = [part["solver"] for part in parts]
    worst = ("iterations", "relative_residual", "error_estimate", "peak_bytes", "operator_complexity")
    regions: dict[str, int] = {}
    for part in parts:
        for key, count in part["regions"].items():
            regions[key] = regions.get(key, 0) + count
    return {
        "solver": "multigrid" if "multigrid" in solvers else solvers[0],  # Cholesky may have taken over in places
        "converged": all(part["converged"] for part in parts),
        "unknowns": sum(part["unknowns"] for part in parts),
        "regions": regions,
        **{key: most(key) for key in worst},
    }
