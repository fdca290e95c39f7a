"""What there is before the first stroke: nothing, a trimap, a mask, or a key colour."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ... import _check
from ...errors import PictureError
from ...io.picture import Picture
from ...io.read import without_transparency
from ...keying import trimap_from_key
from ...keying._inputs import colour, colour_image
from ...keying._key import field
from ...keying.matte import freed_colours, prior_before
from ...mask import trimap_from_soft_mask
from ...mask.matte import HARD_WEIGHT
from ...mask.soft_trimap import is_hard
from ...priors import Prior, SoftMask
from ...trimap import FOREGROUND, UNKNOWN
from ._labels import Trimap, enlarged
from ._scales import Scales, resized

# Labels are made at a size of at most so many pixels, and the light behind a key is followed there.
_MOST_PIXELS = 4e6
_SAME_SHAPE = 0.02  # by which the ratio of a guide's sides may be another than the picture's
# A grey picture is a trimap if nearly all its greys are one grey, which fills at least a little of it.
_ONE_GREY = 0.9
_SOME_GREY = 0.001


class Start(ABC):
    """What there is before the first stroke."""

    kind: ClassVar[str]
    """What the page calls it."""

    @abstractmethod
    def labels(self, scales: Scales) -> Trimap:
        """Return the trimap without strokes, at the picture's whole size."""

    def prior(self, scales: Scales, factor: int) -> Prior | None:
        """Return what the start says about unknown pixels at a part of the size."""
        return None

    def foreground(
        self, scales: Scales, factor: int, alpha: npt.NDArray[np.floating], **run: Any
    ) -> npt.NDArray[Any] | None:
        """Return the foreground's colours if the start knows the background, else None."""
        return None

    def as_json(self) -> dict[str, Any]:
        """Return what the page needs to show it."""
        return {"kind": self.kind}


class Nothing(Start):
    """Strokes alone say what is known."""

    kind = "nothing"

    def labels(self, scales: Scales) -> Trimap:
        """Return unknown pixels only."""
        return np.full(scales.shape, UNKNOWN, np.uint8)


class FromTrimap(Start):
    """A trimap, to which strokes are added.

    Parameters
    ----------
    guide : (H, W) ndarray of float32
        Values up to 0.1 are background, from 0.9 on foreground.
    """

    kind = "trimap"

    def __init__(self, guide: npt.NDArray[np.float32]) -> None:
        self.guide = guide

    def labels(self, scales: Scales) -> Trimap:
        """Return the trimap."""
        return np.array([0, FOREGROUND, UNKNOWN], np.uint8)[_check.labels(self.guide, scales.shape)]


class FromMask(Start):
    """A mask, along whose edge pixels are unknown.

    Parameters
    ----------
    guide : (H, W) ndarray of float32
        The mask in [0, 1].
    band : float or None
        How far from the edge pixels are unknown, in pixels of the picture; None leaves the choice to
        `trimap_from_soft_mask`.
    """

    kind = "mask"

    def __init__(self, guide: npt.NDArray[np.float32], band: float | None = None) -> None:
        self.guide = guide
        self.band = band if band is None else _check.between(band, 0, 1e6, "band")

    def labels(self, scales: Scales) -> Trimap:
        """Return the mask with an unknown band along its edge."""
        factor = scales.factor(_MOST_PIXELS)
        band = None if self.band is None else self.band / factor
        trimap = trimap_from_soft_mask(resized(self.guide, scales.shape_at(factor)), band=band)
        return enlarged(trimap, factor, scales.shape)

    def prior(self, scales: Scales, factor: int) -> Prior:
        """Let the mask count a little, as in `matte_from_mask`."""
        plane = resized(self.guide, scales.shape_at(factor))
        return SoftMask(plane, weight=HARD_WEIGHT) if is_hard(self.guide) else SoftMask(plane)

    def as_json(self) -> dict[str, Any]:
        """Return the band, too."""
        return {"kind": self.kind, "band": self.band}


