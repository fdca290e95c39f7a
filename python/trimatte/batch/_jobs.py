"""What is to be done: jobs from patterns of files, from a manifest, or from anywhere."""

from __future__ import annotations

import csv
import glob
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import methods
from .._arguments import AffinityOptions, AlphaOptions, SolveOptions
from .._check import meant
from .._pipeline import CHANNELS
from .._pipeline.finishing import OPTIONS as FINISHING
from .._pipeline.finishing import finishing_of
from .._pipeline.outputs import refuse_unusable
from ..errors import BatchError
from ..foreground import DEFAULT
from ..foreground.estimate import chosen
from ..io.formats import depth_of
from ..io.names import filesystem, is_url, place_of, with_slashes

# Columns of a manifest that are files' names.
FILES = ("image", "trimap", "mask", "output", "cutout", "alpha", "foreground")
# What an item can leave behind, and how many channels that has.
KINDS = {kind: CHANNELS[kind] for kind in ("cutout", "alpha", "foreground")}
# Arguments of `solve_alpha` and of `cutout` that a job may give besides the options of its method.
OPTIONS = (
    AlphaOptions.__optional_keys__ - AffinityOptions.__optional_keys__ - {"confidence", "threads", "progress"}
) | {"foreground_method", *FINISHING}
# Arguments of `matte_from_mask` that only a job with a mask may give.
_OF_MASK = frozenset({"band", "threshold", "learn"})
# All that a job with a mask may give besides the options of its method.
_MASK_OPTIONS = (
    (SolveOptions.__optional_keys__ & OPTIONS) | {"method", "seed", "foreground_method", *FINISHING} | _OF_MASK
)
_REFINING = "closed-form"
"""The affinity that refines a mask."""


@dataclass(frozen=True)
class Job:
    """One picture and what is to be made of it.

    Attributes
    ----------
    image : str or path-like
        A picture file or URL.
    outputs : dict of str to str
        The files to write, by what they are: "cutout" (RGBA), "alpha" (grey), "foreground" (RGB).
    trimap : str, optional
        A trimap file; or
    mask : str, optional
        a rough mask, from which :func:`trimatte.matte_from_mask` makes the matte.
    options : dict, optional
        Arguments of :func:`trimatte.solve_alpha` that this item has for itself, such as `method` or
        `epsilon`; with a mask those of :func:`trimatte.matte_from_mask`: `band`, `threshold`,
        `learn`, `seed` and those that concern the solve. `foreground_method` is the method of
        :func:`trimatte.estimate_foreground`. `levels` (black, white and perhaps gamma), `specks`,
        `choke`, `crop`, `margin`, `hidden_colour` and `quality` are what is done with the matte, as
        the options of ``trimatte cutout``.

    Raises
    ------
    BatchError
        If there is not exactly one of `trimap` and `mask`, no output, an unknown kind of output,
        one that its format cannot hold, or an unknown option; if an output is an input or another
        output.
    """

    image: str
    outputs: Mapping[str, str]
    trimap: str | None = None
    mask: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("image", "trimap", "mask"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, os.fspath(value))
        object.__setattr__(self, "outputs", {kind: os.fspath(path) for kind, path in self.outputs.items()})
        if (self.trimap is None) == (self.mask is None):
            got = "both" if self.trimap else "neither"
            raise BatchError(f"{self.image}: expected a trimap or a mask, got {got}")
        if not self.outputs:
            raise BatchError(f"{self.image}: expected an output, got none")
        self._check_options()
        self._check_outputs()

    def _check_options(self) -> None:
        """Raise BatchError at an option that `solve_alpha` or `matte_from_mask` would not take."""
        options = self.options
        method = options.get("method", methods.DEFAULT)
        if self.mask is not None and "prior" in options:
            raise BatchError(f"{self.image}: a mask is a prior; expected no other, got {options['prior']!r}")
        if self.mask is not None and method not in (methods.AUTO, _REFINING):
            raise BatchError(f"{self.image}: a mask is refined by {_REFINING}, got method {method!r}")
        known, guide = (OPTIONS, "trimap") if self.mask is None else (_MASK_OPTIONS, "mask")
        of_method = methods.option_names()
        for name in options:
            if name not in known and name not in of_method:
                every = sorted(known | of_method)
                wanted, got = f"{', '.join(every)} with a {guide}", f"got {name!r}{meant(name, every)}"
                raise BatchError(f"{self.image}: expected options of {wanted}, {got}")
        try:
            methods.chosen_among(options)
            chosen(options.get("foreground_method", DEFAULT), {}, "foreground_method")
            finishing_of({name: value for name, value in options.items() if name in FINISHING})
        except (ValueError, TypeError) as error:
            raise BatchError(f"{self.image}: {error}") from error
        prior = options.get("prior")
        if isinstance(prior, str) and prior not in methods.PRIORS:
            got = f"got {prior!r}{meant(prior, methods.PRIORS)}"
            raise BatchError(f"{self.image}: expected a prior of {', '.join(methods.PRIORS)}, {got}")

    def _check_outputs(self) -> None:
        """Raise BatchError at an output that cannot be written, or is another file of the job."""
        for kind in self.outputs:
            if kind not in KINDS:
                raise BatchError(f"{self.image}: expected an output of {', '.join(KINDS)}, got {kind!r}")
        try:
            refuse_unusable([(path, KINDS[kind]) for kind, path in self.outputs.items()], self.inputs)
        except ValueError as error:
            raise BatchError(str(error)) from error

    @property
    def inputs(self) -> tuple[str, ...]:
        """The files to read."""
        guide = self.trimap if self.mask is None else self.mask
        assert guide is not None
        return self.image, guide

    @property
    def key(self) -> str:
        """What tells this item from others: the files it writes."""
        return "\n".join(sorted(place_of(path) for path in self.outputs.values()))


