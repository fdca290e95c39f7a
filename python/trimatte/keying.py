"""Keys and plates: mattes from a picture whose background is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _check
from ._pixels import unit_floats
from ._records import SolveInfo
from ._showing import as_html, one_line
from .alpha import solve_alpha
from .errors import warn
from .foreground import estimate_foreground
from .priors import KnownBackground
from .trimap import FOREGROUND, UNKNOWN

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._arguments import SolveOptions

__all__ = [
    "KeyedMatte",
    "Triangulated",
    "matte_from_key",
    "matte_from_plate",
    "triangulate",
    "trimap_from_key",
    "trimap_from_plate",
]

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

# Parts of the longer side: the frame in which a key colour is sought, and how far from the
# background a pixel is deep inside the subject.
_FRAME = 0.02
_DEEP = 0.03
# A colour within this distance of the key belongs to it when the key is sought.
_NEAR_KEY = 0.15
_LEAST_SHARE = 0.15  # part of the frame that a key colour must fill
_ORDER = 3  # of the polynomial that follows uneven light
_LEAST_NOISE = 1e-3
# A pixel is foreground if it has at most this part of the key's hue.
_KEYLESS = 0.08
# Mixtures of known colours miss a colour of the subject's own by more than this; sure ones first.
_OWN_COLOUR = (0.2, 0.1, 0.04)
_SATURATED = 0.1  # length of a key's hue from which it can be told from grey
_LARGEST_SHIFT = 0.1  # of a plate, as a part of each side
_ALIKE = 0.02  # two backgrounds that differ by less say nothing


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


class Triangulated(NamedTuple):
    """Alpha and colours from two pictures.

    Attributes
    ----------
    alpha : (H, W) ndarray of float32
        Opacity in [0, 1].
    foreground : (H, W, 3) ndarray of float32
        The subject's colours; 0 where alpha is 0.
    """

    alpha: Floats
    foreground: Floats


class _Behind(NamedTuple):
    """A known background.

    Attributes
    ----------
    colours : (H, W, 3) ndarray of float32
        The background of every pixel.
    noise : float
        Standard deviation of the noise of a channel, where 1 is white.
    hue : (3,) ndarray of float32 or None
        The key colour less its grey; None for a plate, or a key that is nearly grey.
    """

    colours: Floats
    noise: float
    hue: Floats | None


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
    picture = _colour_image(image)
    return _trimap(picture, _field(picture, key), _check.flag(solid, "solid"))


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

    Returns
    -------
    KeyedMatte
        Alpha, the subject's colours, the background, the trimap, and how alpha was found.

    Raises
    ------
    ValueError, TypeError, ConvergenceError, FactorizationError
        As `trimap_from_key` and `solve_alpha`.

    Warns
    -----
    TrimatteWarning
        If much of the subject has the key's own colour.

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
    picture = _colour_image(image)
    return _matte(picture, _field(picture, key), solid, np.asarray(image).dtype, options)


def trimap_from_plate(image: npt.ArrayLike, plate: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """Make a trimap of a subject from the same shot without it, a clean plate.

    Parameters
    ----------
    image, plate : (H, W, 3) arrays of uint8, uint16, float32 or float64
        The picture and the plate, of one size; display colours; floats in [0, 1].

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
    correlation, a different exposure and the noise are estimated from the two pictures.
    """
    picture = _colour_image(image)
    return _trimap(picture, _aligned(picture, _like(plate, picture, "plate")), True)


def matte_from_plate(image: npt.ArrayLike, plate: npt.ArrayLike, **options: Unpack[SolveOptions]) -> KeyedMatte:
    """Matte a subject from the same shot without it, and free its colours from the background's.

    Parameters
    ----------
    image, plate : (H, W, 3) arrays of uint8, uint16, float32 or float64
        The picture and the plate; see `trimap_from_plate`.
    **options
        Options of `solve_alpha` that concern the solve.

    Returns
    -------
    KeyedMatte
        Alpha, the subject's colours, the aligned plate, the trimap, and how alpha was found.

    Raises
    ------
    ValueError, TypeError, ConvergenceError, FactorizationError
        As `trimap_from_plate` and `solve_alpha`.
    """
    picture = _colour_image(image)
    return _matte(
        picture, _aligned(picture, _like(plate, picture, "plate")), True, np.asarray(image).dtype, options
    )


def triangulate(
    image_1: npt.ArrayLike, background_1: npt.ArrayLike, image_2: npt.ArrayLike, background_2: npt.ArrayLike
) -> Triangulated:
    """Find exact alpha from two pictures of a subject before two known backgrounds [1]_.

    Parameters
    ----------
    image_1, image_2 : (H, W, 3) arrays of uint8, uint16, float32 or float64
        The subject before each background, without any movement; floats in [0, 1].
    background_1, background_2 : arrays of the same shape, or colours
        The backgrounds: pictures, or three numbers in the units of the images.

    Returns
    -------
    Triangulated
        Alpha and the subject's colours.

    Raises
    ------
    ValueError, TypeError
        If sizes differ, if the backgrounds are alike, or if an array is wrong by itself.

    Warns
    -----
    TrimatteWarning
        If the backgrounds are alike at some pixels, which take alpha from the nearest others.

    References
    ----------
    .. [1] A. R. Smith, J. F. Blinn, "Blue Screen Matting", SIGGRAPH 1996, Theorem 4.

    Examples
    --------
    >>> import trimatte as tm
    >>> scene = tm.datasets.hair(96, 96)
    >>> black, blue = (0.0, 0.0, 0.0), (0.1, 0.2, 0.9)
    >>> shots = [tm.composite(scene.foreground, scene.alpha, colour) for colour in (black, blue)]
    >>> found = tm.triangulate(shots[0], black, shots[1], blue)
    >>> bool(abs(found.alpha - scene.alpha).max() < 1e-5)
    True
    """
    first = _colour_image(image_1, "image_1")
    second = _like(image_2, first, "image_2")
    behind = [
        _backdrop(value, picture, name)
        for value, picture, name in (
            (background_1, first, "background_1"),
            (background_2, second, "background_2"),
        )
    ]
    apart = behind[0] - behind[1]
    weight = (apart * apart).sum(2)
    alike = weight < _ALIKE**2
    if alike.all():
        raise ValueError("background_1, background_2: expected two that differ, got the same colours everywhere")
    alpha = 1 - ((first - second) * apart).sum(2) / np.where(alike, 1, weight)
    alpha = np.clip(alpha, 0, 1)
    if alike.any():
        from scipy.ndimage import distance_transform_edt

        warn(
            f"background_1, background_2: alike at {np.count_nonzero(alike)} pixels, which take the nearest alpha"
        )
        nearest = distance_transform_edt(alike, return_distances=False, return_indices=True)
        alpha = alpha[tuple(nearest)]
    cover = alpha[..., np.newaxis]
    light = (first + second - (1 - cover) * (behind[0] + behind[1])) / 2  # alpha times the colour
    colours = np.where(cover > 0, np.clip(light / np.maximum(cover, 1e-3), 0, 1), 0)
    return Triangulated(alpha.astype(np.float32), colours.astype(np.float32))


def _colour_image(value: npt.ArrayLike, name: str = "image") -> Floats:
    """Return a colour image as float32 in [0, 1]."""
    picture = _check.image(value, name)
    if picture.shape[2] != 3:
        raise ValueError(f"{name}: expected shape (H, W, 3), got {np.shape(value)}; a key needs colours")
    return unit_floats(picture)


def _like(value: npt.ArrayLike, picture: Floats, name: str) -> Floats:
    other = _colour_image(value, name)
    if other.shape != picture.shape:
        raise ValueError(f"{name}: expected shape {picture.shape} to match image, got {other.shape}")
    return other


def _backdrop(value: npt.ArrayLike, picture: Floats, name: str) -> Floats:
    """Return a picture, or a colour at every pixel."""
    if np.ndim(value) == 1:
        return np.asarray(np.broadcast_to(_colour(value, name), picture.shape))
    return _like(value, picture, name)


def _colour(value: Any, name: str) -> Floats:
    """Return a colour as three float32 in [0, 1]."""
    if isinstance(value, str):
        from PIL import ImageColor

        try:
            return np.asarray(np.divide(ImageColor.getcolor(value, "RGB"), 255), np.float32)
        except ValueError:
            raise ValueError(
                f"{name}: expected a colour such as #00b140, or three numbers, got {value!r}"
            ) from None
    numbers = np.asarray(value)
    if numbers.shape != (3,) or numbers.dtype.kind not in "uif":
        raise TypeError(f"{name}: expected a colour such as #00b140, or three numbers, got {value!r}")
    top = 1 if numbers.dtype.kind == "f" else 255
    if not (numbers.min() >= 0 and numbers.max() <= top):
        raise ValueError(f"{name}: expected numbers from 0 to {top}, got {value!r}")
    return np.asarray(numbers / top, np.float32)


def _found_key(picture: Floats) -> Floats:
    """Return the colour that fills much of the picture's border; saturated colours count more."""
    from scipy.ndimage import gaussian_filter

    height, width = picture.shape[:2]
    wide = max(2, round(_FRAME * max(height, width)))
    frame = np.ones((height, width), bool)
    frame[wide:-wide, wide:-wide] = False
    colours = picture[frame]
    bins = np.clip((colours * 16).astype(int), 0, 15)
    counts = np.zeros((16, 16, 16))
    np.add.at(counts, tuple(bins.T), 1)
    centres = (np.indices((16, 16, 16)) + 0.5) / 16
    saturation = centres.max(0) - centres.min(0)
    score = gaussian_filter(counts, 0.8, mode="nearest") * (0.15 + saturation)
    key = (np.array(np.unravel_index(score.argmax(), score.shape)) + 0.5) / 16
    share = 0.0
    for _ in range(10):
        near = np.linalg.norm(colours - key, axis=1) < _NEAR_KEY
        share = float(near.mean())
        if not near.any():
            break
        key = np.median(colours[near], axis=0)
    if share < _LEAST_SHARE:
        raise ValueError(
            f"key: expected an even colour along the picture's border, got none that fills more than {share:.0%} "
            'of it; pass the colour, such as key="#00b140"'
        )
    return np.asarray(key, np.float32)


