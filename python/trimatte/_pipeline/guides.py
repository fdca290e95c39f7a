"""What says where the foreground of a picture is, as files, and how alpha follows from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import _check
from .._records import Progress, SolveInfo
from ..alpha import solve_alpha
from ..colour import displayed
from ..errors import ModelError
from ..foreground import Layers
from ..io.picture import Picture, space_of
from ..io.read import Source, read_guide, read_opaque, read_single
from ..keying import matte_from_key, matte_from_plate
from ..mask import solve_from_mask
from ..models import Network
from ..models.mask import LEAST_SURE, mask_by, nothing_found
from ..scribbles import trimap_from_scribbles

Pixels = npt.NDArray[Any]


class Found(NamedTuple):
    """What a guide finds.

    Attributes
    ----------
    alpha : (H, W) ndarray
        Opacity in [0, 1].
    info : SolveInfo or None
        How alpha was found; None if it was given.
    layers : Layers or None
        The colours, if the guide knows them; None if they are to be estimated.
    trimap : (H, W) ndarray or None
        The trimap that was solved; None if there was none.
    """

    alpha: Pixels
    info: SolveInfo | None
    layers: Layers | None = None
    trimap: Pixels | None = None


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
    ) -> Found:
        """Return alpha, and how it was found, from the picture and what `read` has returned."""


@dataclass(frozen=True)
class Trimap(Guide):
    """A trimap, strokes painted on the picture, or a trimap with strokes added.

    Attributes
    ----------
    path : str, bytes, binary file or None
        The trimap.
    scribbles : str, bytes, binary file or None
        The picture with strokes; one of the two there must be.
    options : dict
        Arguments of `trimatte.solve_alpha`.
    """

    path: Source | None
    scribbles: Source | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def read(self, picture: Picture, space: str) -> Pixels:
        """Return the trimap."""
        known = None if self.path is None else read_guide(self.path, picture)
        if self.scribbles is None:
            assert known is not None
            return known
        painted = read_opaque(self.scribbles)
        shown = displayed(painted.pixels, space_of(painted, space, picture))
        return trimap_from_scribbles(displayed(picture.pixels, space), shown, trimap=known)

    def solve(
        self, pixels: Pixels, known: Pixels, *, colour_space: str, threads: int | None, progress: Progress | None
    ) -> Found:
        """Solve for the unknown pixels."""
        options = {"colour_space": colour_space, "threads": threads, "progress": progress, **self.options}
        return Found(*solve_alpha(pixels, known, **options), trimap=known)


@dataclass(frozen=True)
class RoughMask(Guide):
    """A rough mask, or a cutout whose transparency is one.

    Attributes
    ----------
    path : str, bytes or binary file
        The file.
    options : dict
        Arguments of `trimatte.matte_from_mask`.
    """

    path: Source
    options: Mapping[str, Any] = field(default_factory=dict)

    def read(self, picture: Picture, space: str) -> Pixels:
        """Return the mask."""
        return read_single(self.path, "mask", picture)

    def solve(
        self, pixels: Pixels, known: Pixels, *, colour_space: str, threads: int | None, progress: Progress | None
    ) -> Found:
        """Refine the mask."""
        options = {"colour_space": colour_space, "threads": threads, "progress": progress, **self.options}
        found = solve_from_mask(pixels, known, **options)
        return Found(found.alpha, found.info, trimap=found.trimap)


@dataclass(frozen=True)
class ModelMask(Guide):
    """The mask that a segmentation network finds.

    Attributes
    ----------
    network : Network
        The network.
    options : dict
        Arguments of `trimatte.matte_from_mask`.
    """

    network: Network
    options: Mapping[str, Any] = field(default_factory=dict)

    def read(self, picture: Picture, space: str) -> Pixels:
        """Ask the network for the mask."""
        mask = mask_by(displayed(picture.pixels, space), self.network)
        if mask.max() < self.options.get("threshold", LEAST_SURE):
            raise ModelError(nothing_found(self.network.path, mask))
        return mask

    def solve(
        self, pixels: Pixels, known: Pixels, *, colour_space: str, threads: int | None, progress: Progress | None
    ) -> Found:
        """Refine the mask."""
        return RoughMask("", self.options).solve(
            pixels, known, colour_space=colour_space, threads=threads, progress=progress
        )


@dataclass(frozen=True)
class FinishedAlpha(Guide):
    """A finished alpha, or a cutout whose transparency is one.

    Attributes
    ----------
    path : str, bytes or binary file
        The file.
    """

    path: Source
    is_alpha: ClassVar[bool] = True

    def read(self, picture: Picture, space: str) -> Pixels:
        """Return alpha as the file has it."""
        return read_single(self.path, "alpha", picture)

    def solve(
        self, pixels: Pixels, known: Pixels, *, colour_space: str, threads: int | None, progress: Progress | None
    ) -> Found:
        """Return alpha as it is."""
        return Found(_check.alpha(known, known.shape), None)


@dataclass(frozen=True)
class KnownBackground(Guide):
    """A background that is known: a key colour, or the same shot without the subject.

    Attributes
    ----------
    key : str
        "auto" or a colour; see `trimatte.matte_from_key`.
    plate : str or None
        The file of the shot without the subject, which takes the key's place.
    solid : bool
        See `trimatte.matte_from_key`.
    options : dict
        Arguments of `trimatte.solve_alpha` that concern the solve.
    """

    key: str = "auto"
    plate: str | None = None
    solid: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)

    def read(self, picture: Picture, space: str) -> Pixels:
        """Return the plate; an empty array if there is none."""
        if space == "linear":
            raise ValueError("colour space: expected display colours for a key or a plate, got linear ones")
        if self.plate is None:
            return np.empty(0, np.uint8)
        plate = read_opaque(self.plate)
        return displayed(plate.pixels, space_of(plate, space, picture))

    def solve(
        self, pixels: Pixels, known: Pixels, *, colour_space: str, threads: int | None, progress: Progress | None
    ) -> Found:
        """Solve, and take the background out of the colours."""
        options = {"threads": threads, "progress": progress, **self.options}
        if self.plate is None:
            found = matte_from_key(pixels, self.key, solid=self.solid, **options)
        else:
            found = matte_from_plate(pixels, known, solid=self.solid, **options)
        return Found(found.alpha, found.info, Layers(found.foreground, found.background), found.trimap)
