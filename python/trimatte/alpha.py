"""Alpha from an image and a trimap: the front door."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from . import _check, _chroma, finish, methods, priors
from ._automatic import decided
from ._colours import Colours, checked_colours
from ._context import make_context
from ._guess import source_of
from ._names import ColourSpace, MethodName, PriorName, SolverName
from ._need import of_solve
from ._records import AlphaResult, Progress
from ._runtime.memory import check_need
from ._solve import Inputs, count_unknown, nothing_unknown, refuse_solver, result_of, solved
from ._solver import Settings
from .affinities import Affinity
from .errors import warn

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._arguments import AffinityOptions, AlphaOptions

__all__ = ["estimate_alpha", "solve_alpha"]


def solve_alpha(
    image: npt.ArrayLike,
    trimap: npt.ArrayLike,
    *,
    method: MethodName | str | Affinity = methods.DEFAULT,
    prior: PriorName | str | priors.Prior | npt.ArrayLike | None = None,
    confidence: float | npt.ArrayLike | None = None,
    start: npt.ArrayLike | None = None,
    seed: int = 0,
    solver: SolverName | str = "auto",
    known_weight: float | None = None,
    tolerance: float = 1e-3,
    relative_residual: float | None = None,
    max_iterations: int = 10_000,
    background_threshold: float = 0.1,
    foreground_threshold: float = 0.9,
    colour_space: ColourSpace | str = "srgb",
    chroma: str | None = None,
    settle: bool | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    **options: Unpack[AffinityOptions],
) -> AlphaResult:
    """Estimate alpha and say how it was found.

    Parameters
    ----------
    image : (H, W, 3) or (H, W) array of uint8, uint16, float32 or float64
        Integers span their whole range, floats are in [0, 1] unless `colour_space` is "linear".
        Any memory layout and byte order will do.
    trimap : (H, W) array of the same dtypes, or bool
        1 (white) = surely foreground, 0 (black) = surely background, anything between = unknown.
        Grey saved as RGB, or with an opaque alpha channel, is accepted.
    method : str or Affinity, default "auto"
        A name or an object of `trimatte.affinities`. "auto" looks at the trimap: where it shows
        colours of both kinds beside the unknown pixels, it is "best"; where its known pixels are
        strokes, or a prior is given, it is closed-form matting; `info.choice` says why.
        "closed-form" is closed-form matting [1]_ and nothing else. "best" is closed-form with the
        prior "fusion", the most accurate; it takes about half a second and 4 µs per unknown pixel
        more. The priors "fusion", "composite-network", "sampling", "shared-sampling", "robust",
        "patch-network" and "patch-regression" are methods too: alpha is then their guess, without
        a solve. "closed-form+sampling" joins an affinity and a prior.
    prior : str, Prior or (H, W) array, optional
        A guess of alpha that counts beside the affinity: the sum of ``confidence (x - prior)**2``
        is added to what is minimised. It is one of the names above, an object of `trimatte.priors`,
        or an array in [0, 1].
    confidence : float or (H, W) array, optional
        How much the prior counts, from 0 on; the Laplacian's rows have diagonals of about 5. The
        default is what the prior says, and 4e-3 for an array. Known pixels keep their value,
        whatever their confidence.
    start : (H, W) array, optional
        An alpha near the answer, such as that of the frame before, where iterative solvers start.
        It changes how many iterations they need, not the answer, beyond the tolerance. The default
        is the prior's guess, or 0.5.
    seed : int, default 0
        Seed of the priors that draw random numbers and are given by name. The same seed gives the
        same bits.
    solver : {"auto", "cholesky", "multigrid", "graph-multigrid", "cg"}
        Sparse Cholesky (direct), or conjugate gradients with one of three preconditioners: a
        colour-aware multigrid on the pixel grid, a multigrid for any sparse matrix, or the
        diagonal. "auto" decides for each connected region of unknown pixels: it takes Cholesky for
        up to 20,000 unknowns and multigrid above, where Cholesky takes over if multigrid has not
        ended after 60 iterations and the factor fits into the memory that is available. Where an
        affinity reaches more than 2 pixels (closed-form with a radius above 1), it takes Cholesky
        first for up to 50 million matrix entries, and "graph-multigrid" in place of "multigrid".
        `info.regions` counts the regions by the solver that gave their answer; `info.solver` is the
        one that solved the most pixels.
    known_weight : float, optional
        By default known pixels keep their value exactly. A number w solves the soft system
        ``(L + w D) x = w m`` instead (D marks known pixels, m known foreground) over all pixels, as
        Levin's code does with w = 100; known pixels then move a little, and it costs as if all
        pixels were unknown.
    tolerance : float, default 1e-3
        Iterative solvers stop where the largest error of alpha, against the exact solution of the
        system, is at most this, as they estimate it with a margin of three. It is from 1e-12 to 1;
        what is above 1e-3 counts as 1e-3, since slow modes of the error would hide and little time
        would be saved. Below 1e-7 a warning says that rounding may leave a larger error.
    relative_residual : float, optional
        "cg" and "graph-multigrid" go on until ``||D^-1 (b - A x)||`` is at most `relative_residual`
        times ``||D^-1 b||``, too, where D is the diagonal of A, so that both sides are in units of
        alpha. With `known_weight`, what known pixels and prior pass on takes the place of b, which
        is mostly the known pixels themselves. "multigrid" measures no residual on its way, and
        `tolerance` alone says where it stops. The default asks for no residual.
    max_iterations : int, default 10000
        Iterative solvers give up after so many. They do not trust their estimate before the 10th,
        or the 4th if the affinity's `near_null` is "constant".
    background_threshold, foreground_threshold : float, default 0.1 and 0.9
        Trimap values ``<= background_threshold`` are background, ``>= foreground_threshold``
        foreground.
    colour_space : {"srgb", "linear"}
        "srgb" means display colours, which are used as they are. "linear" means scene-linear ones;
        their floats may be any finite numbers, up to 1e10 in windows with unknown pixels. Alpha is
        then found on their encoding by :func:`trimatte.colour.srgb_from_linear`, which goes on
        above 1, so that highlights change nothing elsewhere; a prior sees it divided by its largest
        value.
    chroma : {"auto", "full", "half"}, optional
        JPEG files and films mostly have chroma of half resolution, so that edges of colours are
        three pixels wide. "auto" looks whether the picture is such a one, "half" takes it for
        granted: chroma then follows luma, by lines that are fitted in small windows, around the
        unknown pixels. A picture of 33 to 256 colours, as in GIF files, has no such chroma; "auto"
        smooths the steps of its palette. "full" uses the colours as they are. The default is "auto"
        for the methods "auto" and "best", for masks and for keys, and "full" for all others;
        scene-linear colours are used as they are.
    settle : bool, optional
        Whether faint residue is cleared by :func:`trimatte.settle`: alpha below 3.5 / 255 becomes
        0, and above 1 less that 1, away from edges. The default is True for the methods "auto" and
        "best" and False for all others.
    threads : int, optional
        By default all usable cores. The result does not depend on it.
    progress : callable, optional
        It is called as ``progress(phase, fraction)`` about 20 times a second, from the calling
        thread. An exception that it raises stops the solve and is passed on.
    **options
        Options of the method's affinity, by the names that its class gives them. For
        `trimatte.affinities.ClosedForm`, which "closed-form" and "best" use: `epsilon` (default
        1e-7), the colour variance added to each window in squared units of [0, 1] colours, and
        `radius` (default 1), half the width of a window in pixels. None counts as not given. An
        object as `method` has its options already.

    Returns
    -------
    AlphaResult
        ``alpha``: (H, W), in [0, 1], float64 if the image is float64, else float32.
        ``info``: a `SolveInfo`.

    Raises
    ------
    ValueError, TypeError
        If an argument has the wrong shape, dtype or range, if the method lacks an option, or if the
        trimap has no foreground or no background (known pixels of both kinds are needed unless
        nothing is unknown, or there is a prior that needs none).
    ConvergenceError
        If an iterative solver gives up; the error carries the alpha reached and the info.
    FactorizationError
        If a direct solver meets a singular system or one too large for it.
    KeyboardInterrupt
        On Ctrl-C, within 0.2 s, if called from the main thread.

    Warns
    -----
    TrimatteWarning
        If nothing in the trimap is unknown, as in a mask; if unknown regions touch known pixels of
        one kind only and nothing else tells what they hold; if a uint16 image has no value above
        255.

    Notes
    -----
    Connected regions of unknown pixels are systems of their own: small ones are factorised side by
    side, large ones are solved one after another with all threads, and each keeps the tolerance. A
    region that touches known pixels of one kind only takes their value without a solve, unless a
    prior says more. `progress` sees the phases of the large regions once for each.

    References
    ----------
    .. [1] A. Levin, D. Lischinski, Y. Weiss, "A Closed-Form Solution to Natural Image Matting",
       IEEE TPAMI 30(2), 2008, Eq. 12 (Laplacian) and 14-15 (system).

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
    chosen = methods.chosen(method, options)
    settings = Settings(solver, known_weight, tolerance, relative_residual, max_iterations)
    seed, context = _check.seed(seed), make_context(threads, progress)
    colours = checked_colours(image, colour_space, chosen.smallest_image)
    shape = colours.pixels.shape
    labels = _check.labels(trimap, shape, background_threshold, foreground_threshold)
    choice = decided(chosen, prior, confidence, known_weight, labels, context)
    if choice is not None:
        chosen = chosen._replace(prior=choice.prior)
    mends = chosen.name == methods.BEST if choice is None else choice.mends
    kind = _check.one_of(chroma, _chroma.KINDS, "chroma") if chroma is not None else "auto" if mends else "full"
    settled = mends if settle is None else _check.flag(settle, "settle")
    source = source_of(chosen, prior, confidence, seed, shape)
    first = None if start is None else _check.alpha(start, shape, "start")
    unknowns = count_unknown(labels, source.needs_known)
    _refuse_unsolvable(colours, labels, unknowns, chosen.affinity, settings)

    if unknowns:
        wanted = colours.pixels[..., 0].size if known_weight is not None else unknowns
        need = of_solve(colours.pixels[..., 0].size, wanted, chosen.affinity, solver)
        check_need(need, f"a solve for {wanted / 1e6:.3g} million pixels")
    found = "full"
    if unknowns and colour_space == "srgb":
        pixels, found = _chroma.mended(colours.pixels, labels, kind)
        colours = colours._replace(pixels=pixels)
    guess = source.guess(colours, labels, context) if unknowns else None
    inputs = Inputs(colours.pixels, labels, unknowns, guess, first)
    alpha, record = solved(inputs, chosen.affinity, settings, context)
    alpha = finish.settle(alpha) if settled else alpha
    record["chroma"] = found
    record["guessed_regions"] = source.guessed_regions(labels) if unknowns else 0
    if unknowns == 0:
        warn(nothing_unknown(alpha, prior is not None))
    reason = None if choice is None else choice.reason
    return result_of(alpha, record, settings, context, method=chosen.name, prior=source.name, choice=reason)


def _refuse_unsolvable(
    colours: Colours,
    labels: npt.NDArray[np.uint8],
    unknowns: int,
    affinity: Affinity | None,
    settings: Settings,
) -> None:
    """Raise ValueError if the solver does not fit the affinity, or a colour is too bright."""
    if affinity is None:
        return
    refuse_solver(settings.solver, affinity)
    if unknowns and colours.bright is not None:
        solved_for = labels == _check.UNKNOWN if settings.known_weight is None else np.ones_like(labels, bool)
        colours.refuse_bright(solved_for, affinity.reach)


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
        Those of `solve_alpha`: method, prior, confidence, solver, epsilon, radius, known_weight,
        threads, progress, ...

    Returns
    -------
    (H, W) ndarray
        Alpha in [0, 1], float64 if the image is float64, else float32. Known pixels are exactly 0
        or 1 (unless `known_weight` is given). A trimap without unknown pixels comes back as it is,
        thresholded.

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
