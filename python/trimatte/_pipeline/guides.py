"""What says where the foreground of a picture is, as files, and how alpha follows from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy.typing as npt

from .. import _check
from .._records import Progress, SolveInfo
from ..alpha import solve_alpha
from ..colour import displayed
from ..io.picture import Picture, space_of
from ..io.read import read_guide, read_opaque, read_single
from ..mask import solve_from_mask
from ..scribbles import trimap_from_scribbles

Pixels = npt.NDArray[Any]


class Guide(ABC):
    """Files that guide the matting of one picture."""

    is_alpha: ClassVar[bool] = False
    """Whether what is read is alpha itself, so that nothing is to be solved."""

    @abstractmethod
    def read(self, picture: Picture, space: str) -> Pixels:
        """Read what is known about a picture whose colours are in `space`."""

    @abstractmethod
    def solve(
        self, pixels: Pixels, known: Pixels, *, colour_space: str, threads: int | None, progress: Progress | None
    ) -> tuple[Pixels, SolveInfo | None]:
        """Return alpha, and how it was found, from the picture and what `read` has returned."""


@dataclass(frozen=True)
class Trimap(Guide):
    """A trimap, strokes painted on the picture, or a trimap with strokes added.

    Attributes
    ----------
    path : str or None
        The trimap.
    scribbles : str or None
        The picture with strokes; one of the two there must be.
    options : dict
        Arguments of `trimatte.solve_alpha`.
    """

    path: str | None
    scribbles: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def read(self, picture: Picture, space: str) -> Pixels:
        """Return the trimap."""
        known = None if self.path is None else read_guide(self.path)
        if self.scribbles is None:
            assert known is not None
            return known
        painted = read_opaque(self.scribbles)
        shown = displayed(painted.pixels, space_of(painted, space, picture))
        return trimap_from_scribbles(displayed(picture.pixels, space), shown, trimap=known)

    def solve(
        self, pixels: Pixels, known: Pixels, *, colour_space: str, threads: int | None, progress: Progress | None
    ) -> tuple[Pixels, SolveInfo | None]:
        """Solve for the unknown pixels."""
        return solve_alpha(
            pixels, known, colour_space=colour_space, threads=threads, progress=progress, **self.options
        )


@dataclass(frozen=True)
class RoughMask(Guide):
    """A rough mask, or a cutout whose transparency is one.

    Attributes
    ----------
    path : str
        The file.
    options : dict
        Arguments of `trimatte.matte_from_mask`.
    """

    path: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def read(self, picture: Picture, space: str) -> Pixels:
        """Return the mask."""
        return read_single(self.path, "mask")

    def solve(
        self, pixels: Pixels, known: Pixels, *, colour_space: str, threads: int | None, progress: Progress | None
    ) -> tuple[Pixels, SolveInfo | None]:
        """Refine the mask."""
        return solve_from_mask(
            pixels, known, colour_space=colour_space, threads=threads, progress=progress, **self.options
        )


@dataclass(frozen=True)
class FinishedAlpha(Guide):
    """A finished alpha, or a cutout whose transparency is one.

    Attributes
    ----------
    path : str
        The file.
    """

    path: str
    is_alpha: ClassVar[bool] = True

    def read(self, picture: Picture, space: str) -> Pixels:
        """Return alpha as the file has it."""
        return read_single(self.path, "alpha")

    def solve(
        self, pixels: Pixels, known: Pixels, *, colour_space: str, threads: int | None, progress: Progress | None
    ) -> tuple[Pixels, SolveInfo | None]:
        """Return alpha as it is."""
        return _check.alpha(known, known.shape), None