def _field(picture: Floats, key: Any) -> _Behind:
    """Return the key's colour in the light that falls on each pixel, and the noise."""
    wanted = _found_key(picture) if isinstance(key, str) and key == "auto" else _colour(key, "key")
    height, width = picture.shape[:2]
    step = max(1, int(np.sqrt(height * width / 40_000)))
    terms = _polynomial(height, width)
    seen, some = picture[::step, ::step].reshape(-1, 3), terms[::step, ::step].reshape(-1, terms.shape[2])
    hue = wanted - wanted.mean()
    saturated = float(np.linalg.norm(hue)) > _SATURATED
    inside = _of_key(seen, wanted, saturated)
    least = max(50, 0.01 * len(seen))
    if np.count_nonzero(inside) < least:
        levels = np.round(wanted * 255).astype(int).tolist()
        raise ValueError(
            f"key: expected a colour of the picture's background, got {levels} of 255, which "
            f'{np.count_nonzero(inside) / len(seen):.1%} of the pixels have; pass another, or "auto"'
        )
    noise = _LEAST_NOISE
    for _ in range(6):
        fit, *_ = np.linalg.lstsq(some[inside], seen[inside], rcond=None)
        miss = np.linalg.norm(seen - some @ fit, axis=1)
        noise = max(float(np.median(miss[inside])) / 1.538, _LEAST_NOISE)  # the median of chi with 3 degrees
        closer = miss < max(4.5 * noise, 0.01)
        if np.count_nonzero(closer) < least:
            break
        inside = closer
    colours = np.clip(terms @ fit, 0, 1).astype(np.float32)
    return _Behind(colours, noise, hue if saturated else None)


