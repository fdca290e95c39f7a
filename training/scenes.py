"""Pictures with trimaps to train on: exact alphas of rendered scenes, before and behind photographs.

Every scene follows from its number and the photographs alone. Its shapes are one of the five kinds
of `trimatte.datasets` with a seed that no test and no benchmark uses. Most backgrounds and half of
the foregrounds are crops of photographs. Then come what cameras and people do: focus, motion,
exposure, noise, JPEG, grey, and trimaps from tight to nearly empty.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates

import trimatte as tm

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

KINDS = (tm.datasets.dandelion, tm.datasets.hair, tm.datasets.net, tm.datasets.flower, tm.datasets.glass)
SHARE_OF_KINDS = (0.25, 0.27, 0.22, 0.11, 0.15)
FIRST_SEED = 10_000
"""Seeds of tests, benchmarks and the suite are below."""


class TrainingScene(NamedTuple):
    """A picture with its trimap and its true alpha.

    Attributes
    ----------
    image : (H, W, 3) ndarray of uint8
        The picture.
    trimap : (H, W) ndarray of uint8
        0 = background, 128 = unknown, 255 = foreground.
    alpha : (H, W) ndarray of float32
        The truth.
    textured : bool
        Whether a layer is a photograph.
    """

    image: Bytes
    trimap: Bytes
    alpha: Floats
    textured: bool


def make_scene(number: int, photographs: Sequence[Bytes]) -> TrainingScene:
    """Make the scene of this number.

    Parameters
    ----------
    number : int
        Number of the scene, from 0 on.
    photographs : sequence of (H, W, 3) ndarray of uint8
        What layers are painted with.

    Returns
    -------
    TrainingScene
    """
    random = np.random.default_rng((77, number))
    _, alpha, foreground, background = shapes(random, number)
    size = alpha.shape
    textured = False
    if random.random() < 0.85:
        background, textured = crop(random, photographs, size), True
    if random.random() < 0.5:
        foreground, textured = crop(random, photographs, size), True
    if random.random() < 0.15:
        foreground = nearer(random, foreground, background)
    if random.random() < 0.2:
        foreground = with_rims(random, alpha, foreground, photographs)
    alpha, foreground, background = focused(random, alpha, foreground, background)
    image = _mixed(random, alpha, foreground, background)
    return TrainingScene(_photographed(random, image), _trimap(random, alpha), alpha, textured)


def shapes(random: np.random.Generator, number: int) -> tuple[str, Floats, Floats, Floats]:
    """Render a scene, mirrored at random, or a part of a larger one.

    Returns its kind, alpha, foreground and background.
    """
    pixels = 1e6 * np.exp(random.uniform(np.log(0.06), np.log(0.40)))
    aspect = np.exp(random.uniform(-0.45, 0.45))
    part = 1.0 if random.random() < 0.6 else random.uniform(1.2, 2.0)
    height, width = round((pixels / aspect) ** 0.5), round((pixels * aspect) ** 0.5)
    draw = KINDS[random.choice(len(KINDS), p=SHARE_OF_KINDS)]
    scene = draw(round(height * part), round(width * part), seed=FIRST_SEED + number)
    layers = (scene.alpha, scene.foreground, scene.background)
    if part > 1:
        layers = _busiest_part(random, layers, height, width)
    if random.random() < 0.5:
        layers = tuple(layer[:, ::-1] for layer in layers)
    alpha, foreground, background = (np.ascontiguousarray(layer) for layer in layers)
    return draw.__name__, alpha, foreground, background


def _busiest_part(
    random: np.random.Generator, layers: tuple[Floats, ...], height: int, width: int
) -> tuple[Floats, ...]:
    """Return the part, of ten random ones, that has the most mixed pixels beside both kinds."""
    best, most = None, -1.0
    for _ in range(10):
        y = int(random.integers(layers[0].shape[0] - height + 1))
        x = int(random.integers(layers[0].shape[1] - width + 1))
        alpha = layers[0][y : y + height, x : x + width]
        mixed = np.count_nonzero((alpha > 0) & (alpha < 1))
        kinds = min(np.count_nonzero(alpha == 0), np.count_nonzero(alpha == 1))
        score = min(mixed / alpha.size, 0.3) + min(kinds / alpha.size, 0.1)
        if score > most:
            best, most = (slice(y, y + height), slice(x, x + width)), score
    return tuple(layer[best] for layer in layers)


def crop(random: np.random.Generator, photographs: Sequence[Bytes], size: tuple[int, ...]) -> Floats:
    """Cut a part out of a photograph at a random scale; turn and mirror it at random."""
    photograph = photographs[int(random.integers(len(photographs)))]
    turns = int(random.choice(4, p=(0.7, 0.1, 0.1, 0.1)))
    photograph = np.rot90(photograph, turns)
    if random.random() < 0.5:
        photograph = photograph[:, ::-1]
    most = min(photograph.shape[0] / size[0], photograph.shape[1] / size[1])
    # A step below 0.5 would enlarge the photograph so much that it has no texture.
    step = np.exp(random.uniform(np.log(min(0.5, most)), np.log(max(most, 0.5))))
    step = min(step, most)
    height, width = (max(1, round(step * n)) for n in size)
    y = int(random.integers(photograph.shape[0] - height + 1))
    x = int(random.integers(photograph.shape[1] - width + 1))
    cut = Image.fromarray(np.ascontiguousarray(photograph[y : y + height, x : x + width]))
    filtered = cut.resize((size[1], size[0]), Image.Resampling.BICUBIC if step < 1 else Image.Resampling.BOX)
    result = np.asarray(filtered, np.float32) / 255
    if random.random() < 0.3:
        result = _out_of_focus(result, random.uniform(1, 6))
    return result


def _out_of_focus(layer: Floats, sigma: float) -> Floats:
    return np.asarray(gaussian_filter(layer, (sigma, sigma, 0)[: layer.ndim], mode="nearest"), np.float32)


def nearer(random: np.random.Generator, foreground: Floats, background: Floats) -> Floats:
    """Move the foreground's colours towards the background's mean."""
    by = np.float32(random.uniform(0.2, 0.6))
    return foreground + by * (background.mean(axis=(0, 1)) - foreground)


def with_rims(
    random: np.random.Generator, alpha: Floats, foreground: Floats, photographs: Sequence[Bytes]
) -> Floats:
    """Give the foreground other colours where it is not deep inside its shapes."""
    depth = gaussian_filter(alpha, random.uniform(2, 8), mode="nearest")
    rim = np.clip((0.9 - depth) / 0.3, 0, 1)[..., None]
    if random.random() < 0.5:
        other = crop(random, photographs, alpha.shape)
    else:
        other = np.broadcast_to(random.uniform(0, 1, 3).astype(np.float32), foreground.shape)
    return foreground + np.float32(random.uniform(0.3, 1)) * rim * (other - foreground)


def focused(
    random: np.random.Generator, alpha: Floats, foreground: Floats, background: Floats
) -> tuple[Floats, Floats, Floats]:
    """Put the foreground out of focus, or move it during the exposure, in a third of the scenes."""
    draw = random.random()
    if draw < 0.65:
        return alpha, foreground, background
    if draw < 0.85:
        sigma = random.uniform(0.5, 2.5)

        def soft(layer: Floats) -> Floats:
            return _out_of_focus(layer, sigma)

    else:
        length, angle = random.uniform(2, 14), random.uniform(0, np.pi)

        def soft(layer: Floats) -> Floats:
            return _moved(layer, length, angle)

    weighted = soft(alpha[..., None] * foreground)
    softened = soft(alpha)
    seen = softened[..., None] > 1e-3
    foreground = np.where(seen, weighted / np.maximum(softened, 1e-3)[..., None], foreground)
    softened[softened < 1 / 512] = 0
    softened[softened > 1 - 1 / 512] = 1
    return softened, np.clip(foreground, 0, 1), background


def _moved(layer: Floats, length: float, angle: float) -> Floats:
    """Return the mean over places on a line."""
    steps = max(2, round(length))
    y, x = np.mgrid[: layer.shape[0], : layer.shape[1]].astype(np.float32)
    planes = layer[..., None] if layer.ndim == 2 else layer
    result = np.zeros_like(planes)
    for t in np.linspace(-0.5, 0.5, steps):
        at = [y + t * length * np.sin(angle), x + t * length * np.cos(angle)]
        for c in range(planes.shape[2]):
            result[..., c] += map_coordinates(planes[..., c], at, order=1, mode="nearest")
    return result.reshape(layer.shape) / np.float32(steps)


def _mixed(random: np.random.Generator, alpha: Floats, foreground: Floats, background: Floats) -> Floats:
    """Mix the layers as powers of 1, 1.5 or 2.2, with a common exposure."""
    a = alpha[..., None]
    gamma = float(random.choice((1.0, 1.5, 2.2), p=(0.4, 0.3, 0.3)))
    image = (a * foreground**gamma + (1 - a) * background**gamma) ** (1 / gamma)
    draw = random.random()
    if draw < 0.1:
        image = image * random.uniform(0.2, 0.6)
    elif draw < 0.2:
        image = image * random.uniform(1.1, 1.6)
    return np.asarray(image, np.float32)


def _photographed(random: np.random.Generator, image: Floats) -> Bytes:
    """Add noise, and keep the picture as 8 bits, as JPEG, with few colours, or in grey."""
    if random.random() < 0.1:
        image = np.broadcast_to(image.mean(axis=2, keepdims=True), image.shape)
    noise = float(random.choice((0.002, 0.005, 0.012, 0.03), p=(0.35, 0.35, 0.2, 0.1)))
    if random.random() < 0.3:
        # Noise that has been through a camera's interpolation is smooth.
        grain = gaussian_filter(random.standard_normal(image.shape), (0.6, 0.6, 0)) * 2
    else:
        grain = random.standard_normal(image.shape)
    pixels = np.round(255 * np.clip(image + noise * grain, 0, 1)).astype(np.uint8)
    draw = random.random()
    if draw < 0.3:
        file = io.BytesIO()
        quality, sampling = int(random.integers(60, 97)), int(random.choice((0, 2)))
        Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling=sampling)
        return np.array(Image.open(file))
    if draw < 0.33:
        return np.array(Image.fromarray(pixels).quantize(64).convert("RGB"))
    return pixels


def _trimap(random: np.random.Generator, alpha: Floats) -> Bytes:
    """Draw a trimap: a band around what is mixed, as people draw it, or worse."""
    mixed = (alpha > 0) & (alpha < 1)
    # Edges that are sharp to the pixel lie between two known pixels.
    mixed[:, 1:] |= (alpha[:, 1:] > 0.5) != (alpha[:, :-1] > 0.5)
    mixed[1:] |= (alpha[1:] > 0.5) != (alpha[:-1] > 0.5)
    side = min(alpha.shape)
    draw = random.random()
    wide = (0.006, 0.07) if draw < 0.82 else (0.05, 0.16)
    band = max(2.0, side * np.exp(random.uniform(*np.log(wide))))
    distance = distance_transform_edt(~mixed)
    # The band of a person is wider in some places than in others.
    wobble = gaussian_filter(random.standard_normal(alpha.shape), side / 12, mode="nearest")
    wobble = np.exp(random.uniform(0, 0.6) * wobble / (wobble.std() + 1e-9))
    trimap = np.where(alpha > 0.5, 255, 0).astype(np.uint8)
    trimap[(distance <= band * wobble) | mixed] = 128
    _keep_some(random, trimap, alpha)
    if draw > 0.9:
        return _thinned(random, trimap)
    return trimap


def _keep_some(random: np.random.Generator, trimap: Bytes, alpha: Floats) -> None:
    """Mark pixels of a kind that has fewer than 1 % known pixels, as strokes would."""
    for value, place in ((0, alpha == 0), (255, alpha >= min(1.0, float(alpha.max())))):
        if np.count_nonzero(trimap == value) < trimap.size // 100 and place.any():
            deep = distance_transform_edt(np.pad(place, 1))[1:-1, 1:-1]
            wanted = min(np.count_nonzero(place), max(20, trimap.size // 100))
            trimap[place & (deep >= np.sort(deep[place])[-wanted])] = value


def _thinned(random: np.random.Generator, trimap: Bytes) -> Bytes:
    """Keep a few known pixels, at random or as strokes."""
    kept = np.zeros(trimap.shape, bool)
    if random.random() < 0.5:
        part = np.exp(random.uniform(np.log(0.01), np.log(0.2)))
        kept = random.random(trimap.shape) < part
    else:
        # Strokes are the places where a smooth random field is near a few levels.
        field = gaussian_filter(random.standard_normal(trimap.shape), min(trimap.shape) / 20, mode="nearest")
        level = np.abs(field / field.std() - random.uniform(-0.7, 0.7))
        kept = level < random.uniform(0.03, 0.15)
    thin = np.where(kept, trimap, 128).astype(np.uint8)
    for value in (0, 255):
        places = np.flatnonzero(trimap == value)
        if np.count_nonzero(thin == value) < 30 and len(places):
            thin.reshape(-1)[random.choice(places, min(len(places), 200), replace=False)] = value
    return thin
