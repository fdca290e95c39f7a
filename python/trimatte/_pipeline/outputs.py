"""Names of files to write, checked before any work is done."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ..io.formats import depth_of
from ..io.names import place_of


def refuse_unusable(outputs: Iterable[tuple[str, int]], inputs: Iterable[str], *, bits: int | None = None) -> None:
    """Raise ValueError unless all outputs of an item can be written without harm.

    Parameters
    ----------
    outputs : iterable of (str, int)
        Names, and the channels of what is written.
    inputs : iterable of str
        Names of the files that are read; an empty name stands for none.
    bits : {None, 8, 16, 32}
        See `trimatte.io.formats.depth_of`.
    """
    taken = {mark for path in inputs if path for mark in _marks(path)}
    seen: set[str] = set()
    for path, channels in outputs:
        depth_of(path, bits, channels)
        if not taken.isdisjoint(_marks(path)):
            raise ValueError(f"{path}: is an input; choose another name for the output")
        if place_of(path) in seen:
            raise ValueError(f"{path}: is the name of two outputs")
        seen.add(place_of(path))


def _marks(path: str) -> tuple[object, ...]:
    """Return what tells a file from others: its place and, if it exists, its number on the disk."""
    place = place_of(path)
    try:
        info = os.stat(place)
    except (OSError, ValueError):
        return (place,)
    return place, (info.st_dev, info.st_ino)