def _of_key(colours: Floats, key: Floats, saturated: bool) -> Mask:
    """Whether colours may be the key's: of its hue in another light, or near it if it is grey."""
    if not saturated:
        return np.asarray(np.linalg.norm(colours - key, axis=1) < 0.12)
    light = colours @ key / (key @ key)
    beside = np.linalg.norm(colours - light[:, np.newaxis] * key, axis=1)
    return np.asarray((beside < 0.06) & (light > 0.55) & (light < 1.4))


def _polynomial(height: int, width: int) -> npt.NDArray[np.float64]:
    """Return the terms of a polynomial in both places, each pixel from -1 to 1."""
    y = np.linspace(-1, 1, height)[:, np.newaxis]
    x = np.linspace(-1, 1, width)[np.newaxis]
    powers = [(i, j) for i in range(_ORDER + 1) for j in range(_ORDER + 1 - i)]
    return np.asarray(np.stack([x**i * y**j for i, j in powers], axis=2))


def _aligned(picture: Floats, plate: Floats) -> _Behind:
    """Return the plate moved and lit as the picture is, and the noise of their difference."""
    from scipy.ndimage import shift

    moved = _shift_between(picture, plate)
    placed = np.stack([shift(plate[..., c], moved, order=3, mode="nearest") for c in range(3)], axis=2)
    near = np.linalg.norm(picture - placed, axis=2)
    same = near <= np.quantile(near, 0.5)
    gain = (picture[same] * placed[same]).sum(0) / np.maximum((placed[same] ** 2).sum(0), 1e-6)
    placed = np.clip(placed * gain, 0, 1).astype(np.float32)
    miss = np.linalg.norm(picture - placed, axis=2)
    noise = _LEAST_NOISE
    inside = miss <= np.quantile(miss, 0.3)
    for _ in range(6):
        noise = max(float(np.median(miss[inside])) / 1.538, _LEAST_NOISE)
        inside = miss < max(4.5 * noise, 0.01)
    share = float(inside.mean())
    if share < 0.05 or noise > 0.1:
        raise ValueError(
            f"plate: expected the picture's own background, got one that agrees with {share:.0%} of its pixels; "
            "is it of another scene?"
        )
    return _Behind(placed, noise, None)


