"""What says where the subject of each frame is: masks, a network, trimaps, a key colour, a clean plate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import zip_longest
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _check
from .._pipeline.guides import Found, Guide, KnownBackground, RoughMask, Trimap
from .._records import Progress
from ..colour import displayed
from ..errors import PictureError
from ..foreground import Layers
from ..io.names import state_of
from ..io.picture import Picture
from ..io.read import read_opaque
from ..keying._inputs import colour_image
from ..keying._key import found_key
from ..keying.matte import NoSubject
from ..models import Network, load
from ..models.mask import mask_by
from .sources import Source, Still

Pixels = npt.NDArray[Any]

# Channels of a grey clip may differ by this much of 255, in all but one pixel of a hundred.
_COLOURED, _MOST_COLOURED = 40, 0.01
_MASK_EDGE = 0.5


@dataclass(frozen=True)
class FrameModel(RoughMask):
    """The mask that a segmentation network finds in a frame; black where it finds nothing.

    Attributes
    ----------
    path : str
        The network's file, which each process opens once.
    options : dict
        Arguments of `trimatte.matte_from_mask`.
    preset : str or None
        See `trimatte.models.load`.
    threads : int
        Threads of the network.
    """

    path: str
    preset: str | None = None
    threads: int = field(default=1, repr=False)

    def read(self, picture: Picture, space: str) -> Pixels:
        """Ask the network for the mask."""
        return mask_by(displayed(picture.pixels, space), network(self.path, self.preset, self.threads))


@cache
def network(path: str | None, preset: str | None, threads: int) -> Network:
    """Return a network that this process has opened before, or opens now."""
    return load(path, preset=preset, threads=threads)


@dataclass(frozen=True)
class FrameGuide(Guide):
    """The guide of one frame, in which the subject may be missing.

    Attributes
    ----------
    guide : Guide
        A mask, a trimap or a known background.
    held : ndarray or None
        What its file holds, if that was decoded from a clip.
    """

    guide: Guide
    held: Pixels | None = None

    def read(self, picture: Picture, space: str) -> Pixels:
        """Return what the guide's file holds."""
        return self.guide.read(picture, space) if self.held is None else self.held

    def solve(
        self, pixels: Pixels, known: Pixels, *, colour_space: str, threads: int | None, progress: Progress | None
    ) -> Found:
        """Solve; a frame without the subject is transparent all over."""
        if not _is_empty(self.guide, known):
            try:
                return self.guide.solve(
                    pixels, known, colour_space=colour_space, threads=threads, progress=progress
                )
            except NoSubject:
                pass
        alpha = np.zeros(pixels.shape[:2], np.float64 if pixels.dtype == np.float64 else np.float32)
        return Found(alpha, None, Layers(np.zeros_like(pixels, np.float32), pixels))


def _is_empty(guide: Guide, known: Pixels) -> bool:
    """Whether a mask or a trimap says that the subject is nowhere."""
    if isinstance(guide, RoughMask):
        edge = float(guide.options.get("threshold") or _MASK_EDGE)
        return bool(known.max(initial=0) < edge * _check.full_range(known.dtype))
    if isinstance(guide, Trimap):
        low = guide.options.get("background_threshold", 0.1)
        return bool(known.max(initial=0) <= low * _check.full_range(known.dtype))
    return False


class Guides:
    """The guides of all frames.

    Parameters
    ----------
    source : Source or None
        The masks or trimaps; None for a known background or a network, which all frames share.
    guide : Guide
        The guide of every frame, without its file.
    """

    def __init__(self, source: Source | None, guide: Guide) -> None:
        self.source, self.guide = source, guide

    def state(self, index: int) -> str:
        """Say how the guide of a frame is now: another text means that it has changed."""
        if self.source is not None:
            return self.source.state(index)
        return str(state_of(self.guide.path)) if isinstance(self.guide, FrameModel) else ""

    def beside(self, images: Source, wanted: Callable[[int], bool]) -> Iterator[tuple[Still, FrameGuide | None]]:
        """Yield the frames with their guides; None where the frame is not wanted.

        Raises
        ------
        PictureError
            If there are fewer guides than frames, or more.
        """
        if self.source is None:
            for still in images.stills(wanted):
                yield still, FrameGuide(self.guide)
            return
        for still, guide in zip_longest(images.stills(wanted), self.source.stills(wanted)):
            if still is None or guide is None:
                raise unequal(images, self.source, *_totals(images, self.source, still, guide))
            yield still, self._of(guide) if wanted(still.number) else None

    def _of(self, still: Still) -> FrameGuide:
        name = still.path or still.label
        guide = replace(self.guide, path=name)  # type: ignore[type-var]
        if still.pixels is None:
            return FrameGuide(guide)
        return FrameGuide(guide, _single(still.pixels, still.label, isinstance(guide, RoughMask)))


def _totals(images: Source, guides: Source, still: Still | None, guide: Still | None) -> tuple[int, int]:
    """Return how many frames and guides there are, where one of the two has ended."""
    counted = images.count(), guides.count()
    if counted[0] != counted[1]:
        return counted
    ended = guide.number if guide is not None else still.number if still is not None else 0
    return (ended, counted[1]) if still is None else (counted[0], ended)


def unequal(images: Source, guides: Source, frames: int, found: int) -> PictureError:
    """Say that there are not as many guides as frames."""
    return PictureError(
        f"{guides.name}: expected {frames} frames, as many as {images.name} has, got {found}; "
        "give one for each frame: a black one where the subject is not in the picture"
    )


def refuse_unequal(images: Source, guides: Guides) -> None:
    """Raise PictureError before any work if the numbers of frames and guides are known to differ."""
    if guides.source is not None and images.count() != guides.source.count():
        raise unequal(images, guides.source, images.count(), guides.source.count())


def _single(pixels: Pixels, label: str, is_mask: bool) -> Pixels:
    """Return the mask or the trimap in a frame: its transparency if it has any, else its grey."""
    top = _check.full_range(pixels.dtype)
    if is_mask and pixels.shape[2] == 4 and pixels[..., 3].min() < top:
        return np.ascontiguousarray(pixels[..., 3])
    colours = pixels[..., :3]
    spread = colours.max(axis=2).astype(np.int32) - colours.min(axis=2)
    if np.count_nonzero(spread > _COLOURED / 255 * top) > _MOST_COLOURED * spread.size:
        what = "mask" if is_mask else "trimap"
        raise PictureError(f"{label}: expected a grey {what}, got coloured pixels; are the two clips swapped?")
    return np.ascontiguousarray(colours[..., 1])


def with_key_found(guide: KnownBackground, images: Source) -> KnownBackground:
    """Return the guide with "auto" replaced by the key of the first frame, so that all have the same."""
    if guide.plate is not None or guide.key != "auto":
        return guide
    still = next(images.stills(lambda index: index == 0))
    pixels = read_opaque(still.path).pixels if still.path is not None else still.pixels
    assert pixels is not None
    levels = np.rint(found_key(colour_image(pixels[..., :3])) * 255).astype(int)
    return replace(guide, key="#{:02x}{:02x}{:02x}".format(*levels))