def jobs_from_files(
    images: str,
    output: str,
    *,
    trimaps: str | None = None,
    masks: str | None = None,
    what: Sequence[str] = ("cutout",),
    options: Mapping[str, Any] | None = None,
) -> list[Job]:
    """Make a job for every picture that matches a pattern.

    Parameters
    ----------
    images : str
        A pattern such as ``"photos/*.jpg"`` or ``"photos/**/*.png"``; local, or a URL that fsspec
        can list. The name of a file means that file, whatever it has in it.
    output : str
        Template of the outputs' names, such as ``"out/{stem}.png"``. ``{stem}`` is the picture's
        name without ending, ``{name}`` its name, ``{folder}`` the folder it is in, below the
        pattern's fixed part, ``{what}`` the kind of output.
    trimaps, masks : str
        Template of the trimaps' or the masks' names; one of the two.
    what : sequence of {"cutout", "alpha", "foreground"}, default ("cutout",)
        What to write. For several, `output` has ``{what}``.
    options : dict, optional
        Options of all jobs; see :class:`Job`.

    Returns
    -------
    list of Job
        In the order of the pictures' names.

    Raises
    ------
    BatchError
        If no picture matches, a template has an unknown field, or two jobs have one output.
    """
    images, what = with_slashes(os.fspath(images)), (what,) if isinstance(what, str) else what
    found = _matches(images)
    if not found:
        raise BatchError(f"{images}: no picture matches")
    root = _fixed_part(images)
    jobs = []
    for image in found:
        fields = _fields(image, root)

        def filled(template: str, name: str, fields: Mapping[str, str] = fields, **more: str) -> str:
            try:
                return template.format(**fields, **more)
            except (KeyError, IndexError, ValueError, AttributeError) as error:
                known = ", ".join("{" + key + "}" for key in (*fields, *more))
                raise BatchError(f"{name}: expected fields of {known}, got {template!r}") from error

        jobs.append(
            Job(
                image,
                {kind: filled(output, "output", what=kind) for kind in what},
                None if trimaps is None else filled(trimaps, "trimaps"),
                None if masks is None else filled(masks, "masks"),
                dict(options or {}),
            )
        )
    return list(checked(jobs))


