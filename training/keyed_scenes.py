"""Pictures before a known background to train on: a key colour's, or one with its clean plate.

Every scene follows from its number and the photographs alone, as those of `scenes.py` do.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image
from scenes import Bytes, Floats, crop, focused, nearer, shapes, with_rims
from scipy.ndimage import gaussian_filter, shift

KEYS = ((0.15, 0.62, 0.22), (0.12, 0.22, 0.68), (0.85, 0.1, 0.8))
SHARE_OF_KEYS = (0.4, 0.25, 0.15)
"""Shares of the keys above; the other screens have any colour."""


class KeyedScene(NamedTuple):
    """A picture before a known background, with its true alpha.

    Attributes
    ----------
    image : (H, W, 3) ndarray of uint8
        The picture.
    key : (3,) ndarray of float32 or None
        The colour of the screen; None for a plate.
    plate : (H, W, 3) ndarray of uint8 or None
        The same shot without the subject; None for a screen.
    solid : bool
        Whether the subject's inside is opaque.
    alpha : (H, W) ndarray of float32
        The truth.
    """

    image: Bytes
    key: Floats | None
    plate: Bytes | None
    solid: bool
    alpha: Floats


def make_keyed_scene(number: int, photographs: Sequence[Bytes]) -> KeyedScene:
    """Make the scene of this number.

    Parameters
    ----------
    number : int
        Number of the scene, from 0 on.
    photographs : sequence of (H, W, 3) ndarray of uint8
        What layers are painted with.

    Returns
    -------
    KeyedScene
    """
    random = np.random.default_rng((78, number))
    kind, alpha, foreground, background = shapes(random, number)
    if random.random() < 0.35:
        foreground = crop(random, photographs, alpha.shape)
    if random.random() < 0.15:
        foreground = with_rims(random, alpha, foreground, photographs)
    veiled = random.random() < 0.15
    if veiled:
        alpha, foreground = _veiled(random, alpha, foreground)
    key = None
    if random.random() < 0.55:
        key = _key(random)
        background = key * _light(random, alpha.shape)[..., None]
        if random.random() < 0.3:  # the screen's light falls on the subject
            foreground = foreground + np.float32(random.uniform(0.02, 0.12)) * (background - foreground)
    elif random.random() < 0.7:
        background = crop(random, photographs, alpha.shape)
    if random.random() < 0.15:
        foreground = nearer(random, foreground, background)
    alpha, foreground, background = focused(random, alpha, foreground, background)
    gamma = float(random.choice((1.0, 1.5, 2.2), p=(0.8, 0.1, 0.1)))
    a = alpha[..., None]
    image = (a * np.clip(foreground, 0, 1) ** gamma + (1 - a) * np.clip(background, 0, 1) ** gamma) ** (1 / gamma)
    image, plate = _photographed(random, image, None if key is not None else background)
    return KeyedScene(image, key, plate, kind != "glass" and not veiled, alpha)


def _veiled(random: np.random.Generator, alpha: Floats, foreground: Floats) -> tuple[Floats, Floats]:
    """Put smoke, or a thin cloth, behind the subject: smooth, or even with a sharp border."""
    size, side = alpha.shape, min(alpha.shape)

    def field(width: float) -> npt.NDArray[np.floating]:
        smooth = gaussian_filter(random.standard_normal(size), width, mode="reflect")
        return smooth / smooth.std()

    if random.random() < 0.5:
        bulk = np.clip(0.5 + 0.5 * field(side / random.uniform(3, 8)), 0, 1)
        veil = bulk * (random.uniform(0.2, 0.9) + random.uniform(0, 0.3) * field(side / random.uniform(8, 40)))
    else:
        inside = gaussian_filter((field(side / random.uniform(3, 8)) > 0.3).astype(float), random.uniform(0.5, 2))
        veil = inside * (random.uniform(0.15, 0.7) + random.uniform(0, 0.05) * field(random.uniform(0.5, 4)))
    veil = np.where(veil < 1 / 512, 0, np.clip(veil, 0, 1))
    colour = random.uniform(0, 1, 3) if random.random() < 0.5 else np.repeat(random.uniform(0.3, 1), 3)
    both = 1 - (1 - alpha) * (1 - veil)
    weighted = alpha[..., None] * foreground + ((1 - alpha) * veil)[..., None] * colour
    seen = np.where(both[..., None] > 1e-3, weighted / np.maximum(both, 1e-3)[..., None], foreground)
    return np.asarray(both, np.float32), np.asarray(seen, np.float32)


def _key(random: np.random.Generator) -> Floats:
    """Draw the colour of a screen: mostly green, blue or magenta, brighter or darker."""
    number = int(random.choice(len(KEYS) + 1, p=(*SHARE_OF_KEYS, 1 - sum(SHARE_OF_KEYS))))
    if number == len(KEYS):
        return random.uniform(0.05, 0.95, 3).astype(np.float32)
    colour = np.array(KEYS[number]) * np.exp(random.uniform(-0.35, 0.3)) + random.normal(0, 0.05, 3)
    return np.clip(colour, 0.02, 0.97).astype(np.float32)


def _light(random: np.random.Generator, size: tuple[int, ...]) -> Floats:
    """Return the light on a screen: even, or falling off smoothly, sometimes with folds of the cloth."""
    if random.random() < 0.4:
        return np.ones(size, np.float32)
    y, x = (np.mgrid[: size[0], : size[1]].T / np.array(size)).T - 0.5
    terms = np.array([x, y, 0.6 * x * x, 0.6 * x * y, 0.6 * y * y, 0.5 * x**3, 0.5 * y**3])
    fall = np.tensordot(random.normal(0, 1, len(terms)), terms, 1)
    fall = (fall - fall.mean()) / (np.ptp(fall) + 1e-6)
    light = np.exp(random.uniform(0.05, 0.7) * fall)
    if random.random() < 0.25:
        folds = gaussian_filter(random.standard_normal(size), min(size) / random.uniform(6, 25), mode="nearest")
        light = light * (1 + random.uniform(0.003, 0.02) * folds / folds.std())
    return np.asarray(light, np.float32)


def _photographed(
    random: np.random.Generator, image: npt.NDArray[np.floating], background: Floats | None
) -> tuple[Bytes, Bytes | None]:
    """Take the picture, and the plate if there is a background: noise, sharpening, a moved camera, JPEG."""
    noise = float(np.exp(random.uniform(np.log(0.002), np.log(0.02))))
    smooth = random.random() < 0.25  # noise that has been through a camera's interpolation

    def grain() -> npt.NDArray[np.float64]:
        white = random.standard_normal(image.shape)
        return noise * (gaussian_filter(white, (0.6, 0.6, 0)) * 2 if smooth else white)

    image = image + grain()
    if random.random() < 0.12:
        image = image + random.uniform(0.2, 0.7) * (image - gaussian_filter(image, (1, 1, 0)))
    pictures = [image]
    if background is not None:
        moved = random.uniform(-1, 1, 2) if random.random() < 0.7 else np.zeros(2)
        planes = [shift(background[..., c], moved, order=3, mode="nearest") for c in range(3)]
        pictures.append(np.stack(planes, axis=2) + grain())
    stored = [np.clip(np.rint(255 * picture), 0, 255).astype(np.uint8) for picture in pictures]
    if random.random() < (0.55 if background is None else 0.25):
        quality, sampling = int(random.integers(70, 97)), int(random.choice((0, 2), p=(0.2, 0.8)))
        stored = [_as_jpeg(picture, quality, sampling) for picture in stored]
    return stored[0], stored[1] if background is not None else None


def _as_jpeg(pixels: Bytes, quality: int, sampling: int) -> Bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling=sampling)
    return np.array(Image.open(file))
