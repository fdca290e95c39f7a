"""The operators of all affinities, for your own systems: matrices of SciPy, or LinearOperators.

`of` takes any affinity by its name or as an object. Each registered name is a function as well:
``laplacians.closed_form(image, epsilon=1e-6)`` is ``laplacians.of(image, "closed-form",
epsilon=1e-6)``.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from . import _check, methods
from ._context import Context, make_context
from ._records import Progress
from .affinities import Affinity
from .affinities._base import AFFINITIES, known_options
from .affinities._operators import linear_operator, matrix_of

if TYPE_CHECKING:
    import scipy.sparse
    import scipy.sparse.linalg

    Operator: TypeAlias = scipy.sparse.csr_array | scipy.sparse.linalg.LinearOperator


def of(
    image: npt.ArrayLike,
    method: str | Affinity = methods.DEFAULT,
    *,
    known: npt.ArrayLike | None = None,
    trimap: npt.ArrayLike | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Operator:
    """Return the operator L of an affinity: alpha makes ``x^T L x`` small.

    Parameters
    ----------
    image : (H, W, 3) or (H, W) array of uint8, uint16, float32 or float64
        Display colours. Integers span their whole range, floats are in [0, 1].
    method : str or Affinity, default "closed-form"
        The name of an affinity, or an object of `trimatte.affinities`.
    known : (H, W) array of bool, optional
        Pixels whose value is fixed. Terms that hold no other pixels may be left out; the rows of
        the other pixels are complete.
    trimap : (H, W) array, optional
        It takes the place of `known` for methods that ask which pixels are foreground and which are
        background; values as in `trimatte.solve_alpha`.
    threads : int, optional
        Default: all usable cores. The result does not depend on it.
    progress : callable, optional
        It is called as ``progress(phase, fraction)``, as in `trimatte.solve_alpha`.
    **options
        Options of the affinity by name, such as `epsilon` and `radius`.

    Returns
    -------
    (H*W, H*W) scipy.sparse.csr_array or scipy.sparse.linalg.LinearOperator, of float64
        It is symmetric and positive semidefinite, with pixels in row-major order. It is a
        LinearOperator where the method never forms its matrix.

    Raises
    ------
    ValueError, TypeError
        If an argument has the wrong shape, kind or range, if there is no such affinity, or if it
        lacks an option.

    See Also
    --------
    trimatte.solve : finds alpha from such a matrix and a trimap.
    trimatte.preconditioner : serves conjugate gradients on such a matrix.

    Examples
    --------
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(32, 40)
    >>> L = tm.laplacians.of(scene.image, "learning-based", regularization=1e-6)
    >>> L.shape, bool(abs(L.sum(axis=1)).max() < 1e-9)
    ((1280, 1280), True)
    """
    affinity = _affinity(method, options)
    context = make_context(threads, progress)
    picture = _check.image(image, smallest=affinity.smallest_image)
    shape = picture.shape[:2]
    if known is not None and trimap is not None:
        raise ValueError("known: expected none beside trimap, which says what is known")
    fixed = None if known is None else _mask(known, shape)
    labels: npt.NDArray[np.uint8] = np.full(shape, _check.UNKNOWN, np.uint8)
    if trimap is not None:
        labels = _check.labels(trimap, picture.shape)
        fixed = labels != _check.UNKNOWN
    elif fixed is not None:
        labels[fixed] = _check.BACKGROUND
    return _operator(affinity, picture, labels, None if fixed is None else fixed.view(np.uint8), context)


def _affinity(method: str | Affinity, options: dict[str, Any]) -> Affinity:
    """Return the affinity that is meant; refuse priors."""
    chosen = methods.chosen(method, options)
    if chosen.affinity is None or chosen.prior is not None:
        raise ValueError(
            f"method: expected one of {', '.join(AFFINITIES)}, got {chosen.name!r}, which is a prior or has one"
        )
    return chosen.affinity


def _mask(known: npt.ArrayLike, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Return the pixels whose value is fixed."""
    mask = _check.unmasked(known, "known")
    if mask.dtype != bool:
        raise TypeError(f"known: expected bool, got {mask.dtype}")
    if mask.shape != shape:
        raise ValueError(f"known: expected shape {shape} to match image, got {mask.shape}")
    return np.ascontiguousarray(mask)


def _operator(
    affinity: Affinity,
    picture: npt.NDArray[Any],
    labels: npt.NDArray[np.uint8],
    known: npt.NDArray[np.uint8] | None,
    context: Context,
) -> Operator:
    """Return the core's operator in SciPy's form."""
    products = affinity.products(picture, labels, context)
    if products is not None:
        return linear_operator(products)
    return matrix_of(affinity.core(picture, labels, context), picture, known, context)


@functools.cache
def _function(method: str) -> Callable[..., Operator]:
    """Return the function that gives the operator of one registered affinity."""
    affinity = AFFINITIES[method]

    def laplacian(image: npt.ArrayLike, **arguments: Any) -> Operator:
        return of(image, method, **arguments)

    keyword = inspect.Parameter.KEYWORD_ONLY
    own = [inspect.Parameter(o.name, keyword, default=o.default) for o in known_options(affinity).values()]
    shared = [p for p in inspect.signature(of).parameters.values() if p.kind is keyword]
    first = inspect.Parameter("image", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    laplacian.__name__ = laplacian.__qualname__ = method.replace("-", "_")
    laplacian.__signature__ = inspect.Signature([first, *own, *shared])  # type: ignore[attr-defined]
    lines = [
        f"    {name} : {type(field.default).__name__}, default {field.default}\n        {field.metadata['help']}"
        for name, field in known_options(affinity).items()
        if "help" in field.metadata
    ]
    laplacian.__doc__ = "\n".join(
        [
            f"Return the operator of `trimatte.affinities.{affinity.__name__}`.",
            "",
            "    Parameters",
            "    ----------",
            "    image : (H, W, 3) or (H, W) array",
            "        Display colours, as for `of`.",
            *lines,
            "    known, trimap, threads, progress",
            "        As for `of`, which also says what is returned.",
        ]
    )
    return laplacian


def __getattr__(name: str) -> Callable[..., Operator]:
    method = name.replace("_", "-")
    if method in AFFINITIES:
        return _function(method)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{_check.meant(method, AFFINITIES)}")


def __dir__() -> list[str]:
    return sorted(["of", *(method.replace("-", "_") for method in AFFINITIES)])