def jobs_from_manifest(path: str | os.PathLike[str], *, options: Mapping[str, Any] | None = None) -> list[Job]:
    """Read jobs from a CSV file (.csv) or from JSON lines (any other ending).

    Each row, or object, has ``image``, ``trimap`` or ``mask``, one or more of ``cutout``, ``alpha``
    and ``foreground`` (``output`` is the same as ``cutout``), and, if wanted, options of
    :class:`Job`, which count before `options`: all but ``start``, such as ``method``,
    ``known_weight``, or ``learn`` (true or false). Names are relative to the manifest's folder.
    Empty cells are as if they were not there.

    Raises
    ------
    BatchError
        If the file is no such manifest, a row is wrong (its number is said), or two jobs have one
        output.
    OSError
        If it cannot be read.
    """
    if is_url(os.fspath(path)):
        raise BatchError(f"{path}: a manifest is a local file")
    place = Path(path)
    rows: list[tuple[int, dict[str, Any]]] = []
    try:
        text = place.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BatchError(f"{place}: expected UTF-8 ({error})") from error
    if place.suffix.lower() == ".csv":
        reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
        header = reader.fieldnames or []
        if "image" not in header or not {"trimap", "mask"} & set(header):
            got = ", ".join(header) or "none"
            raise BatchError(f"{place}: expected columns image, and trimap or mask, got {got}")
        if not {"output", *KINDS} & set(header):
            raise BatchError(f"{place}: expected a column of output, {', '.join(KINDS)}, got {', '.join(header)}")
        for row in reader:
            if None in row:
                cells = f"{len(header) + len(row[None])} cells, expected {len(header)}"
                raise BatchError(f"{place}, line {reader.line_num}: got {cells}; quote a name that has a comma")
            rows.append((reader.line_num, {k: v if k in FILES else _value(v) for k, v in row.items() if v}))
    else:
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                try:
                    row = json.loads(line)
                except json.JSONDecodeError as error:
                    raise BatchError(f"{place}, line {number}: expected a JSON object ({error})") from error
                if not isinstance(row, dict):
                    raise BatchError(f"{place}, line {number}: expected a JSON object, got {type(row).__name__}")
                rows.append((number, row))
    if not rows:
        raise BatchError(f"{place}: no jobs")
    jobs = []
    for number, row in rows:
        try:
            jobs.append(_job_of(row, place.parent, options or {}))
        except BatchError as error:
            raise BatchError(f"{place}, line {number}: {error}") from error
    return list(checked(jobs))


def _job_of(row: dict[str, Any], folder: Path, options: Mapping[str, Any]) -> Job:
    row = dict(row)

    def taken(name: str) -> str | None:
        value = row.pop(name, None)
        if value is None:
            return None
        if not isinstance(value, str):
            raise BatchError(f"{name}: expected a file's name, got {value!r}")
        return value if is_url(value) else str(folder / value)

    image, trimap, mask = taken("image"), taken("trimap"), taken("mask")
    if image is None:
        raise BatchError("expected an image, got none")
    outputs = {kind: path for kind in KINDS if (path := taken(kind)) is not None}
    output = taken("output")
    if output is not None:
        if "cutout" in outputs:
            raise BatchError("expected output or cutout, got both")
        outputs["cutout"] = output
    columns = sorted((OPTIONS | _OF_MASK | set(methods.options())) - {"start"})
    for name in row:
        if name not in columns:
            got = f"got {name!r}{meant(name, columns)}"
            raise BatchError(f"{image}: expected options of {', '.join(columns)}, {got}")
    return Job(image, outputs, trimap, mask, {**options, **row})


def _value(text: str) -> Any:
    """Return what a cell means: a number, true or false if it looks like one."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def checked(jobs: Iterable[Job], bits: int | None = None) -> Iterator[Job]:
    """Pass jobs on; raise BatchError at the first that writes what another writes or reads."""
    inputs: set[str] = set()
    owners: dict[str, str] = {}
    for job in jobs:
        if not isinstance(job, Job):
            raise TypeError(f"jobs: expected an iterable of Job, got {type(job).__name__} in it")
        for path in job.inputs:
            inputs.add(place_of(path))
            if place_of(path) in owners:
                raise BatchError(f"{path}: is an output of {owners[place_of(path)]} and an input of {job.image}")
        for kind, path in job.outputs.items():
            place = place_of(path)
            if place in owners:
                raise BatchError(f"{path}: is the output of {owners[place]} and of {job.image}")
            if place in inputs:
                raise BatchError(f"{path}: is an output of {job.image} and an input of another item")
            try:
                depth_of(path, bits, KINDS[kind])
            except ValueError as error:
                raise BatchError(str(error)) from error
            owners[place] = job.image
        yield job


def _matches(pattern: str) -> list[str]:
    if os.path.isfile(pattern):
        return [pattern]
    if not is_url(pattern):
        found = (path for path in glob.glob(pattern, recursive=True) if os.path.isfile(path))
        return sorted(map(with_slashes, found))
    files, path = filesystem(pattern)
    return sorted(files.unstrip_protocol(match) for match in files.glob(path))


def _fixed_part(pattern: str) -> str:
    """Return the folder of a pattern before its first wildcard."""
    if os.path.isfile(pattern):
        return os.path.dirname(pattern)
    parts = pattern.split("/")
    wild = next((i for i, part in enumerate(parts) if glob.has_magic(part)), len(parts) - 1)
    return "/".join(parts[:wild])


def _fields(image: str, root: str) -> dict[str, str]:
    name = image.rsplit("/", 1)[-1] if is_url(image) else os.path.basename(image)
    folder = image[: len(image) - len(name)].rstrip("/")
    below = folder[len(root) :].strip("/") if folder.startswith(root) else folder
    return {"stem": os.path.splitext(name)[0], "name": name, "folder": below or "."}
