"""Information-flow matting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .. import _check, _core
from .._context import Context
from ..trim import PATCHES, trim_labels
from ._base import DataTerm, Findings, Labels, NativeAffinity, Pixels, option, register

# "auto" calls a foreground transparent where known colours leave this part of the histogram of the
# unknown pixels unexplained.
MOST_UNEXPLAINED = 0.6

EPSILON = 1e-7
"""Closed-form matting's, in squared units of [0, 1] colours."""

_BESIDE = 20  # how far known pixels lie from unknown ones whose colours they may explain, in pixels
_BINS = 10  # of each channel


@register
@dataclass(frozen=True)
class InformationFlow(NativeAffinity):
    """Alpha flows between pixels of like colours, near and far, and along mixtures of colours [1]_.

    Parameters
    ----------
    trim : bool, default True
        Whether pixels that surely are foreground or background become known before the solve, as
        `trimatte.trim_trimap` finds them.
    mixture_neighbours : int, default 20
        The colour of each unknown pixel is mixed from those of this number of pixels of the whole
        picture, the paper's K_CM. Its alpha is close to the same mixture of their alphas.
    known_neighbours : int, default 7
        Number of known foreground pixels, and of known background pixels, of which it is mixed once
        more, the paper's K_KU.
    known_flow : float, default 0.05
        Weight of what this second mixture says of alpha, the paper's sigma_KU; 0 leaves it out.
    transparent : {"no", "yes", "auto"}
        Whether the foreground is highly transparent, like glass. What known colours say of the
        unknown pixels is left out then: the known-to-unknown flow, as in the paper's second energy,
        and the trimming by patches. "auto" looks how much of the unknown pixels' colours is not
        that of known pixels beside them.
    unknown_neighbours : int, default 5
        Number of similar unknown pixels that each unknown pixel is tied to, the paper's K_UU.
    unknown_flow : float, default 0.01
        Weight of these ties, the paper's sigma_UU.
    local_flow : float, default 1
        Weight of the closed-form Laplacian, the paper's sigma_L.

    Notes
    -----
    The energy is quadratic. With p for the unknown pixels, it is the sum of
    ``(x_p - sum w_pq x_q)**2`` (colour mixture, from locally linear embedding),
    ``sigma_KU eta_p (x_p - w_p)**2`` (known to unknown), ``sigma_UU w_pq (x_p - x_q)**2`` (intra
    unknown) and ``sigma_L`` times closed-form matting's. The second of these is a data term; the
    others are the operator.

    References
    ----------
    .. [1] Y. Aksoy, T. O. Aydin, M. Pollefeys, "Designing Effective Inter-Pixel Information Flow for
       Natural Image Matting", CVPR 2017.

    Examples
    --------
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(96, 96)
    >>> method = tm.affinities.InformationFlow(trim=False)
    >>> alpha = tm.estimate_alpha(scene.image, scene.trimap, method=method)
    >>> alpha.shape
    (96, 96)
    """

    name = "information-flow"
    near_null = "constant"

    trim: bool = option(True, "Make sure pixels known before the solve.")
    mixture_neighbours: int = option(20, "Pixels of which a colour is mixed.", least=1, most=256)
    known_neighbours: int = option(7, "Known pixels of each kind of which a colour is mixed.", least=1, most=128)
    known_flow: float = option(0.05, "Weight of the mixture of known colours.", least=0, most=1e6)
    transparent: str = option("no", "Whether the foreground is highly transparent: no, yes or auto.")
    unknown_neighbours: int = option(5, "Similar unknown pixels of each unknown pixel.", least=1, most=256)
    unknown_flow: float = option(0.01, "Weight of ties between similar unknown pixels.", least=0, most=1e6)
    local_flow: float = option(1.0, "Weight of the closed-form Laplacian.", least=1e-6, most=1e6)

    def __post_init__(self) -> None:
        super().__post_init__()
        _check.one_of(self.transparent, ("no", "yes", "auto"), "transparent")

    @property
    def reach(self) -> None:
        """Pixels of like colours may be anywhere."""
        return None

    @property
    def smallest_image(self) -> int:
        """One window of closed-form matting."""
        return 3

    def findings(self, image: Pixels, labels: Labels, context: Context) -> Findings:
        """Trim the labels, and let known colours say what they say of the rest."""
        transparent = self._is_transparent(image, labels)
        if self.trim:
            labels = trim_labels(image, labels, context, patches=0.0 if transparent else PATCHES)
        kinds = np.bincount(labels.reshape(-1), minlength=3)
        if transparent or self.known_flow == 0 or not kinds.all():
            return Findings(labels)
        alpha, confidence = np.zeros((2, *labels.shape), np.float32)
        _core.known_to_unknown_flow(
            image, labels, self.known_neighbours, alpha, confidence, context.threads, context.monitor
        )
        confidence *= np.float32(self.known_flow)
        return Findings(labels, DataTerm(alpha, confidence))

    def native(self, image: Pixels, labels: Labels, context: Context) -> _core.InformationFlow:
        """Return the core's own object, which has found the neighbours of all unknown pixels."""
        return _core.InformationFlow(
            image,
            labels,
            self.mixture_neighbours,
            self.unknown_neighbours,
            self.unknown_flow,
            self.local_flow,
            EPSILON,
            context.threads,
            context.monitor,
        )

    def _is_transparent(self, image: Pixels, labels: Labels) -> bool:
        if self.transparent != "auto":
            return self.transparent == "yes"
        return unexplained(image, labels) > MOST_UNEXPLAINED


def unexplained(image: Pixels, labels: Labels) -> float:
    """Return which part of the unknown pixels' colours is not that of known pixels beside them.

    With D for the histograms of colours, it is the least ``|a D_F + b D_B - D_U| / |D_U|`` over all
    a and b. F and B are the known pixels at most 20 pixels from an unknown one, along x and y.
    """
    from scipy.ndimage import maximum_filter

    unknown = labels == _check.UNKNOWN
    beside = maximum_filter(unknown, 2 * _BESIDE + 1)
    D_U, D_F, D_B = (
        _histogram(image[pixels])
        for pixels in (unknown, beside & (labels == _check.FOREGROUND), beside & (labels == _check.BACKGROUND))
    )
    known = np.column_stack([D_F, D_B])
    share = np.linalg.lstsq(known, D_U, rcond=None)[0]
    return float(np.linalg.norm(known @ share - D_U) / np.linalg.norm(D_U))


def _histogram(colours: Pixels) -> npt.NDArray[np.float64]:
    """Return the parts of (n, C) colours in each cell of a grid of 10 cells along each channel."""
    cell = colours.astype(np.float64) * (_BINS / _check.full_range(colours.dtype))
    cell = np.clip(cell.astype(np.int64), 0, _BINS - 1)
    channels = colours.shape[1]
    index = cell @ _BINS ** np.arange(channels)
    return np.bincount(index, minlength=_BINS**channels) / max(1, len(colours))
