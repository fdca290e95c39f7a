"""A rough mask, or a segmentation model that makes one, as the foreign APIs have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from .. import _check
from .._pipeline import RoughMask
from .._pipeline.guides import Found, Guide, Pixels
from .._records import Progress
from ..colour import displayed
from ..errors import ModelError
from ..finish import remove_specks
from ..io.picture import Picture
from ..io.read import Source, read_single
from ..models import Network, load
from ..models.mask import LEAST_SURE, mask_by
from .errors import LOG, Refused

# Parts of a mask that are smaller than this part of the picture are specks.
_SMALLEST_SPECK = 1e-3


class Model(NamedTuple):
    """The segmentation network of the service; see `trimatte.models.load`.

    Attributes
    ----------
    name : str
        A file, or a name that rembg has for one.
    preset : str or None
        What the network is given.
    threads : int
        Its threads.
    """

    name: str
    preset: str | None
    threads: int


@cache
def network(model: Model) -> Network:
    """Open the network, once in each process."""
    return load(model.name, preset=model.preset, threads=model.threads)


@dataclass(frozen=True)
class Levelled(Guide):
    """A mask whose values are stretched before it is refined.

    Attributes
    ----------
    source : bytes, binary file or None
        The mask.
    model : Model or None
        The network that finds it if `source` is None.
    low, high : int
        Values of the mask, from 0 to 255, that count as 0 and as 1.
    specks : bool
        Whether small parts and holes are removed first.
    refine : bool
        Whether the mask is refined; otherwise it is alpha.
    options : dict
        Arguments of `trimatte.matte_from_mask`.
    """

    source: Source | None
    model: Model | None = None
    low: int = 0
    high: int = 255
    specks: bool = False
    refine: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)

    def read(self, picture: Picture, space: str) -> Pixels:
        """Return the mask, stretched."""
        plane = self._mask(picture, space)
        if self.specks:
            plane = remove_specks(plane, max(1, round(_SMALLEST_SPECK * plane.size)))
        if (self.low, self.high) == (0, 255):
            return plane
        values = np.asarray(plane, np.float32) / np.float32(_check.full_range(plane.dtype))
        return np.asarray(np.clip((values * 255 - self.low) / (self.high - self.low), 0, 1))

    def _mask(self, picture: Picture, space: str) -> Pixels:
        if self.source is not None:
            mask: Pixels = _check.plane(read_single(self.source, "mask", picture), picture.pixels.shape, "mask")
            return mask
        if self.model is None:
            raise Refused(400, "no_guide", NO_GUIDE)
        try:
            found = mask_by(displayed(picture.pixels, space), network(self.model))
        except ModelError as error:  # which names the operator's file
            LOG.error("model fails", extra={"reason": str(error)})
            raise Refused(503, "model_failed", "the service's segmentation model failed on this picture") from None
        if found.max() < LEAST_SURE:
            message = (
                "image: expected a subject that the segmentation model sees, got none; send a mask or a trimap"
            )
            raise Refused(400, "unknown_foreground", message)
        return found

    def solve(
        self, pixels: Pixels, known: Pixels, *, colour_space: str, threads: int | None, progress: Progress | None
    ) -> Found:
        """Refine the mask, or take it as alpha."""
        if not self.refine:
            return Found(_check.alpha(known, pixels.shape), None)
        refined = RoughMask("mask", self.options)
        return refined.solve(pixels, known, colour_space=colour_space, threads=threads, progress=progress)


NO_GUIDE = (
    "mask: expected a mask or a trimap beside the picture, got none, and this service has no segmentation model; "
    "send the field mask or trimap, or start the service with --model"
)
"""What is answered to a photograph that comes alone."""
