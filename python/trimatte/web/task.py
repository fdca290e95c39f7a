"""What a worker process does with one request."""

from __future__ import annotations

import io
import os
import tempfile
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import _core
from .._pipeline import Guide, Item, KnownBackground, Run, Solved, Trimap, outputs_of, solve_item
from ..errors import ConvergenceError, FactorizationError, TrimatteError
from ..foreground import DEFAULT
from ..io.deep import use_threads
from ..io.read import Source
from ..io.write import encoded
from .errors import Refused
from .finish import Finish, finished
from .rough import Levelled, Model, network

MEDIA_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".tif": "image/tiff",
    ".exr": "image/x-exr",
}
"""What the answers are, by the ending of the file's name."""


class File(io.BytesIO):
    """The content of a picture; messages call it by the name of its field.

    Parameters
    ----------
    content : bytes
        What the file holds.
    name : str
        The field's name. Nothing of this name is opened.
    """

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content)
        self.name = name


@dataclass(frozen=True)
class Task:
    """One picture and what is to be made of it.

    Attributes
    ----------
    files : dict of str to bytes
        Pictures by the names of their fields: "image", what guides it ("trimap", "scribbles" or
        "mask"), and what `finish` puts behind it ("bg_image_file").
    outputs : tuple of str
        "cutout", "alpha" or "foreground"; several come as a ZIP archive.
    suffix : str
        The ending of the outputs' names, which says their format.
    options : dict
        Arguments of `trimatte.solve_alpha`, or of `trimatte.matte_from_mask` for a mask.
    key : str or None
        The colour of an even background; see `trimatte.matte_from_key`.
    solid : bool
        See `trimatte.matte_from_key`.
    model : Model or None
        The segmentation network that finds a mask, if there is no guide.
    levels : (int, int, bool)
        Values of a mask, from 0 to 255, that count as 0 and as 1, and whether specks are removed
        from it.
    refine : bool
        Whether a mask is refined; otherwise it is alpha.
    finish : Finish or None
        What is made of the cutout, in place of `outputs`.
    settings : dict
        Further fields of the pipeline's item: colour_space, bits, foreground_method.
    threads : int
        Threads of the solve.
    """

    files: Mapping[str, bytes]
    outputs: tuple[str, ...] = ("cutout",)
    suffix: str = ".png"
    options: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None
    solid: bool = True
    model: Model | None = None
    levels: tuple[int, int, bool] = (0, 255, False)
    refine: bool = True
    finish: Finish | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    threads: int = 1


@dataclass(frozen=True)
class Answer:
    """What a worker has made.

    Attributes
    ----------
    content : bytes
        A picture, or a ZIP archive of several.
    media_type : str
        What it is.
    headers : dict of str to str
        What else is worth saying.
    """

    content: bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


def prepare(folder: str, most_pixels: int, model: Model | None) -> int:
    """Open what tasks need, set the limits of this process, and return its number."""
    import scipy.ndimage  # noqa: F401
    from PIL import Image

    tempfile.tempdir = folder
    Image.MAX_IMAGE_PIXELS = max(1, most_pixels // 2)  # twice this is refused
    if model is not None:
        network(model)
    return os.getpid()


def work(task: Task) -> Answer:
    """Do a task.

    Raises
    ------
    Refused
        If the request is wrong, or cannot be served.
    """
    run = Run(task.threads)
    try:
        use_threads(task.threads)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            answer = _made(task, run)
    except MemoryError:
        raise Refused(503, "no_memory", "the service has too little memory for this picture", 10) from None
    except (ConvergenceError, FactorizationError) as error:
        raise Refused(422, "no_solution", _one_line(error)) from None
    except (TrimatteError, ValueError, TypeError) as error:
        raise Refused(400, "bad_input", _one_line(error)) from None
    finally:
        use_threads(None)
    said = "; ".join(dict.fromkeys(_one_line(warning.message) for warning in caught))
    headers = {"Server-Timing": ", ".join(f"{n};dur={1000 * s:.1f}" for n, s in run.clock.seconds.items())}
    if said:
        headers["X-Trimatte-Warnings"] = said.encode("ascii", "replace").decode()[:1000]
    return Answer(answer.content, answer.media_type, {**answer.headers, **headers})


def _one_line(error: object) -> str:
    return " ".join(str(error).split())


def _made(task: Task, run: Run) -> Answer:
    files = {name: File(content, name) for name, content in task.files.items()}
    outputs = {"cutout": "cutout.png"} if task.finish else {kind: kind + task.suffix for kind in task.outputs}
    settings = {"foreground_method": DEFAULT, **task.settings}
    item = Item(files["image"], _guide(task, files), outputs, **settings)
    solved = solve_item(item, run)
    with run.clock.phase("write"):
        if task.finish is not None:
            return _finished(task.finish, item, solved, files)
        made = {str(output.path): encoded(output) for output in outputs_of(item, solved)}
    return _sent(made, {"X-Trimatte-Version": _core.__version__})


def _guide(task: Task, files: Mapping[str, Source]) -> Guide:
    """Return what says where the foreground is."""
    if "trimap" in files or "scribbles" in files:
        return Trimap(files.get("trimap"), files.get("scribbles"), task.options)
    if task.key is not None:
        return KnownBackground(task.key, None, task.solid, task.options)
    return Levelled(files.get("mask"), task.model, *task.levels, task.refine, task.options)


def _finished(finish: Finish, item: Item, solved: Solved, files: Mapping[str, File]) -> Answer:
    (cutout,) = outputs_of(item, solved)
    return _sent(*finished(finish, cutout.pixels, cutout.icc_profile, files.get("bg_image_file")))


def _sent(files: Mapping[str, bytes], headers: Mapping[str, str]) -> Answer:
    """Return one file as it is, and several as an archive."""
    if len(files) > 1:
        return Answer(zipped(files), "application/zip", headers)
    ((name, content),) = files.items()
    return Answer(content, MEDIA_TYPES[os.path.splitext(name)[1]], headers)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return an archive; pictures are compressed already."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as out:
        for name, content in files.items():
            out.writestr(zipfile.ZipInfo(name), content)  # without a time: equal requests, equal bytes
    return archive.getvalue()
