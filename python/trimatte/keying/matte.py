"""Trimaps and mattes from a key colour or a clean plate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import _check, _chroma
from .._records import Progress, SolveInfo
from .._showing import as_html, one_line
from ..alpha import solve_alpha
from ..foreground import estimate_foreground
from ..priors import BackgroundFusion, KnownBackground
from ..trimap import FOREGROUND
from ._behind import Behind, surer, trimap_of
from ._inputs import Floats, colour_image, like
from ._key import field
from ._plate import aligned

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._arguments import SolveOptions


class NoSubject(ValueError):
    """Nothing stands before the background."""


class KeyedMatte(NamedTuple):
    """What a picture before a known background holds.

    Attributes
    ----------
    alpha : (H, W) ndarray
        Opacity in [0, 1].
    foreground : (H, W, 3) ndarray of float32
        The subject's colours, without the background's.
    background : (H, W, 3) ndarray of float32
        The background of every pixel: the key colour in the light that falls on it, or the plate
        in its place.
    trimap : (H, W) ndarray of uint8
        What was taken for known: 0 background, 255 foreground, 128 unknown.
    info : SolveInfo
        How alpha was found.
    """

    alpha: npt.NDArray[np.floating]
    foreground: Floats
    background: Floats
    trimap: npt.NDArray[np.uint8]
    info: SolveInfo

    def __repr__(self) -> str:
        return one_line(type(self).__name__, self._asdict())

    def _repr_html_(self) -> str:
        cutout = np.dstack([self.foreground, self.alpha])
        return as_html({"trimap": self.trimap, "alpha": self.alpha, "cutout": cutout})


def trimap_from_key(image: npt.ArrayLike, key: Any = "auto", *, solid: bool = True) -> npt.NDArray[np.uint8]:
    """Make a trimap of a subject before an even background: a green screen, or a studio's white.

    Parameters
    ----------
    image : (H, W, 3) array of uint8, uint16, float32 or float64
        Display colours; floats in [0, 1].
    key : "auto" or colour, default "auto"
        The background's colour: three numbers, integers of 255 or floats of 1, or text such as
        "#00b140". "auto" takes the most saturated colour that fills much of the picture's border.
    solid : bool, default True
        Whether the subject's inside is opaque, so that colours of its own that resemble the key
        are foreground. False is for glass, veils and smoke.

    Returns
    -------
    (H, W) ndarray of uint8
        0 is background, 128 unknown, 255 foreground.

    Raises
    ------
    ValueError, TypeError
        If no colour fills the border, if the picture does not have the key's colour, or if an
        argument is wrong by itself.

    Notes
    -----
    A polynomial of third order follows the light on the background. A pixel is background where the
    picture differs from it by no more than noise, averaged over 3 x 3 pixels. It is foreground 3
    pixels further on, where nothing of the key's hue is left, or deep inside where no mixture of the
    background with other known colours makes its colour.
    """
    picture = colour_image(image)
    return trimap_of(picture, field(picture, key), _check.flag(solid, "solid"))


def matte_from_key(
    image: npt.ArrayLike, key: Any = "auto", *, solid: bool = True, **options: Unpack[SolveOptions]
) -> KeyedMatte:
    """Matte a subject before an even background, and free its colours from the background's.

    Parameters
    ----------
    image : (H, W, 3) array of uint8, uint16, float32 or float64
        Display colours; floats in [0, 1].
    key : "auto" or colour, default "auto"
        See `trimap_from_key`.
    solid : bool, default True
        See `trimap_from_key`; False is for glass, veils and smoke.
    **options
        Options of `solve_alpha` that concern the solve: solver, tolerance, threads, progress, ...
        `chroma` is "auto" unless another is given.

    Returns
    -------
    KeyedMatte
        Alpha, the subject's colours, the background, the trimap, and how alpha was found.

    Raises
    ------
    ValueError, TypeError, ConvergenceError, FactorizationError
        As `trimap_from_key` and `solve_alpha`.

    Examples
    --------
    >>> import numpy as np
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(96, 96)
    >>> image = tm.composite(scene.foreground, scene.alpha, (0.1, 0.7, 0.2))
    >>> found = tm.matte_from_key(image)
    >>> bool(abs(found.alpha - scene.alpha).mean() < 0.02)
    True
    """
    picture = colour_image(image)
    return _matte(picture, field(picture, key), solid, np.asarray(image).dtype, options)


def trimap_from_plate(image: npt.ArrayLike, plate: npt.ArrayLike, *, solid: bool = True) -> npt.NDArray[np.uint8]:
    """Make a trimap of a subject from the same shot without it, a clean plate.

    Parameters
    ----------
    image, plate : (H, W, 3) arrays of uint8, uint16, float32 or float64
        The picture and the plate, of one size; display colours; floats in [0, 1].
    solid : bool, default True
        Whether the subject's inside is opaque. False is for glass, veils and smoke: less is taken
        for foreground then.

    Returns
    -------
    (H, W) ndarray of uint8
        0 is background, 128 unknown, 255 foreground.

    Raises
    ------
    ValueError, TypeError
        If the two have other sizes, if the plate is of another scene, or if an array is wrong by
        itself.

    Notes
    -----
    A shift of the camera, up to a tenth of the picture and found to fractions of a pixel by phase
    correlation and least squares, a different exposure and the noise are estimated from the two
    pictures. A pixel is foreground where no pixel around it comes near the plate's colour, unless
    most of them may be mixtures of the plate with one colour, and where no mixture of the plate
    with other known colours makes its colour.
    """
    picture = colour_image(image)
    return trimap_of(picture, aligned(picture, like(plate, picture, "plate")), _check.flag(solid, "solid"))


def matte_from_plate(
    image: npt.ArrayLike, plate: npt.ArrayLike, *, solid: bool = True, **options: Unpack[SolveOptions]
) -> KeyedMatte:
    """Matte a subject from the same shot without it, and free its colours from the background's.

    Parameters
    ----------
    image, plate : (H, W, 3) arrays of uint8, uint16, float32 or float64
        The picture and the plate; see `trimap_from_plate`.
    solid : bool, default True
        See `trimap_from_plate`; False is for glass, veils and smoke.
    **options
        Options of `solve_alpha` that concern the solve. `chroma` is "auto" unless another is given.

    Returns
    -------
    KeyedMatte
        Alpha, the subject's colours, the aligned plate, the trimap, and how alpha was found.

    Raises
    ------
    ValueError, TypeError, ConvergenceError, FactorizationError
        As `trimap_from_plate` and `solve_alpha`.
    """
    picture = colour_image(image)
    behind = aligned(picture, like(plate, picture, "plate"))
    return _matte(picture, behind, solid, np.asarray(image).dtype, options)


class Known(NamedTuple):
    """A picture before a known background, ready to be solved.

    Attributes
    ----------
    picture : (H, W, 3) ndarray of float32
        The picture; chroma of half resolution is sharpened.
    behind : Behind
        The background.
    trimap : (H, W) ndarray of uint8
        0 = background, 128 = unknown, 255 = foreground.
    chroma : {"full", "half"}
        What the resolution of the picture's chroma was.
    """

    picture: Floats
    behind: Behind
    trimap: npt.NDArray[np.uint8]
    chroma: str


def known_before(picture: Floats, behind: Behind, solid: bool, kind: str, threads: int | None = None) -> Known:
    """Find what is sure before a background; `kind` is the argument `chroma` of `solve_alpha`.

    Raises
    ------
    NoSubject, ValueError
        If no foreground, or no background, is sure.
    """
    trimap = trimap_of(picture, behind, solid, threads)
    sharp = _chroma.sharpened(picture, _check.labels(trimap, picture.shape), kind)
    if sharp is not picture and behind.hue is not None:  # a plate is not sharpened as the picture is
        trimap = surer(trimap_of(sharp, behind, solid, threads))
    for value, name in ((FOREGROUND, "foreground"), (0, "background")):
        if not (trimap == value).any():
            error = NoSubject if value == FOREGROUND else ValueError
            raise error(f"image: expected some {name} before the background, got none that is sure")
    return Known(sharp, behind, trimap, "full" if sharp is picture else "half")


def prior_before(
    colours: npt.NDArray[np.floating], noise: float, solid: bool, chroma: str = "full"
) -> BackgroundFusion | KnownBackground:
    """Return what a known background says of alpha; a network corrects it if the subject is solid.

    The network has seen little smoke, whose soft borders it hardens.
    """
    if solid:
        return BackgroundFusion(colours, noise=noise, chroma=chroma)
    return KnownBackground(colours, noise=noise)


def _matte(picture: Floats, behind: Behind, solid: bool, dtype: np.dtype[Any], options: Any) -> KeyedMatte:
    """Solve with the background known, then take it out of the colours."""
    solid, threads = _check.flag(solid, "solid"), options.get("threads")
    kind = _check.one_of(options.get("chroma") or "auto", _chroma.KINDS, "chroma")
    known = known_before(picture, behind, solid, kind, threads)
    image = known.picture.astype(np.float64) if dtype == np.float64 else known.picture
    prior = prior_before(behind.colours, behind.noise, solid, known.chroma)
    alpha, info = solve_alpha(image, known.trimap, prior=prior, **{**options, "chroma": "full"})
    foreground = freed_colours(known.picture, alpha, behind.colours, threads=threads)
    return KeyedMatte(alpha, foreground, behind.colours, known.trimap, replace(info, chroma=known.chroma))


def freed_colours(
    picture: Floats,
    alpha: npt.NDArray[np.floating],
    behind: Floats,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Floats:
    """Return the subject's colours without those of the background that is known to lie behind it."""
    layers = estimate_foreground(picture, alpha, threads=threads, progress=progress)
    cover = np.asarray(alpha, np.float32)[..., np.newaxis]
    own = (picture - (1 - cover) * behind) / np.maximum(cover, np.float32(1e-3))
    trust = np.clip((cover - np.float32(0.05)) / np.float32(0.5), 0, 1)
    foreground = np.clip(trust * own + (1 - trust) * layers.foreground, 0, 1)
    return np.asarray(foreground, np.float32)
