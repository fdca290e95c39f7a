"""The keyword arguments of `solve_alpha`, for functions that pass them on."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy.typing as npt

from ._records import Progress

if TYPE_CHECKING:
    from .affinities import Affinity
    from .priors import Prior


class AffinityOptions(TypedDict, total=False):
    """Options of affinities, for type checkers; `trimatte.methods` knows which method has which."""

    epsilon: float | None
    radius: int | None


class SolveOptions(AffinityOptions, total=False):
    """The keyword arguments of `solve_alpha` that concern the solve."""

    start: npt.ArrayLike | None
    solver: str
    known_weight: float | None
    tolerance: float
    relative_residual: float | None
    max_iterations: int
    colour_space: str
    chroma: str | None
    settle: bool | None
    threads: int | None
    progress: Progress | None


class AlphaOptions(SolveOptions, total=False):
    """The keyword arguments of `solve_alpha`, for functions that pass them on."""

    method: str | Affinity
    prior: str | Prior | npt.ArrayLike | None
    confidence: float | npt.ArrayLike | None
    seed: int
    background_threshold: float
    foreground_threshold: float


class MaskOptions(SolveOptions, total=False):
    """The keyword arguments of `matte_from_mask`, for functions that pass them on."""

    band: float | None
    threshold: float
    mask_weight: float
    learn: bool
    seed: int


class CutoutOptions(AlphaOptions, total=False):
    """Those of `solve_alpha` and of `matte_from_mask`; which of them count depends on the guide."""

    band: float | None
    threshold: float
    mask_weight: float
    learn: bool
