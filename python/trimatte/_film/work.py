"""One frame: what a worker is given, and what it gives back."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from .._pipeline import Guide, Item, Run
from .._pipeline.finishing import UNFINISHED, Finishing
from .._pipeline.matting import prepared
from ..errors import TrimatteError
from ..foreground import DEFAULT
from ..io.deep import use_threads
from ..io.picture import Picture
from ..io.read import read_opaque
from ..io.write import save_pictures

MARK = "sequence-"
"""Part of the names of temporary files of frames, by which a run finds what a killed one left."""


@dataclass(frozen=True)
class Settings:
    """What all frames have in common.

    Attributes
    ----------
    what : str
        "cutout" or "alpha".
    colour_space : str or None
        What the pictures' colours are; None stands for the convention of their kind of file.
    bits : int or None
        Bits per sample of the results; see `trimatte.io.formats.depth_of`.
    foreground_method : str
        See `trimatte.estimate_foreground`.
    threads : int
        Threads for each frame.
    finishing : Finishing
        What is done with the mattes.
    """

    what: str
    colour_space: str | None = None
    bits: int | None = None
    foreground_method: str = DEFAULT
    threads: int = 1
    finishing: Finishing = UNFINISHED


@dataclass(frozen=True)
class FrameTask:
    """A frame to matte.

    Attributes
    ----------
    index : int
        Its place, from 0.
    label : str
        What messages call it.
    image : str or ndarray
        The picture file, or the pixels of a clip's frame.
    guide : Guide
        What says where the subject is.
    settings : Settings
        What all frames have in common.
    output : str or None
        The file to write; None: the pixels are given back.
    """

    index: int
    label: str
    image: str | npt.NDArray[Any]
    guide: Guide
    settings: Settings
    output: str | None


@dataclass
class Finished:
    """What became of a frame.

    Attributes
    ----------
    index : int
        The frame's place, from 0.
    label : str
        What messages call it.
    pixels : ndarray or None
        The result, if it was not written.
    record : dict
        How alpha was found, under "alpha"; "depth" is that of the picture.
    warnings : list of str
        What was warned of.
    """

    index: int
    label: str
    pixels: npt.NDArray[Any] | None
    record: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def work(task: FrameTask) -> Finished:
    """Matte a frame; errors name it."""
    use_threads(task.settings.threads)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            done = _matted(task)
    except (ValueError, TypeError, TrimatteError) as error:
        error.args = (f"{task.label}: {error}", *error.args[1:])
        raise
    done.warnings = [" ".join(str(warning.message).split()) for warning in caught]
    return done


def _matted(task: FrameTask) -> Finished:
    settings, run = task.settings, Run(task.settings.threads)
    picture = (
        read_opaque(task.image)
        if isinstance(task.image, str)
        else Picture(task.image, None, str(task.image.dtype))
    )
    name = task.output or "frame.png"
    item = Item(
        picture,
        task.guide,
        {settings.what: name},
        settings.colour_space,
        settings.bits,
        foreground_method=settings.foreground_method,
        finishing=settings.finishing,
    )
    made, _ = prepared(item, run)
    pixels = None
    if task.output is None:
        pixels = made[0].pixels
    else:
        save_pictures(made, mark=MARK)
    return Finished(task.index, task.label, pixels, {**run.record, "depth": picture.depth})
