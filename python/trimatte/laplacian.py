"""The matting Laplacian of closed-form matting; `trimatte.laplacians` has those of all affinities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy.typing as npt

from .affinities import ClosedForm
from .laplacians import of

if TYPE_CHECKING:
    import scipy.sparse

__all__ = ["closed_form_laplacian"]


def closed_form_laplacian(
    image: npt.ArrayLike,
    *,
    epsilon: float = 1e-7,
    radius: int = 1,
    known: npt.ArrayLike | None = None,
    threads: int | None = None,
) -> scipy.sparse.csr_array:
    """Return the matting Laplacian of closed-form matting [1]_.

    Parameters
    ----------
    image : (H, W, 3) or (H, W) array of uint8, uint16, float32 or float64
        Colours. Integers span their whole range, floats are in [0, 1].
    epsilon : float, default 1e-7
        Colour variance that is added to each window, in squared units of [0, 1] colours. A larger
        value makes alpha smoother.
    radius : int, default 1
        Windows are ``2 radius + 1`` pixels wide and lie fully inside the image. A row has up to
        ``(4 radius + 1)**2`` entries.
    known : (H, W) array of bool, optional
        Pixels whose value is fixed. Windows that hold no other pixels are left out.
    threads : int, optional
        Default: all usable cores. The result does not depend on it.

    Returns
    -------
    (H*W, H*W) scipy.sparse.csr_array of float64
        It is symmetric and positive semidefinite, and its rows sum to zero. Pixels are in row-major
        order, indices are sorted. Index arrays are int32 if there are fewer than 2**31 entries,
        else int64.

    Raises
    ------
    ValueError
        If `image` is not (H, W, 3) or (H, W), is smaller than one window, or has values outside [0,
        1] or NaN; if `known` has another size; if `epsilon` or `radius` is not positive.
    TypeError
        If an argument is of the wrong kind.

    Notes
    -----
    Time grows with ``H W (2 radius + 1)**4``; radius 1 has a kernel of its own. At
    radius 1 the result takes about 300 bytes per pixel, and nothing else takes memory.

    References
    ----------
    .. [1] A. Levin, D. Lischinski, Y. Weiss, "A Closed-Form Solution to Natural Image Matting",
       IEEE TPAMI 30(2), 2008, Eq. 12.

    Examples
    --------
    >>> import numpy as np
    >>> L = closed_form_laplacian(np.full((4, 4, 3), 0.5))
    >>> L.shape
    (16, 16)
    >>> bool(abs(L.sum(axis=1)).max() < 1e-12)
    True
    """
    return of(image, ClosedForm(epsilon=epsilon, radius=radius), known=known, threads=threads)
