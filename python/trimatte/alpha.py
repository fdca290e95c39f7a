"""Alpha from an image and a trimap: the front door."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import numpy.typing as npt

from . import _check, _core, colour, priors
from ._records import AlphaResult, Progress, SolveInfo
from ._runtime.threads import thread_count
from ._system import AFFINITIES, Inputs, Settings, solve
from .errors import ConvergenceError, TrimatteWarning
from .priors._base import Call

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = [
    "AlphaOptions",
    "AlphaResult",
    "Progress",
    "SolveInfo",
    "SolveOptions",
    "estimate_alpha",
    "solve_alpha",
]

SOLVERS = ("auto", "cholesky", "multigrid", "cg")


class SolveOptions(TypedDict, total=False):
    """The keyword arguments of `solve_alpha` that concern the solve."""

    start: npt.ArrayLike | None
    solver: str
    epsilon: float
    radius: int
    known_weight: float | None
    tolerance: float
    relative_residual: float
    max_iterations: int
    colour_space: str
    threads: int | None
    progress: Progress | None


class AlphaOptions(SolveOptions, total=False):
    """The keyword arguments of `solve_alpha`, for functions that pass them on."""

    method: str
    prior: str | priors.Prior | npt.ArrayLike | None
    confidence: float | npt.ArrayLike | None
    seed: int
    background_threshold: float
    foreground_threshold: float


# Below, rounding decides what windows of flat colour say: "multigrid" may be wrong at 1e-9, "cholesky" at 1e-11.
LEAST_EPSILON = 1e-8
# Rounding of the matrix alone may move alpha by as much.
LEAST_TOLERANCE = 1e-12

PRIORS: dict[str, Callable[[int], priors.Prior]] = {
    "composite-network": lambda seed: priors.CompositeNetwork(seed=seed),
    "sampling": lambda seed: priors.GlobalSampling(seed=seed),
    "robust": lambda seed: priors.Robust(seed=seed),
    "patch-network": lambda seed: priors.PatchNetwork(seed=seed),
    "patch-regression": lambda _: priors.PatchRegression(),
}
# An affinity; "best", which is closed-form with the prior "robust"; or a prior alone.
METHODS = (*AFFINITIES, "best", *PRIORS)

# Of linear colours in windows with unknown pixels. Up to here float32 and float64 pictures of three scenes with 40
# bright pixels gave the same alpha to 2e-3; at 3e10 it was off by up to 1, and from 1e12 on systems were singular.
BRIGHTEST = 1e10
# Of a prior given as an array without one.
DEFAULT_CONFIDENCE = 4e-3


def _smallest_image(radius: int) -> int:
    return 2 * radius + 1


def solve_alpha(
    image: npt.ArrayLike,
    trimap: npt.ArrayLike,
    *,
    method: str = "closed-form",
    prior: str | priors.Prior | npt.ArrayLike | None = None,
    confidence: float | npt.ArrayLike | None = None,
    start: npt.ArrayLike | None = None,
    seed: int = 0,
    solver: str = "auto",
    epsilon: float = 1e-7,
    radius: int = 1,
    known_weight: float | None = None,
    tolerance: float = 1e-3,
    relative_residual: float = 1e-7,
    max_iterations: int = 10_000,
    background_threshold: float = 0.1,
    foreground_threshold: float = 0.9,
    colour_space: str = "srgb",
    threads: int | None = None,
    progress: Progress | None = None,
) -> AlphaResult:
    """Estimate alpha and say how it was found.

    Parameters
    ----------
    image : (H, W, 3) or (H, W) array of uint8, uint16, float32 or float64
        Integers span their whole range, floats are in [0, 1] unless `colour_space` is "linear". Any memory layout
        and byte order.
    trimap : (H, W) array of the same dtypes, or bool
        1 (white) = surely foreground, 0 (black) = surely background, anything between = unknown. Grey saved as
        RGB, or with an opaque alpha channel, is accepted.
    method : {"closed-form", "best", "composite-network", "sampling", "robust", "patch-network", \
"patch-regression"}
        "closed-form": closed-form matting [1]_. "best": closed-form with the prior "robust", the accurate choice;
        half a second and about 2 µs per unknown pixel more. The others are the priors by themselves, without a
        solve.
    prior : str, Prior or (H, W) array, optional
        A guess of alpha that counts beside the affinity: the sum of ``confidence (x - prior)**2`` is added to
        what is minimised. A name among those above, an object of `trimatte.priors`, or an array in [0, 1].
    confidence : float or (H, W) array, optional
        Zero or more; the Laplacian's rows have diagonals of about 5. By default what the prior says, and 4e-3 for
        an array. Known pixels keep their value, whatever their confidence.
    start : (H, W) array, optional
        An alpha near the answer, such as that of the frame before, where "multigrid" and "cg" start. It changes
        how many iterations they need, not the answer, beyond the tolerance. Default: the prior's guess, or 0.5.
    seed : int, default 0
        Of the priors that draw random numbers and are given by name. Same seed, same bits.
    solver : {"auto", "cholesky", "multigrid", "cg"}
        Sparse Cholesky (direct), conjugate gradients with a colour-aware multigrid preconditioner, or with a
        diagonal one. "auto" takes Cholesky for up to 5,000 unknowns and multigrid above, where Cholesky takes
        over if that has not ended after 300 iterations and no more than 250,000 are unknown; with `radius` above
        1, for which there is no multigrid, Cholesky while the matrix is small enough for it, then "cg".
        `info.solver` tells which one gave the answer.
    epsilon : float, default 1e-7
        Colour variance added to each window, in squared units of [0, 1] colours; at least 1e-8. Larger =
        smoother alpha.
    radius : int, default 1
        Windows are ``2 radius + 1`` pixels wide. Time grows with the fourth power.
    known_weight : float, optional
        Default: known pixels keep their value exactly. A number w solves the soft system
        ``(L + w D) x = w m`` instead (D marks known pixels, m known foreground) over all pixels, as Levin's
        code does with w = 100; known pixels then move a little, and it costs as if all pixels were unknown.
    tolerance : float, default 1e-3
        Where "multigrid" stops: the largest error of alpha, against the exact solution of the system, as it
        estimates it with a margin of three. From 1e-12 to 1; what is above 1e-3 counts as 1e-3, since slow modes
        of the error would hide and little time be saved.
    relative_residual : float, default 1e-7
        Where "cg" stops: ``||D^-1 (b - A x)|| <= relative_residual ||D^-1 b||``, D the diagonal of A, so that both
        are in units of alpha; with `known_weight`, what known pixels and prior pass on takes the place of b, which
        is mostly the known pixels themselves.
    max_iterations : int, default 10000
        After which "multigrid" and "cg" give up. "multigrid" does not trust its estimate before its 10th.
    background_threshold, foreground_threshold : float, default 0.1 and 0.9
        Trimap values ``<= background_threshold`` are background, ``>= foreground_threshold`` foreground.
    colour_space : {"srgb", "linear"}
        "srgb": display colours, used as they are. "linear": scene-linear ones, of which floats may be any finite
        numbers, up to 1e10 in windows with unknown pixels. Alpha is then found on their encoding by
        :func:`trimatte.colour.srgb_from_linear`, which goes on above 1, so that highlights change nothing
        elsewhere; a prior sees it divided by its largest value.
    threads : int, optional
        Default: all usable cores. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(phase, fraction)`` about 20 times a second, from the calling thread. An exception
        that it raises stops the solve and is passed on.

    Returns
    -------
    AlphaResult
        ``alpha``: (H, W), in [0, 1], float64 if the image is float64, else float32.
        ``info``: a `SolveInfo`.

    Raises
    ------
    ValueError, TypeError
        If an argument has the wrong shape, dtype or range, or the trimap has no foreground or no background
        (known pixels of both kinds are needed unless nothing is unknown, or there is a prior that needs none).
    ConvergenceError
        If "multigrid" or "cg" gives up; the error carries the alpha reached and the info.
    FactorizationError
        If "cholesky" meets a singular system or one too large for it.
    KeyboardInterrupt
        On Ctrl-C, within 0.2 s, if called from the main thread.

    Warns
    -----
    TrimatteWarning
        If nothing in the trimap is unknown, as in a mask; if a uint16 image has no value above 255.

    Notes
    -----
    Unknown regions that do not touch are systems of their own. From 100,000 unknown pixels on they are solved
    one after another, if the largest has at most three quarters of the pixels: that saves memory and time, and
    each keeps the tolerance. `progress` then sees the phases once for each.

    References
    ----------
    .. [1] A. Levin, D. Lischinski, Y. Weiss, "A Closed-Form Solution to Natural Image Matting", IEEE TPAMI
       30(2), 2008, Eq. 12 (Laplacian) and 14-15 (system).

    Examples
    --------
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(96, 96)
    >>> alpha, info = tm.solve_alpha(scene.image, scene.trimap)
    >>> info.solver
    'cholesky'
    >>> bool(abs(alpha - scene.alpha).mean() < 0.05)
    True
    """
    _check.one_of(method, METHODS, "method")
    _check.one_of(solver, SOLVERS, "solver")
    epsilon = _check.between(epsilon, LEAST_EPSILON, 1e6, "epsilon")
    radius = _check.at_least(radius, 1, "radius")
    weight = None if known_weight is None else _check.between(known_weight, 1e-12, 1e12, "known_weight")
    tolerance = _check.between(tolerance, LEAST_TOLERANCE, 1, "tolerance")
    relative_residual = _check.positive(relative_residual, "relative_residual")
    max_iterations = _check.at_least(max_iterations, 1, "max_iterations")
    seed = _check.seed(seed)
    count = thread_count(threads)
    _check.progress(progress)
    linear = _check.one_of(colour_space, colour.SPACES, "colour_space") == "linear"
    picture = _check.image(image, smallest=1 if method in PRIORS else _smallest_image(radius), linear=linear)
    most = _check.most_of_eight_bits(picture)
    if most:
        message = f"image: expected uint16 values up to 65535, got none above {most}; 8-bit ones belong into uint8"
        warnings.warn(message, TrimatteWarning, stacklevel=2)
    bright = picture if linear and picture.max() > BRIGHTEST else None
    picture, top = colour.encoded(picture) if linear else (picture, 1.0)
    labels = _check.labels(trimap, picture.shape, background_threshold, foreground_threshold)
    if method not in AFFINITIES and prior is not None:
        raise ValueError(f'prior: expected none with method "{method}", which is a prior or has one')
    if solver == "multigrid" and radius > 1:
        raise ValueError(f"solver: multigrid needs radius 1, got {radius}")
    wanted = "robust" if method == "best" else method if method in PRIORS else prior
    guesser, prior_name = _prior(wanted, seed, picture.shape)
    if confidence is not None and (guesser is None or method in PRIORS):
        raise ValueError("confidence: expected a prior beside it")
    first = None if start is None else _check.alpha(start, picture.shape, "start")
    weights = None if confidence is None else _check.confidence(confidence, picture.shape)

    dtype = np.float64 if picture.dtype == np.float64 else np.float32
    alpha = (labels == _check.FOREGROUND).astype(dtype)
    unknowns = _count_unknown(labels, guesser is None or guesser.needs_known)
    if bright is not None and unknowns > 0 and method not in PRIORS:
        _refuse_bright(bright, labels == _check.UNKNOWN if weight is None else np.ones_like(labels), radius)
    call = Call(count, _core.Monitor(progress))
    guess = None
    if guesser is not None and unknowns > 0:
        within = picture if top == 1 else picture / picture.dtype.type(top)
        guess = _guessed(guesser, weights, within, labels, call)
    if unknowns == 0 or method in PRIORS:
        if guess is not None:
            np.copyto(alpha, guess.alpha, where=labels == _check.UNKNOWN)
        if unknowns == 0:
            warnings.warn(_nothing_unknown(alpha, prior), TrimatteWarning, stacklevel=2)
        error = 0.0 if unknowns == 0 else None
        seconds = call.monitor.seconds
        return AlphaResult(alpha, SolveInfo(method, "none", 0, 0.0, error, 0, seconds, 0, count, prior=prior_name))

    automatic = solver == "auto"
    if automatic:
        solver = _core.choose_solver(unknowns if weight is None else labels.size, radius)
    affinity = "closed-form" if method == "best" else method
    settings = Settings(
        affinity, solver, epsilon, radius, weight, tolerance, relative_residual, max_iterations, automatic
    )
    solved = solve(alpha, Inputs(picture, labels, guess, first), unknowns, settings, call)
    info = SolveInfo(
        method,
        solved["solver"],
        solved["iterations"],
        solved["relative_residual"],
        solved["error_estimate"],
        solved["unknowns"],
        call.monitor.seconds,
        solved["peak_bytes"],
        count,
        solved["operator_complexity"],
        prior_name,
    )
    if not solved["converged"]:
        goal = f"an error of {tolerance:.3g}" if info.solver == "multigrid" else f"{relative_residual:.3g}"
        raise ConvergenceError(
            f"{info.solver}: relative residual {info.relative_residual:.3g} after {info.iterations} iterations, "
            f"wanted {goal}",
            alpha,
            info,
        )
    return AlphaResult(alpha, info)


def _refuse_bright(image: npt.NDArray[Any], unknown: npt.NDArray[Any], radius: int) -> None:
    """Raise ValueError at the first colour that would spoil a window with an unknown pixel."""
    from scipy.ndimage import maximum_filter

    near = maximum_filter(unknown.view(np.uint8), 4 * radius + 1)
    found = np.argwhere((image > BRIGHTEST) & (near > 0)[..., np.newaxis])
    if len(found):
        y, x, c = found[0]
        raise ValueError(
            f"image: expected linear colours up to {BRIGHTEST:g} near unknown pixels, got {image[y, x, c]:g} at "
            f"({y}, {x})"
        )


def _prior(
    value: str | priors.Prior | npt.ArrayLike | None, seed: int, image_shape: tuple[int, ...]
) -> tuple[priors.Prior | None, str | None]:
    """Return what the argument `prior` means, and its name."""
    if value is None:
        return None, None
    if isinstance(value, priors.Prior):
        return value, type(value).__name__
    if isinstance(value, str):
        name = _check.one_of(value, tuple(PRIORS), "prior")
        return PRIORS[name](seed), name
    array = np.asarray(value)
    if array.dtype.kind in "OSU":
        got = _check.kind_of(value, array)
        raise TypeError(f"prior: expected a name, an object of trimatte.priors or an array, got {got}")
    return priors.PreviousFrame(_check.alpha(value, image_shape, "prior"), weight=DEFAULT_CONFIDENCE), "array"


def _nothing_unknown(alpha: npt.NDArray[np.floating], prior: object) -> str:
    """Say what follows from a trimap without unknown pixels."""
    first = alpha.flat[0]
    if (alpha == first).all():
        kind = "foreground" if first else "background"
        return f"trimap: no pixel is unknown, all are {kind}, so that alpha is {first:.0f} everywhere"
    hint = "; to refine a mask: matte_from_mask, or trimatte refine" if prior is None else ""
    return f"trimap: no pixel is unknown, so that alpha is the trimap{hint}"


def _guessed(
    prior: priors.Prior,
    confidence: npt.NDArray[np.float32] | None,
    image: npt.NDArray[Any],
    labels: npt.NDArray[np.uint8],
    call: Call,
) -> priors.Guess:
    """Return the prior's guess, with another confidence if that is given."""
    guess = prior.guess(image, labels, call)
    alpha = _check.alpha(guess.alpha, labels.shape, "prior")
    if confidence is None:
        confidence = _check.confidence(guess.confidence, labels.shape)
    if not confidence.any() and (labels == _check.UNKNOWN).all():
        raise ValueError("confidence: expected some above 0, since the trimap has only unknown pixels")
    return priors.Guess(np.ascontiguousarray(alpha), confidence)


