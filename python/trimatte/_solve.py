"""From labels and a guess to the solved system, and what its record says."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _check, methods
from ._context import Context
from ._records import AlphaResult, SolveInfo
from ._solver import LEAST_PROMISED, Settings, run_solver
from .affinities import Affinity
from .errors import ConvergenceError, warn
from .priors import Guess
from .priors.combined import joined

STENCIL_REACH = 2
"""Pixels that a 5 x 5 stencil reaches; multigrid needs one."""


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


def refuse_solver(solver: str, affinity: Affinity) -> None:
    """Raise ValueError if this solver cannot solve the systems of this affinity."""
    if solver == "multigrid" and not (has_stencil(affinity) or affinity.has_products):
        reach = "has no limit" if affinity.reach is None else f"is {affinity.reach}"
        raise ValueError(
            f"solver: multigrid needs an affinity whose reach is at most {STENCIL_REACH} pixels, got {affinity}, "
            f'whose reach {reach}; choose "graph-multigrid" or "auto"'
        )


def solved(
    inputs: Inputs, affinity: Affinity | None, settings: Settings, context: Context
) -> tuple[npt.NDArray[np.floating], dict[str, Any]]:
    """Return alpha and the record of the solve; without an affinity, alpha is the guess."""
    dtype = np.float64 if inputs.image.dtype == np.float64 else np.float32
    if affinity is not None and inputs.unknowns > 0:
        inputs = with_affinity(inputs, affinity, context)
    alpha = (inputs.labels == _check.FOREGROUND).astype(dtype)
    if affinity is not None and inputs.unknowns > 0:
        return alpha, solve(alpha, inputs, affinity, settings, context)
    if inputs.guess is not None:
        np.copyto(alpha, inputs.guess.alpha, where=inputs.labels == _check.UNKNOWN)
    return alpha, {
        "solver": "none",
        "converged": True,
        "iterations": 0,
        "relative_residual": 0.0,
        "error_estimate": 0.0 if inputs.unknowns == 0 else None,
        "unknowns": 0,
        "peak_bytes": 0,
    }


def with_affinity(inputs: Inputs, affinity: Affinity, context: Context) -> Inputs:
    """Let the affinity name more known pixels, and add its data term to the prior's guess.

    Raises
    ------
    ValueError, TypeError
        If what the affinity says cannot be.
    """
    name = f"{type(affinity).__name__}.findings"
    labels, term = affinity.findings(inputs.image, inputs.labels, context)
    unknowns = inputs.unknowns
    if labels is not inputs.labels:
        _refuse_other_labels(labels, inputs.labels, name)
        unknowns = int(np.count_nonzero(labels == _check.UNKNOWN))
    guess = inputs.guess
    if term is not None:
        alpha = np.ascontiguousarray(_check.alpha(term.alpha, labels.shape, name))
        own = Guess(alpha, _check.confidence(term.confidence, labels.shape))
        guess = own if guess is None else joined((guess, own), labels)
    return inputs._replace(labels=labels, unknowns=unknowns, guess=guess)


def _refuse_other_labels(labels: npt.NDArray[np.uint8], before: npt.NDArray[np.uint8], name: str) -> None:
    """Raise ValueError or TypeError unless only unknown pixels have become known."""
    if not isinstance(labels, np.ndarray) or labels.dtype != np.uint8 or labels.shape != before.shape:
        raise TypeError(f"{name}: expected uint8 labels of shape {before.shape}, got {_check.kind_of(labels)}")
    bad = np.argwhere((labels > _check.UNKNOWN) | ((before != _check.UNKNOWN) & (labels != before)))
    if len(bad):
        y, x = bad[0].tolist()
        raise ValueError(
            f"{name}: expected 0, 1 or 2, and known pixels as they were, got {labels[y, x]} for {before[y, x]} "
            f"at {(y, x)}"
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
        It makes the rows of the system.
    settings : Settings
        The solver and where it stops.
    context : Context
        How to run.

    Returns
    -------
    dict
        The fields of `SolveInfo` that describe the solve, and "converged".
    """
    record = run_solver(
        affinity.core(inputs.image, inputs.labels, context),
        inputs.image,
        inputs.labels,
        inputs.guess,
        inputs.start,
        alpha,
        settings,
        context,
    )
    constant = sum(record.pop("constant"))
    if constant:
        record["regions"] = {**record["regions"], "constant": constant}
    return record


