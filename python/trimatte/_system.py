"""From labels and a guess to the solved system: one affinity, one solver, one part of the picture at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _check, _core
from ._regions import Part, independent_parts
from .priors._base import Call, Guess

Labels = npt.NDArray[np.uint8]


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


def _closed_form(
    image: npt.NDArray[Any], labels: Labels, guess: Guess | None, settings: Settings, call: Call
) -> _core.Problem:
    return _core.closed_form(
        image,
        labels,
        guess,
        settings.known_weight,
        settings.epsilon,
        settings.radius,
        settings.solver == "multigrid",
        call.threads,
        call.monitor,
    )


AFFINITIES = {"closed-form": _closed_form}


def solve(
    alpha: npt.NDArray[np.floating],
    image: npt.NDArray[Any],
    labels: Labels,
    guess: Guess | None,
    start: npt.NDArray[np.float32] | None,
    settings: Settings,
    call: Call,
) -> dict[str, Any]:
    """Solve for the unknown pixels of `alpha`, in place.

    Parameters
    ----------
    alpha : (H, W) ndarray of float32 or float64
        0 or 1 where the pixel is known.
    image, labels, guess, start
        As `_check` returns them.
    settings : Settings
        The solver has been chosen.
    call : Call
        How to run.

    Returns
    -------
    dict
        What `_core.solve` returns, for all parts together, and "unknowns".
    """
    parts = [] if settings.known_weight is not None else independent_parts(labels, 2 * settings.radius)
    if not parts:
        return _solve(alpha, image, labels, guess, start, settings, call)
    return _joined([_solve_part(part, alpha, image, labels, guess, start, settings, call) for part in parts])


def _solve_part(
    part: Part,
    alpha: npt.NDArray[np.floating],
    image: npt.NDArray[Any],
    labels: Labels,
    guess: Guess | None,
    start: npt.NDArray[np.float32] | None,
    settings: Settings,
    call: Call,
) -> dict[str, Any]:
    def cut(plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.ascontiguousarray(plane[part.rows, part.columns])

    own_alpha, own_image, own_labels = cut(alpha), cut(image), part.labels(labels)
    own_guess = None if guess is None else Guess(cut(guess.alpha), cut(guess.confidence))
    own_start = None if start is None else cut(start)
    result = _solve(own_alpha, own_image, own_labels, own_guess, own_start, settings, call)
    alpha[part.rows, part.columns] = own_alpha
    result["peak_bytes"] += sum(array.nbytes for array in (own_alpha, own_image, own_labels, part.own))
    return result


def _solve(
    alpha: npt.NDArray[np.floating],
    image: npt.NDArray[Any],
    labels: Labels,
    guess: Guess | None,
    start: npt.NDArray[np.float32] | None,
    settings: Settings,
    call: Call,
) -> dict[str, Any]:
    problem = AFFINITIES[settings.affinity](image, labels, guess, settings, call)
    x = np.full(problem.unknowns, 0.5)
    if start is not None:
        x[:] = start.reshape(-1)[problem.pixel]
    elif guess is not None:
        x[:] = guess.alpha.reshape(-1)[problem.pixel]
    if settings.known_weight is not None:
        np.copyto(x, alpha.reshape(-1), where=labels.reshape(-1) != _check.UNKNOWN)
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

    worst = ("iterations", "relative_residual", "error_estimate", "peak_bytes", "operator_complexity")
    return {
        "solver": parts[0]["solver"],
        "converged": all(part["converged"] for part in parts),
        "unknowns": sum(part["unknowns"] for part in parts),
        **{key: most(key) for key in worst},
    }
