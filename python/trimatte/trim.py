"""Trimming: a trimap's unknown region becomes smaller before a solve."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from . import _check, _core
from ._context import Context, make_context
from ._records import Progress

EDGE, PATCHES, CONTRAST, AGREEMENT = 8.0, 0.25, 0.5, 0.1
"""Defaults of `trim_trimap`."""

_PATCHES_COMPARED = 10
_COLOURS_MIXED = 7
_VALUES = np.array([0, 255, 128], np.uint8)  # of background, foreground and unknown pixels


def trim_trimap(
    image: npt.ArrayLike,
    trimap: npt.ArrayLike,
    *,
    edge: float = EDGE,
    patches: float = PATCHES,
    contrast: float = CONTRAST,
    agreement: float = AGREEMENT,
    threads: int | None = None,
    progress: Progress | None = None,
) -> npt.NDArray[np.uint8]:
    """Make unknown pixels known that surely are foreground or background.

    Two steps follow one another. The first one goes inwards from the border of the known pixels
    [1]_: an unknown pixel takes the label of a known one if the difference of their colours, in
    steps of 8 bits, is at most `edge` minus their distance in pixels. The second one compares
    patches of 3 x 3 pixels [2]_: an unknown pixel takes a label if its patch is like one of that
    kind and unlike all of the other kind, and if the best mixture of known colours says so too.

    Parameters
    ----------
    image : (H, W, 3) or (H, W) array of uint8, uint16, float32 or float64
        Display (sRGB) colours; floats in [0, 1].
    trimap : (H, W) array
        At most 0.1 = background, at least 0.9 = foreground, anything between = unknown.
    edge : float, default 8
        How far the first step goes, in pixels and in steps of 8 bits, from 0 (not at all) to 100.
    patches : float, default 0.25
        Largest Bhattacharyya distance between two patches that are alike; 0 leaves the second step
        out.
    contrast : float, default 0.5
        Least Bhattacharyya distance between two patches that are unlike; the paper has 0.9.
    agreement : float, default 0.1
        Largest difference between a label that the second step gives and the share of foreground
        in the mixture of known colours (the known-to-unknown flow of
        `trimatte.affinities.InformationFlow`); 1 asks for no agreement, as in the paper.
    threads : int, optional
        By default all usable cores. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(phase, fraction)``.

    Returns
    -------
    (H, W) ndarray of uint8
        0 is background, 128 unknown, 255 foreground. Known pixels keep their label.

    Raises
    ------
    ValueError, TypeError
        If an argument has the wrong shape, dtype or range.

    Notes
    -----
    The patches that a pixel is compared with are the 10 of each kind whose mean colours are the
    nearest. Their distance is that of two normal distributions of colours, with a variance of 1e-5
    added, so that flat patches can be compared. Pixels that both kinds claim stay unknown. Without
    known pixels of both kinds the second step does nothing.

    References
    ----------
    .. [1] E. Shahrian, D. Rajan, B. Price, S. Cohen, "Improving Image Matting Using Comprehensive
       Sampling Sets", CVPR 2013.
    .. [2] Y. Aksoy, T. O. Aydin, M. Pollefeys, "Designing Effective Inter-Pixel Information Flow for
       Natural Image Matting", CVPR 2017.

    Examples
    --------
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(96, 96)
    >>> trimap = tm.trim_trimap(scene.image, scene.trimap)
    >>> bool((trimap == 128).sum() < (scene.trimap == 128).sum())
    True
    """
    _check.between(edge, 0, 100, "edge")
    _check.between(patches, 0, 1e6, "patches")
    _check.between(contrast, 0, 1e6, "contrast")
    _check.between(agreement, 0, 1, "agreement")
    context = make_context(threads, progress)
    picture = _check.image(image)
    labels = _check.labels(trimap, picture.shape)
    limits = {"edge": edge, "patches": patches, "contrast": contrast, "agreement": agreement}
    return _VALUES[trim_labels(picture, labels, context, **limits)]


def trim_labels(
    image: npt.NDArray[Any],
    labels: npt.NDArray[np.uint8],
    context: Context,
    *,
    edge: float = EDGE,
    patches: float = PATCHES,
    contrast: float = CONTRAST,
    agreement: float = AGREEMENT,
) -> npt.NDArray[np.uint8]:
    """Do the same with checked arguments and the core's labels: 0, 1, and 2 for unknown."""

    def trimmed(before: npt.NDArray[np.uint8], edge: float, patches: float) -> npt.NDArray[np.uint8]:
        after = np.empty_like(before)
        _core.trim(
            image, before, edge, patches, contrast, _PATCHES_COMPARED, after, context.threads, context.monitor
        )
        return after

    labels = trimmed(labels, edge, 0.0)
    claimed = trimmed(labels, 0.0, patches) if patches > 0 else labels
    newly = claimed != labels
    if not newly.any():
        return labels
    share, confidence = np.zeros((2, *labels.shape), np.float32)
    _core.known_to_unknown_flow(image, labels, _COLOURS_MIXED, share, confidence, context.threads, context.monitor)
    newly &= np.abs(share - claimed) <= np.float32(agreement)
    np.copyto(labels, claimed, where=newly)
    return labels