def has_stencil(affinity: Affinity) -> bool:
    """Whether an affinity's systems fit into a 5 x 5 stencil, so that multigrid solves them."""
    return affinity.reach is not None and affinity.reach <= STENCIL_REACH


def count_unknown(labels: npt.NDArray[np.uint8], needs_known: bool) -> int:
    """Count the pixels to solve for; raise ValueError if there are some but too little is known."""
    unknown = known_foreground = 0
    for _, rows in _check.blocks(labels):
        unknown += int(np.count_nonzero(rows == _check.UNKNOWN))
        known_foreground += int(np.count_nonzero(rows == _check.FOREGROUND))
    if unknown == 0 or not needs_known:
        return unknown
    if unknown == labels.size:
        raise ValueError("trimap: expected some foreground and some background, got only unknown pixels")
    for name, missing in (
        ("foreground", known_foreground == 0),
        ("background", known_foreground + unknown == labels.size),
    ):
        if missing:
            empty = "; if the subject is not in the picture, make the trimap black" if name == "foreground" else ""
            raise ValueError(f"trimap: expected some {name} pixels, got none (see {name}_threshold){empty}")
    return unknown


def nothing_unknown(alpha: npt.NDArray[np.floating], has_prior: bool) -> str:
    """Say what follows from a trimap without unknown pixels."""
    first = alpha.flat[0]
    if (alpha == first).all():
        kind = "foreground" if first else "background"
        return f"trimap: no pixel is unknown, all are {kind}, so that alpha is {first:.0f} everywhere"
    hint = "" if has_prior else "; to refine a mask: matte_from_mask, or trimatte refine"
    return f"trimap: no pixel is unknown, so that alpha is the trimap{hint}"


def result_of(
    alpha: npt.NDArray[np.floating],
    record: dict[str, Any],
    settings: Settings,
    context: Context,
    *,
    method: str,
    prior: str | None,
    choice: str | None = None,
) -> AlphaResult:
    """Make the info, say what is doubtful, and refuse an answer that is not good enough."""
    converged = record.pop("converged")
    info = SolveInfo(
        method=method,
        prior=prior,
        choice=choice,
        seconds=context.monitor.seconds,
        threads=context.threads,
        **record,
    )
    if info.regions.get("constant"):
        warn(_one_sided(info.regions["constant"]))
    if info.guessed_regions:
        warn(_guessed(info.guessed_regions))
    if not converged:
        goal = f"an error of {settings.tolerance:.3g}"
        if info.solver in ("cg", "graph-multigrid") and settings.relative_residual is not None:
            goal += f" and a residual of {settings.relative_residual:.3g}"
        raise ConvergenceError(
            f"{info.solver}: relative residual {info.relative_residual:.3g} after {info.iterations} iterations, "
            f"wanted {goal}",
            alpha,
            info,
        )
    if settings.tolerance < LEAST_PROMISED and info.iterations > 0:
        warn(
            f"tolerance: expected at least {LEAST_PROMISED:g}, got {settings.tolerance:g}; the solver has stopped "
            "as asked, but where colours are flat, rounding may leave a larger error, in a direct solution too"
        )
    return AlphaResult(alpha, info)


def _guessed(count: int) -> str:
    """Say what was done about such regions."""
    touch, its = ("region touches", "its") if count == 1 else ("regions touch", "their")
    return (
        f"trimap: {count} unknown {touch} known pixels of one kind only, so that known colours from elsewhere "
        f"decided {its} alpha; mark a pixel of either kind where that is wrong"
    )


def _one_sided(count: int) -> str:
    """Say what follows from unknown regions that touch known pixels of one kind only."""
    touch = "region touches" if count == 1 else "regions touch"
    each = "it" if count == 1 else "each of them"
    return (
        f"trimap: {count} unknown {touch} known pixels of one kind only, so that alpha is that kind all over "
        f"{each}; if {each} may hold both kinds, mark a pixel of the other one, or use colours: "
        f'method="{methods.BEST}", or a prior'
    )