def _shift_between(picture: Floats, plate: Floats) -> tuple[float, float]:
    """Return by how many rows and columns the plate has to move to lie as the picture does."""
    height, width = picture.shape[:2]
    window = np.hanning(height)[:, np.newaxis] * np.hanning(width)
    spectra = []
    for pixels in (picture, plate):
        grey = pixels.mean(2)
        edges = np.hypot(*np.gradient(grey)) if min(grey.shape) > 1 else grey
        spectra.append(np.fft.rfft2((edges - edges.mean()) * window))
    product = spectra[0] * np.conj(spectra[1])
    peak = np.fft.irfft2(product / np.maximum(np.abs(product), 1e-12), s=(height, width))
    row, column = np.unravel_index(int(peak.argmax()), peak.shape)
    found = []
    for axis, (place, size) in enumerate(((row, height), (column, width))):
        line = peak[:, column] if axis == 0 else peak[row]
        before, here, after = (float(line[(place + k) % size]) for k in (-1, 0, 1))
        bend = before - 2 * here + after
        exact = place + (0.5 * (before - after) / bend if bend < 0 else 0.0)
        found.append(exact - size if exact > size / 2 else exact)
    if any(abs(moved) > _LARGEST_SHIFT * size for moved, size in zip(found, (height, width), strict=True)):
        return 0.0, 0.0
    return found[0], found[1]


def _trimap(picture: Floats, behind: _Behind, solid: bool) -> npt.NDArray[np.uint8]:
    """Label what is surely background and surely foreground."""
    from scipy.ndimage import distance_transform_edt, maximum_filter, uniform_filter

    apart = picture - behind.colours
    rms = np.sqrt(np.maximum(uniform_filter((apart * apart).sum(2), 3), 0))
    background = _opened(rms < max(1.45 * behind.noise * np.sqrt(3), 0.012))
    distance = distance_transform_edt(~background) if background.any() else np.full(rms.shape, np.inf)
    deep = max(_DEEP * max(rms.shape), 6.0)
    if behind.hue is None:
        foreground = np.asarray(distance > 2 * deep)
        if not foreground.any():
            foreground = np.asarray(distance > 0.7 * min(2 * deep, float(distance.max())))
    else:
        share = maximum_filter(_share_of_hue(picture, behind), 3)
        foreground = _opened((distance > 3) & (share < _KEYLESS))
    if solid and behind.hue is not None and foreground.any():
        foreground = _with_own_colours(picture, behind, foreground, np.asarray(distance > deep))
    trimap = np.full(rms.shape, UNKNOWN, np.uint8)
    trimap[background] = 0
    trimap[foreground & ~background] = FOREGROUND
    return trimap