class FromKey(Start):
    """An even background of a colour, such as a green screen.

    Parameters
    ----------
    key : str
        "auto", or a colour such as "#00b140".
    solid : bool
        Whether the subject's inside is opaque; see `trimap_from_key`.
    """

    kind = "key"

    def __init__(self, key: str, solid: bool) -> None:
        if not isinstance(key, str):
            raise TypeError(f"key: expected a colour such as #00b140, or auto, got {type(key).__name__}")
        if key != "auto":
            colour(key, "key")
        self.key = key
        self.solid = _check.flag(solid, "solid")

    def labels(self, scales: Scales) -> Trimap:
        """Return what is surely of the key's colour, and what surely is not."""
        factor = scales.factor(_MOST_PIXELS)
        trimap = trimap_from_key(_coloured(scales, factor), self.key, solid=self.solid)
        return enlarged(trimap, factor, scales.shape)

    def prior(self, scales: Scales, factor: int) -> Prior:
        """Compare colours with the background's, and correct what they say."""
        colours, noise = self._background(scales, factor)
        return prior_before(colours, noise, self.solid)

    def foreground(
        self, scales: Scales, factor: int, alpha: npt.NDArray[np.floating], **run: Any
    ) -> npt.NDArray[Any]:
        """Take the key's colour out of the picture's."""
        return freed_colours(_coloured(scales, factor), alpha, self._background(scales, factor)[0], **run)

    def _background(self, scales: Scales, factor: int) -> tuple[npt.NDArray[np.float32], float]:
        """Return the background's colours at a part of the size, and their noise."""
        behind = field(_coloured(scales, max(factor, scales.factor(_MOST_PIXELS))), self.key)
        return _resized_colours(behind.colours, scales.shape_at(factor)), behind.noise

    def as_json(self) -> dict[str, Any]:
        """Return the colour, too."""
        return {"kind": self.kind, "key": self.key, "solid": self.solid}


def _coloured(scales: Scales, factor: int) -> npt.NDArray[np.float32]:
    """Return display colours as floats."""
    pixels, space = scales.at(factor)
    if space == "linear":
        raise ValueError("key: expected a picture of display colours, got a linear one")
    return colour_image(pixels)


def _resized_colours(colours: npt.NDArray[np.float32], shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    if colours.shape[:2] == shape:
        return colours
    return np.stack([resized(np.ascontiguousarray(colours[..., c]), shape) for c in range(3)], axis=2)


def start_from(guide: Picture, name: str, shape: tuple[int, int], kind: str = "auto") -> Start:
    """Return what a guide's file means beside a picture.

    Parameters
    ----------
    guide : Picture
        A mask or a trimap, or a cutout whose transparency is a mask.
    name : str
        What messages call it.
    shape : (int, int)
        The picture's height and width. A guide of another size is resized if its sides have the same
        ratio.
    kind : {"auto", "mask", "trimap"}
        "auto" takes it for a trimap if its greys are of one level.

    Raises
    ------
    PictureError
        If it is neither grey nor transparent, or has another shape.
    """
    plane = _plane(guide, name)
    height, width = plane.shape
    if abs(height * shape[1] / (width * shape[0]) - 1) > _SAME_SHAPE:
        wanted, got = f"{shape[1]} x {shape[0]}", f"{width} x {height}"
        raise PictureError(f"{name}: expected the shape of the picture ({wanted} pixels), got {got}")
    plane, is_trimap = resized(plane, shape), kind == "trimap" or (kind == "auto" and _has_one_grey(plane))
    return FromTrimap(plane) if is_trimap else FromMask(plane)


def _plane(guide: Picture, name: str) -> npt.NDArray[np.float32]:
    pixels = guide.pixels
    if pixels.ndim == 3:
        colours, transparent = without_transparency(pixels)
        if not transparent and not _check.is_grey(colours):
            raise PictureError(
                f"{name}: expected a grey mask or trimap, or a cutout, got an opaque coloured picture"
            )
        pixels = np.ascontiguousarray(pixels[..., 3] if transparent else colours[..., 0])
    if pixels.dtype.kind == "u":
        return np.asarray(pixels / np.float32(_check.full_range(pixels.dtype)), np.float32)
    return np.asarray(np.clip(np.nan_to_num(pixels), 0, 1), np.float32)


def _has_one_grey(plane: npt.NDArray[np.float32]) -> bool:
    grey = plane[(plane > 0.1) & (plane < 0.9)]
    if grey.size < _SOME_GREY * plane.size:
        return False
    counts = np.histogram(grey, bins=64, range=(0, 1))[0]
    return bool(counts.max() >= _ONE_GREY * grey.size)
