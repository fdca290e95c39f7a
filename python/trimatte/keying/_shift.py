"""By how much a plate is moved and lit otherwise than the picture."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ._inputs import Floats, Mask

_LARGEST = 0.1  # the largest shift, as a part of each side
_SMOOTH = 1.0  # deviation of the blur, in pixels, against noise that would draw shifts to half pixels
_GUESSES = 8  # peaks of the phase correlation that are tried beside no shift
_COARSE, _FINE = 20_000, 200_000  # pixels that are compared: for each guess, and for the best
_STEPS = 8
_AGREE = 3.0  # pixels that miss by more than this many median misses do not count
_CAP = 0.1  # pixels that miss by more than this count alike: the subject covers them
_DARK = 0.03  # darker pixels say nothing of the exposure
_EXPOSURE = 0.8  # the largest logarithm of the exposures' ratio

Doubles = npt.NDArray[np.float64]


class Fit(NamedTuple):
    """How a plate has to change to explain the picture.

    Attributes
    ----------
    shift : (2,) ndarray
        By how many rows and columns it has to move.
    exposure : float
        How many times as much light the picture has.
    miss : float
        The mean difference that is left, where differences above 0.1 count as 0.1.
    """

    shift: Doubles
    exposure: float
    miss: float


def fit_of(picture: Floats, plate: Floats) -> Fit:
    """Find the shift and the exposure.

    Peaks of the phase correlation are guesses only: a subject has edges of its own, and lights out
    of focus have few. Each guess is made exact by least squares, and the one that leaves the
    smallest differences is taken.
    """
    from scipy.ndimage import gaussian_filter

    seen, behind = (gaussian_filter(pixels.mean(2, dtype=np.float64), _SMOOTH) for pixels in (picture, plate))
    compared = _Compared(seen, behind, _COARSE)
    fits = [compared.fitted(guess) for guess in _guesses(seen, behind)]
    best = min(fits, key=lambda fit: fit.miss)
    return _Compared(seen, behind, _FINE).fitted(best.shift)


def _guesses(seen: Doubles, behind: Doubles) -> list[Doubles]:
    """Return no shift and the peaks of the phase correlation of gradients, in whole pixels."""
    height, width = seen.shape
    window = np.hanning(height)[:, np.newaxis] * np.hanning(width)
    spectra = []
    for grey in (seen, behind):
        edges = np.hypot(*np.gradient(grey)) if min(grey.shape) > 1 else grey
        spectra.append(np.fft.rfft2((edges - edges.mean()) * window))
    product = spectra[0] * np.conj(spectra[1])
    peak = np.fft.irfft2(product / np.maximum(np.abs(product), 1e-12), s=seen.shape)
    rows, columns = (np.fft.fftfreq(size, 1 / size) for size in seen.shape)
    peak[np.abs(rows) > _LARGEST * height] = -np.inf
    peak[:, np.abs(columns) > _LARGEST * width] = -np.inf
    best = np.unravel_index(np.argsort(peak, axis=None)[::-1][:_GUESSES], peak.shape)
    return [np.zeros(2), *np.stack([rows[best[0]], columns[best[1]]], axis=1)]


class _Compared:
    """About `count` pixels of the picture, and the plate to compare them with."""

    def __init__(self, seen: Doubles, behind: Doubles, count: int) -> None:
        from scipy.ndimage import spline_filter

        step = max(1, int(np.sqrt(seen.size / count)))
        places = np.mgrid[: seen.shape[0] : step, : seen.shape[1] : step].reshape(2, -1)
        self._places = places.astype(np.float64)
        self._seen = seen[::step, ::step].ravel()
        self._spline = spline_filter(behind)
        self._largest = _LARGEST * np.array(seen.shape)

    def fitted(self, guess: Doubles) -> Fit:
        """Make a shift exact by the method of Gauss and Newton, with the exposure as a third unknown."""
        shift, gain = guess, self._exposure(guess)
        for _ in range(_STEPS):
            behind = self._moved(shift)
            miss = self._seen - gain * behind
            agree = np.abs(miss) < _AGREE * np.median(np.abs(miss)) + 1e-4
            slopes = self._slopes(shift, gain, agree)
            system = np.stack([*slopes, behind[agree]], axis=1)
            step = np.linalg.solve(system.T @ system + 1e-9 * np.eye(3), system.T @ miss[agree])
            shift = np.clip(shift + np.clip(step[:2], -1, 1), -self._largest, self._largest)
            gain += step[2]
            if np.abs(step[:2]).max() < 0.003:
                break
        left = np.abs(self._seen - gain * self._moved(shift))
        return Fit(shift, gain, float(np.minimum(left, _CAP).mean()))

    def _moved(self, shift: Doubles) -> Doubles:
        from scipy.ndimage import map_coordinates

        places = self._places - shift[:, np.newaxis]
        return np.asarray(map_coordinates(self._spline, places, order=3, mode="nearest", prefilter=False))

    def _slopes(self, shift: Doubles, gain: float, agree: Mask) -> list[Doubles]:
        """Return how the moved plate changes with either part of the shift, where both agree."""
        half = np.eye(2) / 2
        return [gain * (self._moved(shift + one) - self._moved(shift - one))[agree] for one in half]

    def _exposure(self, shift: Doubles) -> float:
        """Return the ratio of light that most pixels have: the background's, if the shift is right."""
        from scipy.ndimage import gaussian_filter1d

        behind = self._moved(shift)
        lit = (behind > _DARK) & (self._seen > _DARK)
        ratio = np.log(self._seen[lit] / behind[lit])
        counts, edges = np.histogram(ratio, 80, (-_EXPOSURE, _EXPOSURE))
        most = int(gaussian_filter1d(counts.astype(np.float64), 1).argmax())
        near = ratio[np.abs(ratio - edges[most : most + 2].mean()) < edges[1] - edges[0]]
        return float(np.exp(np.median(near))) if len(near) else 1.0