def _opened(mask: Mask) -> Mask:
    """Return the mask without its thinnest parts; what lies beyond the picture's border does not count."""
    from scipy.ndimage import binary_dilation, binary_erosion

    return np.asarray(binary_dilation(binary_erosion(mask, border_value=1)))


def _share_of_hue(picture: Floats, behind: _Behind) -> Floats:
    """Return how much of the background's hue each pixel has: 1 for the background, 0 for grey."""
    assert behind.hue is not None
    ours = picture @ behind.hue - picture.mean(2) * behind.hue.sum()
    theirs = behind.colours @ behind.hue - behind.colours.mean(2) * behind.hue.sum()
    return np.asarray(ours / np.maximum(theirs, 1e-3), np.float32)


def _with_own_colours(picture: Floats, behind: _Behind, foreground: Mask, deep: Mask) -> Mask:
    """Add deep pixels whose colour is no mixture of the background with a known foreground colour.

    A subject may have a hue like the key's without being see-through. Colours that mixtures miss
    most are added first, since others may be mixtures of those.
    """
    from scipy.ndimage import uniform_filter

    rng = np.random.default_rng(0)
    smooth = np.stack([uniform_filter(picture[..., c], 5) for c in range(3)], axis=2)
    found: Mask = foreground
    for limit in _OWN_COLOUR:
        places = np.flatnonzero(deep & ~found)
        fronts = picture.reshape(-1, 3)[rng.choice(np.flatnonzero(found), 256)]
        miss = np.empty(len(places), np.float32)
        for first in range(0, len(places), 4096):
            part = places[first : first + 4096]
            base = behind.colours.reshape(-1, 3)[part][:, np.newaxis]
            rise, line = smooth.reshape(-1, 3)[part][:, np.newaxis] - base, fronts[np.newaxis] - base
            length = np.maximum((line * line).sum(2), 1e-4)
            cover = np.clip((rise * line).sum(2) / length, 0, 1)
            off = rise - cover[..., np.newaxis] * line
            miss[first : first + 4096] = np.sqrt((off * off).sum(2).min(1))
        found = np.asarray(found | (_mostly(places, miss, found.shape) > max(limit, 4 * behind.noise)))
    return found


def _mostly(places: npt.NDArray[np.intp], values: Floats, shape: tuple[int, ...]) -> Floats:
    """Return the mean of values over 11 x 11 pixels at places; 0 where less than a third of those are places."""
    from scipy.ndimage import uniform_filter

    total, count = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    total.flat[places], count.flat[places] = values, 1
    there = count > 0
    mean_count = uniform_filter(count, 11)
    mean = uniform_filter(total, 11) / np.maximum(mean_count, 1e-6)
    return np.where(there & (mean_count > 1 / 3), mean, 0).astype(np.float32)


def _matte(picture: Floats, behind: _Behind, solid: bool, dtype: np.dtype[Any], options: Any) -> KeyedMatte:
    """Solve with the background known, then take it out of the colours."""
    trimap = _trimap(picture, behind, _check.flag(solid, "solid"))
    for value, name in ((FOREGROUND, "foreground"), (0, "background")):
        if not (trimap == value).any():
            raise ValueError(f"image: expected some {name} before the background, got none that is sure")
    image = picture.astype(np.float64) if dtype == np.float64 else picture
    prior = KnownBackground(behind.colours, noise=behind.noise)
    alpha, info = solve_alpha(image, trimap, prior=prior, **options)
    layers = estimate_foreground(picture, alpha, threads=options.get("threads"))
    cover = np.asarray(alpha, np.float32)[..., np.newaxis]
    own = (picture - (1 - cover) * behind.colours) / np.maximum(cover, np.float32(1e-3))
    trust = np.clip((cover - np.float32(0.05)) / np.float32(0.5), 0, 1)
    foreground = np.clip(trust * own + (1 - trust) * layers.foreground, 0, 1)
    return KeyedMatte(alpha, foreground.astype(np.float32), behind.colours, trimap, info)
