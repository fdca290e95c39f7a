"""One picture from files to files: read, find alpha, find the colours, write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy.typing as npt

from .._pixels import eight_bits
from .._records import Progress, SolveInfo
from .._runtime.clock import Clock
from ..composite import composite
from ..foreground import DEFAULT, ForegroundMethod, Layers, estimate_foreground
from ..io.picture import Picture
from ..io.read import Source, name_of, read_opaque
from ..io.write import Output, check_folder, save_pictures
from .backdrop import Backdrop, as_rgb
from .finishing import UNFINISHED, Finishing
from .guides import Found, Guide
from .results import Results

Pixels = npt.NDArray[Any]

CHANNELS = {"cutout": 4, "composite": 3, "alpha": 1, "foreground": 3, "background": 3, "trimap": 1}
"""What can be written, and how many channels it has."""


@dataclass(frozen=True)
class Item:
    """One picture and what is to be made of it.

    Attributes
    ----------
    image : str, bytes, binary file or Picture
        The picture file, what it holds, or what was read from it.
    guide : Guide
        What says where its foreground is.
    outputs : dict of str to str
        The files to write, by what they are: keys of `CHANNELS`.
    colour_space : str or None
        What the picture's colours are; None stands for the convention of its kind of file.
    bits : int or None
        See `trimatte.io.formats.depth_of`.
    exact_composite : bool
        See `trimatte.estimate_foreground`.
    backdrop : Backdrop or None
        What a composite is put over.
    foreground_method : str or ForegroundMethod
        See `trimatte.estimate_foreground`.
    finishing : Finishing
        What is done with the matte before it is written.
    """

    image: Source | Picture
    guide: Guide
    outputs: Mapping[str, str]
    colour_space: str | None = None
    bits: int | None = None
    exact_composite: bool = True
    backdrop: Backdrop | None = None
    foreground_method: str | ForegroundMethod = DEFAULT
    finishing: Finishing = UNFINISHED


@dataclass
class Run:
    """How an item is run, and what is noted on the way.

    Attributes
    ----------
    threads : int or None
        How many threads it may use.
    clock : Clock
        Takes the seconds of the phases "read", "alpha", "foreground" and "write".
    record : dict
        Gets "height" and "width" of the picture, and "alpha", the record of the solve, as soon as
        they are known.
    progress : callable
        Gives a context with the callback that a long phase tells how far it is.
    joining : str
        The phase that the making of cutouts and composites counts for.
    mark : str
        Is in the names of temporary files, so that a run can find what it left when it was killed.
    durable : bool
        Whether files are on the disk before they get their names.
    """

    threads: int | None = None
    clock: Clock = field(default_factory=Clock)
    record: dict[str, Any] = field(default_factory=dict)
    progress: Callable[[], AbstractContextManager[Progress | None]] = nullcontext
    joining: str = "write"
    mark: str = ""
    durable: bool = False


class Solved(NamedTuple):
    """What is found for an item, from which its outputs are made.

    Attributes
    ----------
    results : Results
        The picture, and how files of its results are encoded.
    alpha : (H, W) ndarray
        Opacity in [0, 1].
    info : SolveInfo or None
        How alpha was found; None if it was given.
    layers : Layers or None
        The colours; None if alpha alone is wanted.
    backdrop : Backdrop or None
        What a composite is put over, read.
    trimap : (H, W) ndarray or None
        The trimap that was solved; None if there was none.
    """

    results: Results
    alpha: Pixels
    info: SolveInfo | None
    layers: Layers | None
    backdrop: Backdrop | None
    trimap: Pixels | None = None


def matte(item: Item, run: Run) -> SolveInfo | None:
    """Make all outputs of an item, or none, and return how alpha was found; None if it was given.

    Raises
    ------
    PictureError
        If a file cannot be read or written.
    ValueError, TypeError, ConvergenceError, FactorizationError
        As `trimatte.solve_alpha`, `trimatte.matte_from_mask` and `trimatte.estimate_foreground`
        raise them. A ValueError also says that a file's format cannot hold what it is to hold; this
        is found out before anything is solved.
    """
    for path in item.outputs.values():
        check_folder(path)
    made, info = prepared(item, run)
    with run.clock.phase("write"):
        save_pictures(made, mark=run.mark, durable=run.durable)
    return info


def prepared(item: Item, run: Run) -> tuple[list[Output], SolveInfo | None]:
    """Make what `matte` writes, without writing it; the names of the outputs say their formats."""
    solved = solve_item(item, run)
    with run.clock.phase(run.joining):
        matte = item.finishing.alpha(solved.alpha)
        made, box = item.finishing.cropped(outputs_of(item, solved._replace(alpha=matte)), matte)
    if box is not None:
        run.record.update(crop=list(box), height=box.bottom - box.top, width=box.right - box.left)
    return made, solved.info


def solve_item(item: Item, run: Run) -> Solved:
    """Read an item's files and find all that its outputs are made of; `matte` says what is raised."""
    with run.clock.phase("read"):
        picture = item.image if isinstance(item.image, Picture) else read_opaque(item.image)
        backdrop = None if item.backdrop is None else item.backdrop.read()
    results = Results(picture, item.colour_space or picture.colour_space, item.bits)
    results.check((path, CHANNELS[kind]) for kind, path in item.outputs.items())
    alpha, info, layers, trimap = _found_alpha(item, results, run)
    if layers is None and not set(item.outputs) <= {"alpha", "trimap"}:
        chroma = "auto" if info is not None and info.chroma == "half" else "full"
        layers = _found_layers(item, results, alpha, chroma, run)
    return Solved(results, alpha, info, layers, backdrop, trimap)


