"""From labels and a guess to the solved system: one affinity, one solver, one part of the picture at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _check, _core
from ._regions import Part, independent_parts
from .priors._base import Call, Guess


@dataclass(frozen=True)
class Settings:
    """The options of a solve, checked; see `trimatte.solve_alpha`."""

    affinity: str
    solver: str
    epsilon: float
    radius: int
    known_weight: float | None
    tolerance: float
    relative_residual: float
    max_iterations: int
    automatic: bool = False
    """Nobody has asked for this solver: another may take over."""


class Inputs(NamedTuple):
    """What a solve is about, as `_check` returns it.

    Attributes
    ----------
    image : (H, W, C) ndarray
        Colours for the affinity.
    labels : (H, W) ndarray of uint8
        What is known.
    guess : Guess or None
        Of a prior.
    start : (H, W) ndarray of float32 or None
        Where an iterative solver starts.
    """

    image: npt.NDArray[Any]
    labels: npt.NDArray[np.uint8]
    guess: Guess | None
    start: npt.NDArray[np.float32] | None

    def of(self, part: Part) -> Inputs:
        """Cut a part out."""
        guess = None if self.guess is None else Guess(*map(part.cut, self.guess))
        start = None if self.start is None else part.cut(self.start)
        return Inputs(part.cut(self.image), part.labels(self.labels), guess, start)


def _closed_form(inputs: Inputs, settings: Settings, call: Call) -> _core.Problem:
    return _core.assemble(
        _core.ClosedForm(settings.epsilon, settings.radius),
        inputs.image,
        inputs.labels,
        inputs.guess,
        0.0 if settings.known_weight is None else settings.known_weight,
        settings.solver == "multigrid",
        call.threads,
        call.monitor,
    )


AFFINITIES = {"closed-form": _closed_form}

CHOLESKY_CAN_TAKE_OVER = 250_000
"""Unknown pixels: some 5 s and 500 MB."""

PATIENCE = 300
"""Iterations after which Cholesky would have been faster."""


def solve(
    alpha: npt.NDArray[np.floating], inputs: Inputs, unknowns: int, settings: Settings, call: Call
) -> dict[str, Any]:
    """Solve for the unknown pixels of `alpha`, in place.

    Parameters
    ----------
    alpha : (H, W) ndarray of float32 or float64
        0 or 1 where the pixel is known.
    inputs : Inputs
        What the solve is about.
    unknowns : int
        Number of unknown pixels.
    settings : Settings
        The solver has been chosen; where nobody asked for it and it does not get there, Cholesky takes over.
    call : Call
        How to run.

    Returns
    -------
    dict
        What `_core.solve` returns, for all parts together, and "unknowns".
    """
    parts: list[Part] = []
    if settings.known_weight is None:
        parts = independent_parts(inputs.labels, 2 * settings.radius, unknowns)
    if not parts:
        return _solve(alpha, inputs, settings, call)
    results = []
    for part in parts:
        own_alpha, own = part.cut(alpha), inputs.of(part)
        result = _solve(own_alpha, own, settings, call)
        result["peak_bytes"] += sum(array.nbytes for array in (own_alpha, own.image, own.labels, part.own))
        alpha[part.rows, part.columns] = own_alpha
        results.append(result)
    return _joined(results)


def _solve(alpha: npt.NDArray[np.floating], inputs: Inputs, settings: Settings, call: Call) -> dict[str, Any]:
    if not settings.automatic or settings.solver != "multigrid":
        return _solve_with(alpha, inputs, settings, call)
    known_too = settings.known_weight is not None
    unknowns = inputs.labels.size if known_too else np.count_nonzero(inputs.labels == _check.UNKNOWN)
    if unknowns > CHOLESKY_CAN_TAKE_OVER:
        return _solve_with(alpha, inputs, settings, call)
    limit = min(settings.max_iterations, PATIENCE)
    solved = _solve_with(alpha, inputs, replace(settings, max_iterations=limit), call)
    if solved["converged"] or solved["iterations"] == settings.max_iterations:
        return solved
    return _solve_with(alpha, inputs, replace(settings, solver="cholesky"), call)


def _solve_with(alpha: npt.NDArray[np.floating], inputs: Inputs, settings: Settings, call: Call) -> dict[str, Any]:
    problem = AFFINITIES[settings.affinity](inputs, settings, call)
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
        call.threads,
        call.monitor,
    )
    alpha.reshape(-1)[problem.pixel] = np.clip(x, 0, 1, out=x)
    peak = max(problem.peak_bytes, problem.bytes + solved["peak_bytes"]) + x.nbytes
    return {**solved, "unknowns": problem.unknowns, "peak_bytes": peak}


def _joined(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Say of all parts what is true of the worst of them."""

    def most(key: str) -> Any:
        values = [part[key] for part in parts]
        return None if None in values else max(values)

    solvers = [part["solver"] for part in parts]
    worst = ("iterations", "relative_residual", "error_estimate", "peak_bytes", "operator_complexity")
    return {
        "solver": "multigrid" if "multigrid" in solvers else solvers[0],  # Cholesky may have taken over in places
        "converged": all(part["converged"] for part in parts),
        "unknowns": sum(part["unknowns"] for part in parts),
        **{key: most(key) for key in worst},
    }