def _count_unknown(labels: npt.NDArray[np.uint8], needs_known: bool) -> int:
    """How many pixels are to be solved for; raise ValueError if there are some but too little is known."""
    unknown = known_foreground = 0
    for _, rows in _check.blocks(labels):
        unknown += int(np.count_nonzero(rows == _check.UNKNOWN))
        known_foreground += int(np.count_nonzero(rows == _check.FOREGROUND))
    if unknown == 0 or not needs_known:
        return unknown
    if unknown == labels.size:
        raise ValueError("trimap: expected some foreground and some background, got only unknown pixels")
    for name, missing in (
        ("foreground", known_foreground == 0),
        ("background", known_foreground + unknown == labels.size),
    ):
        if missing:
            raise ValueError(f"trimap: expected some {name} pixels, got none (see {name}_threshold)")
    return unknown


def estimate_alpha(
    image: npt.ArrayLike, trimap: npt.ArrayLike, **options: Unpack[AlphaOptions]
) -> npt.NDArray[np.floating]:
    """Estimate the opacity of every pixel of an image from a trimap.

    Parameters
    ----------
    image : (H, W, 3) or (H, W) array of uint8, uint16, float32 or float64
        Display (sRGB) colours; floats in [0, 1].
    trimap : (H, W) array
        1 (white) = surely foreground, 0 (black) = surely background, anything between = unknown.
    **options
        Those of `solve_alpha`: method, prior, confidence, solver, epsilon, radius, known_weight, threads,
        progress, ...

    Returns
    -------
    (H, W) ndarray
        Alpha in [0, 1], float64 if the image is float64, else float32. Known pixels are exactly 0 or 1 (unless
        `known_weight` is given). A trimap without unknown pixels comes back as it is, thresholded.

    Raises
    ------
    ValueError, TypeError, ConvergenceError, FactorizationError
        As `solve_alpha`.

    Examples
    --------
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(96, 96)
    >>> alpha = tm.estimate_alpha(scene.image, scene.trimap)
    >>> alpha.shape, alpha.dtype.name
    ((96, 96), 'float32')
    """
    return solve_alpha(image, trimap, **options).alpha
