"""A guess for the unknown regions that know one label only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import _check, _regions
from .._context import Context
from ._base import Guess, Labels, Pixels, Prior, known_alpha
from .robust import Robust


@dataclass(frozen=True)
class OneSided(Prior):
    """Another prior, heard only in unknown regions that touch known pixels of one kind only.

    The inside of a ring, the gap between an arm and a hip, or a bird beside a dog may be such a
    region. An affinity continues the one label that it finds there; known colours from elsewhere in
    the picture tell whether the other kind is there too. All other regions have the affinity's own
    answer. Without such regions nothing is guessed, which takes no time.

    Parameters
    ----------
    prior : Prior, optional
        What guesses. The default is `Robust`.
    reach : int, default 2
        Unknown pixels at most so many rows and columns apart belong to one region: the affinity's
        own reach, which is 2 for closed-form matting with windows of 3 x 3 pixels.
    seed : int, default 0
        Seed of the default prior.

    Examples
    --------
    >>> import numpy as np
    >>> import trimatte as tm
    >>> y, x = np.mgrid[:40, :40]
    >>> distance = np.hypot(y - 20, x - 20)
    >>> ring = (distance > 8) & (distance < 15)
    >>> image = np.where(ring[..., np.newaxis], [200, 90, 40], [40, 120, 50]).astype(np.uint8)
    >>> trimap = np.select([distance < 10, distance < 13, distance < 17], [128, 255, 128], 0)
    >>> prior = tm.priors.OneSided(tm.priors.GlobalSampling())
    >>> alpha = tm.estimate_alpha(image, trimap.astype(np.uint8), prior=prior)
    >>> bool(alpha[distance < 7].max() < 0.05)
    True
    """

    prior: Prior | None = None
    reach: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        if self.prior is not None and not isinstance(self.prior, Prior):
            raise TypeError(f"prior: expected an object of trimatte.priors, got {_check.kind_of(self.prior)}")
        _check.at_least(self.reach, 1, "reach", 2**16)
        _check.seed(self.seed)

    def guess(self, image: Pixels, labels: Labels, context: Context) -> Guess:
        """Let the prior guess, and keep what it says of these regions."""
        found = _regions.one_sided(labels, self.reach)
        before = known_alpha(labels)
        before[labels == _check.UNKNOWN] = 0.5  # where solvers start if there is no prior
        if not found.regions:
            return Guess(before, np.zeros(labels.shape, np.float32))
        guess = (self.prior or Robust(seed=self.seed)).guess(image, labels, context)
        alpha = np.where(found.mask, guess.alpha, before)
        return Guess(alpha, np.where(found.mask, guess.confidence, np.float32(0)))

    def count(self, labels: Labels) -> int:
        """Return the number of these regions."""
        return _regions.one_sided(labels, self.reach).regions
