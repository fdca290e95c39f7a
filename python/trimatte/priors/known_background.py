"""The prior of a picture whose background is known: a key colour's field, or a clean plate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .. import _check
from .._context import Context
from .._pixels import unit_floats
from ._base import MOST_WEIGHT, Guess, Labels, Pixels, Plane, Prior, known_alpha, need_known

# A foreground colour comes from known pixels at most so far from the unknown region, in pixels.
_RIM = 12
_MOST_CANDIDATES = 20_000
_BLOCK = 4096  # unknown pixels whose candidates are compared at a time
_LEAST_CONFIDENCE = 1e-3  # part of the weight that is left where all candidates disagree
_SPREAD = 0.05  # disagreement of alpha at which a guess counts as little as with a cost of 1


@dataclass(frozen=True, eq=False)
class KnownBackground(Prior):
    """The mixture of the known background with the known foreground colour that explains a pixel best.

    Where the background B of every pixel is known, alpha follows from the picture I and a
    foreground colour F as ``(I - B).(F - B) / |F - B|^2``. Candidates for F are the nearest known
    foreground pixels, and others drawn at random. Each counts by ``exp(-cost)``, where the cost is
    the squared difference between the mixture and the picture, over twice the squared noise, plus a
    little for the distance.

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
        Seed of the random candidates.
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
        unknown = np.flatnonzero(labels == _check.UNKNOWN)
        if unknown.size:
            found = self._compared(unit_floats(image), unit_floats(behind), labels, unknown, context)
            alpha.flat[unknown], confidence.flat[unknown] = found
        return Guess(alpha, confidence)

    def _compared(
        self,
        image: npt.NDArray[np.float32],
        behind: npt.NDArray[np.float32],
        labels: Labels,
        unknown: npt.NDArray[np.intp],
        context: Context,
    ) -> tuple[Plane, Plane]:
        """Return alpha and confidence of the unknown pixels."""
        from scipy.spatial import cKDTree

        rng = np.random.default_rng(self.seed)
        places = _candidates(labels, rng)
        places_yx = np.stack(np.unravel_index(places, labels.shape), 1)
        unknown_yx = np.stack(np.unravel_index(unknown, labels.shape), 1)
        near = min(self.candidates, len(places))
        _, nearest = cKDTree(places_yx).query(unknown_yx, k=near, workers=context.threads)
        nearest = nearest.reshape(len(unknown), near)
        channels = image.shape[2]
        pixels, behind_all = image.reshape(-1, channels), behind.reshape(-1, channels)
        colours = pixels[places]
        alpha, confidence = np.empty(len(unknown), np.float32), np.empty(len(unknown), np.float32)
        for first in range(0, len(unknown), _BLOCK):
            part = slice(first, first + _BLOCK)
            drawn = rng.integers(0, len(places), (len(unknown[part]), self.candidates))
            chosen = np.concatenate([nearest[part], drawn], axis=1)
            away = np.linalg.norm(places_yx[chosen] - unknown_yx[part][:, np.newaxis], axis=2)
            alpha[part], confidence[part] = self._mixed(
                pixels[unknown[part]], behind_all[unknown[part]], colours[chosen], away.astype(np.float32)
            )
        return alpha, confidence

    def _mixed(
        self,
        pixel: npt.NDArray[np.float32],
        behind: npt.NDArray[np.float32],
        front: npt.NDArray[np.float32],
        away: npt.NDArray[np.float32],
    ) -> tuple[Plane, Plane]:
        """Join the candidates ``front`` (n, k, C) of n pixels; `away` is their distance in pixels."""
        line = front - behind[:, np.newaxis]
        rise = (pixel - behind)[:, np.newaxis]
        alphas, miss = mixed_on_line(rise, line)
        cost = miss / np.float32(12 * self.noise**2) + 0.05 * away / np.maximum(away.min(1, keepdims=True), 1)
        least = cost.min(1, keepdims=True)
        weights = np.exp(least - cost)
        weights /= weights.sum(1, keepdims=True)
        alpha = np.minimum((weights * alphas).sum(1), 1)  # rounding may go beyond
        variance = (weights * (alphas - alpha[:, np.newaxis]) ** 2).sum(1)
        doubt = least[:, 0] + variance / np.float32(_SPREAD**2)
        return alpha, self.weight * np.maximum(np.exp(-doubt / 4), np.float32(_LEAST_CONFIDENCE))


def mixed_on_line(rise: Plane, line: Plane) -> tuple[Plane, Plane]:
    """Return where mixtures of background and foreground come nearest to a pixel's colour.

    Parameters
    ----------
    rise : (n, 1, C) ndarray of float32
        The pixel's colour less the background's.
    line : (n, k, C) ndarray of float32
        Foreground colours less the background's.

    Returns
    -------
    alpha, miss : (n, k) ndarrays of float32
        Alpha of the nearest mixture, and the squared distance of its colour to the pixel's.
    """
    length = np.maximum((line * line).sum(2), np.float32(1e-4))
    alpha = np.clip((rise * line).sum(2) / length, 0, 1)
    return alpha, ((rise - alpha[..., np.newaxis] * line) ** 2).sum(2)


def _candidates(labels: Labels, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Return the known foreground pixels near the unknown region, or a part of them."""
    from scipy.ndimage import binary_dilation

    foreground = labels == _check.FOREGROUND
    near = foreground & binary_dilation(labels == _check.UNKNOWN, iterations=_RIM)
    places = np.flatnonzero(near if near.any() else foreground)
    if len(places) > _MOST_CANDIDATES:
        places = np.sort(rng.choice(places, _MOST_CANDIDATES, replace=False))
    return places
