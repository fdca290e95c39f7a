"""The prior of a picture whose background is known: a key colour's field, or a clean plate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .. import _check, _core
from .._context import Context
from ._base import MOST_WEIGHT, Guess, Labels, Pixels, Prior, known_alpha, need_known


@dataclass(frozen=True, eq=False)
class KnownBackground(Prior):
    """The mixture of the known background with the known foreground colour that explains a pixel best.

    Where the background B of every pixel is known, alpha follows from the picture I and a
    foreground colour F as ``(I - B).(F - B) / |F - B|^2``. Candidates for F are known foreground
    pixels near the unknown region: the nearest ones, and others drawn at random. Each counts by
    ``exp(-cost)``, where the cost is the squared difference between the mixture and the picture,
    over 12 times the squared noise, plus a little for the distance.

    Parameters
    ----------
    background : (H, W, 3) or (H, W) array of the image's dtypes
        The background of every pixel, in display colours.
    noise : float, default 0.01
        Standard deviation of the noise of a channel of the picture, where 1 is white.
    candidates : int, default 40
        How many near and how many random candidates each pixel has.
    weight : float, default 0.1
        The confidence is ``weight * exp(-cost / 4)``, less where candidates disagree.
    seed : int, default 0
        Seed of the random candidates. The same seed gives the same bits, for any number of threads.
    """

    background: npt.ArrayLike
    noise: float = 0.01
    candidates: int = 40
    weight: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        _check.between(self.noise, 1e-6, 1, "noise")
        _check.at_least(self.candidates, 1, "candidates", 10_000)
        _check.between(self.weight, 0, MOST_WEIGHT, "weight")
        _check.seed(self.seed)

    def guess(self, image: Pixels, labels: Labels, context: Context) -> Guess:
        """Compare the candidates of each unknown pixel."""
        need_known(labels, 1, "to compare colours with")
        behind = _check.image(self.background, "background")
        if behind.shape != image.shape:
            raise ValueError(f"background: expected shape {image.shape} to match image, got {behind.shape}")
        alpha, confidence = known_alpha(labels), np.zeros(labels.shape, np.float32)
        if (labels == _check.UNKNOWN).any():
            _core.known_background(
                image,
                behind,
                labels,
                self.noise,
                self.candidates,
                self.seed,
                alpha,
                confidence,
                context.threads,
                context.monitor,
            )
        confidence *= np.float32(self.weight)
        return Guess(alpha, confidence)