def outputs_of(item: Item, solved: Solved) -> list[Output]:
    """Make what is written to the item's files, in their order."""
    return [_output(item, solved, kind) for kind in item.outputs]


def _found_alpha(item: Item, results: Results, run: Run) -> Found:
    picture, space, guide = results.picture, results.space, item.guide
    with run.clock.phase("read"):
        known = guide.read(picture, space)
    height, width = picture.pixels.shape[:2]
    run.record.update(height=height, width=width)
    if guide.is_alpha:
        return guide.solve(picture.pixels, known, colour_space=space, threads=run.threads, progress=None)
    with run.clock.phase("alpha"), run.progress() as progress:
        found = guide.solve(picture.pixels, known, colour_space=space, threads=run.threads, progress=progress)
    run.record["alpha"] = None if found.info is None else found.info.as_dict()
    return found


def _found_layers(item: Item, results: Results, alpha: Pixels, chroma: str, run: Run) -> Layers:
    with run.clock.phase("foreground"), run.progress() as progress:
        return estimate_foreground(
            results.picture.pixels,
            alpha,
            method=item.foreground_method,
            exact_composite=item.exact_composite,
            colour_space=results.space,
            chroma=chroma,
            threads=run.threads,
            progress=progress,
        )


def _output(item: Item, solved: Solved, kind: str) -> Output:
    """Make what is written to one file."""
    results, alpha, layers, backdrop = solved.results, solved.alpha, solved.layers, solved.backdrop
    path, picture = item.outputs[kind], results.picture
    if kind == "alpha":
        return results.alpha(path, alpha)
    if kind == "trimap":
        assert solved.trimap is not None
        return Output(path, eight_bits(solved.trimap), depth="uint8")
    assert layers is not None
    if kind == "cutout":
        colours = item.finishing.colours(layers.foreground, picture.pixels, alpha, results.depth(path, 4))
        return results.cutout(path, colours, alpha)
    if kind == "composite":
        assert backdrop is not None
        name = "the picture" if isinstance(item.image, Picture) else name_of(item.image)
        back = backdrop.under(picture, name, results.space, item.colour_space)
        return results.colours(path, composite(as_rgb(layers.foreground), alpha, back, colour_space="linear"))
    return results.colours(path, layers.foreground if kind == "foreground" else layers.background)
