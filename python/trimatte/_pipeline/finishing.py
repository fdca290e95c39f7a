"""What is done with a finished matte before it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _check, finish
from .._pixels import quantized, unit_floats
from ..finish import CropBox
from ..io.picture import Metadata
from ..io.png import QUALITIES
from ..io.write import Output

Pixels = npt.NDArray[Any]

HIDDEN = ("extend", "zero", "original")
"""What a cutout's colours may be where nothing of it is seen."""
OPTIONS = ("levels", "specks", "choke", "crop", "margin", "hidden_colour", "quality")
"""The names under which commands and jobs take what is done with a matte."""


@dataclass(frozen=True)
class Finishing:
    """Changes of a matte, in this order: levels, specks, choke; then the crop.

    Attributes
    ----------
    levels : tuple of 3 floats or None
        Black, white and gamma of `trimatte.levels`.
    specks : float
        Area of `trimatte.remove_specks`; 0 leaves all.
    choke : float
        Pixels of `trimatte.choke`.
    crop : bool
        Whether the outputs are cropped to the subject.
    margin : int
        Pixels that stay around it.
    hidden : {"extend", "zero", "original"}
        Colours of a cutout where alpha is 0: those of the subject's edge go on, black, or the
        picture's own, which anybody can bring back.
    quality : {"fast", "small"}
        How PNG files are compressed.
    """

    levels: tuple[float, float, float] | None = None
    specks: float = 0.0
    choke: float = 0.0
    crop: bool = False
    margin: int = 0
    hidden: str = "extend"
    quality: str = "fast"

    def alpha(self, alpha: Pixels) -> Pixels:
        """Return the changed matte."""
        if self.levels is not None:
            alpha = finish.levels(alpha, *self.levels)
        if self.specks:
            alpha = finish.remove_specks(alpha, self.specks)
        if self.choke:
            alpha = finish.choke(alpha, self.choke)
        return alpha

    def colours(self, foreground: Pixels, image: Pixels, alpha: Pixels, depth: str) -> Pixels:
        """Return the colours of a cutout, with what is hidden as it was asked for.

        Parameters
        ----------
        foreground : (H, W, 3) or (H, W) ndarray of float32
            The subject's colours.
        image : ndarray of the same shape
            The picture in the same colour space; integers span their whole range.
        alpha : (H, W) ndarray of float
            Opacity.
        depth : str
            Samples of the file; what its opacity rounds to 0 is hidden.
        """
        if self.hidden == "extend":
            return foreground
        hidden = alpha <= 0 if depth in ("half", "float") else quantized(alpha, depth) == 0
        if foreground.ndim == 3:
            hidden = hidden[..., np.newaxis]
        under = 0 if self.hidden == "zero" else unit_floats(image).reshape(foreground.shape)
        return np.where(hidden, under, foreground).astype(foreground.dtype)

    def cropped(self, outputs: list[Output], alpha: Pixels) -> tuple[list[Output], CropBox | None]:
        """Return the outputs as they are written, and the box that was kept."""
        ready = [output._replace(quality=self.quality) for output in outputs]
        if not self.crop:
            return ready, None
        box = finish.crop_box(alpha, margin=self.margin)
        return [_part(output, box) for output in ready], box


UNFINISHED = Finishing()
"""A matte is written as it was found."""


def finishing_of(options: Mapping[str, Any]) -> Finishing:
    """Return what options say that is done with a matte.

    Parameters
    ----------
    options : dict
        Any of `OPTIONS`. `levels` is black and white, and gamma if wanted: numbers, or a text such
        as "0.02,0.98".

    Raises
    ------
    ValueError, TypeError
        If a value is out of its range, or if there is a margin without a crop.
    """
    levels, crop = options.get("levels"), _check.flag(options.get("crop", False), "crop")
    if "margin" in options and not crop:
        raise ValueError("margin: expected crop beside it")
    return Finishing(
        None if levels is None else _levels(levels),
        _check.between(options.get("specks", 0), 0, 1e12, "specks"),
        _check.between(options.get("choke", 0), -finish.WIDEST_CHOKE, finish.WIDEST_CHOKE, "choke"),
        crop,
        _check.at_least(options.get("margin", 0), 0, "margin"),
        _check.one_of(options.get("hidden_colour", "extend"), HIDDEN, "hidden_colour"),
        _check.one_of(options.get("quality", "fast"), tuple(QUALITIES), "quality"),
    )


def _levels(value: Any) -> tuple[float, float, float]:
    """Return black, white and gamma."""
    wanted = "levels: expected BLACK,WHITE or BLACK,WHITE,GAMMA such as 0.02,0.98"
    try:
        numbers = [float(part) for part in (value.split(",") if isinstance(value, str) else value)]
        black, white, gamma = numbers if len(numbers) == 3 else [*numbers, 1.0]
    except (ValueError, TypeError) as error:
        raise ValueError(f"{wanted}, got {value!r}") from error
    finish.levels(np.zeros((1, 1)), black, white, gamma)
    return black, white, gamma


def _part(output: Output, box: CropBox) -> Output:
    metadata = output.metadata
    if isinstance(metadata, Metadata):
        left, top = metadata.data_window[:2]
        window = (left + box.left, top + box.top, box.right - box.left, box.bottom - box.top)
        metadata = metadata._replace(data_window=window)
    return output._replace(pixels=output.pixels[box.rows, box.columns], metadata=metadata)
