"""Where frames come from: a clip, a folder of pictures, or names with a number."""

from __future__ import annotations

import glob
import os
import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy.typing as npt

from ..errors import PictureError, TrimatteWarning
from ..io.names import is_url, state_of, with_slashes
from ..io.video import Clip, is_clip, open_clip

PICTURE_SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".exr", ".dpx", ".gif", ".avif", ".heic", ".heif",
)  # fmt: skip


class Still(NamedTuple):
    """One frame.

    Attributes
    ----------
    number : int
        Its place, from 0.
    label : str
        What messages call it.
    path : str or None
        The picture file; None if it is a frame of a clip.
    pixels : ndarray or None
        What was decoded from a clip; None if the frame is not wanted, or is a file.
    time : int
        When it is shown, in units of the clip's time base; its place for files.
    """

    number: int
    label: str
    path: str | None
    pixels: npt.NDArray[Any] | None
    time: int


class Source(ABC):
    """Frames in order.

    Attributes
    ----------
    name : str
        What messages call all of them.
    files : list of str
        The files that hold them.
    """

    name: str
    files: list[str]

    @abstractmethod
    def count(self) -> int:
        """Return how many frames there are; refuse a clip that is truncated."""

    @abstractmethod
    def stills(self, wanted: Callable[[int], bool]) -> Iterator[Still]:
        """Yield the frames; those that are not wanted are yielded without pixels."""

    @abstractmethod
    def state(self, index: int) -> str:
        """Say how the file of a frame is now: another text means that it has changed."""


class Pictures(Source):
    """Picture files.

    Parameters
    ----------
    name : str
        The folder or the pattern.
    files : sequence of str
        The files in order.
    numbers : sequence of int, optional
        Their numbers; from 1 on if there are none in their names.
    """

    def __init__(self, name: str, files: Sequence[str], numbers: Sequence[int] | None = None) -> None:
        self.name, self.files = name, list(files)
        self.numbers = list(range(1, len(files) + 1)) if numbers is None else list(numbers)

    def count(self) -> int:
        """Return how many files there are."""
        return len(self.files)

    def stills(self, wanted: Callable[[int], bool]) -> Iterator[Still]:
        """Yield the files, which whoever mattes them reads."""
        for index, (file, number) in enumerate(zip(self.files, self.numbers, strict=True)):
            yield Still(index, f"frame {number}, {file}", file, None, index)

    def state(self, index: int) -> str:
        """Say how a file is now."""
        return f"{self.files[index]} {state_of(self.files[index])}"


class Film(Source):
    """The frames of a clip; they are counted from 1 in messages.

    Parameters
    ----------
    clip : Clip
        The clip.
    """

    def __init__(self, clip: Clip) -> None:
        self.name, self.files, self.clip = clip.name, [clip.name], clip
        self._count: int | None = None

    def count(self) -> int:
        """Count the frames, without decoding them."""
        if self._count is None:
            self._count = self.clip.count()
        return self._count

    def stills(self, wanted: Callable[[int], bool]) -> Iterator[Still]:
        """Decode the frames."""
        for index, time, pixels in self.clip.frames(wanted):
            yield Still(index, f"frame {index + 1} of {self.name}", None, pixels, time)

    def state(self, index: int) -> str:
        """Say how the clip is now, and which frame is meant."""
        return f"{self.name} {index} {state_of(self.name)}"


def open_source(name: str, first: int | None = None) -> Source:
    """Find the frames that a name means.

    Parameters
    ----------
    name : str
        A clip, a folder, a name with %d or %04d for the frame's number, or a pattern with * or ?.
    first : int, optional
        Number of the first frame, for names with a number.

    Raises
    ------
    ValueError
        If the name means none of these.
    PictureError
        If there is no such frame, or the clip cannot be read.
    """
    if is_url(name):
        raise ValueError(f"{name}: a sequence is read from local files")
    if is_numbered(name):
        numbers = existing(name, first)
        return Pictures(name, [numbered(name, number) for number in numbers], numbers)
    if first is not None:
        raise ValueError(f"{name}: a first frame is only for names with %d or %04d for the frame's number")
    if os.path.isdir(name):
        return _folder(name, (os.path.join(name, file) for file in os.listdir(name)))
    if glob.has_magic(name) and not os.path.exists(name):
        return _folder(name, glob.glob(name))
    if is_clip(name):
        return Film(open_clip(name))
    raise ValueError(
        f"{name}: expected a clip (clip.mp4), a folder of frames, or names with %d or %04d for the frame's number"
    )


def _folder(name: str, found: Any) -> Pictures:
    """Return the pictures among some files, numbers in their names by value."""
    files = [file for file in found if os.path.splitext(file)[1].lower() in PICTURE_SUFFIXES and _is_seen(file)]
    if not files:
        raise PictureError(f"{name}: no pictures in there")
    return Pictures(name, sorted(files, key=_natural))


def _is_seen(file: str) -> bool:
    return not os.path.basename(file).startswith(".") and os.path.isfile(file)


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def is_numbered(pattern: str) -> bool:
    """Whether a name holds one %d or %04d; a double percent sign means one."""
    return len(re.findall(r"%\d*d", pattern.replace("%%", ""))) == 1


def numbered(pattern: str, number: int) -> str:
    """Return the name of a frame."""
    try:
        return pattern % number
    except (TypeError, ValueError) as error:
        raise ValueError(f"{pattern}: expected one %d or %04d for the frame's number") from error


def existing(pattern: str, first: int | None) -> list[int]:
    """Return the numbers of the frames that there are, from the first on, without a gap."""
    if first is None:
        found = [number for number in _numbers(pattern) if os.path.exists(numbered(pattern, number))]
        if not found:
            raise PictureError(f"{pattern}: no such frame")
        first = min(found)
    there: list[int] = []
    while os.path.exists(numbered(pattern, first + len(there))):
        there.append(first + len(there))
    if not there:
        raise PictureError(f"{numbered(pattern, first)}: no such frame")
    missing = first + len(there)
    later = [number for number in _numbers(pattern) if number > missing]
    if later:
        warnings.warn(
            f"{numbered(pattern, missing)}: no such frame; the {len(later)} from {min(later)} on are left out",
            TrimatteWarning,
            stacklevel=2,
        )
    return there


def _numbers(pattern: str) -> list[int]:
    """Return the numbers that names of this pattern have."""
    head, tail = (part.replace("\0", "%") for part in re.split(r"%\d*d", pattern.replace("%%", "\0")))
    names = re.compile(re.escape(with_slashes(head)) + r"(\d+)" + re.escape(with_slashes(tail)))
    found = glob.glob(glob.escape(head) + "*" + glob.escape(tail))
    return [int(match[1]) for name in found if (match := names.fullmatch(with_slashes(name)))]
