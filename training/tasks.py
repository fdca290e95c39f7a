"""What networks are trained for: pictures with trimaps, and pictures before a known background."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

import maps
from keyed_scenes import make_keyed_scene
from scenes import Bytes, Floats, make_scene

import trimatte as tm
from trimatte.keying._inputs import colour_image
from trimatte.keying._key import field
from trimatte.keying._plate import aligned
from trimatte.keying.matte import known_before
from trimatte.priors import background_fusion, fusion


class Prepared(NamedTuple):
    """A scene as the training reads it.

    Attributes
    ----------
    maps : (N, H, W) ndarray of float32
        What the network sees.
    refined : (H, W) ndarray of float32
        The alpha that it corrects.
    trimap : (H, W) ndarray of uint8
        0 = background, 128 = unknown, 255 = foreground.
    alpha : (H, W) ndarray of float32
        The truth.
    textured : bool
        Whether a layer is a photograph.
    """

    maps: Floats
    refined: Floats
    trimap: Bytes
    alpha: Floats
    textured: bool


class Layout(NamedTuple):
    """Which maps are what.

    Attributes
    ----------
    maps : int
        The number of maps.
    colours : int
        So many of the first maps are triples of colours, whose channels change places together.
    refined, unknown : int
        The maps 2 alpha - 1 of the alpha that is corrected, and of 1 at unknown pixels.
    """

    maps: int
    colours: int
    refined: int
    unknown: int


class Course(NamedTuple):
    """One course of training."""

    steps: int
    rate: float
    """Largest rate of learning."""
    square: float
    """Weight of the squared error, which is largest where alpha is altogether wrong."""
    slope: float
    """Weight of the error of the differences between neighbours, which keeps edges sharp."""


class Task(NamedTuple):
    """What a network is trained for.

    Attributes
    ----------
    prepare : callable
        Makes a `Prepared` scene from its number and the photographs; None if it can't be used.
    layout : Layout
        Which maps are what.
    courses : tuple of Course
        The courses of training, one after another.
    hardest : float
        Scenes in which the refined alpha has a larger mean error are left out.
    maps_version : int
        The version of the maps, which the package compares.
    scenes : int
        The number of scenes.
    file : str
        The file of weights in the package.
    """

    prepare: Callable[[int, Sequence[Bytes]], Prepared | None]
    layout: Layout
    courses: tuple[Course, ...]
    hardest: float
    maps_version: int
    scenes: int
    file: str


def with_trimap(number: int, photographs: Sequence[Bytes]) -> Prepared:
    """Prepare a scene of `scenes.py`: all methods answer."""
    scene = make_scene(number, photographs)
    answers = maps.ask(scene.image, scene.trimap, seed=number)
    seen = maps.make_maps(scene.image, scene.trimap, answers)
    return Prepared(seen, answers.refined, scene.trimap, scene.alpha, scene.textured)


def before_background(number: int, photographs: Sequence[Bytes]) -> Prepared | None:
    """Prepare a scene of `keyed_scenes.py`: the keyer finds the background, a trimap and a first alpha."""
    scene = make_keyed_scene(number, photographs)
    warnings.simplefilter("ignore", tm.TrimatteWarning)
    picture = colour_image(scene.image)
    try:
        behind = field(picture, scene.key) if scene.plate is None else aligned(picture, colour_image(scene.plate))
        known = known_before(picture, behind, scene.solid, "auto")
    except ValueError:  # the background is not found, or nothing before it is sure
        return None
    seen, refined = maps.make_keyed_maps(known)
    return Prepared(seen, refined, known.trimap, scene.alpha, True)


TASKS = {
    "trimap": Task(
        prepare=with_trimap,
        layout=Layout(maps=12, colours=3, refined=6, unknown=8),
        courses=(
            Course(steps=12_000, rate=3e-3, square=1.0, slope=0.5),
            Course(steps=5_000, rate=1.5e-3, square=4.0, slope=1.0),
            Course(steps=6_000, rate=1.5e-3, square=6.0, slope=2.0),
        ),
        hardest=0.2,
        maps_version=fusion.MAPS_VERSION,
        scenes=1_400,
        file=fusion.WEIGHTS,
    ),
    "background": Task(
        prepare=before_background,
        layout=Layout(maps=15, colours=6, refined=7, unknown=11),
        courses=(Course(steps=6_000, rate=3e-3, square=2.0, slope=1.0),),
        hardest=0.35,
        maps_version=background_fusion.MAPS_VERSION,
        scenes=1_000,
        file=background_fusion.WEIGHTS,
    ),
}
