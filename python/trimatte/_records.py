"""What a solve returns, and what it tells on its way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ._showing import as_html, one_line

Progress = Callable[[str, float], object]
"""Called with the name of a phase and how much of it is done, from 0 to 1."""


@dataclass(frozen=True)
class SolveInfo:
    """What a solve did and what it cost.

    Attributes
    ----------
    method : str
        The name that was asked for, e.g. ``"closed-form"``; for an object its registered name, or
        its class.
    prior : str or None
        The prior: its name, its class, or ``"array"``.
    solver : str
        The solver that solved the most pixels: ``"cholesky"``, ``"multigrid"``,
        ``"graph-multigrid"`` or ``"cg"``; ``"none"`` if no pixel was unknown, or if the method is a
        prior alone.
    iterations : int
        Iterations of an iterative solver, 0 for a direct one. Where several unknown regions were
        solved by themselves (see `solve_alpha`), this is the largest number among them. The 2 to 10
        steps by which iterative solvers look for slow modes beforehand do not count.
    relative_residual : float
        ``||D^-1 (b - A x)|| / ||D^-1 b||`` of the solution, computed anew from A and b; D is the
        diagonal of A.
    error_estimate : float or None
        Estimate of the largest error of alpha: at most `tolerance` for an iterative solver, 0 for a
        direct one and where nothing was unknown, None for a prior alone.
    unknowns : int
        Number of unknowns of the linear systems, the pixels of constant regions included.
    seconds : dict of str to float
        Wall time of each phase, in order.
    peak_bytes : int
        Most bytes of arrays that the solve held at once. Image, trimap, prior and alpha are not
        counted.
    threads : int
        Threads that were used.
    operator_complexity : float
        Numbers in the matrices of all levels of multigrid over those of the finest; 1 for the other
        solvers.
    regions : dict of str to int
        How many connected unknown regions each solver took, by the solver's name; "constant" counts
        regions that touch known pixels of one kind only and were not solved. A picture that was
        solved as one system counts as one region. Empty if nothing was solved.
    choice : str or None
        With ``method="auto"``, why the prior was taken or left out; else None.
    guessed_regions : int
        Unknown regions that touch known pixels of one kind only and that the prior `OneSided` has
        guessed; 0 with any other prior.
    chroma : str
        ``"half"`` if the picture's chroma counted as one of half resolution and was sharpened,
        ``"palette"`` if it had 33 to 256 colours, whose steps were smoothed, else ``"full"``; see
        `chroma` of `trimatte.solve_alpha`.
    """

    method: str
    solver: str
    iterations: int
    relative_residual: float
    error_estimate: float | None
    unknowns: int
    seconds: Mapping[str, float]
    peak_bytes: int
    threads: int
    operator_complexity: float = 1.0
    prior: str | None = None
    regions: Mapping[str, int] = field(default_factory=dict)
    choice: str | None = None
    guessed_regions: int = 0
    chroma: str = "full"

    def as_dict(self) -> dict[str, Any]:
        """Return the record as a dict that `json` can write."""
        return asdict(self)


class AlphaResult(NamedTuple):
    """Alpha and how it was found.

    Attributes
    ----------
    alpha : (H, W) ndarray
        Opacity in [0, 1].
    info : SolveInfo
        Solver, iterations, residual, times, memory.
    """

    alpha: npt.NDArray[np.floating]
    info: SolveInfo

    def __repr__(self) -> str:
        return one_line(type(self).__name__, self._asdict())

    def _repr_html_(self) -> str:
        solved = f"{self.info.unknowns} unknown pixels by {self.info.solver}"
        return as_html({f"alpha of {self.info.method}, {solved}": self.alpha})
