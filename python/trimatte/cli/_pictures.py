"""Files and colours on the command line."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from .._pipeline.backdrop import Backdrop
from .._pipeline.outputs import refuse_unusable
from ..errors import PictureError
from ..io.names import STANDARD, is_url
from ..io.write import check_folder


def prepare_outputs(
    outputs: Sequence[tuple[str | None, int]], inputs: Sequence[str], *, bits: int | None = None
) -> None:
    """Refuse outputs ``(path, channels)`` that could not be written, before any work is done."""
    if inputs.count(STANDARD) > 1:
        raise click.UsageError("-: standard input can be read once; name a file for the other input")
    named = [(path, channels) for path, channels in outputs if path is not None]
    try:
        refuse_unusable(named, [path for path in inputs if path != STANDARD], bits=bits)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    for path, _ in named:
        make_folder(path)
        check_folder(path)


def make_folder(path: str) -> None:
    """Make the folder in which a file will lie, if it is missing."""
    folder = os.path.dirname(path)
    if is_url(path) or path == STANDARD or not folder or os.path.exists(folder):
        return
    try:
        os.makedirs(folder)
    except OSError as error:
        raise PictureError(f"{path}: cannot make the folder {folder}: {error.strerror}") from error


def named_colour(text: str) -> tuple[int, ...] | None:
    """Return the colour that a text means; None if it means none."""
    from PIL import ImageColor

    try:
        return ImageColor.getrgb(text)
    except ValueError:
        return None


def parsed_backdrop(text: str) -> Backdrop:
    """Take `text` as a colour, else as the name of a file."""
    colour = named_colour(text)
    if colour is not None:
        if len(colour) != 3:
            raise click.UsageError(f"{text}: expected an opaque colour, #rrggbb")
        return Backdrop(text, colour)
    if text.startswith("#") or not (os.path.exists(text) or os.path.splitext(text)[1]):
        raise click.UsageError(f"{text}: neither a colour (#rrggbb or a CSS name) nor a file")
    return Backdrop(text)
