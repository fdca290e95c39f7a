"""Data sets on disk: folders in a known layout, or any files that match patterns."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _check
from ..errors import DatasetError
from ..io.read import load_image
from ..trimap import trimap_from_mask
from ._dataset import Dataset, Sample, checked

_PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")


@dataclass(frozen=True)
class Layout:
    """Folders of a data set; for each part, the first that exists is taken.

    ``{trimap}`` stands for the trimap that was asked for. If there is no folder of trimaps, they
    are made from the truth.
    """

    title: str
    roots: tuple[str, ...]
    images: tuple[str, ...]
    truths: tuple[str, ...]
    trimaps: tuple[str, ...]
    trimaps_needed: bool = False


LAYOUTS = {
    "alphamatting": Layout(
        "training set of alphamatting.com",
        ("",),
        ("input_training_lowres", "input_training_highres", "input"),
        ("gt_training_lowres", "gt_training_highres", "gt"),
        ("trimap_training_lowres/{trimap}", "trimap_training_highres/{trimap}", "{trimap}"),
        trimaps_needed=True,
    ),
    "composition-1k": Layout(
        "test set like Composition-1k's",
        ("", "Test_set", "test"),
        ("merged", "merged_test"),
        ("alpha_copy", "alpha", "alphas"),
        ("trimaps", "trimap"),
        trimaps_needed=True,
    ),
    "image-alpha": Layout(
        "folder of pictures and mattes (AIM-500, P3M-500, AM-2k)",
        ("", "validation", "test"),
        ("original", "original_image", "blurred_image", "image", "images", "img"),
        ("mask", "masks", "alpha", "alphas", "matte", "gt"),
        ("trimap", "trimaps"),
    ),
}
# These sets share a layout.
LAYOUTS |= dict.fromkeys(("aim-500", "p3m-500", "am-2k"), LAYOUTS["image-alpha"])


@dataclass(frozen=True)
class FileSource:
    """Sample in files; a missing trimap is made from the truth."""

    name: str
    image: Path
    truth: Path
    trimap: Path | None
    radius: float | None

    def load(self) -> Sample:
        """Read the files."""
        image, truth = load_image(self.image), _grey(self.truth)
        trimap = made_trimap(truth, self.radius) if self.trimap is None else _grey(self.trimap)
        return checked(self.name, image, trimap, truth)

    def state(self) -> str:
        """Return names, sizes and times of the files."""
        parts = [f"radius {self.radius}"] if self.trimap is None else []
        for path in (self.image, self.truth, self.trimap):
            if path is not None:
                info = path.stat()
                parts.append(f"{path.resolve()} {info.st_size} {info.st_mtime_ns}")
        return "; ".join(parts)


def _grey(path: Path) -> npt.NDArray[Any]:
    """Read a grey picture, which may be saved as RGB."""
    return _check.single_channel(load_image(path), str(path))


def made_trimap(truth: npt.NDArray[Any], radius: float | None = None) -> npt.NDArray[np.uint8]:
    """Make a trimap from a true alpha; pixels near its edge and between 0 and 1 are unknown.

    Parameters
    ----------
    truth : (H, W) ndarray
        The true alpha.
    radius : float, optional
        Half the width of the band, in pixels. Default: 1 % of the longer side.

    Returns
    -------
    (H, W) ndarray of uint8
        0 background, 128 unknown, 255 foreground.
    """
    size = 0.01 * max(truth.shape) if radius is None else radius
    trimap = trimap_from_mask(truth, erode=size, dilate=size)
    trimap[(truth > 0) & (truth < _check.full_range(truth.dtype))] = 128
    return trimap


def folder(
    path: str | os.PathLike[str],
    *,
    layout: str = "auto",
    trimap: str = "Trimap1",
    radius: float | None = None,
) -> Dataset:
    """Open a data set in a folder. Nothing is downloaded.

    Parameters
    ----------
    path : str or path-like
        The folder.
    layout : str, default "auto"
        Layout of the folder; "auto" takes the first that fits. "alphamatting" is the training set
        of alphamatting.com (``input_training_lowres``, ``trimap_training_lowres/Trimap1``,
        ``gt_training_lowres``, or the short names ``input``, ``trimap1``, ``gt``). "composition-1k"
        has ``merged``, ``trimaps`` and ``alpha_copy``. "aim-500", "p3m-500", "am-2k" and
        "image-alpha" are pictures with mattes: ``original`` and ``mask``, with or without
        ``trimap``.
    trimap : str, default "Trimap1"
        Name of the trimaps, if there are several. Small and capital letters count as equal.
    radius : float, optional
        Half the width of the unknown band, in pixels, where trimaps are made from the truth. The
        default is 1 % of the longer side. Pixels that are neither 0 nor 1 are unknown, too.

    Returns
    -------
    Dataset
        Its name is that of the folder, and of the trimaps if there are several.

    Raises
    ------
    DatasetError
        If the folder or a part of it is missing; the message says what was looked for.
    ValueError
        If `layout` is unknown.
    """
    root = Path(path).absolute()
    radius = _radius(radius)
    if layout != "auto" and layout not in LAYOUTS:
        raise ValueError(f"layout: expected one of auto, {', '.join(LAYOUTS)}, got {layout!r}")
    if not root.is_dir():
        raise DatasetError(f"{root}: no such folder")
    tried = []
    for name in dict.fromkeys(LAYOUTS if layout == "auto" else [layout]):
        kind = LAYOUTS[name]
        for inner in kind.roots:
            parts = {
                part: _first_folder(root / inner, choices, trimap)
                for part, choices in (("image", kind.images), ("truth", kind.truths), ("trimap", kind.trimaps))
            }
            images, truths, trimaps = parts["image"], parts["truth"], parts["trimap"]
            if images and truths and (trimaps or not kind.trimaps_needed):
                several = any("{trimap}" in choice for choice in kind.trimaps)
                name = root.resolve().name
                title = f"{name}/{trimaps.name}" if several and trimaps else name
                return _paired(title, images, truths, trimaps, radius)
        tried.append(f"a {kind.title} has {_described(kind, trimap)}")
    raise DatasetError(f"{root}: not laid out as expected: " + "; ".join(dict.fromkeys(tried)))


def files(
    images: str, truths: str, trimaps: str | None = None, *, radius: float | None = None, name: str = "files"
) -> Dataset:
    """Open the files that match patterns as a data set.

    Parameters
    ----------
    images : str
        Pattern of the pictures, such as ``"photos/*.jpg"``.
    truths : str
        Pattern of the true alphas. With ``"gt/*.png"`` their stems (names without ending) are those
        of the pictures; with ``{stem}``, as in ``"gt/{stem}_alpha.png"``, the stem of the picture
        is put in.
    trimaps : str, optional
        Pattern of the trimaps, in the same form. By default they are made from the truth.
    radius : float, optional
        As in :func:`folder`.
    name : str, default "files"
        Name of the data set.

    Returns
    -------
    Dataset

    Raises
    ------
    DatasetError
        If no picture matches, or a picture has no truth or trimap.
    """
    radius = _radius(radius)
    found = _matches(images)
    if not found:
        raise DatasetError(f"{images}: no file matches")
    truth_of = _belonging(truths, found, "truth")
    trimap_of = {} if trimaps is None else _belonging(trimaps, found, "trimap")
    sources = [FileSource(p.stem, p, truth_of[p], trimap_of.get(p), radius) for p in found]
    return Dataset(name, sources)


def _radius(value: float | None) -> float | None:
    return None if value is None else _check.between(value, 0, 1e6, "radius")


def _matches(pattern: str) -> list[Path]:
    if os.path.isfile(pattern):  # its name may hold characters of patterns
        return [Path(pattern).absolute()]
    return [Path(match).absolute() for match in sorted(glob.glob(pattern, recursive=True))]


def _belonging(pattern: str, images: Sequence[Path], part: str) -> dict[Path, Path]:
    """Return the file of a pattern that belongs to each picture."""
    if "{stem}" in pattern:
        found = {image: _matches(pattern.replace("{stem}", glob.escape(image.stem))) for image in images}
    else:
        by_stem: dict[str, list[Path]] = {}
        for path in _matches(pattern):
            by_stem.setdefault(path.stem, []).append(path)
        found = {image: by_stem.get(image.stem, []) for image in images}
    for image, paths in found.items():
        if len(paths) != 1:
            wanted = pattern.replace("{stem}", image.stem)
            raise DatasetError(f"{image}: expected one {part} {wanted} of the same stem, got {len(paths)}")
    return {image: paths[0] for image, paths in found.items()}


def _first_folder(root: Path, choices: Sequence[str], trimap: str) -> Path | None:
    """Return the first of some folders that holds pictures; the case of its name does not count."""
    for choice in choices:
        here: Path | None = root
        for part in choice.format(trimap=trimap).split("/"):
            inside = sorted(here.iterdir()) if here is not None and here.is_dir() else []
            same = [p for p in inside if p.is_dir() and p.name.lower() == part.lower()]
            here = same[0] if same else None
        if here is not None and pictures_in(here):
            return here
    return None


def pictures_in(folder: Path) -> list[Path]:
    """Return the picture files in a folder, sorted."""
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in _PICTURES and not p.name.startswith("."))


def _described(layout: Layout, trimap: str) -> str:
    parts = [layout.images, layout.truths]
    if layout.trimaps_needed:
        parts.append(layout.trimaps)
    return ", ".join(" or ".join(f"{c.format(trimap=trimap)}/" for c in choices) for choices in parts)


def _paired(name: str, images: Path, truths: Path, trimaps: Path | None, radius: float | None) -> Dataset:
    """Pair pictures with truths and trimaps of one stem; a truth serves STEM_0, ..., too."""
    truth_of = _by_stem(truths)
    trimap_of = _by_stem(trimaps) if trimaps else {}
    sources = []
    for stem, image in _by_stem(images).items():
        truth = truth_of.get(stem) or truth_of.get(re.sub(r"_\d+$", "", stem))
        if truth is None:
            raise DatasetError(f"{image}: no truth {truths / stem}.*")
        trimap = trimap_of.get(stem)
        if trimaps is not None and trimap is None:
            raise DatasetError(f"{image}: no trimap {trimaps / stem}.*")
        sources.append(FileSource(stem, image, truth, trimap, radius))
    return Dataset(name, sources)


def _by_stem(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in pictures_in(folder):
        if path.stem in found:
            raise DatasetError(
                f"{folder}: expected one picture of a stem, got {found[path.stem].name} and {path.name}"
            )
        found[path.stem] = path
    return found
