"""The frames of a sequence as items: each is solved from where the one before has ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._records import AlphaResult, Progress
from ..errors import PictureError
from ..io.picture import Picture
from ..sequence import solve_named
from .guides import Found, Guide, Pixels


class Solves:
    """The solves of a sequence, one after another.

    Parameters
    ----------
    labels : iterable of str
        What messages call the frames.
    temporal, change : float
        See `trimatte.solve_sequence`.
    options : dict
        Arguments of `trimatte.solve_alpha`, the same for all frames.
    """

    def __init__(
        self, labels: Iterable[str], *, temporal: float, change: float, options: Mapping[str, Any]
    ) -> None:
        self._labels = iter(labels)
        self._options = {"temporal": temporal, "change": change, **options}
        self._images: list[Pixels] = []  # the one that is to be solved
        self._trimaps: list[Pixels] = []
        self._results: Iterator[AlphaResult] | None = None
        self._depth: str | None = None

    def refuse_other_depth(self, picture: Picture, path: str) -> None:
        """Raise PictureError if a frame has other samples than the first one."""
        self._depth = self._depth or picture.depth
        if picture.depth != self._depth:
            raise PictureError(
                f"{path}: expected {self._depth} samples as in the first frame, got {picture.depth}"
            )

    def next(self, pixels: Pixels, trimap: Pixels, colour_space: str, threads: int | None) -> AlphaResult:
        """Solve the next frame; the first one's colour space and threads count for all."""
        if self._results is None:
            images, trimaps = _emptied(self._images), _emptied(self._trimaps)
            self._results = solve_named(
                images, trimaps, self._labels, colour_space=colour_space, threads=threads, **self._options
            )
        self._images.append(pixels)
        self._trimaps.append(trimap)
        return next(self._results)


def _emptied(queue: list[Pixels]) -> Iterator[Pixels]:
    while queue:
        yield queue.pop()


@dataclass(frozen=True)
class Frame(Guide):
    """The trimap of a frame that starts from the frame before.

    Attributes
    ----------
    trimap : Guide
        Reads the trimap.
    image : str
        What messages call the frame's picture.
    solves : Solves
        Those of the sequence.
    """

    trimap: Guide
    image: str
    solves: Solves

    def read(self, picture: Picture, space: str) -> Pixels:
        """Return the trimap."""
        self.solves.refuse_other_depth(picture, self.image)
        return self.trimap.read(picture, space)

    def solve(
        self, pixels: Pixels, known: Pixels, *, colour_space: str, threads: int | None, progress: Progress | None
    ) -> Found:
        """Solve for the unknown pixels."""
        return Found(*self.solves.next(pixels, known, colour_space, threads))
